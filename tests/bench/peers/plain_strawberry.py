"""The same part of the schema on Strawberry and SQLAlchemy as their documentation shows it.

Strawberry types, one resolver a field that needs one, a DataLoader for each table with a session of
its own, ORM objects, and Strawberry's ASGI view in uvicorn. Nothing is made slow on purpose, and
nothing is tuned: no caches of documents, no statements of our own. It asks nobody who they are.
"""

import base64
import os
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cached_property
from typing import Annotated, Any

import strawberry
import uvicorn
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import col
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from gateway import models
from gateway.ids import encode_global_id, parse_global_id
from gateway.money import format_amount
from gateway.store.engine import bitset

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=8, max_overflow=0)
new_session = async_sessionmaker(engine, expire_on_commit=False)

strawberry.enum(models.CreditPurchaseStatus)


@strawberry.enum
class UsageInterval(Enum):
    DAY = 1
    WEEK = 7


async def load_accounts(keys: list[int]) -> list[models.Account | None]:
    async with new_session() as session:
        found = await session.scalars(
            select(models.Account).where(col(models.Account.account_id).in_(keys))
        )
        by_key = {account.account_id: account for account in found}
    return [by_key.get(key) for key in keys]


async def load_receipts(keys: list[tuple[int, int]]) -> list[models.Receipt | None]:
    async with new_session() as session:
        found = await session.scalars(
            select(models.Receipt).where(
                col(models.Receipt.account_id).in_({account for account, _ in keys}),
                col(models.Receipt.purchase_id).in_([purchase for _, purchase in keys]),
                col(models.Receipt.refund_id).is_(None),
            )
        )
        by_key = {(receipt.account_id, receipt.purchase_id): receipt for receipt in found}
    return [by_key.get(key) for key in keys]


async def load_purchase_counts(keys: list[int]) -> list[int]:
    table = models.CreditPurchase
    async with new_session() as session:
        found = await session.execute(
            select(col(table.account_id), func.count())
            .where(col(table.account_id).in_(keys))
            .group_by(col(table.account_id))
        )
        counts: dict[int, int] = dict(iter(found))
    return [counts.get(key, 0) for key in keys]


async def load_days(keys: list[tuple[int, date, date]]) -> list[list[models.RollupDay]]:
    table = models.RollupDay
    async with new_session() as session:
        found = await session.scalars(
            select(table)
            .where(
                col(table.account_id).in_([account for account, _, _ in keys]),
                col(table.day) >= min(lower for _, lower, _ in keys),
                col(table.day) <= max(upper for _, _, upper in keys),
            )
            .order_by(col(table.day))
        )
        by_account = defaultdict(list)
        for row in found:
            by_account[row.account_id].append(row)
    return [
        [row for row in by_account[account] if lower <= row.day <= upper]
        for account, lower, upper in keys
    ]


class Loaders:
    """Made for each request."""

    @cached_property
    def accounts(self) -> DataLoader[int, models.Account | None]:
        return DataLoader(load_fn=load_accounts)

    @cached_property
    def receipts(self) -> DataLoader[tuple[int, int], models.Receipt | None]:
        return DataLoader(load_fn=load_receipts)

    @cached_property
    def purchase_counts(self) -> DataLoader[int, int]:
        return DataLoader(load_fn=load_purchase_counts)

    @cached_property
    def days(self) -> DataLoader[tuple[int, date, date], list[models.RollupDay]]:
        return DataLoader(load_fn=load_days)


Info = strawberry.Info[dict[str, Any], None]


@strawberry.type
class Money:
    amount: str
    currency: str


def money(nanos: int, currency: str) -> Money:
    return Money(amount=format_amount(nanos, currency), currency=currency)


@strawberry.type
class Balance:
    available: Money


@strawberry.type
class PaymentMethod:
    brand: str | None
    last4: str | None


@strawberry.type
class Receipt:
    number: str


@strawberry.type
class CreditPurchase:
    row: strawberry.Private[models.CreditPurchase]
    created_at: datetime
    status: models.CreditPurchaseStatus

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(encode_global_id("CreditPurchase", self.row.account_id, self.row.id))

    @strawberry.field
    def amount(self) -> Money:
        return money(self.row.amount_nanos, self.row.currency)

    @strawberry.field
    def payment_method(self) -> PaymentMethod | None:
        if self.row.payment_method_type is None:
            return None
        return PaymentMethod(
            brand=self.row.payment_method_brand, last4=self.row.payment_method_last4
        )

    @strawberry.field
    async def receipt(self, info: Info) -> Receipt | None:
        loaders: Loaders = info.context["loaders"]
        receipt = await loaders.receipts.load((self.row.account_id, self.row.id))
        return Receipt(number=receipt.number) if receipt else None


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class CreditPurchaseEdge:
    cursor: str
    node: CreditPurchase


@strawberry.type
class CreditPurchaseConnection:
    account_id: strawberry.Private[int]
    edges: list[CreditPurchaseEdge]
    page_info: PageInfo

    @strawberry.field
    async def total_count(self, info: Info) -> int:
        loaders: Loaders = info.context["loaders"]
        return await loaders.purchase_counts.load(self.account_id)


@strawberry.type
class UsageBucket:
    start: datetime
    end: datetime
    spend: Money
    cumulative_spend: Money
    deployments: int


@strawberry.type
class UsageSummary:
    total_spend: Money
    total_deployments: int


@strawberry.type
class Usage:
    summary: UsageSummary
    buckets: list[UsageBucket]


def cursor_of(row: models.CreditPurchase) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()}|{row.id}".encode()).decode()


@strawberry.type
class Account:
    row: strawberry.Private[models.Account]
    name: str

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(encode_global_id("Account", self.row.account_id))

    @strawberry.field
    def balance(self) -> Balance:
        return Balance(available=money(self.row.balance_nanos, self.row.currency))

    @strawberry.field
    async def credit_purchases(self, first: int = 20) -> CreditPurchaseConnection:
        table = models.CreditPurchase
        async with new_session() as session:
            found = await session.scalars(
                select(table)
                .where(col(table.account_id) == self.row.account_id)
                .order_by(col(table.created_at).desc(), col(table.id).desc())
                .limit(first + 1)
            )
            rows = found.all()
        edges = [
            CreditPurchaseEdge(
                cursor=cursor_of(row),
                node=CreditPurchase(
                    row=row,
                    created_at=row.created_at,
                    status=models.CreditPurchaseStatus(row.status),
                ),
            )
            for row in rows[:first]
        ]
        return CreditPurchaseConnection(
            account_id=self.row.account_id,
            edges=edges,
            page_info=PageInfo(
                has_next_page=len(rows) > first,
                has_previous_page=False,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )

    @strawberry.field
    async def usage(
        self,
        info: Info,
        interval: UsageInterval,
        from_: Annotated[date, strawberry.argument(name="from")],
        to: date,
    ) -> Usage:
        loaders: Loaders = info.context["loaders"]
        rows = await loaders.days.load((self.row.account_id, from_, to))
        return add_up(rows, self.row.currency, interval.value, from_, to)


def add_up(rows: list[models.RollupDay], currency: str, days: int, from_: date, to: date) -> Usage:
    """Return the usage of a window, both dates inclusive; weeks begin on Mondays, days are UTC."""
    start = from_ if days == 1 else from_ - timedelta(days=from_.weekday())
    buckets: list[UsageBucket] = []
    total, everything = 0, 0
    while start <= to:
        end = start + timedelta(days=days)
        lower, upper = max(start, from_), min(end, to + timedelta(days=1))
        inside = [row for row in rows if lower <= row.day < upper]
        spent = sum(row.spent_nanos for row in inside)
        active = 0
        for row in inside:
            active |= bitset.decode(row.deployments)
        total += spent
        everything |= active
        buckets.append(
            UsageBucket(
                start=datetime.combine(lower, time(), UTC),
                end=datetime.combine(upper, time(), UTC),
                spend=money(spent, currency),
                cumulative_spend=money(total, currency),
                deployments=active.bit_count(),
            )
        )
        start = end
    summary = UsageSummary(
        total_spend=money(total, currency), total_deployments=everything.bit_count()
    )
    return Usage(summary=summary, buckets=buckets)


@strawberry.type
class Query:
    @strawberry.field
    async def account(self, info: Info, id: strawberry.ID) -> Account | None:  # noqa: A002
        loaders: Loaders = info.context["loaders"]
        row = await loaders.accounts.load(parse_global_id(id).account_id)
        return Account(row=row, name=row.name) if row else None


class GraphQLWithLoaders(GraphQL[dict[str, Any], None]):
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> dict[str, Any]:
        return {"request": request, "response": response, "loaders": Loaders()}


app = Starlette(routes=[Route("/graphql", GraphQLWithLoaders(strawberry.Schema(Query)))])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
