"""Requests that schemathesis derives from the OpenAPI document and from the GraphQL schema: each
answer is as described, wrong requests are refused, and none is a failure of the server.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from gateway.auth.key_store import issue_key
from gateway.clock import SystemClock
from gateway.principal import Permission
from gateway.store import Database
from tests.support.books import ACTOR, Books
from tests.support.live import gateway

pytestmark = pytest.mark.filterwarnings(
    "ignore::hypothesis.errors.HypothesisDeprecationWarning"  # of strategies of schemathesis
)
CASES: Final = max(1, settings().max_examples // 16)
SCOPES: Final = frozenset(Permission) - {Permission.ADMIN}
UNCHECKED: Final = [positive_data_acceptance]
"""The document cannot say everything, such as which currencies there are."""
BY_ITEM: Final = [positive_data_acceptance, negative_data_rejection]
"""A batch lists its wrong items in a 200, and records the others."""

TEXTS: Final[dict[str, st.SearchStrategy[str]]] = {
    "CurrencyCode": st.sampled_from(["USD", "XXX"]),
    "Date": st.dates().map(str),
    "DateTime": st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
    "Decimal": st.decimals().map(str),
    "TimeZone": st.sampled_from(["UTC", "Europe/Berlin", "Mars"]),
}
"""Literals of our own scalars, good ones and bad ones."""

EXPECTED: Final = frozenset(
    {"answered", "BAD_CURSOR", "BAD_USER_INPUT", "NOT_FOUND", "QUERY_TOO_COMPLEX"}
)
FOR_PEOPLE: Final = frozenset({"deleteView", "saveView"})
"""Root fields that are FORBIDDEN for an API key; no other is for one with every scope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """The address of a gateway, and the header of a key with every scope but `admin`."""

    url: str
    headers: dict[str, str]


@pytest.fixture
async def served(
    sqlite_database_url: str, database: Database, tmp_path: Path
) -> AsyncIterator[Served]:
    await Books(database).account("acme")
    async with database.writing(ACTOR) as transaction:
        key = await issue_key(
            transaction,
            environment="dev",
            name="any",
            scopes=SCOPES,
            actor=ACTOR,
            clock=SystemClock(),
        )
    async with gateway(sqlite_database_url, tmp_path / "data") as place:
        yield Served(
            url=place.url,
            headers={"Authorization": f"Bearer {key.text}"},
        )


def try_all(cases: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """Check the same few cases in each run; more of them with more EXAMPLES."""
    few = settings(
        max_examples=CASES,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    few(given(cases)(check))()


def validating(served: Served, excluded: list[Any]) -> Callable[[Any], None]:
    def validate(case: Any) -> None:
        case.call_and_validate(headers=served.headers, excluded_checks=excluded)

    return validate


def try_document(served: Served) -> int:
    """Send requests that the OpenAPI document allows, and others; return how many operations."""
    document = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    # Probes and metrics take no parameters.
    some = document.include(path_regex="^/(v1|exports|receipts)/")
    operations = [each.ok() for each in some.get_all_operations() if isinstance(each, Ok)]
    for operation in operations:
        excluded = BY_ITEM if operation.path == "/v1/usage-events" else UNCHECKED
        for mode in GenerationMode:
            try_all(operation.as_strategy(mode), validating(served, excluded))
    return len(operations)


def try_schema(served: Served) -> dict[str, Counter[str]]:
    """Send documents that the GraphQL schema allows; return how many had each code of an error, by
    the root field.
    """
    for name, values in TEXTS.items():
        schemathesis.graphql.scalar(name, values.map(schemathesis.graphql.nodes.String))
    schema = schemathesis.graphql.from_url(f"{served.url}/graphql", headers=served.headers)
    seen: dict[str, Counter[str]] = {}

    def send(case: Any) -> None:
        answer = case.call(headers=served.headers).json()
        codes = seen.setdefault(case.operation.definition.field_name, Counter())
        codes.update(each["extensions"]["code"] for each in answer.get("errors", []))
        codes["answered"] += "data" in answer

    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        try_all(found.ok().as_strategy(), send)
    return seen


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_answers_are_as_the_openapi_document_says(served: Served) -> None:
    assert await asyncio.to_thread(try_document, served) >= 10


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_documents_of_the_graphql_schema_are_no_failure(served: Served) -> None:
    seen = await asyncio.to_thread(try_schema, served)
    assert sum(codes["answered"] for codes in seen.values()) > 0
    for field, codes in seen.items():
        assert codes.keys() - {"FORBIDDEN"} <= EXPECTED, field
        assert ("FORBIDDEN" in codes) == (field in FOR_PEOPLE), field
