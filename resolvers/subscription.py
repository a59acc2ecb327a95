"""The root of all subscriptions. An event is the root value of an execution; see `sources`."""

from typing import Annotated, ClassVar

import strawberry

from gateway.store import Row
from resolvers.columns import resolved
from resolvers.permissions import Policy
from resolvers.types.balance_update import BalanceUpdate
from resolvers.types.credit_purchase import CreditPurchase

AccountId = Annotated[strawberry.ID, strawberry.argument(description="The account's global id.")]


def take_event(root: strawberry.Parent[Row], account_id: AccountId) -> Row:
    return root


@strawberry.type(
    description="What is pushed, over a WebSocket (`graphql-transport-ws`) or server-sent events. "
    "An account that is not there or not the viewer's is NOT_FOUND. After a lost connection, "
    "subscribe again."
)
class Subscription:
    POLICY: ClassVar = Policy.ACCOUNT

    balance_updated: BalanceUpdate = resolved(
        take_event,
        description="The balance as it is now (cause SNAPSHOT), then each change, whichever "
        "process made it. A slow reader gets the latest rather than all.",
    )
    credit_purchase_updated: CreditPurchase = resolved(
        take_event,
        policy=Policy.PURCHASES,
        description="Each purchase that is begun or changes from now on, its refunds and disputes "
        "included. FORBIDDEN for a VIEWER.",
    )
