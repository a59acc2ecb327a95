"""Files that are made whole, from a real server: a part of one cannot pass for the whole."""

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.errors import ServiceUnavailable
from gateway.exports.export import ExportFormat, FilePart
from gateway.exports.tables import whole
from gateway.exports.tables.whole import WholeFile
from gateway.ids import encode_global_id
from gateway.store import Database
from tests.support.live import gateway
from tests.support.rows import T0, UNIT
from tests.support.table_files import read_table
from tests.support.usage_rows import Event, Facts, insert_facts

FILE = {
    "account": encode_global_id("Account", 1),
    "from": "2026-11-01",
    "to": "2026-11-02",
}


@pytest.mark.parametrize("format_", [ExportFormat.XLSX, ExportFormat.PARQUET])
async def test_a_broken_transfer_is_shorter_than_its_length(
    database: Database,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format_: ExportFormat,
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(whole, "PIECE_BYTES", 500)
    events = [Event(at=T0, nanos=UNIT, deployment=1), Event(at=T0, nanos=800)]
    await insert_facts(database, Facts(account_id=1, events=events, members={"ada": "OWNER"}))
    async with (
        gateway(database_url, tmp_path / "data") as served,
        httpx.AsyncClient(
            base_url=served.url, headers={"Authorization": f"Bearer {served.token('ada')}"}
        ) as client,
    ):
        query = FILE | {"format": format_.value}
        answer = await client.get("/exports/usage", params=query)
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert len(read_table(format_, answer.content)) == len(events)
        sent = WholeFile.parts

        async def fail(self: WholeFile, rows: Any) -> AsyncGenerator[FilePart]:
            async for part in sent(self, rows):
                yield part
                if part.content:
                    # The temporary file has no name, and the writer's own are gone.
                    assert [path.name for path in folder.iterdir()] == []
                    raise ServiceUnavailable("The database is away.")

        monkeypatch.setattr(WholeFile, "parts", fail)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/exports/usage", params=query)
