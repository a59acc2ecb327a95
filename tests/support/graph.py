"""Asks the schema as the gateway does: a context for each operation."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import strawberry

from gateway.clock import FixedClock
from gateway.errors import GatewayError
from gateway.links import Links
from gateway.principal import Principal, Scope
from gateway.signing import Signer, SigningKey
from gateway.store import Database, Snapshot
from resolvers.context import make_context
from resolvers.schema import build_schema

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SIGNER = Signer([SigningKey(id="test", secret=b"0123456789abcdef0123456789abcdef")])
LINKS = Links(SIGNER, FixedClock(NOW), base_url="https://billing.example", seconds=900)
SCHEMA = build_schema()
PLATFORM = Principal(
    subject="key:platform", key_id="platform", scopes=frozenset({Scope.BILLING_READ})
)
ADA = Principal(subject="ada")
BOB = Principal(subject="bob")


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
    schema: strawberry.Schema = SCHEMA,
    now: datetime = NOW,
) -> Reply:
    """Return the answer; an error that is not the gateway's own is raised."""
    async with Snapshot(database) as snapshot:
        context = make_context(
            principal=principal,
            snapshot=snapshot,
            clock=FixedClock(now),
            signer=SIGNER,
            links=LINKS,
            usage_delay_seconds=3600,
            request_id="test",
        )
        result = await schema.execute(query, variable_values=variables, context_value=context)
    errors = []
    for error in result.errors or []:
        cause: Exception | None = error
        while cause is not None and not isinstance(cause, GatewayError):
            cause = getattr(cause, "original_error", None)
        if cause is None:
            raise error.original_error or error
        code = str(cause.extensions["code"])
        errors.append((list(error.path or []), code, cause.message))
    return Reply(data=result.data, errors=sorted(errors, key=str), statements=snapshot.statements)


async def data_of(
    database: Database, principal: Principal, query: str, variables: dict[str, Any] | None = None
) -> Any:
    """Return the data of an answer that has no error."""
    reply = await ask(database, principal, query, variables)
    assert reply.errors == []
    return reply.data
