"""Sets of deployments that no index can hold."""

from datetime import date, timedelta
from random import Random

from gateway.models import RollupDay
from gateway.store import Database, Snapshot
from gateway.store.rollup_spans import USAGE, Grain, RollupSpan
from tests.support.books import ACTOR
from tests.support.graph import PLATFORM
from tests.support.rows import account, put

FIRST = date(2026, 11, 1)


async def test_days_with_large_and_small_sets_are_read_in_order(database: Database) -> None:
    # Random bytes, so that no compression makes them small.
    sets = [Random(size).randbytes(size) for size in (2, 5_000, 2_000, 2_001, 0, 200_000)]
    days = [
        RollupDay(account_id=1, day=FIRST + timedelta(days=n), spent_nanos=n, deployments=active)
        for n, active in enumerate(sets)
    ]
    await put(database, account(1), *days)
    span = RollupSpan(1, Grain.DAY, FIRST, FIRST + timedelta(days=5))
    async with Snapshot(database, ACTOR) as snapshot:
        (rows,) = await USAGE.fetch(snapshot, PLATFORM, [span])
    assert [(row["at"], row["spent_nanos"], row["deployments"]) for row in rows] == [
        (each.day, each.spent_nanos, each.deployments) for each in days[:5]
    ]
