"""The ledger as people read it, against its entries by brute force."""

import csv
import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from gateway.billing.credits.posting import adjust_balance, grant_credit
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.purchases.dispute_state import DisputeMovement
from gateway.billing.purchases.recording import load_purchases
from gateway.billing.usage.recording import record_usage
from gateway.exports.export import ExportFormat
from gateway.exports.open import open_ledger
from gateway.exports.request import LedgerExportRequest
from gateway.ids import encode_global_id
from gateway.models import CreditPurchaseKind, LedgerCause, RefundStatus
from gateway.money import MAX_NANOS, format_amount
from gateway.store import Database, Snapshot, accounts
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import ACTOR, Books
from tests.support.facts import PROVIDER, dispute, purchase, record, refund
from tests.support.graph import PLATFORM, data_of
from tests.support.invariants import check_books
from tests.support.tables import table_rows
from tests.support.usage_rows import shown_day

EXAMPLES = limits().max_examples
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
KINDS = ("usage", "usage", "usage", "purchase", "grant", "adjustment", "refund", "dispute", "zone")
numbers = count()
compared: Counter[str] = Counter()

LEDGER = """
query($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $filter: LedgerFilter) {
  account(id: $id) {
    ledger(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes {
        id at cause day amount { amount } balance { amount } description
        purchase { id } refund { id } dispute { id }
      }
    }
  }
}
"""

steps = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from([0, 1, 14, 15, 700]) | st.integers(0, 3000),
        st.sampled_from([0, 1, 10**9]) | st.integers(0, 10**12),
        st.sampled_from(ZONES),
    ),
    min_size=5,
    max_size=14,
)


class Story:
    """An account to which things happen. The clock goes on between them."""

    def __init__(self, database: Database) -> None:
        number = next(numbers)
        self.books = Books(database, seed=number)
        self.books.clock.instant += timedelta(milliseconds=number)
        self.name = f"ledger-{number}"
        self.settled: list[tuple[str, int]] = []

    async def begin(self, time_zone: str) -> None:
        self.time_zone = time_zone
        self.account_id = await self.books.account(self.name, time_zone=time_zone)

    async def step(self, kind: str, minutes: int, amount: int, time_zone: str) -> None:
        self.books.clock.instant += timedelta(minutes=minutes)
        if kind == "zone":
            await self.begin(time_zone)
            return
        async with self.books.open([self.account_id]) as book:
            at = book.now
            if kind == "usage":
                charges = [
                    event(self.account_id, f"{next(numbers)}", amount=each, correction=each < 0)
                    for each in (amount, -(amount // 3))
                ]
                await record_usage(book, charges)
            elif kind == "adjustment":
                adjust_balance(
                    book,
                    self.account_id,
                    amount - 10**11,
                    source=SourceKey.adjustment(f"adjustment:{next(numbers)}"),
                    occurred_at=at,
                    description=f"reason {amount}",
                )
            elif kind == "grant":
                grant_credit(
                    book,
                    self.account_id,
                    CreditPurchaseKind.COUPON,
                    amount + 1,
                    currency="USD",
                    occurred_at=at,
                    description=f"coupon {amount}",
                )
            else:
                await self._move_money(book, kind, amount + 1)

    async def _move_money(self, book: Any, kind: str, amount: int) -> None:
        name = f"pi_{next(numbers)}"
        if kind != "purchase" and not self.settled:
            return
        if kind != "purchase":
            name, paid = self.settled.pop()
            amount = min(amount, paid)
        await load_purchases(book, [(self.account_id, PROVIDER, name)])
        if kind == "purchase":
            self.settled.append((name, amount))
            terms: Any = {"amount": amount, "tax": amount // 5, "description": name}
            facts: Any = purchase(self.account_id, reference=name, succeeded_at=book.now, **terms)
        elif kind == "refund":
            facts = refund(f"re_{name}", "1", created_at=book.now, reason=f"re {name}")
            facts = replace(facts, amount=amount)
            record(book, self.account_id, facts, name)
            # Every other one fails after all.
            facts = replace(facts, status=RefundStatus.FAILED) if amount % 2 else facts
        else:
            facts = dispute("1", reference=f"dp_{name}", reason=f"dp {name}")
            taken = DisputeMovement(reference=f"txn_{name}", amount=-amount, at=book.now)
            facts = replace(facts, amount=amount, movements=(taken,))
        record(book, self.account_id, facts, name)


async def rows_by_brute_force(database: Database, account_id: int, time_zone: str) -> Any:
    """Return the rows, the earliest first, as the API says them, each with its instant."""
    mine = [
        row for row in await table_rows(database, "ledger_entry") if row["account_id"] == account_id
    ]
    texts = {
        row["id"]: row["description" if name == "credit_purchase" else "reason"]
        for name in ("credit_purchase", "refund", "dispute")
        for row in await table_rows(database, name)
    }
    groups: dict[Any, list[dict[str, Any]]] = {}
    for entry in mine:
        usage = entry["cause"] == "USAGE"
        place = shown_day(entry["recorded_at"], time_zone) if usage else entry["version"]
        groups.setdefault(place, []).append(entry)
    rows, balance = [], 0
    for place, entries in sorted(groups.items(), key=lambda group: group[1][-1]["version"]):
        first, last = entries[0], entries[-1]
        amount = sum(entry["amount_nanos"] for entry in entries)
        balance += amount
        named = {
            "refund": last["refund_id"],
            "dispute": last["dispute_id"],
            "purchase": last["purchase_id"],
        }
        about = named.get(last["cause"].lower()) or named["purchase"]
        rows.append(
            {
                "id": encode_global_id("LedgerRow", account_id, first["version"]),
                "at": last["recorded_at"],
                "cause": last["cause"],
                "day": str(place) if isinstance(place, date) else None,
                "amount": {"amount": format_amount(amount, "USD")},
                "balance": {"amount": format_amount(balance, "USD")},
                "description": last["description"] or texts.get(about),
                **{
                    name: key and {"id": encode_global_id(typename, account_id, key)}
                    for (name, key), typename in zip(
                        named.items(), ("Refund", "Dispute", "CreditPurchase"), strict=True
                    )
                },
            }
        )
    assert balance == (mine[-1]["balance_nanos"] if mine else 0)
    return rows


async def pages(
    database: Database, story: Story, size: int, filter_: Any, *, forward: bool
) -> list[Any]:
    """Return all nodes, the latest first, gathered by following cursors."""
    id_ = encode_global_id("Account", story.account_id)
    found: list[list[Any]] = []
    cursor = None
    while True:
        where = {"first": size, "after": cursor} if forward else {"last": size, "before": cursor}
        variables = {"id": id_, "filter": filter_, **where}
        data = await data_of(database, PLATFORM, LEDGER, variables)
        page = data["account"]["ledger"]
        found.append(page["nodes"])
        more, end = ("hasNextPage", "endCursor") if forward else ("hasPreviousPage", "startCursor")
        cursor = page["pageInfo"][end]
        if not page["pageInfo"][more]:
            nodes = [node for nodes in (found if forward else found[::-1]) for node in nodes]
            assert page["totalCount"] == len(nodes)
            return nodes


def said(rows: list[Any]) -> list[Any]:
    return [{**row, "at": row["at"].isoformat()[:-6] + "Z"} for row in reversed(rows)]


async def exported(
    database: Database, story: Story, asked: dict[str, str], format_: ExportFormat
) -> list[dict[str, Any]]:
    """Return the rows of a file, the earliest first."""
    async with Snapshot(database, ACTOR) as snapshot:
        (account,) = await accounts.by_external_id(snapshot, [story.name])
    async with database.exporting(ACTOR) as stream:
        ledger = LedgerExportRequest.read(asked, account)
        opened = await open_ledger(stream, PLATFORM, account, ledger, format_)
        content = b"".join([body async for body, _ in opened.parts()]).decode("utf-8-sig")
    if format_ is ExportFormat.JSONL:
        found = [json.loads(line) for line in content.splitlines()]
    else:
        found = list(csv.DictReader(StringIO(content, newline=""), strict=True))
    assert opened.rows == len(found)
    return found


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """Return a node as a line of a file says it."""
    flat = {**row, "currency": "USD"}
    for name in ("amount", "balance"):
        flat[name] = row[name]["amount"]
    for name in ("purchase", "refund", "dispute"):
        flat[f"{name}Id"] = (flat.pop(name) or {"id": None})["id"]
    return flat


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write files in many chunks."""
    monkeypatch.setattr("gateway.exports.open.LEDGER_ROWS", 3)


@limits(max_examples=15 if EXAMPLES <= 50 else EXAMPLES)
@given(
    begins=st.sampled_from(ZONES),
    steps=steps,
    size=st.integers(1, 6),
    causes=st.none() | st.lists(st.sampled_from(list(LedgerCause)), max_size=3, unique=True),
    in_zone=st.none() | st.sampled_from(ZONES),
    cut=st.tuples(st.integers(0, 13), st.integers(0, 13)),
)
async def test_rows_are_those_of_brute_force(
    database: Database,
    begins: str,
    steps: list[Any],
    size: int,
    causes: list[LedgerCause] | None,
    in_zone: str | None,
    cut: tuple[int, int],
) -> None:
    story = Story(database)
    await story.begin(begins)
    for step in steps:
        await story.step(*step)
    await check_books(database, story.account_id)
    rows = await rows_by_brute_force(database, story.account_id, story.time_zone)
    for forward in (True, False):
        assert await pages(database, story, size, None, forward=forward) == said(rows)
    if not rows:
        return
    local = in_zone or story.time_zone
    days = sorted(shown_day(rows[index % len(rows)]["at"], local) for index in cut)
    filter_ = {"from": str(days[0]), "to": str(days[1]), "timeZone": in_zone, "cause": causes}
    kept = [
        row
        for row in rows
        if days[0] <= shown_day(row["at"], local) <= days[1]
        and (causes is None or row["cause"] in causes)
    ]
    for forward in (True, False):
        assert await pages(database, story, size, filter_, forward=forward) == said(kept)
    asked = {name: str(value) for name, value in filter_.items() if value is not None}
    if causes is not None:
        asked["cause"] = ",".join(causes)
    lines = [as_json(row) for row in reversed(said(kept))]
    assert await exported(database, story, asked, ExportFormat.JSONL) == lines
    cells = await exported(database, story, asked, ExportFormat.CSV)
    assert [(row["Row"], row["Cause"], row["Amount"], row["Balance"]) for row in cells] == [
        (line["id"], line["cause"], line["amount"], line["balance"]) for line in lines
    ]
    compared[database.dialect] += 10 * (2 * len(rows) + 3 * len(kept)) + 4 * len(kept)


def test_enough_figures_were_compared(capsys: pytest.CaptureFixture[str]) -> None:
    if not compared:
        pytest.skip("nothing was compared in this run")
    with capsys.disabled():
        print(f"\nFigures of the ledger compared: {dict(compared)}")
    assert all(count > 1_000 for count in compared.values())


async def test_a_running_sum_beyond_any_balance_is_exact(database: Database) -> None:
    story = Story(database)
    await story.begin("UTC")
    account_id, books = story.account_id, story.books
    # What would not fit a day's roll-up either is of other days.
    for day, moved, used in ((2, MAX_NANOS, MAX_NANOS - 10), (1, MAX_NANOS - 10, 10), (0, -1, 0)):
        async with books.open([account_id]) as book:
            at = book.now - timedelta(days=day)
            adjust_balance(
                book, account_id, moved, source=SourceKey.adjustment(f"move {day}"), occurred_at=at
            )
        async with books.open([account_id]) as book:
            await record_usage(book, [event(account_id, f"{next(numbers)}", amount=used)])
    rows = await rows_by_brute_force(database, account_id, "UTC")
    assert rows[1]["balance"]["amount"] == format_amount(2 * MAX_NANOS - 10, "USD")
    assert await pages(database, story, 2, None, forward=True) == said(rows)
    lines = [as_json(row) for row in reversed(said(rows))]
    assert await exported(database, story, {}, ExportFormat.JSONL) == lines
    node = "query($id: ID!) { node(id: $id) { ... on LedgerRow { balance { amount } } } }"
    for row in rows:
        found = await data_of(database, PLATFORM, node, {"id": row["id"]})
        assert found["node"]["balance"] == row["balance"]


async def test_usage_that_goes_on_moves_its_day_and_no_other_row(database: Database) -> None:
    story = Story(database)
    await story.begin("UTC")
    for kind in ("usage", "adjustment", "grant"):
        await story.step(kind, 1, 10, "UTC")
    id_ = encode_global_id("Account", story.account_id)

    async def page(**where: Any) -> Any:
        data = await data_of(database, PLATFORM, LEDGER, {"id": id_, **where})
        ledger = data["account"]["ledger"]
        causes = [(node["cause"], node["balance"]["amount"]) for node in ledger["nodes"]]
        return causes, ledger["pageInfo"]

    first, info = await page(first=2)
    assert first == [("BONUS", "-99.999999986"), ("ADJUSTMENT", "-99.999999997")]
    await story.step("usage", 1, 3_000, "UTC")
    # The day of usage stands first now; what was to come is gone up, and what was there stays.
    rest, end = await page(first=2, after=info["endCursor"])
    assert (rest, end["hasNextPage"]) == ([], False)
    again, _ = await page(first=3)
    assert again == [
        ("USAGE", "-100.000001986"),
        ("BONUS", "-99.999999979"),
        ("ADJUSTMENT", "-99.99999999"),
    ]
    before, start = await page(last=2, before=info["startCursor"])
    assert (before, start["hasPreviousPage"]) == ([("USAGE", "-100.000001986")], False)


async def test_a_clock_that_is_behind_does_not_record_in_the_past(database: Database) -> None:
    story = Story(database)
    await story.begin("UTC")
    await story.step("usage", 0, 10, "UTC")
    await story.step("adjustment", -1_500, 10, "UTC")
    await story.step("usage", 0, 20, "UTC")
    await check_books(database, story.account_id)
    rows = await rows_by_brute_force(database, story.account_id, "UTC")
    assert [row["cause"] for row in rows] == ["ADJUSTMENT", "USAGE"]
    assert await pages(database, story, 5, None, forward=True) == said(rows)
