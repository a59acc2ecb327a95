"""Exports add up: to the connection's totals, to the summary, to every bucket, in every format."""

import csv
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import FixedClock
from gateway.ids import encode_global_id
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus
from gateway.money import parse_nanos, parse_quantity
from gateway.quotas import admission_gates, export_principal_quota, export_quota
from gateway.routes.exports import Exports, export_routes
from gateway.settings.admission import AdmissionSettings
from gateway.settings.database import DatabaseSettings
from gateway.settings.exports import ExportSettings
from gateway.store import Database
from gateway.windows import Interval, Window
from tests.support import application
from tests.support.calendars import ZONES, intervals, windows
from tests.support.callers import Callers
from tests.support.edge import connect
from tests.support.graph import LINKS, NOW, PLATFORM, data_of
from tests.support.points import many_points
from tests.support.rows import account, purchase, put, refund
from tests.support.usage_cases import account_ids, amounts, cases, instants_near
from tests.support.usage_rows import Facts, insert_facts, shown_day

Rows = list[dict[str, Any]]


@asynccontextmanager
async def serving(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    parts = Exports(
        database=database,
        authenticator=Callers(),
        links=LINKS,
        clock=FixedClock(NOW),
        quota=export_quota(ExportSettings(slots=1, account_slots=1)),
        principal_quota=export_principal_quota(ExportSettings()),
        reads=admission_gates(AdmissionSettings(), DatabaseSettings()).reads,
        points=many_points(),
        limits=ExportSettings(seconds=60),
    )
    async with connect(application.make_app(routes=export_routes(parts)), headers={}) as client:
        yield client


async def file_of(client: httpx.AsyncClient, link: str) -> str:
    url = urlsplit(link)
    answer = await client.get(f"{url.path}?{url.query}")
    assert answer.status_code == 200, answer.text
    return answer.content.decode("utf-8-sig")


async def all_files(client: httpx.AsyncClient, field: Mapping[str, str]) -> tuple[Rows, Rows, Rows]:
    """Return the rows of the CSV, the JSONL and the FOCUS file that a field links to."""
    sheet, lines, focus = [await file_of(client, field[name]) for name in ("csv", "jsonl", "focus")]
    return table(sheet), [*map(json.loads, lines.splitlines())], table(focus)


def table(text: str) -> Rows:
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def total(rows: Sequence[Mapping[str, str]], name: str) -> int:
    return sum(parse_nanos(row[name]) for row in rows)


LINKS_TO = """
  csv: exportUrl(format: CSV) jsonl: exportUrl(format: JSONL) focus: exportUrl(format: FOCUS)
"""
USAGE = f"""query(
  $id: ID!, $interval: UsageInterval!, $from: Date!, $to: Date!, $zone: TimeZone!
) {{
  account(id: $id) {{ usage(interval: $interval, from: $from, to: $to, timeZone: $zone) {{
    {LINKS_TO} summary {{ totalSpend {{ amount }} }}
    buckets {{ start spend {{ amount }} resources {{ resource quantity unit }} }}
  }} }}
}}"""


@pytest.fixture(autouse=True)
def few_rows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that chunks end everywhere, and what is kept for the next ones is forgotten often."""
    monkeypatch.setattr("gateway.store.exported_usage.EVENTS", 3)
    monkeypatch.setattr("gateway.store.exports.PURCHASES", 3)
    monkeypatch.setattr("gateway.store.exported_usage.KNOWN_DEPLOYMENTS", 2)
    monkeypatch.setattr("gateway.exports.cells.MEMO_SIZE", 2)


@given(case=cases(), interval=intervals)
async def test_usage_adds_up_in_every_format(
    database: Database, case: tuple[Window, Facts], interval: Interval
) -> None:
    window, facts = case
    await insert_facts(database, facts)
    variables = {
        "id": encode_global_id("Account", facts.account_id),
        "interval": interval,
        "from": str(window.from_),
        "to": str(window.to),
        "zone": window.time_zone,
    }
    data = await data_of(database, PLATFORM, USAGE, variables)
    usage = data["account"]["usage"]
    async with serving(database) as client:
        sheet, lines, focus = await all_files(client, usage)

    inside = [
        event
        for event in facts.events
        if window.from_ <= shown_day(event.at, window.time_zone) <= window.to
    ]
    spent = parse_nanos(usage["summary"]["totalSpend"]["amount"])
    assert spent == sum(event.nanos for event in inside)
    assert len(sheet) == len(lines) == len(focus) == len(inside)
    assert total(sheet, "Amount") == total(lines, "amount") == spent
    assert total(focus, "EffectiveCost") == spent

    spends: dict[str, int] = defaultdict(int)
    leased: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in lines:
        spends[row["bucketStart"]] += parse_nanos(row["amount"])
        leased[row["bucketStart"], row["resource"], row["unit"]] += parse_quantity(row["quantity"])
    assert [parse_nanos(each["spend"]["amount"]) for each in usage["buckets"]] == [
        spends.pop(each["start"], 0) for each in usage["buckets"]
    ]
    assert not spends
    assert leased == {
        (bucket["start"], each["resource"], each["unit"]): parse_quantity(each["quantity"])
        for bucket in usage["buckets"]
        for each in bucket["resources"]
    }
    # The sheet says the same as the lines, in the window's zone.
    assert [instant(row[f"Start ({window.time_zone})"]) for row in sheet] == [
        instant(row["start"]) for row in lines
    ]
    days = {date.fromisoformat(next(iter(row.values()))) for row in sheet}
    assert all(window.from_ <= day <= window.to for day in days)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


PURCHASES = f"""query($id: ID!, $filter: CreditPurchaseFilter) {{
  account(id: $id) {{ creditPurchases(filter: $filter) {{
    {LINKS_TO} totalCount
    totals {{
      paid {{ amount }} tax {{ amount }} charged {{ amount }} bonus {{ amount }}
      refunded {{ amount }} refundedTax {{ amount }} refundedTotal {{ amount }}
      credited {{ amount }}
    }}
    nodes {{ id charged {{ amount }} }}
  }} }}
}}"""
SETTLED = [status for status in CreditPurchaseStatus if status.is_settled]


@st.composite
def bought(draw: st.DrawFn, window: Window) -> dict[str, Any]:
    """The columns of a purchase, as its state allows."""
    status = draw(st.sampled_from(CreditPurchaseStatus))
    created_at = draw(instants_near(window))
    amount, bonus = draw(amounts.filter(bool)), draw(amounts)
    settled = status.is_settled
    return {
        "status": status.value,
        "kind": draw(st.sampled_from(CreditPurchaseKind)).value,
        "amount_nanos": amount,
        "tax_nanos": draw(amounts),
        "bonus_nanos": bonus,
        "bonus_reversed_nanos": draw(st.integers(0, bonus)) if settled else 0,
        "refunded_nanos": draw(st.integers(0, amount)) if settled else 0,
        "description": draw(st.sampled_from([None, "=1+1", 'a "b",\r\nc', "＠x", "Zürich"])),
        "created_at": created_at,
        "settled_at": created_at + timedelta(seconds=1) if settled else None,
    }


def some_of(values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(st.sampled_from(values).map(str), max_size=5)


@st.composite
def selections(draw: st.DrawFn) -> tuple[dict[str, Any], Rows]:
    window = draw(windows(max_days=20))
    asked = {
        "from": draw(st.none() | st.just(str(window.from_))),
        "to": draw(st.none() | st.just(str(window.to))),
        "timeZone": window.time_zone,
        "status": draw(some_of(CreditPurchaseStatus)),
        "kind": draw(some_of(CreditPurchaseKind)),
    }
    rows = draw(st.lists(bought(window), max_size=12))
    return {name: each for name, each in asked.items() if each is not None}, rows


@given(case=selections(), time_zone=st.sampled_from(ZONES))
async def test_purchases_add_up_in_every_format(
    database: Database, case: tuple[dict[str, Any], Rows], time_zone: str
) -> None:
    filter_, rows = case
    account_id = next(account_ids)
    await put(
        database,
        account(account_id, time_zone=time_zone),
        *(purchase(account_id, key, **row) for key, row in enumerate(rows, 1)),
        *(
            refund(account_id, key, key, amount_nanos=row["refunded_nanos"], tax_nanos=key)
            for key, row in enumerate(rows, 1)
            if row["refunded_nanos"]
        ),
    )
    variables = {"id": encode_global_id("Account", account_id), "filter": filter_}
    data = await data_of(database, PLATFORM, PURCHASES, variables)
    connection = data["account"]["creditPurchases"]
    async with serving(database) as client:
        sheet, lines, _ = await all_files(client, connection)

    assert len(sheet) == len(lines) == connection["totalCount"]
    totals = {name: parse_nanos(each["amount"]) for name, each in connection["totals"].items()}
    settled = [row for row in lines if row["settledAt"]]
    assert total(settled, "credited") == total(lines, "credited") == totals["credited"]
    assert total(sheet, "Credited") == totals["credited"]
    assert total(settled, "refunded") == total(sheet, "Refunded") == totals["refunded"]
    assert [total(row["refunds"], "amount") for row in lines] == [
        parse_nanos(row["refunded"]) for row in lines
    ]
    by_card = [row for row in settled if row["kind"] == "CARD"]
    assert total(by_card, "amount") == totals["paid"]
    assert total(by_card, "tax") == totals["tax"]
    in_sheet = [row for row in sheet if row[f"Settled at ({filter_['timeZone']})"]]
    assert total(settled, "charged") == total(in_sheet, "Charged") == totals["charged"]
    assert total(lines, "refundedTax") == total(sheet, "Refunded tax") == totals["refundedTax"]
    went_back = totals["refundedTotal"]
    assert total(lines, "refundedTotal") == total(sheet, "Refunded total") == went_back
    assert sum(total(row["refunds"], "total") for row in lines) == went_back
    charged = {node["id"]: node["charged"]["amount"] for node in connection["nodes"]}
    assert {row["Purchase"]: row["Charged"] for row in sheet} == charged
    given_away = [row for row in settled if row["kind"] != "CARD"]
    bonus = total(settled, "bonus") - total(settled, "bonusReversed")
    assert bonus + total(given_away, "amount") == totals["bonus"]
    assert [row["Purchase"] for row in sheet] == [row["id"] for row in lines]
    assert [instant(row[f"Created at ({filter_['timeZone']})"]) for row in sheet] == [
        instant(row["createdAt"]) for row in lines
    ]
    assert sorted(row["createdAt"] for row in lines) == [row["createdAt"] for row in lines]
