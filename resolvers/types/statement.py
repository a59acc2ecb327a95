"""Monthly statements."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import strawberry

from resolvers.columns import column, computed, global_id, money
from resolvers.connection import Connection
from resolvers.context import Context
from resolvers.costs import LINK
from resolvers.permissions import Policy
from resolvers.types.money import Money
from resolvers.types.node import Node


def _sign_download_url(context: Context, account_id: int, number: str) -> str:
    return context.links.to_statements([account_id], [number])[0]


def _sign_download_urls(
    context: Context, account_ids: Sequence[int], numbers: Sequence[str]
) -> list[str]:
    return context.links.to_statements(account_ids, numbers)


@strawberry.type(
    description="A month's statement: every change of the balance that was recorded in the month "
    "and is on no earlier statement, and the usage behind it. Statements never change."
)
class Statement(Node):
    POLICY: ClassVar = Policy.PURCHASES

    id: strawberry.ID = global_id(
        "Statement", "account_id", "id", description="The statement's global id."
    )
    number: str = column(
        "number", description="The statement's number, `<prefix>-S<year>-<month>`."
    )
    month: str = column("month", description="The month, such as `2026-11`.")
    issued_at: datetime = column(
        "issued_at",
        description="When the statement was issued: usually within an hour of the month's end.",
    )
    opening_balance: Money = money(
        "opening_nanos",
        description="The closing balance of the statement before; 0 on the first one.",
    )
    closing_balance: Money = money(
        "closing_nanos", description="The balance at the end of the month."
    )
    download_url: str = computed(
        _sign_download_url,
        "account_id",
        "number",
        cost=LINK,
        all_=_sign_download_urls,
        description="Signed download link to the PDF. The link needs no credential and expires "
        "within 15 minutes.",
    )


@strawberry.type(description="Monthly statements, latest month first.")
class StatementConnection(Connection[Statement]):
    POLICY: ClassVar = Policy.PURCHASES
