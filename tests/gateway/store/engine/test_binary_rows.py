"""Rows for COPY in binary form."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta, timezone

import asyncpg
from sqlalchemy import BigInteger, Boolean, Date, Integer, LargeBinary, SmallInteger, String, Text

from gateway.models.base import Instant, Quantity
from gateway.money import MAX_QUANTITY
from gateway.store.engine.binary_rows import RowEncoder
from gateway.store.engine.postgres_session import set_codecs
from gateway.store.engine.sql import ColumnType

AT = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=UTC)
KINDS: dict[str, tuple[ColumnType, list[object]]] = {
    "small": (SmallInteger(), [1, -(2**15), None, 2**15 - 1]),
    "middle": (Integer(), [7, -(2**31), 2**31 - 1, None]),
    "large": (BigInteger(), [-(2**63), None, 0, 2**63 - 1]),
    "quantity": (Quantity(), [0, MAX_QUANTITY, None, -12_345]),
    "name": (String(300), ["", None, 'é"\\\t\n🙂', "é" * 300]),
    "same": (Text(), ["x", "x", "x", "x"]),
    "nothing": (Text(), [None, None, None, None]),
    "few": (String(), ["a", "b", "a", "b"]),
    "data": (LargeBinary(), [b"", bytes(range(256)), None, b"\0" * 70_000]),
    "yes": (Boolean(), [True, False, None, True]),
    "day": (Date(), [date(1, 1, 1), None, date(2000, 1, 1), date(9999, 12, 31)]),
    "at": (Instant(), [AT, AT, None, datetime(1999, 1, 1, tzinfo=timezone(timedelta(hours=-5)))]),
}
TYPES = (
    "smallint, integer, bigint, numeric, text, text, text, text, bytea, boolean, date, timestamptz"
)


async def test_every_value_comes_back_from_a_copy(postgres_url: str) -> None:
    rows = [*zip(*(values for _, values in KINDS.values()), strict=True)]
    encoder = RowEncoder({name: kind for name, (kind, _) in KINDS.items()})
    encoded = await encoder.encode(rows)
    connection = await asyncpg.connect(postgres_url)

    async def source() -> AsyncIterator[bytes]:
        yield encoded.data

    try:
        await set_codecs(connection)
        columns = ", ".join(
            f"{name} {kind}" for name, kind in zip(KINDS, TYPES.split(", "), strict=True)
        )
        await connection.execute(f"CREATE TEMPORARY TABLE copied ({columns})")
        await connection.copy_to_table(
            "copied", columns=encoded.columns, source=source(), format="binary"
        )
        copied = await connection.fetch("SELECT * FROM copied")
    finally:
        await connection.close()
    assert [tuple(each) for each in copied] == rows


async def test_rows_may_have_every_cell_in_common() -> None:
    encoded = await RowEncoder({"a": Integer()}).encode([(1,), (1,)])
    assert encoded.data.count(b"\0\1\0\0\0\4\0\0\0\1") == 2
