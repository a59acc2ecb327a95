"""Imports in parts: others write in between, and the same file completes what broke off."""

import asyncio
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.billing.credits.posting import grant_credit
from gateway.cli.main import app
from gateway.clock import FixedClock
from gateway.errors import ServiceUnavailable
from gateway.exports.focus.imports import importer
from gateway.exports.focus.imports.importer import import_focus
from gateway.exports.focus.imports.reader import FocusRejected
from gateway.models import CreditPurchaseKind
from gateway.store import Database
from tests.gateway.exports.focus.imports.cost_files import write
from tests.support.books import NOW, Books
from tests.support.facts import day
from tests.support.invariants import check_books
from tests.support.tables import all_rows, table_rows

ROWS = [{"ResourceId": f"i-{number % 7}", "SkuId": str(number)} for number in range(25)]


async def longest_wait(database: Database, importing: asyncio.Task[Any]) -> float:
    """Give credit again and again until an import is done; return the longest that one took."""
    books, waits = Books(database), [0.0]
    account_id = await books.account("other")
    while not importing.done():
        began = time.monotonic()
        async with books.open([account_id]) as book:
            kind = CreditPurchaseKind.COUPON
            grant_credit(book, account_id, kind, 1, currency="USD", occurred_at=day(1))
        waits.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    await importing
    assert len(waits) > 5
    return max(waits)


async def test_others_write_between_the_parts(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 300)
    monkeypatch.setattr(importer, "PAUSE_SECONDS", 0.02)
    rows = [row | {"SkuPriceId": str(part)} for part in range(100) for row in ROWS]
    path = write(tmp_path, *({**row, "SkuId": ""} for row in rows))
    importing = asyncio.create_task(import_focus(database, path, clock=FixedClock(NOW)))
    assert await longest_wait(database, importing) < 2
    assert len(await table_rows(database, "usage_event")) == 2_500


async def test_the_same_file_completes_what_broke_off(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 10)
    monkeypatch.setattr(importer, "PAUSE_SECONDS", 0)
    path = write(tmp_path, *ROWS)
    parts = count(1)
    count_rows = importer._Import._count

    def stop(self: Any, *arguments: Any) -> None:
        if next(parts) == 2:
            raise ServiceUnavailable("away")
        count_rows(self, *arguments)

    monkeypatch.setattr(importer._Import, "_count", stop)
    with pytest.raises(ServiceUnavailable):
        await import_focus(database, path, clock=FixedClock(NOW))
    assert len(await table_rows(database, "usage_event")) == 10
    await check_books(database)
    report = await import_focus(database, path, clock=FixedClock(NOW))
    assert (report.usage_known, report.usage_added) == (10, 15)
    assert await check_books(database) == [-25 * 1_250_000_000]


async def test_two_imports_of_a_file_at_once_book_it_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 4)
    monkeypatch.setattr(importer, "PAUSE_SECONDS", 0)
    path = write(tmp_path, *ROWS, *ROWS, {"ChargeCategory": "Tax"})
    await import_focus(database, write(tmp_path, {}), clock=FixedClock(NOW))
    write(tmp_path, {}, *ROWS, *ROWS, {"ChargeCategory": "Tax"})
    both = [import_focus(database, path, clock=FixedClock(NOW)) for _ in range(2)]
    reports = await asyncio.gather(*both)
    assert sum(report.usage_added for report in reports) == 50
    assert sum(report.adjustments_added for report in reports) == 1
    assert await check_books(database) == [-52 * 1_250_000_000]


async def test_sums_that_do_not_fit_refuse_a_file_whole(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "BATCH", 1)
    path = write(tmp_path, *[{"BilledCost": "4000000000", "ResourceId": ""}] * 2, {})
    await import_focus(database, path, clock=FixedClock(NOW))
    assert (await import_focus(database, path, clock=FixedClock(NOW))).usage_known == 3
    before = await all_rows(database)
    for kind in ("Usage", "Tax"):
        row = {"BilledCost": "4000000000", "ResourceId": ""}
        more = write(tmp_path, row, row, row | {"ChargeCategory": kind}, {})
        with pytest.raises(
            FocusRejected, match=r"^One row .* cannot be imported, so none was\.$"
        ) as e:
            await import_focus(database, more, clock=FixedClock(NOW))
        (error,) = e.value.errors
        assert str(error) == (
            "line 4: With this row, a balance or the total of a day or deployment would be out of "
            "range."
        )
        assert await all_rows(database) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_command_says_how_to_go_on(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    monkeypatch.setattr(importer, "BATCH", 10)
    monkeypatch.setattr(importer, "PAUSE_SECONDS", 0)
    book, path = importer._Import.book, str(write(tmp_path, *ROWS))

    async def fail_at_last(self: Any, transaction: Any, rows: Any) -> int:
        if len(rows) < 10:
            raise ServiceUnavailable("away")
        return await book(self, transaction, rows)

    with monkeypatch.context() as patch:
        patch.setattr(importer._Import, "book", fail_at_last)
        broken = await asyncio.to_thread(CliRunner().invoke, app, ["import-focus", path])
    assert isinstance(broken.exception, ServiceUnavailable)
    assert broken.stderr == (
        "The first 20 rows of cost.csv are imported; the same command again imports the others.\n"
    )
    done = await asyncio.to_thread(CliRunner().invoke, app, ["import-focus", path])
    assert "Usage: 5 rows new, 20 known." in done.stdout
    before = await all_rows(database)
    again = await asyncio.to_thread(CliRunner().invoke, app, ["import-focus", path])
    assert "Usage: 0 rows new, 25 known." in again.stdout
    assert await all_rows(database) == before
    write(tmp_path, *ROWS[:-1])
    restated = await asyncio.to_thread(CliRunner().invoke, app, ["import-focus", path, "--restate"])
    assert "Restated: 1 rows of usage and 0 adjustments" in restated.stdout
