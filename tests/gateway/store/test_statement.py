"""Lists as parameters, on both databases."""

from datetime import UTC, date, datetime

from sqlalchemy import BigInteger, Date, select

from gateway.models import Instant
from gateway.store import Database, Snapshot, Statement, batch

MOMENT = datetime(2026, 11, 1, 0, 0, 0, 1, tzinfo=UTC)


async def test_a_batch_is_a_table_of_positions(database: Database) -> None:
    statement = Statement(
        lambda dialect: select(
            batch(dialect, account_id=BigInteger(), first=Date(), at=Instant())
        ).order_by("n")
    )
    async with Snapshot(database) as snapshot:
        rows = await snapshot.fetch(
            statement,
            account_id=[2**62 + 1, 3],
            first=[date(2026, 1, 1), date(2026, 2, 28)],
            at=[MOMENT, MOMENT],
        )
    assert [dict(row) for row in rows] == [
        {"n": 1, "account_id": 2**62 + 1, "first": date(2026, 1, 1), "at": MOMENT},
        {"n": 2, "account_id": 3, "first": date(2026, 2, 28), "at": MOMENT},
    ]
