"""Quantities as they are stored: integers of up to 38 digits on both databases."""

from decimal import Decimal

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.money import MAX_QUANTITY
from gateway.store.engine import numeric
from gateway.store.engine.postgres_session import set_codecs

EDGES = [0, 1, 9_999, 10_000, 10**8, 10**16 - 1, 10**16, 10**20, 2**63, 2**64, MAX_QUANTITY]
NUMBERS = sorted({sign * (each + more) for each in EDGES for sign in (1, -1) for more in (0, -1)})


async def test_postgres_reads_and_writes_every_integer(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        texts = await connection.fetchval(
            "SELECT $1::text[]::numeric[]::text[]", [str(each) for each in NUMBERS]
        )
        decimals = await connection.fetchval(
            "SELECT $1::numeric[]", [Decimal(each) for each in NUMBERS]
        )
        assert [*map(int, decimals)] == [*map(int, texts)] == NUMBERS
        await set_codecs(connection)
        assert await connection.fetchval("SELECT $1::numeric[]", NUMBERS) == NUMBERS
        # As Postgres itself writes them, not as they came.
        assert await connection.fetchval("SELECT $1::text[]::numeric[]", texts) == NUMBERS
        assert await connection.fetchval("SELECT $1::numeric[]::text[]", NUMBERS) == texts
        for number in ("1.5", "NaN", "Infinity"):
            with pytest.raises(ValueError, match="not an integer"):
                await connection.fetchval(f"SELECT '{number}'::numeric")
    finally:
        await connection.close()


@given(st.integers(-MAX_QUANTITY, MAX_QUANTITY))
def test_any_integer_comes_back(number: int) -> None:
    assert numeric.decode(numeric.encode(number)) == number
