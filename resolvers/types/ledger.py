"""The ledger as people read it."""

from datetime import date, datetime
from typing import ClassVar

import strawberry

from gateway.exports.writers import LEDGER_WRITERS
from gateway.links import LEDGER_PATH
from gateway.store import rows
from gateway.store.rows import Counted
from resolvers.columns import column, global_id, money, related, resolved
from resolvers.connection import Connection, Pages
from resolvers.context import Info
from resolvers.costs import LINK, LONG_TEXT
from resolvers.enums import LedgerCause
from resolvers.exports import Format, sign_export
from resolvers.permissions import Policy
from resolvers.types.credit_purchase import CreditPurchase
from resolvers.types.dispute import Dispute
from resolvers.types.money import Money
from resolvers.types.node import Node
from resolvers.types.refund import Refund


def sign_export_url(
    root: strawberry.Parent[Pages[rows.LedgerRow, Counted]], info: Info, format_: Format
) -> str:
    assert root.account is not None  # noqa: S101  # a ledger is always an account's
    assert root.exported is not None  # noqa: S101  # and can be exported
    account_id = root.account["account_id"]
    return sign_export(
        info, LEDGER_PATH, account_id, format_, root.exported.parameters(), LEDGER_WRITERS
    )


@strawberry.type(
    description="A change of the balance: one ledger entry, or all usage recorded on one day in "
    "the account's time zone."
)
class LedgerRow(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "LedgerRow",
        "account_id",
        "key",
        description="The row's global id. A usage row keeps its id all day. If the account's "
        "time zone changes, usage rows get new ids.",
    )
    at: datetime = column(
        "recorded_at",
        description="When the change was recorded; for a usage row, the last usage entry of the "
        "day. Later rows never have an earlier `at`.",
    )
    cause: LedgerCause = column("cause", description="Why the balance changed.")
    day: date | None = column(
        "day",
        description="The day of a usage row, in the account's time zone; null for other causes.",
    )
    amount: Money = money(
        "amount_nanos",
        description="The change of the balance; negative if the balance was reduced.",
    )
    balance: Money = money(
        "balance_nanos",
        description="The balance after the change. The filter does not affect this balance.",
    )
    description: str | None = column(
        "description",
        cost=LONG_TEXT,
        description="The reason of an adjustment, refund or dispute, or the description of a "
        "purchase or granted credit; at most 2,000 characters. Null for usage.",
    )
    purchase: CreditPurchase | None = related(
        "credit_purchase_by_id",
        "account_id",
        "purchase_id",
        description="The purchase that the change belongs to; null for usage and adjustments.",
    )
    refund: Refund | None = related(
        "refund_by_id",
        "account_id",
        "refund_id",
        description="The refund that caused the change; null for other causes.",
    )
    dispute: Dispute | None = related(
        "dispute_by_id",
        "account_id",
        "dispute_id",
        description="The dispute that caused the change; null for other causes.",
    )


@strawberry.type(
    description="Ledger rows, latest `at` first. Today's usage row moves to the first place "
    "whenever usage is recorded: a client that pages meanwhile may get this row "
    "twice or not at all, and every other row exactly once."
)
class LedgerConnection(Connection[LedgerRow]):
    POLICY: ClassVar = Policy.PURCHASES

    export_url: str = resolved(
        sign_export_url,
        cost=LINK,
        description="Signed download link to a file (CSV, JSONL, XLSX or Parquet) of all rows that "
        "match the filter, oldest first. The link needs no credential and expires within 15 "
        "minutes.",
    )
