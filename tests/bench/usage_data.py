"""Accounts with usage of 200 deployments over a year, each with a number of events, and everything
that is derived of them. Written by set-based statements; the same for the same sizes and last day.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Final

import asyncpg
from pydantic import SecretStr

from gateway.settings import load_settings
from gateway.store import Database, connect
from gateway.store.engine.bitset import encode_union
from tests.bench.data import Size, fill

DEPLOYMENTS: Final = 200
YEAR: Final = 365
PIECE: Final = 500_000
"""Events of one statement."""

_DEPLOYMENTS: Final = """
    INSERT INTO deployment (account_id, id, ordinal, external_id, name, provider, gpu_model,
        project, spend_nanos, started_at, created_at)
    SELECT a, a * 1000 + d, d, (a * 1000 + d)::text, 'job ' || d, 'provider ' || d % 3,
        'model ' || d % 4, 'project ' || d % 7, 0, $2::date, $2::date
    FROM unnest($1::bigint[]) a, generate_series(0, $3::int - 1) d
"""
# Event n of an account: at its share of the year. A seventh of the deployments has no project.
_EVENTS: Final = """
    INSERT INTO usage_event (account_id, source, event_id, fingerprint, deployment_id, resource,
        unit, quantity_nanos, amount_nanos, correction, provider, gpu_model, project, started_at,
        ended_at, received_at, ledger_version)
    SELECT $1::bigint, 'meter', lpad(n::text, 10, '0'), '\\x00'::bytea, $1::bigint * 1000 + d,
        (ARRAY['GPU', 'CPU', 'MEMORY'])[1 + (n / $5 % 3)::int], 'hour', 1000000000,
        1000 + n * 7919 % 1000000, false, 'provider ' || d % 3, 'model ' || d % 4,
        nullif('project ' || d % 7, 'project 0'), at, at, at, 1
    FROM generate_series($6::bigint, $7::bigint - 1) n, LATERAL (
        SELECT n % $5 AS d, $3::date + n * ($4::int * interval '1 day' / $2::bigint) AS at
    ) each
"""
_PERIODS: Final = {
    "rollup_slot": ("slot_at", "date_bin('15 minutes', started_at, '2000-01-01Z')"),
    "rollup_day": ("day", "(started_at AT TIME ZONE 'UTC')::date"),
}
_SUMS: Final = """
    SELECT account_id, {expression} AS period, sum(amount_nanos)::bigint AS spent,
        array_agg(DISTINCT (deployment_id % 1000)::int) AS ordinals
    FROM usage_event GROUP BY 1, 2
"""
_ROLLUP: Final = """
    INSERT INTO {table} (account_id, {period}, spent_nanos, purchased_nanos, bonus_nanos,
        refunded_nanos, adjusted_nanos, deployments, resources)
    VALUES ($1, $2, $3, 0, 0, 0, 0, $4, '{{}}')
"""
_DIMENSIONS: Final = "deployment_id, resource, provider, gpu_model"
_ACTIVITY: Final = f"""
    INSERT INTO rollup_activity (account_id, day, {_DIMENSIONS}, spent_nanos, events)
    SELECT account_id, (started_at AT TIME ZONE 'UTC')::date, {_DIMENSIONS}, sum(amount_nanos),
        count(*)
    FROM usage_event GROUP BY 1, 2, {_DIMENSIONS}
"""
_PROJECTS: Final = f"""
    INSERT INTO rollup_project (account_id, day, project, {_DIMENSIONS}, spent_nanos, events)
    SELECT account_id, (started_at AT TIME ZONE 'UTC')::date, project, {_DIMENSIONS},
        sum(amount_nanos), count(*)
    FROM usage_event WHERE project IS NOT NULL GROUP BY 1, 2, 3, {_DIMENSIONS}
"""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """Lend a database with one connection."""
    database = await connect(load_settings(database_url=SecretStr(url), database_pool_size=1))
    try:
        yield database
    finally:
        await database.close()


async def fill_usage(url: str, counts: Mapping[int, int], last_day: date) -> None:
    """Fill a migrated, empty Postgres with accounts, by their keys from 1 with numbers of events;
    the events end with the last day. `url` is the owner's.
    """
    await fill(url, Size(accounts=len(counts), last_day=last_day))
    connection = await asyncpg.connect(url)
    await connection.execute("SET TIME ZONE 'UTC'")
    await connection.execute("DELETE FROM rollup_day; DELETE FROM deployment")
    first_day = last_day - timedelta(days=YEAR - 1)
    await connection.execute(_DEPLOYMENTS, [*counts], first_day, DEPLOYMENTS)
    await connection.execute("UPDATE account SET deployment_count = $1", DEPLOYMENTS)
    for account, count in counts.items():
        for start in range(0, count, PIECE):
            piece = (start, min(start + PIECE, count))
            await connection.execute(
                _EVENTS, account, count, first_day, YEAR, DEPLOYMENTS, *piece, timeout=None
            )
    for table, (period, expression) in _PERIODS.items():
        found = await connection.fetch(_SUMS.format(expression=expression), timeout=None)
        rows = [(*row[:3], encode_union((), row["ordinals"])) for row in found]
        await connection.executemany(_ROLLUP.format(table=table, period=period), rows)
    for statement in (_ACTIVITY, _PROJECTS):
        await connection.execute(statement, timeout=None)
    await connection.execute("VACUUM ANALYZE", timeout=None)
    await connection.close()
