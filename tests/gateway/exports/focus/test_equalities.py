"""FOCUS files say the same as the schema: for any window, zone and filter, for any texts."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.clock import FixedClock
from gateway.dev.demo.fill import fill
from gateway.exports.export import UsageSubject
from gateway.exports.focus.writer import write_usage
from gateway.exports.request import PurchaseExportRequest, UsageExportRequest
from gateway.ids import encode_global_id
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus, Resource
from gateway.money import parse_exact_nanos
from gateway.store import Database
from gateway.windows import Interval, Window, zone
from tests.support.chunks import usage_chunk
from tests.support.focus_files import CLAIMED, charges, nanos, purchases_file, usage_file
from tests.support.focus_rules import judge
from tests.support.graph import NOW, PLATFORM, data_of
from tests.support.tables import table_rows

DAYS = 20
ROUNDS = 12
ZONES = ("UTC", "Asia/Kathmandu", "America/Los_Angeles", "Pacific/Apia", "Australia/Lord_Howe")
USAGE = """
query ($id: ID!, $from: Date!, $to: Date!, $zone: TimeZone!) {
  account(id: $id) {
    usage(interval: DAY, from: $from, to: $to, timeZone: $zone) {
      summary { totalSpend { amount } }
      buckets { spend { amount } }
    }
  }
}
"""
PURCHASES = """
query ($id: ID!, $filter: CreditPurchaseFilter!) {
  account(id: $id) {
    creditPurchases(filter: $filter) {
      totalCount
      totals { paid { amount } bonus { amount } refunded { amount } credited { amount } }
    }
  }
}
"""


async def test_any_window_and_filter_adds_up_to_what_the_schema_says(database: Database) -> None:
    await fill(database, clock=FixedClock(NOW), end=NOW, days=DAYS)
    accounts = await table_rows(database, "account")
    draw = Random(20_260)
    for _ in range(ROUNDS):
        account, name = draw.choice(accounts), draw.choice(ZONES)
        first, last = sorted(
            NOW.date() - timedelta(days=draw.randrange(DAYS + 2)) for _ in range(2)
        )
        await compare_usage(database, account, first, last, name)
        await compare_purchases(
            database, account, draw, [first, last] if draw.random() < 0.5 else []
        )


async def compare_usage(
    database: Database, account: Mapping[str, Any], first: date, last: date, name: str
) -> None:
    window = Window(from_=first, to=last, zone=zone(name))
    text, rows = await usage_file(database, account, window=window)
    request = {"from": str(first), "to": str(last), "zone": name, "id": id_of(account)}
    usage = (await data_of(database, PLATFORM, USAGE, request))["account"]["usage"]
    total = parse_exact_nanos(usage["summary"]["totalSpend"]["amount"])
    buckets = [parse_exact_nanos(bucket["spend"]["amount"]) for bucket in usage["buckets"]]
    assert len(charges(text)) == rows
    assert nanos(charges(text), "EffectiveCost") == total == sum(buckets)


async def compare_purchases(
    database: Database, account: Mapping[str, Any], draw: Random, days: list[date]
) -> None:
    first, last = days or (None, None)
    kinds = frozenset(draw.sample(list(CreditPurchaseKind), draw.randrange(1, 5)))
    statuses = frozenset(draw.sample(list(CreditPurchaseStatus), draw.randrange(1, 9)))
    request = PurchaseExportRequest(
        zone=zone("Asia/Kathmandu"), from_=first, to=last, status=statuses, kind=kinds
    )
    text, rows = await purchases_file(database, account, request=request)
    filter_: dict[str, Any] = {
        "timeZone": "Asia/Kathmandu",
        "status": sorted(statuses),
        "kind": sorted(kinds),
    }
    if days:
        filter_ |= {"from": str(first), "to": str(last)}
    variables = {"id": id_of(account), "filter": filter_}
    found = (await data_of(database, PLATFORM, PURCHASES, variables))["account"]["creditPurchases"]
    totals = {name: parse_exact_nanos(each["amount"]) for name, each in found["totals"].items()}
    moved = [row for row in charges(text) if row["PricingUnit"] == "Credit"]
    new = [row for row in moved if "," not in row["ChargeDescription"]]
    assert rows == found["totalCount"]
    assert nanos(new, "BilledCost") == totals["paid"]
    assert nanos(moved, "BilledCost") == totals["paid"] - totals["refunded"]
    assert nanos(moved, "PricingQuantity", ChargeCategory="Credit") == totals["bonus"]
    assert nanos(moved, "PricingQuantity") == totals["credited"]


def id_of(account: Mapping[str, Any]) -> str:
    return encode_global_id("Account", account["account_id"])


def _consistent(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event that has no name where it has no deployment."""
    return event if event["deployment_external_id"] else event | {"deployment_name": None}


TEXT = st.one_of(
    st.sampled_from(["", " ", "=1+1", '"', 'a,"b"', "a/b", "a\r\nb", "gpu-hour", "東京", "NULL"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
)
NANOS = st.integers(-(2**63) + 1, 2**63 - 1)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1)).map(  # noqa: DTZ001
    lambda instant: instant.replace(tzinfo=UTC)
)
FACTS = ("deployment_name", "provider", "gpu_model", "region", "service", "sku", "project")
EVENTS = st.fixed_dictionaries(
    {
        "resource": st.sampled_from(Resource).map(str),
        "amount_nanos": NANOS,
        "quantity_nanos": NANOS,
        "correction": st.booleans(),
        "unit": TEXT,
        "source": TEXT,
        "event_id": TEXT,
        "started_at": INSTANTS,
        "ended_at": INSTANTS,
        "received_at": INSTANTS,
        "deployment_external_id": st.none() | TEXT.filter(str.strip),
        **{name: st.none() | TEXT for name in FACTS},
    }
).map(_consistent)


ODD_ACCOUNT: Any = {
    "account_id": 7,
    "external_id": '=a"c,me',
    "name": "A\nb",
    "currency": "JPY",
}


@given(st.lists(EVENTS, min_size=1, max_size=6))
def test_whatever_meters_send_breaks_no_rule_and_adds_up(events: list[dict[str, Any]]) -> None:
    subject = UsageSubject(
        account=ODD_ACCOUNT,
        seller={"name": "Example, Cloud"},
        request=UsageExportRequest(
            window=Window(from_=date(2026, 1, 1), to=date(2026, 3, 1), zone=zone("UTC")),
            interval=Interval.DAY,
        ),
    )
    export = write_usage(subject)
    text = b"".join([export.begin(), export.write(usage_chunk(*events)), export.end()]).decode()
    rows = charges(text)
    assert len(rows) == len(events)
    assert judge(text, CLAIMED).failed() == []
    assert nanos(rows, "EffectiveCost") == sum(event["amount_nanos"] for event in events)
    assert nanos(rows, "ConsumedQuantity") == sum(event["quantity_nanos"] for event in events)
    assert [row["x_EventId"] for row in rows] == [event["event_id"] for event in events]
    assert [row["ResourceId"] for row in rows] == [
        event["deployment_external_id"] or "" for event in events
    ]
    assert {row["BillingAccountId"] for row in rows} == {'=a"c,me'}
