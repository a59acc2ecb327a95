"""The ledger as people read it."""

from datetime import date, datetime
from typing import ClassVar

import strawberry

from gateway.exports.writers import LEDGER_WRITERS
from gateway.links import LEDGER_PATH
from gateway.store import Row
from resolvers.columns import column, global_id, money, resolved
from resolvers.connection import Connection, Pages
from resolvers.context import Info
from resolvers.enums import LedgerCause
from resolvers.exports import Format, sign_export
from resolvers.permissions import Policy
from resolvers.types.credit_purchase import CreditPurchase
from resolvers.types.dispute import Dispute
from resolvers.types.money import Money
from resolvers.types.node import Node
from resolvers.types.refund import Refund


async def load_purchase(root: strawberry.Parent[Row], info: Info) -> Row | None:
    if root["purchase_id"] is None:
        return None
    key = (root["account_id"], root["purchase_id"])
    return await info.context.loaders.credit_purchase_by_id.load(key)


async def load_refund(root: strawberry.Parent[Row], info: Info) -> Row | None:
    if root["refund_id"] is None:
        return None
    return await info.context.loaders.refund_by_id.load((root["account_id"], root["refund_id"]))


async def load_dispute(root: strawberry.Parent[Row], info: Info) -> Row | None:
    if root["dispute_id"] is None:
        return None
    return await info.context.loaders.dispute_by_id.load((root["account_id"], root["dispute_id"]))


def sign_export_url(root: strawberry.Parent[Pages], info: Info, format_: Format) -> str:
    assert root.account is not None  # noqa: S101  # a ledger is always an account's
    assert root.exported is not None  # noqa: S101  # and can be exported
    account_id = root.account["account_id"]
    return sign_export(info, LEDGER_PATH, account_id, format_, root.exported, LEDGER_WRITERS)


@strawberry.type(
    description="A change of the balance: an entry of the ledger, or all usage that was recorded "
    "on one day of the account's zone."
)
class LedgerRow(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "LedgerRow",
        "account_id",
        "key",
        description="The row's global id. A usage row keeps it while its day goes on; when the "
        "account's zone changes, days begin elsewhere and usage rows get other ids.",
    )
    at: datetime = column(
        "recorded_at",
        description="When it was recorded; a usage row's is its day's last usage entry. It never "
        "goes back from one row to the next later one.",
    )
    cause: LedgerCause = column("cause", description="Why the balance changed.")
    day: date | None = column(
        "day",
        description="The day of a usage row, in the account's zone; null for every other cause.",
    )
    amount: Money = money(
        "amount_nanos", description="What was added to the balance; negative where it was taken."
    )
    balance: Money = money(
        "balance_nanos",
        description="The balance after the row: the sum of all rows up to it, whatever the filter "
        "selects.",
    )
    description: str | None = column(
        "description",
        description="An adjustment's, a refund's or a dispute's reason, or what a purchase or "
        "given credit was for; at most 2,000 characters. Null for usage.",
    )
    purchase: CreditPurchase | None = resolved(
        load_purchase,
        description="The purchase that it belongs to; null for usage and adjustments.",
    )
    refund: Refund | None = resolved(
        load_refund, description="The refund that made it; null where none did."
    )
    dispute: Dispute | None = resolved(
        load_dispute, description="The dispute that made it; null where none did."
    )


@strawberry.type(
    description="Rows of the ledger, the latest `at` first. Today's usage row goes up to the first "
    "place whenever usage is recorded: who follows cursors meanwhile may meet it twice or not at "
    "all, and every other row exactly once."
)
class LedgerConnection(Connection[LedgerRow]):
    POLICY: ClassVar = Policy.PURCHASES

    export_url: str = resolved(
        sign_export_url,
        description="A link to a file (CSV or JSONL) of all rows that the filter selects, the "
        "earliest first, which needs no credential; it is signed again for each answer and "
        "expires within 15 minutes.",
    )
