"""Runs operations on the engine that serves: one context and one snapshot for each operation."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import strawberry
from graphql import GraphQLSchema, OperationType

from gateway.billing.usage.saved_views import SavedViews
from gateway.clock import FixedClock
from gateway.errors import GatewayError
from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, OperationResult
from gateway.links import Links
from gateway.principal import Permission, Principal
from gateway.settings.documents import DocumentSettings
from gateway.signing import Signer, SigningKey
from gateway.store import Database, Snapshot
from resolvers.context import make_context
from resolvers.schema import build_schema

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNER = Signer([SigningKey(id="test", secret=b"0123456789abcdef0123456789abcdef")])
LINKS = Links(SIGNER, FixedClock(NOW), base_url="https://billing.example", seconds=900)
_ALLOWED = frozenset({OperationType.QUERY, OperationType.MUTATION})
_LATER_KEYS = re.compile(r"\b(comparison|previous|unusual|filter)\b")
"""Fields and arguments with keys that are known after a load of the same relation has begun by a
guess: these keys take a statement of their own.
"""
FALLBACKS: Counter[str] = Counter()
"""Operations that were left to graphql-core, by reason."""

PLATFORM = Principal(
    subject="key:platform", key_id="platform", scopes=frozenset({Permission.BILLING_READ})
)
ADA = Principal(subject="ada")
BOB = Principal(subject="bob")


@dataclass(frozen=True, kw_only=True)
class Engines:
    """The engine that serves a schema, and one that leaves every operation to graphql-core."""

    schema: GraphQLSchema
    compiled: Engine
    reference: Engine


def make_engines(schema: strawberry.Schema, limits: DocumentSettings | None = None) -> Engines:
    """Return the engines of a schema; without `limits` of documents, with the settings' own."""

    def make(*, compiled: bool) -> Engine:
        return Engine(
            schema,
            limits=limits or DocumentSettings(),
            deadline_seconds=60,
            suggestions=False,
            compiled=compiled,
            count_fallback=lambda reason: FALLBACKS.update([reason]),
        )

    core = schema._schema
    return Engines(schema=core, compiled=make(compiled=True), reference=make(compiled=False))


ENGINES = make_engines(build_schema())


@dataclass(frozen=True, kw_only=True)
class Reply:
    """`errors` are (path, code, message), in the order of their paths. `points` are those of the
    answer, `requested` those that it might cost at most.
    """

    data: Any
    errors: list[tuple[list[Any], str, str]]
    statements: int
    points: int
    requested: int


async def ask(
    database: Database,
    principal: Principal,
    query: str,
    variables: dict[str, Any] | None = None,
    *,
    engines: Engines = ENGINES,
    now: datetime = NOW,
) -> Reply:
    """Return the answer of a query, which is graphql-core's too.

    Without errors it takes no more statements than graphql-core's, but one for `_LATER_KEYS`.
    An unexpected error, which clients get masked, is raised.
    """
    request = OperationRequest(query=query, variables=variables)
    reply = await _run(database, principal, request, engines.compiled, now)
    reference = await _run(database, principal, request, engines.reference, now)
    assert (reply.data, reply.errors) == (reference.data, reference.errors)
    most = reference.statements + bool(_LATER_KEYS.search(query))
    assert reply.errors or reply.statements <= most
    assert reply.errors or reply.points == reference.points
    return reply


async def _run(
    database: Database,
    principal: Principal,
    request: OperationRequest,
    engine: Engine,
    now: datetime,
) -> Reply:
    prepared = await engine.prepare(request, request_id="test", allowed=_ALLOWED)
    async with Snapshot(database, principal) as snapshot:
        context = make_context(
            principal=principal,
            snapshot=snapshot,
            clock=FixedClock(now),
            signer=SIGNER,
            links=LINKS,
            usage_delay_seconds=3600,
            saved_views=SavedViews(database, FixedClock(now)),
            request_id="test",
        )
        answer = (
            prepared
            if isinstance(prepared, OperationResult)
            else await engine.run(prepared, context)
        )
        statements = snapshot.statements
    assert GatewayError.code not in answer.codes, "unexpected error: the captured log has it"
    errors = [
        (error.get("path", []), error["extensions"]["code"], error["message"])
        for error in answer.errors
    ]
    return Reply(
        data=answer.data,
        errors=sorted(errors, key=str),
        statements=statements,
        points=answer.points,
        requested=0 if isinstance(prepared, OperationResult) else prepared.cost.points,
    )


async def change(
    database: Database,
    principal: Principal,
    mutation: str,
    variables: dict[str, Any],
    *,
    now: datetime = NOW,
) -> Reply:
    """Return the answer of a mutation, which runs once."""
    request = OperationRequest(query=mutation, variables=variables)
    return await _run(database, principal, request, ENGINES.compiled, now)


async def data_of(
    database: Database, principal: Principal, query: str, variables: dict[str, Any] | None = None
) -> Any:
    """Return the data of an answer that has no error."""
    reply = await ask(database, principal, query, variables)
    assert reply.errors == []
    return reply.data
