"""A compiled run answers random documents exactly as graphql-core does."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import strawberry
from graphql import GraphQLArgument, OperationType
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.execution import turns
from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, OperationResult
from gateway.settings.documents import DocumentSettings
from tests.gateway.execution.plan.every_feature import SCHEMA
from tests.support.random_documents import RandomDocument, random_documents

QUERIES = frozenset({OperationType.QUERY})
GENEROUS = DocumentSettings(tokens=20_000, depth=50, aliases=1_000, directives=1_000)
FALLBACKS: Counter[str] = Counter()


def make_engine(schema: strawberry.Schema, *, compiled: bool) -> Engine:
    return Engine(
        schema,
        limits=GENEROUS,
        deadline_seconds=10,
        suggestions=False,
        compiled=compiled,
        count_fallback=lambda reason: FALLBACKS.update([reason]),
    )


COMPILED, REFERENCE = (make_engine(SCHEMA, compiled=compiled) for compiled in (True, False))


async def answer(engine: Engine, document: RandomDocument) -> Any:
    """Return the data, the errors, and the exceptions that clients get masked.

    None for a document that is refused.
    """
    request = OperationRequest(query=document.text, variables=document.variables)
    prepared = await engine.prepare(request, request_id="r1", allowed=QUERIES)
    if isinstance(prepared, OperationResult):
        assert prepared.codes == ["GRAPHQL_VALIDATION_FAILED"], prepared.errors
        return None
    with capture_logs() as logged:
        found = await engine.run(prepared, context=None)
        # graphql-core ends the fields beside an error later.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
    masked = sorted({repr(entry["exc_info"]) for entry in logged})
    return found.data, sorted(found.errors, key=str), masked


def values(field: str, name: str, _: GraphQLArgument) -> st.SearchStrategy[str]:
    del field
    return {
        "number": st.integers(0, 14).map(str),
        "first": st.integers(0, 14).map(str),
        "twice": st.sampled_from(["true", "false"]),
        "shift": st.sampled_from(["{}", "{by: 3}", '{tags: ["x"]}', "{by: 2, tags: []}"]),
    }[name]


@pytest.fixture(scope="module", autouse=True)
def one_turn() -> Iterator[None]:
    """Let no run leave the event loop: of several errors that null one object, the first is
    reported, and which comes first depends on the turns.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(turns, "STRETCH_SECONDS", 60.0)
        yield


@pytest.fixture(scope="module", autouse=True)
def counts() -> Iterator[Counter[str]]:
    """Print how many documents were compared, and how they ran."""
    counted: Counter[str] = Counter()
    FALLBACKS.clear()
    yield counted
    print(f"\nDocuments compared: {dict(counted)}; left to graphql-core: {dict(FALLBACKS)}")
    assert counted["different"] == 0


@settings(max_examples=5 * settings().max_examples)
@given(document=random_documents(SCHEMA._schema, values))
async def test_random_documents_answer_alike(
    counts: Counter[str], document: RandomDocument
) -> None:
    other = {name: not value for name, value in document.variables.items()}
    for variables in (document.variables, other) if other else (document.variables,):
        same_text = replace(document, variables=variables)
        expected = await answer(REFERENCE, same_text)
        if expected is None:
            counts["refused"] += 1
            return
        left = FALLBACKS.total()
        found = await answer(COMPILED, same_text)
        counts["compiled" if FALLBACKS.total() == left else "left"] += 1
        assert found == expected
