"""Monthly statements: a chain that holds every entry once, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.billing.statements.issuing import issue_next
from gateway.billing.statements.sweep import ISSUE, MONTHS, OfAccount, StatementJobs
from gateway.money import parse_exact_nanos
from gateway.store.engine.stored_json import loads
from gateway.work.jobs import Job, Unrecoverable
from gateway.work.tasks import Tasks
from tests.gateway.billing.usage.test_recording import event, record
from tests.support.books import ACTOR, Books, usd
from tests.support.facts import purchase, refund, save
from tests.support.invariants import check_books
from tests.support.jobs import OUTBOX, done, worker
from tests.support.tables import table_rows

ZONE = "Asia/Kathmandu"
"""5:45 hours ahead of UTC."""
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
YEARS = 2


def month_at(number: int, *, day: int = 1, hour: int = 0) -> datetime:
    """Return an instant of UTC in a month, counted from the first one."""
    return datetime(2024 + number // 12, number % 12 + 1, day, hour, tzinfo=UTC)


async def issue_all(books: Books, account_id: int) -> int:
    issued = 0
    while await issue_next(
        books.database, account_id, actor=ACTOR, clock=books.clock, keys=books.keys
    ):
        issued += 1
    return issued


async def statements_of(books: Books) -> list[dict[str, Any]]:
    rows = await table_rows(books.database, "statement")
    rows.sort(key=lambda row: row["month"])
    return [row | {"data": loads(row["data"])} for row in rows]


async def use(books: Books, account_id: int, name: str, at: datetime, **changes: Any) -> None:
    await record(books, account_id, [event(account_id, name, started_at=at, **changes)])


async def two_years(books: Books) -> int:
    """Return an account with purchases, refunds and usage, some of it late, in two years; in every
    sixth month nothing happens.
    """
    account_id = await books.account("acme", time_zone=ZONE, created_at=BEGIN)
    for number in range(12 * YEARS):
        if number % 6 == 5:
            continue
        bought = month_at(number, day=3)
        books.clock.instant = bought
        name = f"pi_{number}"
        await save(
            books,
            account_id,
            purchase(account_id, reference=name, created_at=bought, succeeded_at=bought),
        )
        books.clock.instant = month_at(number, day=5, hour=1)
        if number % 12 == 3:
            await use(books, account_id, f"late {number}", month_at(number - 1, day=20))
        await use(books, account_id, f"a {number}", month_at(number, day=4), project="search")
        await use(books, account_id, f"b {number}", month_at(number, day=5), deployment="other")
        # The month of the account's zone ends at 18:15 of UTC.
        books.clock.instant = month_at(number + 1) - timedelta(hours=6)
        await use(books, account_id, f"c {number}", books.clock.instant, amount=usd("1"))
        if number % 6 != 4:
            books.clock.instant = month_at(number + 1) - timedelta(hours=5)
            await use(books, account_id, f"d {number}", books.clock.instant - timedelta(hours=2))
    return account_id


async def test_two_years_are_a_chain_with_every_entry_once(books: Books) -> None:
    account_id = await two_years(books)
    books.clock.instant = month_at(24)
    await use(books, account_id, "after", month_at(23, day=30))
    assert await issue_all(books, account_id) == 24
    chain = await statements_of(books)
    assert [row["month"] for row in chain] == [month_at(n).strftime("%Y-%m") for n in range(24)]
    entries = await table_rows(books.database, "ledger_entry")
    held: list[int] = []
    closing = 0
    for row in chain:
        assert row["opening_nanos"] == closing
        versions = range(row["first_version"], row["last_version"] + 1)
        held += versions
        mine = [entry for entry in entries if entry["version"] in versions]
        closing = row["closing_nanos"]
        assert closing == row["opening_nanos"] + sum(entry["amount_nanos"] for entry in mine)
        assert all(entry["recorded_at"] < row["ended_at"] for entry in mine)
        check_content(row, mine)
    # What was recorded after the last month's end is in no statement yet.
    versions_of_all = sorted(entry["version"] for entry in entries)
    assert held == versions_of_all[:-1]
    idle = [row for row in chain if row["first_version"] > row["last_version"]]
    assert [row["month"][5:] for row in idle] == ["06", "12"] * 2
    await check_books(books.database)


def check_content(row: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    """Check a statement's days, usage and taxes against its entries."""
    data = row["data"]
    assert data["number"] == row["number"] == f"{row['number'][:8]}-S{row['month']}"
    amounts = [
        parse_exact_nanos(each["amount"]) for day in data["days"] for each in day["movements"]
    ]
    assert sum(amounts) == sum(entry["amount_nanos"] for entry in entries)
    assert [day["date"] for day in data["days"]] == sorted({day["date"] for day in data["days"]})
    if data["days"]:
        assert data["days"][-1]["balance"] == data["closing"]
    used = -sum(entry["amount_nanos"] for entry in entries if entry["cause"] == "USAGE")
    assert sum(parse_exact_nanos(part["spent"]) for part in data["usage"]) == used
    for part in data["usage"]:
        spent = sum(parse_exact_nanos(each["spent"]) for each in part["deployments"])
        assert spent == parse_exact_nanos(part["spent"])
    bought = sum(entry["cause"] == "PURCHASE" for entry in entries)
    assert sum(parse_exact_nanos(tax["amount"]) for tax in data["taxes"]) == bought * usd("19")


async def test_late_usage_stands_in_its_own_part(books: Books) -> None:
    account_id = await two_years(books)
    books.clock.instant = month_at(24)
    await issue_all(books, account_id)
    april = (await statements_of(books))[3]["data"]
    parts = {part["part"]: part for part in april["usage"]}
    assert set(parts) == {"MONTH", "EARLIER"}
    (late,) = parts["EARLIER"]["deployments"]
    # Used on 20 March, and in the last hours of March after that month's statement had ended.
    assert late["resources"] == [
        {"resource": "GPU", "unit": "gpu-hour", "quantity": "3", "spent": "0.000864"}
    ]
    projects = [each["project"] for each in parts["MONTH"]["deployments"]]
    assert projects == ["search", None, None]
    assert parts["MONTH"]["spent"] == "1.000864"
    # The tab also has what was recorded after the month's end.
    assert april["usageShown"] == "1.001296"


async def test_a_refund_gives_back_its_tax(books: Books) -> None:
    account_id = await books.account("acme", created_at=BEGIN)
    books.clock.instant = at = month_at(0, day=3)
    await save(books, account_id, purchase(account_id, created_at=at, succeeded_at=at))
    books.clock.instant = month_at(1, day=2)
    await save(books, account_id, refund("re_1", "50", created_at=month_at(1, day=2)))
    books.clock.instant = month_at(2, day=2)
    assert await issue_all(books, account_id) == 2
    first, second = [row["data"] for row in await statements_of(books)]
    assert [first["taxes"], second["taxes"]] == [[{"amount": "19.00"}], [{"amount": "-9.50"}]]
    (day,) = second["days"]
    (movement,) = day["movements"]
    assert movement["cause"] == "REFUND"
    assert movement["document"].endswith("-2024-000002")


async def test_months_without_movement_and_balance_have_none(books: Books) -> None:
    account_id = await books.account("acme", created_at=BEGIN)
    assert await issue_all(books, account_id) == 0
    books.clock.instant = month_at(0, day=9)
    await use(books, account_id, "1", month_at(0, day=8), amount=usd("2"))
    await use(books, account_id, "2", month_at(0, day=8), amount=-usd("2"), correction=True)
    books.clock.instant = month_at(6, day=9)
    await use(books, account_id, "3", month_at(6, day=8))
    books.clock.instant = month_at(9, day=1, hour=1)
    assert await issue_all(books, account_id) == 4
    months = [row["month"] for row in await statements_of(books)]
    assert months == ["2024-01", "2024-07", "2024-08", "2024-09"]


async def test_a_later_zone_changes_no_statement(books: Books) -> None:
    account_id = await books.account("acme", time_zone="Pacific/Kiritimati", created_at=BEGIN)
    books.clock.instant = month_at(0, day=9)
    await use(books, account_id, "1", month_at(0, day=8))
    # 14 hours ahead of UTC: there, January has ended.
    books.clock.instant = month_at(1) - timedelta(hours=13)
    assert await issue_all(books, account_id) == 1
    before = await statements_of(books)
    await books.account("acme", time_zone="Pacific/Honolulu")
    await use(books, account_id, "2", books.clock.instant - timedelta(hours=1))
    books.clock.instant = month_at(2, day=2)
    assert await issue_all(books, account_id) == 1
    january, february = await statements_of(books)
    assert [january] == before
    assert (february["first_version"], february["last_version"]) == (2, 2)
    assert february["data"]["days"][0]["date"] == "2024-01-31"


async def test_concurrent_calls_issue_a_statement_once(books: Books) -> None:
    account_id = await books.account("acme", created_at=BEGIN)
    books.clock.instant = month_at(0, day=9)
    await use(books, account_id, "1", month_at(0, day=8))
    books.clock.instant = month_at(3, day=9)
    await asyncio.gather(*(issue_all(books, account_id) for _ in range(4)))
    months = [row["month"] for row in await statements_of(books)]
    assert months == ["2024-01", "2024-02", "2024-03"]


async def test_jobs_issue_past_months_in_pieces(books: Books) -> None:
    berlin = await books.account("berlin", time_zone="Europe/Berlin", created_at=BEGIN)
    lima = await books.account("lima", time_zone="America/Lima", created_at=BEGIN)
    await books.account("idle", created_at=BEGIN)
    books.clock.instant = month_at(0, day=9)
    for account_id in (berlin, lima):
        await use(books, account_id, "1", month_at(0, day=8))
    # A month more has ended in Berlin, and not in Lima.
    books.clock.instant = month_at(2 * MONTHS + 1)
    statements, tasks = StatementJobs(books.database, books.clock, OUTBOX), Tasks()
    tasks.add(ISSUE, statements.issue)
    assert await statements.sweep() == 2
    assert await statements.sweep() == 0
    async with done(books.database, worker(books.database, tasks)):
        rows = await statements_of(books)
    counts = [sum(row["account_id"] == each for row in rows) for each in (berlin, lima)]
    assert counts == [2 * MONTHS + 1, 2 * MONTHS]
    assert await statements.sweep() == 0
    books.clock.instant += timedelta(hours=7)
    assert await statements.sweep() == 1


async def test_nothing_is_issued_while_statements_are_off(books: Books) -> None:
    account_id = await books.account("acme", created_at=BEGIN)
    books.clock.instant = month_at(0, day=9)
    await use(books, account_id, "1", month_at(0, day=8))
    books.clock.instant = month_at(1, day=9)
    off, tasks = StatementJobs(books.database, books.clock, OUTBOX, is_on=False), Tasks()
    off.register(tasks)
    assert [*tasks.periodic] == []
    # A job of before they were turned off.
    assert await StatementJobs(books.database, books.clock, OUTBOX).sweep() == 1
    async with done(books.database, worker(books.database, tasks)):
        assert await statements_of(books) == []


async def test_an_account_with_a_dead_job_gets_no_other(books: Books) -> None:
    account_id = await books.account("acme", created_at=BEGIN)
    books.clock.instant = month_at(0, day=9)
    await use(books, account_id, "1", month_at(0, day=8))
    books.clock.instant = month_at(1, day=9)
    statements, tasks = StatementJobs(books.database, books.clock, OUTBOX), Tasks()

    async def fail(_: Job[OfAccount]) -> None:
        raise Unrecoverable("The figures do not add up.")

    tasks.add(ISSUE, fail)
    assert await statements.sweep() == 1
    async with done(books.database, worker(books.database, tasks)):
        (job,) = await table_rows(books.database, "job")
    assert (job["state"], job["account_id"]) == ("DEAD", account_id)
    assert await statements.sweep() == 0
