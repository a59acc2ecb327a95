"""Usage that was recorded before quantities had 38 digits and deployments' facts a time."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from gateway.billing.usage.deployments import DeploymentFacts
from gateway.billing.usage.recording import record_usage
from gateway.migrations import migrate
from gateway.money import MAX_NANOS, MAX_QUANTITY
from gateway.settings import load_settings
from gateway.store import connect
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import Books
from tests.support.raw import REFUSALS, execute
from tests.support.tables import table_rows

BEFORE = "0009"
MORNING = datetime(2026, 11, 1, 6, tzinfo=UTC)


def at(hour: int) -> datetime:
    return MORNING + timedelta(hours=hour)


def written(url: str, instant: datetime | None) -> str:
    """Return an instant as the database has it in SQL."""
    if instant is None:
        return "NULL"
    if url.startswith("sqlite"):
        return str(round(instant.timestamp()) * 1_000_000)
    return f"'{instant.isoformat()}'"


def deployment(url: str, key: int, started: int, closed: int | None) -> str:
    closed_at = written(url, None if closed is None else at(closed))
    return (
        "INSERT INTO deployment (account_id, id, ordinal, external_id, name, spend_nanos, "
        f"started_at, closed_at, created_at) VALUES (1, {key}, {key}, 'box-{key}', 'old', 0, "
        f"{written(url, at(started))}, {closed_at}, {written(url, at(0))})"
    )


def usage(url: str, key: int, hour: int, quantity: int, correction: str = "FALSE") -> str:
    times = ", ".join(written(url, at(each)) for each in (hour, hour + 1, hour + 1))
    return (
        "INSERT INTO usage_event (account_id, source, event_id, fingerprint, deployment_id, "
        "resource, unit, quantity_nanos, amount_nanos, correction, started_at, ended_at, "
        f"received_at, ledger_version) VALUES (1, 'm', '{key}-{hour}', '', {key}, 'GPU', 'h', "
        f"{quantity}, 5, {correction}, {times}, 1)"
    )


async def old_database(url: str) -> None:
    """Make a database as it was, with three deployments and their usage."""
    await migrate(url, revision=BEFORE)
    now = written(url, at(9))
    await execute(
        url,
        "INSERT INTO account (account_id, external_id, name, currency, time_zone, receipt_prefix, "
        "balance_nanos, ledger_version, balance_at, deployment_count, revision, created_at) "
        f"VALUES (1, 'acme', 'Acme', 'USD', 'UTC', 'AAAAAAAA', -25, 1, {now}, 4, 1, {now})",
        deployment(url, 1, 1, 3),
        deployment(url, 2, 0, 5),
        deployment(url, 3, 0, None),
        usage(url, 1, 1, MAX_NANOS),
        usage(url, 1, 4, -MAX_NANOS),
        usage(url, 2, 2, 1),
        usage(url, 2, 6, 0, correction="TRUE"),
        # The last one is fetched from, and there has to be something.
        usage(url, 3, 7, 10**9) + " RETURNING 1",
    )


async def test_what_was_recorded_stays_and_goes_on(empty_url: str) -> None:
    await old_database(empty_url)
    await migrate(empty_url)
    database = await connect(load_settings(database_url=SecretStr(empty_url)))
    try:
        events = await table_rows(database, "usage_event")
        quantities = {row["event_id"]: row["quantity_nanos"] for row in events}
        assert quantities == {"1-1": MAX_NANOS, "1-4": -MAX_NANOS, "2-2": 1, "2-6": 0, "3-7": 10**9}
        rows = {row["id"]: row for row in await table_rows(database, "deployment")}
        # The first was used after its closing; the second by a correction alone.
        assert [rows[key]["closed_at"] for key in (1, 2, 3)] == [None, at(5), None]
        assert [rows[key]["last_used_at"] for key in (1, 2, 3)] == [at(4), at(2), at(7)]
        assert rows[3]["last_used_until"] == at(8)

        # A late event replaces no name; a start that was an event's moves with an earlier one.
        books = Books(database)
        late = [
            event(
                1,
                f"late-{key}",
                deployment=f"box-{key}",
                started_at=at(-1),
                ended_at=at(0),
                quantity=MAX_QUANTITY,
                unit=f"unit-{key}",
            )
            for key in (1, 3)
        ]
        async with books.open([1]) as book:
            facts = DeploymentFacts(name="late")
            assert (await record_usage(book, late[:1], [facts])).accepted == 1
        async with books.open([1]) as book:
            assert (await record_usage(book, late[1:], [facts])).accepted == 1
        rows = {row["id"]: row for row in await table_rows(database, "deployment")}
        assert [rows[key]["name"] for key in (1, 3)] == ["old", "old"]
        assert [rows[key]["started_at"] for key in (1, 3)] == [at(-1), at(0)]
        found = [row["quantity_nanos"] for row in await table_rows(database, "usage_event")]
        assert found.count(MAX_QUANTITY) == 2
    finally:
        await database.close()


async def test_events_are_still_never_changed(empty_url: str) -> None:
    await old_database(empty_url)
    await migrate(empty_url)
    for change in ("UPDATE usage_event SET quantity_nanos = '1'", "DELETE FROM usage_event"):
        with pytest.raises(REFUSALS, match="never changed"):
            await execute(empty_url, change)
