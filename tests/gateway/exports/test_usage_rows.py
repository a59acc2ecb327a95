"""Files of buckets and of series, cell by cell, and the requests that go with no file."""

import csv
import json
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest

from gateway.errors import BadUserInput
from gateway.exports.export import ExportFormat
from gateway.exports.open import open_usage
from gateway.exports.request import UsageExportRequest
from gateway.ids import encode_global_id
from gateway.store import Database
from tests.support.books import ACTOR
from tests.support.graph import PLATFORM, ask
from tests.support.usage_rows import Event, Facts, deployment_id, insert_facts

NO_FOCUS = (
    "The format FOCUS is not available for this export; use one of CSV, JSONL, XLSX, PARQUET."
)
UNIT = 10**9
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FACTS = Facts(
    account_id=1,
    time_zone="Europe/Berlin",
    events=[
        Event(at=datetime(2026, 11, 2, tzinfo=UTC), nanos=3 * UNIT, deployment=1, project="=a"),
        Event(at=datetime(2026, 11, 2, tzinfo=UTC), nanos=UNIT, deployment=2, project="=a"),
        Event(at=datetime(2026, 11, 2, tzinfo=UTC), nanos=1, resource="CPU"),
        Event(at=datetime(2026, 11, 10, tzinfo=UTC), nanos=2 * UNIT, deployment=1, project="b"),
    ],
)
WEEKS = {"interval": "WEEK", "from": "2026-11-02", "to": "2026-11-15"}


async def written(database: Database, format_: ExportFormat, **parameters: str) -> str:
    request = UsageExportRequest.read(WEEKS | parameters, FACTS.account, NOW)
    async with database.exporting(ACTOR) as stream:
        opened = await open_usage(stream, PLATFORM, FACTS.account, request, format_)
        parts = [part async for part in opened.parts()]
    assert opened.rows == sum(part.rows for part in parts)
    return b"".join(part.content for part in parts).decode("utf-8-sig")


async def test_a_file_of_buckets_has_each(database: Database) -> None:
    await insert_facts(database, FACTS)
    text = await written(database, ExportFormat.CSV, rows="BUCKETS", projects='["=a"]')
    first, second = csv.DictReader(StringIO(text, newline=""), strict=True)
    assert first == {
        "Start (Europe/Berlin)": "2026-11-02T00:00:00+01:00",
        "End (Europe/Berlin)": "2026-11-09T00:00:00+01:00",
        "Spend": "4.00",
        "Currency": "USD",
        "Deployments": "2",
    }
    assert (second["Spend"], second["Deployments"]) == ("0.00", "0")


async def test_a_file_of_series_has_every_value(database: Database) -> None:
    await insert_facts(database, FACTS)
    dimensions = {"rows": "SERIES", "by": "PROJECT", "then": "DEPLOYMENT"}
    text = await written(database, ExportFormat.JSONL, **dimensions)
    lines = [json.loads(line) for line in text.splitlines()]
    key = encode_global_id("Deployment", 1, deployment_id(2))
    assert lines[0] == {
        "start": "2026-11-01T23:00:00Z",
        "end": "2026-11-08T23:00:00Z",
        "spend": "1.00",
        "currency": "USD",
        "deployments": 1,
        "group": "VALUE",
        "key": "=a",
        "label": "=a",
        "thenGroup": "VALUE",
        "thenKey": key,
        "thenLabel": "external-2",
    }
    assert [(line["group"], line["key"], line["spend"]) for line in lines] == [
        ("VALUE", "=a", "1.00"),
        ("VALUE", "=a", "3.00"),
        ("NONE", None, "0.000000001"),
        ("VALUE", "b", "2.00"),
    ]
    table = await written(database, ExportFormat.CSV, rows="SERIES", by="PROJECT")
    first, *_ = csv.DictReader(StringIO(table, newline=""), strict=True)
    assert (first["Key"], first["Label"], first["Deployments"]) == ("'=a", "'=a", "2")


WRONG: list[tuple[dict[str, str], str]] = [
    ({"rows": "SERIES"}, "by"),
    ({"rows": "BUCKETS", "by": "PROJECT"}, "by"),
    ({"then": "PROJECT"}, "then"),
    ({"rows": "SERIES", "by": "PROJECT", "then": "PROJECT"}, "then"),
    ({"rows": "TOTALS"}, "rows"),
    ({"rows": "SERIES", "by": "COLOR"}, "by"),
    ({"projects": "search"}, "projects"),
    ({"projects": "[1]"}, "projects"),
]


@pytest.mark.parametrize(("parameters", "argument"), WRONG, ids=str)
def test_a_wrong_pair_is_named(parameters: dict[str, str], argument: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        UsageExportRequest.read(WEEKS | parameters, FACTS.account, NOW)
    assert caught.value.argument == argument


async def test_focus_has_charges_alone(database: Database) -> None:
    await insert_facts(database, FACTS)
    query = """query ($id: ID!) { account(id: $id) { usage {
        exportUrl(format: FOCUS, rows: BUCKETS)
    } } }"""
    variables: dict[str, Any] = {"id": encode_global_id("Account", 1)}
    reply = await ask(database, PLATFORM, query, variables)
    ((_, code, message),) = reply.errors
    assert code == "BAD_USER_INPUT"
    assert message == NO_FOCUS


def test_a_request_is_read_back_as_it_was_written() -> None:
    given = {"rows": "SERIES", "by": "PROJECT", "then": "RESOURCE", "providers": '["a",null]'}
    request = UsageExportRequest.read(WEEKS | given, FACTS.account, NOW)
    assert UsageExportRequest.read(request.parameters(), FACTS.account, NOW) == request
    assert request.window.from_ == date(2026, 11, 2)
