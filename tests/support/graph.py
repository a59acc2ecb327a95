"""Runs operations on the engine that serves: one context and one snapshot for each operation."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import strawberry
from graphql import OperationType

from gateway.clock import FixedClock
from gateway.errors import GatewayError
from gateway.execution.engine import Answer, Engine, Request
from gateway.execution.limits import Limits
from gateway.links import Links
from gateway.principal import Principal, Scope
from gateway.signing import Signer, SigningKey
from gateway.store import Database, Snapshot
from resolvers.context import make_context
from resolvers.schema import build_schema

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNER = Signer([SigningKey(id="test", secret=b"0123456789abcdef0123456789abcdef")])
LINKS = Links(SIGNER, FixedClock(NOW), base_url="https://billing.example", seconds=900)
PLATFORM = Principal(
    subject="key:platform", key_id="platform", scopes=frozenset({Scope.BILLING_READ})
)
ADA = Principal(subject="ada")
BOB = Principal(subject="bob")


def make_engine(schema: strawberry.Schema) -> Engine:
    """Return the engine that serves the schema, with the settings' own limits of documents."""
    return Engine(schema, limits=Limits(), deadline_seconds=60, suggestions=False)


ENGINE = make_engine(build_schema())


@dataclass(frozen=True, kw_only=True)
class Reply:
    """`errors` are (path, code, message), in the order of their paths."""

    data: Any
    errors: list[tuple[list[Any], str, str]]
    statements: int


async def ask(
    database: Database,
    principal: Principal,
    query: str,
    variables: dict[str, Any] | None = None,
    *,
    engine: Engine = ENGINE,
    now: datetime = NOW,
) -> Reply:
    """Return the answer of a query; an unexpected error, which clients get masked, is raised."""
    request = Request(query=query, variables=variables, request_id="test")
    prepared = engine.prepare(request, allowed=frozenset({OperationType.QUERY}))
    async with Snapshot(database) as snapshot:
        context = make_context(
            principal=principal,
            snapshot=snapshot,
            clock=FixedClock(now),
            signer=SIGNER,
            links=LINKS,
            usage_delay_seconds=3600,
            request_id=request.request_id,
        )
        answer = (
            prepared
            if isinstance(prepared, Answer)
            else await engine.run(prepared, request, context)
        )
        statements = snapshot.statements
    assert GatewayError.code not in answer.codes, "unexpected error: the captured log has it"
    errors = [
        (error.get("path", []), error["extensions"]["code"], error["message"])
        for error in answer.errors
    ]
    return Reply(data=answer.data, errors=sorted(errors, key=str), statements=statements)


async def data_of(
    database: Database, principal: Principal, query: str, variables: dict[str, Any] | None = None
) -> Any:
    """Return the data of an answer that has no error."""
    reply = await ask(database, principal, query, variables)
    assert reply.errors == []
    return reply.data
