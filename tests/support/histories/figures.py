"""Compares the books with what the model expects, and counts the figures."""

import json
from collections import Counter, defaultdict
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from gateway.billing.reconciliation.accounts import reconcile_account
from gateway.store import Database, Snapshot, reconciliation
from tests.support.books import ACTOR
from tests.support.histories.model import Expected, ExpectedRefund
from tests.support.histories.shapes import instant
from tests.support.histories.story import CURRENCIES
from tests.support.invariants import TABLES_OF, check_books

Json = dict[str, Any]
Tables = dict[str, list[Json]]


@dataclass(slots=True)
class Tally:
    """How much was tried on a database, and what differed."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        counts = self.counts
        return (
            f"{counts['histories']:,} histories of payments, each delivered in"
            f" {counts['deliveries'] // max(1, counts['histories'])} ways:"
            f" {counts['figures']:,} figures compared, {counts['differences']:,} differences"
        )


TALLIES: Final[dict[str, Tally]] = defaultdict(Tally)
"""By database."""


class Comparison:
    """Collects differences between figures of one telling of a story."""

    def __init__(self, tally: Tally, what: str) -> None:
        self.tally, self.what = tally, what
        self.differences: list[str] = []

    def same(self, name: str, found: Any, expected: Any) -> None:
        self.tally.counts["figures"] += 1
        if found != expected:
            self.tally.counts["differences"] += 1
            self.differences.append(f"{self.what}: {name}: {found!r}, expected {expected!r}")

    def one_of(self, name: str, found: Any, allowed: list[Any]) -> None:
        self.same(name, found, found if found in allowed else allowed)


async def read(database: Database, *account_ids: int) -> Tables:
    """Return the rows of some accounts by table."""
    found: Tables = defaultdict(list)
    async with Snapshot(database, ACTOR) as snapshot:
        for account_id in account_ids:
            for name, statement in TABLES_OF.items():
                rows = await snapshot.fetch(statement, account_id=account_id)
                found[name].extend(dict(row) for row in rows)
    return found


async def check_accounts(database: Database, comparison: Comparison, *account_ids: int) -> None:
    """Recompute everything that is derived from the facts: here, and as `gateway doctor` does."""
    try:
        await check_books(database, *account_ids)
    except AssertionError as error:
        comparison.same("check_books", str(error) or "failed", "")
    async with database.exporting(ACTOR) as stream:
        accounts = [
            each
            for each in await reconciliation.accounts.accounts(stream)
            if each["account_id"] in account_ids
        ]
        for account in accounts:
            async with aclosing(reconcile_account(stream, account)) as differences:
                found = [str(each) async for each in differences]
            comparison.same("gateway doctor", found, [])


def at(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(instant(seconds), UTC)


def compare(
    comparison: Comparison,
    tables: Tables,
    reference: str,
    expected: Expected,
    *,
    listed: bool,
    complete: bool,
) -> None:
    """Compare one purchase with what is expected. `listed`: a backfill may have settled it;
    `complete`: all webhooks came; lists do not say that a failed refund had succeeded.
    """
    rows = [each for each in tables["credit_purchase"] if each["provider_reference"] == reference]
    comparison.same("purchases", len(rows), 1)
    if len(rows) != 1:
        return
    row = rows[0]
    money = row["amount_nanos"] + row["tax_nanos"]
    statuses = [expected.status] + ([] if complete else [expected.listed_status])
    if expected.may_be_whole and expected.status == "PARTIALLY_REFUNDED":
        statuses.append("REFUNDED")
    comparison.one_of("status", row["status"], statuses)
    comparison.same("amount and tax", money, expected.gross)
    if expected.tax is not None:
        comparison.same("tax", row["tax_nanos"], expected.tax)
    comparison.same("bonus", row["bonus_nanos"], expected.bonus)
    # The bonus goes with the last of the credit.
    whole = row["status"] == "REFUNDED" != expected.status
    reversed_ = expected.bonus if whole else expected.bonus_reversed
    comparison.same("bonus reversed", row["bonus_reversed_nanos"], reversed_)
    comparison.same("created at", row["created_at"], at(expected.created_at))
    settled = [at(expected.settled_at)]
    settled += [at(expected.booked_at)] if listed else []
    comparison.one_of("settled at", row["settled_at"], settled)
    if expected.status != "CANCELED":
        failed = expected.status == "FAILED"
        comparison.same("failure", row["failure_code"] is not None, failed)
    _compare_refunded(comparison, row, expected)
    _compare_refunds(comparison, tables, row, expected, complete=complete)
    if not expected.waits and row["status"] == expected.status:
        parked = [
            each["type"]
            for each in tables["webhook_event"]
            if each["object_id"] == reference and each["state"] == "PARKED"
        ]
        comparison.same("parked", parked, [])


def _compare_refunded(comparison: Comparison, row: Json, expected: Expected) -> None:
    refunded, credit = row["refunded_nanos"], row["amount_nanos"]
    money, gross = expected.taken_back, expected.gross
    if money in {0, gross} or credit == gross:
        comparison.same("refunded", refunded, credit if money == gross else money)
        return
    # Pro rata, in whole minor units: each refund, and what disputes hold, less than one away.
    minor = CURRENCIES[row["currency"]].minor
    away = abs(refunded * gross - credit * money)
    comparison.same("refunded, pro rata", away < minor * gross * max(1, expected.roundings), True)


def _compare_refunds(
    comparison: Comparison, tables: Tables, row: Json, expected: Expected, *, complete: bool
) -> None:
    mine = [each for each in tables["refund"] if each["purchase_id"] == row["id"]]
    comparison.same("refunds", len(mine), len(expected.refunds))
    receipts = [each for each in tables["receipt"] if each["purchase_id"] == row["id"]]
    totals = [each["total_nanos"] for each in receipts if each["refund_id"] is None]
    comparison.same("receipt", totals, [expected.gross] if expected.settled_at is not None else [])
    if len(mine) != len(expected.refunds):
        return
    mine.sort(key=lambda each: each["provider_reference"])
    for refund, wanted in zip(mine, expected.refunds, strict=True):
        comparison.same("refund's status", refund["status"], wanted.status)
        money = refund["amount_nanos"] + refund["tax_nanos"]
        comparison.same("refund's money", money, wanted.money)
        documents = [each["total_nanos"] for each in receipts if each["refund_id"] == refund["id"]]
        _compare_documents(comparison, documents, wanted, complete=complete)


def _compare_documents(
    comparison: Comparison, found: list[int], wanted: ExpectedRefund, *, complete: bool
) -> None:
    expected = [*wanted.documents]
    if complete or wanted.documents_are_certain:
        comparison.same("refund's documents", sorted(found), sorted(expected))
    else:
        # A refund that is known as failed alone has nothing to cancel.
        comparison.one_of("refund's documents", sorted(found), [[], sorted(expected)])


SPLIT: Final = {"refund": {"amount_nanos", "tax_nanos", "bonus_reversed_nanos"}, "dispute": set()}


def picture(tables: Tables, reference: str, *, times: bool) -> Json:
    """Return everything that is booked of a purchase, without drawn keys, to compare tellings."""
    (purchase,) = [
        each for each in tables["credit_purchase"] if each["provider_reference"] == reference
    ]
    drawn = {"account_id", "id", "purchase_id", "revision", "provider_reference"}
    late = set() if times else {"settled_at", "status_at", "withdrawn_at", "closed_at", "failed_at"}
    # Whether a failed refund had succeeded stands in no list.
    late |= set() if times else {"has_succeeded"}
    found: Json = {"purchase": _without(purchase, drawn | late)}
    for table in ("refund", "dispute"):
        mine = [each for each in tables[table] if each["purchase_id"] == purchase["id"]]
        mine.sort(key=lambda each: each["provider_reference"])
        found[table] = [_without(each, drawn | late | SPLIT[table]) for each in mine]
        for name in SPLIT[table]:
            # A note is frozen when it is issued, so which of several has the odd cent is a matter
            # of their order; what they add up to is none.
            done = [each for each in mine if each["settled_at"]]
            found[f"{table} {name}"] = sum(each[name] for each in done)
    booked = [each for each in tables["ledger_entry"] if each["purchase_id"] == purchase["id"]]
    found["balance"] = sum(each["amount_nanos"] for each in booked)
    receipts = [each for each in tables["receipt"] if each["purchase_id"] == purchase["id"]]
    found["charged"] = [
        _printed(json.loads(each["data"])) for each in receipts if each["refund_id"] is None
    ]
    return found


def _without(row: Json, names: set[str]) -> Json:
    return {name: value for name, value in row.items() if name not in names}


def _printed(data: Json) -> Json:
    return {name: data.get(name) for name in ("net", "tax", "total", "lines", "currency")}
