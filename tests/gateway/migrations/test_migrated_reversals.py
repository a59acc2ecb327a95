"""Disputes and refunds that were booked before movements and cancellations were kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.purchases.dispute_state import DisputeFacts, DisputeMovement
from gateway.billing.purchases.disputes import record_dispute
from gateway.billing.purchases.recording import load_purchases
from gateway.billing.purchases.reversals import Replay
from gateway.migrations import migrate
from gateway.models import DisputeStatus
from gateway.settings import load_settings
from gateway.store import Database, connect
from gateway.store.engine.stored_json import dumps, loads
from tests.support.books import Books, usd
from tests.support.raw import execute
from tests.support.tables import table_rows

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
NOTE = {
    "format": 1,
    "number": "ABCDEFGH-2026-000001",
    "issuedAt": BEGIN.isoformat(),
    "lines": [{"kind": "refund", "amount": "-30.00"}],
    "net": "-30.00",
    "tax": "-5.70",
    "total": "-35.70",
    "refund": {"createdAt": BEGIN.isoformat(), "reason": None},
}
# What each purchase of 100.00 and 19.00 tax had taken back: settled refunds, then by dispute its
# state, amount, debited and credited credit; and what its movements make it hold.
PURCHASES: dict[int, tuple[int, list[tuple[str, int, int, int]], list[int]]] = {
    11: (0, [("OPEN", 100, 100, 0)], [100]),
    12: (30, [("LOST", 100, 70, 0)], [70]),
    13: (0, [("WON", 100, 100, 100)], [0]),
    14: (0, [("LOST", 80, 80, 0), ("WON", 50, 20, 20)], [80, 0]),
    15: (0, [("LOST", 60, 60, 0), ("OPEN", 60, 40, 0)], [60, 40]),
    16: (0, [("WON", 80, 80, 80), ("OPEN", 50, 20, 0)], [0, 20]),
}


def day(number: int, *, sqlite: bool) -> str:
    at = BEGIN + timedelta(days=number)
    return str(int(at.timestamp()) * 1_000_000) if sqlite else f"'{at.isoformat()}'"


def statements(*, sqlite: bool) -> list[str]:
    days = [day(number, sqlite=sqlite) for number in range(10)]
    account = (
        "INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix, "
        "balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at) VALUES "
        f"(1, 'acme', 'Acme', 'USD', 'UTC', 'ABCDEFGH', 0, 1, {days[0]}, 0, 0, {days[0]})"
    )
    found = [account]
    for id_, (refunded, disputes, _) in PURCHASES.items():
        held = sum(debited - credited for _, _, debited, credited in disputes)
        found.append(
            "INSERT INTO credit_purchase (account_id, id, kind, status, currency, amount_nanos, "
            "tax_nanos, bonus_nanos, refunded_nanos, bonus_reversed_nanos, disputed_nanos, "
            "provider, provider_reference, created_at, settled_at, revision, receipted) "
            f"VALUES (1, {id_}, 'CARD', 'SUCCEEDED', 'USD', {usd('100')}, {usd('19')}, 0, "
            f"{usd(str(refunded + held))}, 0, 0, 'stripe', 'pi_{id_}', {days[0]}, {days[0]}, 0, "
            "TRUE)"
        )
        found += refund(id_, id_ + 100, refunded, "SUCCEEDED", days) if refunded else []
        found += [
            dispute(id_, 10 * id_ + n, each, days) for n, each in enumerate(disputes, start=1)
        ]
    return [*found, *failed_refund(days), "SELECT 1"]


def refund(purchase_id: int, id_: int, amount: int, status: str, days: list[str]) -> list[str]:
    settled_at = days[1] if status == "SUCCEEDED" else "NULL"
    row = (
        "INSERT INTO refund (account_id, id, purchase_id, status, currency, amount_nanos, "
        "tax_nanos, bonus_reversed_nanos, failure_reason, created_at, settled_at) VALUES "
        f"(1, {id_}, {purchase_id}, '{status}', 'USD', {usd(str(amount))}, 0, 0, 'Card lost', "
        f"{days[1]}, {settled_at})"
    )
    return [row]


def dispute(purchase_id: int, id_: int, said: tuple[str, int, int, int], days: list[str]) -> str:
    state, *amounts = said
    cells = ", ".join(str(usd(str(each))) for each in amounts)
    at = id_ % 10 + 2
    closed_at = "NULL" if state == "OPEN" else days[at + 3]
    return (
        "INSERT INTO dispute (account_id, id, purchase_id, state, amount_nanos, debited_nanos, "
        "credited_nanos, provider, provider_reference, created_at, withdrawn_at, closed_at) VALUES "
        f"(1, {id_}, {purchase_id}, '{state}', {cells}, 'stripe', 'dp_{id_}', {days[at]}, "
        f"{days[at]}, {closed_at})"
    )


def failed_refund(days: list[str]) -> list[str]:
    """Return a refund that failed on day 7, after its credit note."""
    receipt = (
        "INSERT INTO receipt (account_id, id, number, year, sequence, purchase_id, refund_id, "
        "currency, total_nanos, tax_nanos, issued_at, data) VALUES (1, 7, "
        f"'ABCDEFGH-2026-000001', 2026, 1, 13, 113, 'USD', {-usd('35.7')}, {-usd('5.7')}, "
        f"{days[1]}, '{dumps(NOTE)}')"
    )
    entry = (
        "INSERT INTO ledger_entry (account_id, version, cause, amount_nanos, balance_nanos, "
        "source_key, purchase_id, refund_id, effective_at, recorded_at) VALUES (1, 1, 'REFUND', 0, "
        f"0, 'refund:113:1', 13, 113, {days[1]}, {days[7]})"
    )
    sequence = "INSERT INTO receipt_sequence (account_id, year, last_sequence) VALUES (1, 2026, 1)"
    return [*refund(13, 113, 30, "FAILED", days), receipt, sequence, entry]


@pytest.fixture
async def migrated(empty_url: str) -> Any:
    await migrate(empty_url, revision="0008")
    await execute(empty_url, *statements(sqlite=empty_url.startswith("sqlite")))
    await migrate(empty_url)
    database = await connect(load_settings(database_url=SecretStr(empty_url)))
    yield database
    await database.close()


async def test_disputes_hold_what_is_booked_and_take_the_providers_movements(
    migrated: Database,
) -> None:
    rows = {row["id"]: row for row in await table_rows(migrated, "dispute")}
    assert rows[111]["amount_nanos"] == usd("119")
    books = Books(migrated)
    names = [(1, "stripe", f"pi_{id_}") for id_ in PURCHASES]
    async with books.open([1]) as book:
        await load_purchases(book, names)
        for id_, (_, _, held) in PURCHASES.items():
            known = book.part(Purchases)
            purchase, refunds = known.by_key[1, id_], known.refunds[1, id_]
            replay = Replay(purchase, refunds, known.disputes[1, id_])
            assert {key: usd(str(each)) for key, each in enumerate(held, 10 * id_ + 1)} == {
                **replay.held
            }
            assert purchase.amount_nanos - replay.left == purchase.refunded_nanos
    assert len(await table_rows(migrated, "ledger_entry")) == 1

    taken = DisputeMovement(reference="txn_1", amount=-usd("119"), at=BEGIN + timedelta(days=3))
    dispute_facts = DisputeFacts(
        amount=usd("119"),
        created_at=BEGIN,
        state=DisputeStatus.OPEN,
        movements=(taken,),
        provider="stripe",
        reference="dp_111",
    )
    async with books.open([1]) as book:
        await load_purchases(book, names)
        record_dispute(book, book.part(Purchases).by_key[1, 11], dispute_facts)
    assert len(await table_rows(migrated, "ledger_entry")) == 1
    moved = {row["reference"]: row for row in await table_rows(migrated, "dispute_movement")}
    assert moved["txn_1"]["amount_nanos"] == -usd("119")
    held = [row["held_nanos"] for row in await table_rows(migrated, "dispute") if row["id"] == 111]
    assert held == [usd("100")]


async def test_a_refund_that_failed_before_gets_what_cancels_its_credit_note(
    migrated: Database,
) -> None:
    note, cancellation = sorted(
        await table_rows(migrated, "receipt"), key=lambda row: row["sequence"]
    )
    assert cancellation["cancels_id"] == note["id"]
    assert cancellation["number"] == "ABCDEFGH-2026-000002"
    assert cancellation["issued_at"] == BEGIN + timedelta(days=7)
    assert (cancellation["total_nanos"], cancellation["tax_nanos"]) == (usd("35.7"), usd("5.7"))
    data = loads(cancellation["data"])
    assert data == NOTE | {
        "number": cancellation["number"],
        "issuedAt": (BEGIN + timedelta(days=7)).isoformat(),
        "lines": [{"kind": "refund", "amount": "30.00"}],
        "net": "30.00",
        "tax": "5.70",
        "total": "35.70",
        "cancels": {"number": NOTE["number"], "reason": "Card lost"},
    }
    (sequence,) = await table_rows(migrated, "receipt_sequence")
    assert sequence["last_sequence"] == 2
    refunds = {row["id"]: row for row in await table_rows(migrated, "refund")}
    assert (refunds[113]["has_succeeded"], refunds[113]["tax_nanos"]) == (True, usd("5.7"))
