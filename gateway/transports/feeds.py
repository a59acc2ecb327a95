"""A subscription as a feed of the hub: executed once for all subscribers with an equal key."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson

from gateway.errors import DeadlineExceeded, GatewayError, ServiceUnavailable
from gateway.execution.engine import Engine
from gateway.execution.errors import log_unexpected
from gateway.execution.operation import PreparedOperation
from gateway.live.hub import Update
from gateway.live.source import EventSource, SubscriptionEvent
from gateway.principal import Principal, Role

ContextFactory: TypeAlias = Callable[[Principal, str], AbstractAsyncContextManager[Any]]
"""Makes the `info.context` of resolvers, from the principal and a request id; leaving it ends its
reads.
"""

_TRY_AGAIN: Final = frozenset({ServiceUnavailable.code, DeadlineExceeded.code})


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
    """One subscription's events, executed and encoded. Each read has a fresh context.

    Raises GatewayError alone: ServiceUnavailable if a retry may help.
    """

    key: FeedKey
    engine: Engine = field(compare=False)
    prepared: PreparedOperation = field(compare=False)
    source: EventSource = field(compare=False)
    context_for: ContextFactory = field(compare=False)

    @property
    def account_id(self) -> int:
        return self.key.account_id

    async def first(self) -> tuple[int, Update | None]:
        async with self._context() as context:
            revision, event = await self.source.first(context)
            return revision, await self._update(event, context) if event else None

    async def since(self, revision: int) -> tuple[int, Sequence[Update]]:
        async with self._context() as context:
            now, events = await self.source.since(context, revision)
            return now, [await self._update(event, context) for event in events]

    @asynccontextmanager
    async def _context(self) -> AsyncIterator[Any]:
        request_id = self.prepared.request_id
        try:
            async with self.context_for(self.source.viewer, request_id) as context:
                yield context
        except GatewayError:
            raise
        except Exception as error:
            raise log_unexpected(error, request_id) from error

    async def _update(self, event: SubscriptionEvent, context: Any) -> Update:
        result = await self.engine.run(self.prepared, context, event.root)
        if _TRY_AGAIN.intersection(result.codes):
            raise ServiceUnavailable("The database cannot answer at the moment.")
        return Update(revision=event.revision, key=event.key, payload=result.encode())


def open_feed(
    engine: Engine, prepared: PreparedOperation, source: EventSource, context_for: ContextFactory
) -> OperationFeed:
    """Return the feed of a subscription; the principal must be allowed to read the source."""
    request = prepared.request
    key = FeedKey(
        account_id=source.account_id,
        role=source.viewer.role,
        query=prepared.text,
        operation_name=request.operation_name,
        variables=orjson.dumps(request.variables, option=orjson.OPT_SORT_KEYS),
    )
    return OperationFeed(
        key=key, engine=engine, prepared=prepared, source=source, context_for=context_for
    )
