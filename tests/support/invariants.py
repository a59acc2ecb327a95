"""Checks the invariants of the books, recomputed from the facts in plain Python."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy import BigInteger, bindparam, select

from gateway.models import metadata
from gateway.money import minor_digits
from gateway.store import Database, Snapshot, Statement
from gateway.store.engine import bitset
from gateway.store.engine.stored_json import loads
from gateway.store.rollups import SUMS
from gateway.store.usage_units import RESOURCE_SEPARATOR
from gateway.windows import local_day, slot_start, zone
from tests.support.books import ACTOR
from tests.support.tables import table_rows

Rows = list[dict[str, Any]]
FLOW_OF_CAUSE = {
    "PURCHASE": "purchased_nanos",
    "BONUS": "bonus_nanos",
    "REFUND": "refunded_nanos",
    "DISPUTE": "refunded_nanos",
    "ADJUSTMENT": "adjusted_nanos",
}


TABLES_OF = {
    name: Statement[Mapping[str, Any]](
        select(table)
        .where(table.c.account_id == bindparam("account_id", type_=BigInteger()))
        .order_by(*table.primary_key.columns)
    )
    for name, table in metadata.tables.items()
    if "account_id" in table.columns
}


async def check_books(database: Database, *account_ids: int) -> list[int]:
    """Return the accounts' balances (by default: all), in nanos.

    Raises AssertionError where anything derived differs from the facts.
    """
    balances = []
    if not account_ids:
        account_ids = tuple(row["account_id"] for row in await table_rows(database, "account"))
    for account_id in account_ids:
        async with Snapshot(database, ACTOR) as snapshot:
            mine = {
                name: [dict(row) for row in await snapshot.fetch(tables, account_id=account_id)]
                for name, tables in TABLES_OF.items()
            }
        (account,) = mine["account"]
        check_ledger(account, mine["ledger_entry"])
        check_purchases(mine)
        check_reversals(mine)
        check_ledger_days(account, mine)
        check_usage(account, mine)
        check_rollups(account, mine)
        check_receipts(account, mine)
        balances.append(account["balance_nanos"])
    return balances


def check_ledger(account: Mapping[str, Any], entries: Rows) -> None:
    balance = 0
    for version, entry in enumerate(entries, start=1):
        balance += entry["amount_nanos"]
        assert (entry["version"], entry["balance_nanos"]) == (version, balance)
    assert (account["ledger_version"], account["balance_nanos"]) == (len(entries), balance)
    assert len({entry["source_key"] for entry in entries}) == len(entries)


def check_purchases(tables: Mapping[str, Rows]) -> None:
    booked = sums(tables["ledger_entry"], "purchase_id")
    for purchase in tables["credit_purchase"]:
        settled = purchase["settled_at"] is not None
        credited = (
            purchase["amount_nanos"]
            + purchase["bonus_nanos"]
            - purchase["refunded_nanos"]
            - purchase["bonus_reversed_nanos"]
        )
        assert booked.get(purchase["id"], 0) == (credited if settled else 0), purchase
        assert purchase["refunded_nanos"] == taken_back(purchase, tables)


def taken_back(purchase: Mapping[str, Any], tables: Mapping[str, Rows]) -> int:
    """Return what refunds took, and what disputes hold by the money that they moved."""
    refunds = [row for row in tables["refund"] if row["purchase_id"] == purchase["id"]]
    disputes = [row for row in tables["dispute"] if row["purchase_id"] == purchase["id"]]
    refunded: int = sum(row["amount_nanos"] for row in refunds if row["settled_at"])
    held: int = sum(row["held_nanos"] for row in disputes)
    if purchase["settled_at"]:
        moved = {row["id"]: 0 for row in disputes}
        for row in tables["dispute_movement"]:
            if row["dispute_id"] in moved:
                moved[row["dispute_id"]] -= row["amount_nanos"]
        money = sum(max(each, 0) for each in moved.values())
        assert held == min(credit_in(money, purchase), purchase["amount_nanos"] - refunded), moved
    return refunded + held


def check_ledger_days(account: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    time_zone = zone(account["time_zone"])
    entries = tables["ledger_entry"]
    instants = [entry["recorded_at"] for entry in entries]
    assert instants == sorted(instants)
    days: dict[Any, Rows] = defaultdict(list)
    for entry in entries:
        if entry["cause"] == "USAGE":
            days[local_day(entry["recorded_at"], time_zone)].append(entry)
    assert tables["ledger_day"] == [
        {
            "account_id": account["account_id"],
            "day": day,
            "amount_nanos": sum(entry["amount_nanos"] for entry in mine),
            "opening_nanos": mine[0]["balance_nanos"] - mine[0]["amount_nanos"],
            "balance_nanos": mine[-1]["balance_nanos"],
            "first_version": mine[0]["version"],
            "first_at": mine[0]["recorded_at"],
            "version": mine[-1]["version"],
            "recorded_at": mine[-1]["recorded_at"],
        }
        for day, mine in sorted(days.items())
    ]


def credit_in(money: int, purchase: Mapping[str, Any]) -> int:
    """Return the credit in so much of a purchase's money, up to the next whole minor unit."""
    tax: int = purchase["tax_nanos"]
    if not tax:
        return money
    minor: int = 10 ** (9 - minor_digits(purchase["currency"]))
    credit: int = purchase["amount_nanos"]
    return math.ceil(Fraction(money * credit, (credit + tax) * minor)) * minor


def check_reversals(tables: Mapping[str, Rows]) -> None:
    refunds = {row["id"]: row["purchase_id"] for row in tables["refund"]}
    disputes = {row["id"]: row["purchase_id"] for row in tables["dispute"]}
    for entry in tables["ledger_entry"]:
        refund_id, dispute_id = entry["refund_id"], entry["dispute_id"]
        assert entry["cause"] != "REFUND" or (refund_id and not dispute_id), entry
        assert entry["cause"] != "DISPUTE" or dispute_id, entry
        assert refund_id is None or refunds[refund_id] == entry["purchase_id"], entry
        assert dispute_id is None or disputes[dispute_id] == entry["purchase_id"], entry


def check_usage(account: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    debits = {
        entry["version"]: -entry["amount_nanos"]
        for entry in tables["ledger_entry"]
        if entry["cause"] == "USAGE"
    }
    assert sums(tables["usage_event"], "ledger_version") == debits
    spends = sums(tables["usage_event"], "deployment_id")
    spends.pop(None, None)
    assert {row["id"]: row["spend_nanos"] for row in tables["deployment"]} == spends
    ordinals = sorted(row["ordinal"] for row in tables["deployment"])
    assert ordinals == list(range(account["deployment_count"]))


def check_rollups(account: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    time_zone = zone(account["time_zone"])
    slots = flows(tables, slot_start)
    days = flows(tables, lambda at: local_day(at, time_zone))
    assert stored_flows(tables["rollup_slot"], "slot_at") == slots
    assert stored_flows(tables["rollup_day"], "day") == days
    assert {
        tuple(row.values())[1:6]: [row["spent_nanos"], row["events"]]
        for row in tables["rollup_activity"]
    } == activity(tables["usage_event"], lambda at: local_day(at, time_zone))
    named = [event for event in tables["usage_event"] if event["project"] is not None]
    assert {
        tuple(row.values())[1:7]: [row["spent_nanos"], row["events"]]
        for row in tables["rollup_project"]
    } == activity(named, lambda at: local_day(at, time_zone), "project")
    closing = sum(
        purchased + bonus - refunded - spent + adjusted
        for (spent, purchased, bonus, refunded, adjusted), _, _ in days.values()
    )
    assert closing == account["balance_nanos"]


def flows(tables: Mapping[str, Rows], period: Any) -> dict[Any, Any]:
    """Return sums, active ordinals and quantities by period, from the ledger and the events."""
    found: dict[Any, Any] = defaultdict(lambda: ([0] * len(SUMS), set(), defaultdict(int)))
    for entry in tables["ledger_entry"]:
        if column := FLOW_OF_CAUSE.get(entry["cause"]):
            sign = -1 if column == "refunded_nanos" else 1
            position = SUMS.index(column)
            found[period(entry["effective_at"])][0][position] += sign * entry["amount_nanos"]
    ordinals = {row["id"]: row["ordinal"] for row in tables["deployment"]}
    for event in tables["usage_event"]:
        amounts, active, quantities = found[period(event["started_at"])]
        amounts[0] += event["amount_nanos"]
        quantities[event["resource"] + RESOURCE_SEPARATOR + event["unit"]] += event[
            "quantity_nanos"
        ]
        if event["deployment_id"] is not None and not event["correction"]:
            active.add(ordinals[event["deployment_id"]])
    return dict(found)


def stored_flows(rows: Rows, key: str) -> dict[Any, Any]:
    return {
        row[key]: (
            [row[name] for name in SUMS],
            set(bitset.members(bitset.decode(row["deployments"]))),
            loads(row["resources"]),
        )
        for row in rows
    }


def activity(events: Rows, period: Any, *first: str) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for event in events:
        place = (
            period(event["started_at"]),
            *(event[name] for name in first),
            event["deployment_id"] or 0,
            event["resource"],
            event["provider"] or "",
            event["gpu_model"] or "",
        )
        found[place][0] += event["amount_nanos"]
        found[place][1] += not event["correction"]
    return found


def check_receipts(account: Mapping[str, Any], tables: Mapping[str, Rows]) -> None:
    sequences: dict[int, list[int]] = defaultdict(list)
    for receipt in tables["receipt"]:
        year, sequence = receipt["year"], receipt["sequence"]
        sequences[year].append(sequence)
        assert receipt["number"] == f"{account['receipt_prefix']}-{year}-{sequence:06}"
    assert {row["year"]: row["last_sequence"] for row in tables["receipt_sequence"]} == {
        year: len(numbers) for year, numbers in sequences.items()
    }
    for numbers in sequences.values():
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
    purchases = {row["id"]: row for row in tables["credit_purchase"] if row["settled_at"]}
    issued = {row["purchase_id"] for row in tables["receipt"] if row["refund_id"] is None}
    assert issued == {id_ for id_, row in purchases.items() if row["receipted"]}
    check_refund_documents(tables)


def check_refund_documents(tables: Mapping[str, Rows]) -> None:
    """A refund that succeeded has a credit note; one that came to nothing after that has another
    document, and both add up to 0.
    """
    notes = {row["refund_id"]: row for row in tables["receipt"] if is_note(row)}
    cancellations = {row["refund_id"]: row for row in tables["receipt"] if row["cancels_id"]}
    purchases = {row["id"]: row for row in tables["credit_purchase"]}
    documented = [
        row
        for row in tables["refund"]
        if row["has_succeeded"] and purchases[row["purchase_id"]]["receipted"]
    ]
    assert set(notes) == {row["id"] for row in documented}
    undone = {row["id"] for row in documented if row["status"] != "SUCCEEDED"}
    assert set(cancellations) == undone
    for refund in documented:
        note = notes[refund["id"]]
        assert note["total_nanos"] == -refund["amount_nanos"] - refund["tax_nanos"]
        assert (refund["settled_at"] is None) == (refund["id"] in undone)
    for refund_id, row in cancellations.items():
        note = notes[refund_id]
        assert row["cancels_id"] == note["id"]
        assert row["issued_at"] >= note["issued_at"]
        for column in ("total_nanos", "tax_nanos"):
            assert row[column] == -note[column]
        assert loads(row["data"])["cancels"]["number"] == note["number"]


def is_note(receipt: Mapping[str, Any]) -> bool:
    return receipt["refund_id"] is not None and receipt["cancels_id"] is None


def sums(rows: Iterable[Mapping[str, Any]], key: str) -> dict[Any, int]:
    found: dict[Any, int] = defaultdict(int)
    for row in rows:
        found[row[key]] += row["amount_nanos"]
    return dict(found)
