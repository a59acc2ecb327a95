"""The large set, a thousandth of it."""

from gateway.clock import FixedClock
from gateway.dev.demo.scale import fill_scale
from gateway.store import Database
from tests.support.books import NOW
from tests.support.invariants import check_books
from tests.support.tables import all_rows


async def test_set_is_as_large_as_it_says_and_is_added_once(database: Database) -> None:
    reported: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        reported.append((done, total))

    clock = FixedClock(NOW)
    report = await fill_scale(database, clock=clock, seed=1, scale=0.001, progress=progress)
    assert report.events == 10_000
    assert reported == [(10_000, 10_000)]
    await check_books(database)
    stored = await all_rows(database)
    sizes = {name: len(stored[name]) for name in ("account", "credit_purchase", "usage_event")}
    assert sizes == {"account": 2, "credit_purchase": 200, "usage_event": 10_000}
    assert len(stored["deployment"]) == 40
    assert all(row["started_at"] < NOW for row in stored["usage_event"])

    again = await fill_scale(database, clock=clock, seed=1, scale=0.001)
    assert again.events == 0
    assert await all_rows(database) == stored


async def test_larger_scale_adds_what_is_missing(database: Database) -> None:
    clock = FixedClock(NOW)
    for scale, new in ((0.0005, 5_000), (0.001, 5_000)):
        assert (await fill_scale(database, clock=clock, seed=1, scale=scale)).events == new
