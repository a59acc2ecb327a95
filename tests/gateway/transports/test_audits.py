"""The audits of the npm package graphql-http: every rule of GraphQL over HTTP, SHOULDs too."""

from pathlib import Path

from tests.support.live import gateway
from tests.support.npm import printed_by


async def test_every_audit_of_graphql_http_passes(sqlite_database_url: str, tmp_path: Path) -> None:
    async with gateway(sqlite_database_url, tmp_path / "data") as served:
        results = await printed_by("audits.mjs", f"{served.url}/graphql", served.token("ada"))
    assert [each for each in results if each["status"] != "ok"] == []
    assert len({each["id"] for each in results}) == 61
