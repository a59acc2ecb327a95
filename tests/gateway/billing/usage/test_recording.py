"""Recording usage: once, exactly, with everything derived from it, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.billing.usage.deployments import DeploymentFacts
from gateway.billing.usage.recording import UsageResult, record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.errors import Conflict
from gateway.store import Database
from gateway.store.engine import bitset
from tests.support.books import Books, usd
from tests.support.tables import all_rows, table_rows

MIDNIGHT = datetime(2026, 11, 1, 23, 50, tzinfo=UTC)


def event(account_id: int, event_id: str, **changes: Any) -> UsageRecord:
    started_at = changes.pop("started_at", MIDNIGHT)
    fields: dict[str, Any] = {
        "account_id": account_id,
        "source": "meter-1",
        "event_id": event_id,
        "deployment": "18446744073709551615",
        "resource": "GPU",
        "unit": "gpu-hour",
        "quantity": usd("1.5"),
        "quantity_text": None,
        "amount": usd("0.000432"),
        "amount_text": None,
        "correction": False,
        "provider": "provider-7",
        "gpu_model": "h100",
        "region": None,
        "service": None,
        "sku": None,
        "started_at": started_at,
        "ended_at": started_at + timedelta(hours=1),
    }
    return UsageRecord(**fields | changes)


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def record(books: Books, account_id: int, events: list[UsageRecord]) -> UsageResult:
    async with books.open([account_id]) as book:
        return await record_usage(book, events)


async def test_a_batch_is_booked_with_everything_derived_from_it(books: Books) -> None:
    account_id = await books.account("acme", time_zone="Europe/Berlin")
    events = [
        event(account_id, "1"),
        event(account_id, "2", resource="CPU", unit="cpu-hour", amount=usd("0.1")),
        event(account_id, "3", deployment=None, resource="OTHER", unit="", amount=usd("2")),
        event(account_id, "4", amount=-usd("0.1"), correction=True, deployment="other"),
    ]
    result = await record(books, account_id, events)
    assert (result.accepted, result.duplicates, result.conflicts) == (4, 0, [])

    total = usd("2.000432")
    assert await figures(books.database) == {
        "balance": (-total, 1),
        "ledger": [(1, "USAGE", -total, -total)],
        # 23:50 UTC is the next day in Berlin; a correction makes no deployment active.
        "days": [(date(2026, 11, 2), total, [0])],
        "spends": {"18446744073709551615": usd("0.100432"), "other": -usd("0.1")},
        "activity": 4,
    }


async def figures(database: Database) -> dict[str, Any]:
    (account,) = await table_rows(database, "account")
    return {
        "balance": (account["balance_nanos"], account["ledger_version"]),
        "ledger": [
            (row["version"], row["cause"], row["amount_nanos"], row["balance_nanos"])
            for row in await table_rows(database, "ledger_entry")
        ],
        "days": [
            (row["day"], row["spent_nanos"], active(row))
            for row in await table_rows(database, "rollup_day")
        ],
        "spends": {
            row["external_id"]: row["spend_nanos"]
            for row in await table_rows(database, "deployment")
        },
        "activity": len(await table_rows(database, "rollup_activity")),
    }


def active(row: dict[str, Any]) -> list[int]:
    return list(bitset.members(bitset.decode(row["deployments"])))


async def test_the_same_batch_again_changes_nothing(books: Books) -> None:
    account_id = await books.account("acme")
    events = [event(account_id, str(number)) for number in range(5)]
    await record(books, account_id, events)
    before = await all_rows(books.database)
    result = await record(books, account_id, [*events, events[0]])
    assert (result.accepted, result.duplicates, result.conflicts) == (0, 6, [])
    assert await all_rows(books.database) == before


async def test_a_known_id_with_other_content_is_a_conflict_and_the_rest_is_kept(
    books: Books,
) -> None:
    account_id = await books.account("acme")
    await record(books, account_id, [event(account_id, "1")])
    batch = [event(account_id, "1", amount=usd("1")), event(account_id, "2")]
    result = await record(books, account_id, [*batch, event(account_id, "2", unit="x")])
    assert (result.accepted, result.duplicates, result.conflicts) == (1, 0, [0, 2])
    assert [row["event_id"] for row in await table_rows(books.database, "usage_event")] == [
        "1",
        "2",
    ]


async def test_the_same_id_of_another_source_is_another_event(books: Books) -> None:
    account_id = await books.account("acme")
    batch = [event(account_id, "1"), event(account_id, "1", source="meter-2")]
    assert (await record(books, account_id, batch)).accepted == 2


async def test_a_deployment_learns_what_later_events_say(books: Books) -> None:
    account_id = await books.account("acme")
    closed_at = MIDNIGHT + timedelta(days=2)
    async with books.open([account_id]) as book:
        said = DeploymentFacts(name="trainer", memory_bytes=2**34)
        await record_usage(book, [event(account_id, "1")], [said])
    async with books.open([account_id]) as book:
        await record_usage(book, [event(account_id, "2")], [DeploymentFacts(closed_at=closed_at)])
    (row,) = await table_rows(books.database, "deployment")
    assert row["name"] == "trainer"
    assert row["memory_bytes"] == 2**34
    assert (row["started_at"], row["closed_at"]) == (MIDNIGHT, closed_at)
    assert row["spend_nanos"] == 2 * usd("0.000432")


async def test_a_project_is_the_events_own(books: Books) -> None:
    account_id = await books.account("acme")
    search = event(account_id, "1", project="search", amount=usd("2"))
    await record(books, account_id, [search, event(account_id, "2", amount=usd("1"))])
    await record(books, account_id, [event(account_id, "3", project="maps", amount=usd("4"))])
    stored = await table_rows(books.database, "usage_event")
    assert {row["event_id"]: row["project"] for row in stored} == {
        "1": "search",
        "2": None,
        "3": "maps",
    }
    parts = await table_rows(books.database, "rollup_project")
    assert {row["project"]: row["spent_nanos"] for row in parts} == {
        "search": usd("2"),
        "maps": usd("4"),
    }
    (whole,) = await table_rows(books.database, "rollup_activity")
    assert (whole["spent_nanos"], whole["events"]) == (usd("7"), 3)
    (deployment,) = await table_rows(books.database, "deployment")
    assert deployment["project"] == "search"  # both are of the same hour: the greater name counts


async def test_another_project_is_another_event(books: Books) -> None:
    account_id = await books.account("acme")
    await record(books, account_id, [event(account_id, "1"), event(account_id, "2", project="a")])
    again = [event(account_id, "1", project="a"), event(account_id, "2", project="a")]
    result = await record(books, account_id, again)
    assert (result.duplicates, result.conflicts) == (1, [0])


def test_usage_without_a_project_keeps_its_fingerprint() -> None:
    # Made before there were projects: what was sent then is still a duplicate.
    assert event(1, "1").fingerprint.hex() == "0e31d399b41f7e6b368cb91e16b3b771"
    assert event(1, "1", quantity=2**70).fingerprint.hex() == "869a273f54a8d10f040d7997892ccb63"


async def test_another_zone_moves_the_days_and_nothing_else(books: Books) -> None:
    account_id = await books.account("acme", time_zone="UTC")
    hours = [
        event(
            account_id,
            str(hour),
            started_at=MIDNIGHT + timedelta(minutes=15 * hour),
            project="search" if hour % 3 else None,
        )
        for hour in range(200)
    ]
    await record(books, account_id, hours)
    moved, direct = await days_in(books, "acme", "Asia/Kathmandu"), await fresh_days(books, hours)
    assert moved == direct


async def days_in(books: Books, external_id: str, zone: str) -> list[Any]:
    await books.account(external_id, time_zone=zone)
    accounts = await table_rows(books.database, "account")
    (account_id,) = [row["account_id"] for row in accounts if row["external_id"] == external_id]
    return [
        [
            tuple(row.values())[1:]
            for row in await table_rows(books.database, table)
            if row["account_id"] == account_id
        ]
        for table in ("rollup_day", "rollup_slot")
    ] + [
        [
            (row["day"], row["spent_nanos"], row["events"])
            for row in await table_rows(books.database, table)
            if row["account_id"] == account_id
        ]
        for table in ("rollup_activity", "rollup_project")
    ]


async def fresh_days(books: Books, events: list[UsageRecord]) -> list[Any]:
    account_id = await books.account("twin", time_zone="Asia/Kathmandu")
    await record(books, account_id, [each._replace(account_id=account_id) for each in events])
    return await days_in(books, "twin", "Asia/Kathmandu")


async def test_the_currency_cannot_change_once_something_is_booked(books: Books) -> None:
    account_id = await books.account("acme")
    await books.account("acme", currency="EUR")
    await books.account("acme", currency="USD")
    await record(books, account_id, [event(account_id, "1")])
    with pytest.raises(Conflict, match="currency is USD"):
        await books.account("acme", currency="EUR")
