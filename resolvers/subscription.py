"""The root of all subscriptions. Each event is the root value of one execution; see
`resolvers.sources`.
"""

from typing import Annotated, ClassVar

import strawberry

from gateway.execution.fields import Events
from gateway.store.rows import CreditPurchaseRow
from resolvers.columns import resolved
from resolvers.permissions import Policy
from resolvers.sources import find_account, open_balance, open_purchases
from resolvers.types.balance_update import BalanceUpdate, PushedBalance
from resolvers.types.credit_purchase import CreditPurchase

AccountId = Annotated[strawberry.ID, strawberry.argument(description="The account's global id.")]


def take_balance(root: strawberry.Parent[PushedBalance], account_id: AccountId) -> PushedBalance:
    return root


def take_purchase(
    root: strawberry.Parent[CreditPurchaseRow], account_id: AccountId
) -> CreditPurchaseRow:
    return root


@strawberry.type(
    description="Live updates over a WebSocket (`graphql-transport-ws`) or server-sent events. "
    "A NOT_FOUND error if the account does not exist or the caller has no access. "
    "Subscribe again after a lost connection."
)
class Subscription:
    POLICY: ClassVar = Policy.ACCOUNT

    balance_updated: BalanceUpdate = resolved(
        take_balance,
        events=Events(find=find_account, open=open_balance),
        description="The current balance (cause SNAPSHOT), then every change of the balance. A "
        "slow client gets the latest balance instead of every change.",
    )
    credit_purchase_updated: CreditPurchase = resolved(
        take_purchase,
        policy=Policy.PURCHASES,
        events=Events(find=find_account, open=open_purchases),
        description="Credit purchases that start or change, including changes of their refunds "
        "and disputes. A FORBIDDEN error for a VIEWER.",
    )
