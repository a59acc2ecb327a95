"""A subscription as the hub knows it: executed once for all who asked for the same."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson

from gateway.errors import DeadlineExceeded, GatewayError, ServiceUnavailable
from gateway.execution.engine import Answer, Engine, Outcome, Prepared, Request
from gateway.execution.errors import Translator
from gateway.live.hub import Update
from gateway.live.source import Event, Source
from gateway.principal import Principal, Role

ContextFactory: TypeAlias = Callable[[Principal, str], AbstractAsyncContextManager[Any]]
"""Makes what resolvers get as `info.context`; leaving it ends the reads."""

_AWAY: Final = frozenset({ServiceUnavailable.code, DeadlineExceeded.code})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedKey:
    """Feeds with equal keys have the same updates, to the byte."""

    account_id: int
    role: Role
    query: str
    operation_name: str | None
    variables: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFeed:
    """One subscription's events, executed and encoded. Each reading has a fresh context.

    What is raised is a GatewayError: ServiceUnavailable where trying again may help.
    """

    key: FeedKey
    engine: Engine = field(compare=False)
    prepared: Prepared = field(compare=False)
    request: Request = field(compare=False)
    source: Source = field(compare=False)
    context_for: ContextFactory = field(compare=False)

    @property
    def account_id(self) -> int:
        return self.key.account_id

    async def snapshot(self) -> tuple[int, Update | None]:
        async with self._context() as context:
            position, event = await self.source.snapshot(context)
            return position, await self._update(event, context) if event else None

    async def since(self, position: int) -> tuple[int, Sequence[Update]]:
        async with self._context() as context:
            now, events = await self.source.since(context, position)
            return now, [await self._update(event, context) for event in events]

    @asynccontextmanager
    async def _context(self) -> AsyncIterator[Any]:
        try:
            async with self.context_for(self.source.viewer, self.request.request_id) as context:
                yield context
        except GatewayError:
            raise
        except Exception as error:
            message, _ = Translator(self.request.request_id).unexpected(error)
            raise GatewayError(message) from error

    async def _update(self, event: Event, context: Any) -> Update:
        answer = await self.engine.run(self.prepared, self.request, context, event.root)
        if _AWAY.intersection(answer.codes):
            raise ServiceUnavailable("The database cannot answer at the moment.")
        return Update(position=event.position, key=event.key, payload=encode(answer))


def open_feed(
    engine: Engine,
    prepared: Prepared,
    request: Request,
    source: Source,
    context_for: ContextFactory,
) -> OperationFeed:
    """Return the feed of a subscription of which the principal may have the source."""
    key = FeedKey(
        account_id=source.account_id,
        role=source.viewer.role,
        query=prepared.text,
        operation_name=request.operation_name,
        variables=orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS),
    )
    return OperationFeed(
        key=key,
        engine=engine,
        prepared=prepared,
        request=request,
        source=source,
        context_for=context_for,
    )


def encode(answer: Answer) -> bytes:
    """Return the JSON of an execution's result."""
    payload: dict[str, Any] = {"errors": answer.errors} if answer.errors else {}
    if answer.outcome is Outcome.ANSWERED:
        payload["data"] = answer.data
    return orjson.dumps(payload)
