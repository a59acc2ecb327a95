"""Where an operation that came over a socket or a stream is answered, or subscribed."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from graphql import OperationType

from gateway.errors import GatewayError
from gateway.execution.engine import Answer, Engine, Prepared, Request
from gateway.execution.errors import Translator
from gateway.live.access import Watch
from gateway.live.hub import Hub, Sink
from gateway.live.source import Source
from gateway.principal import Principal, Scope
from gateway.quotas import Admission
from gateway.transports.feeds import ContextFactory, open_feed
from gateway.transports.request import Parameters

Leave: TypeAlias = Callable[[], None]
OpenSource: TypeAlias = Callable[[Any, str, Mapping[str, Any]], Awaitable[Source]]
"""Returns the source of a subscription's field with its arguments, for the context's principal."""

_ALLOWED: Final = frozenset(OperationType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Runs operations of every kind, each with a context of its own."""

    engine: Engine
    context_for: ContextFactory
    open_source: OpenSource
    hub: Hub
    admission: Admission
    watch: Watch
    introspection: bool
    leeway_seconds: int

    async def start(
        self, principal: Principal, parameters: Parameters, sink: Sink
    ) -> Answer | Leave:
        """Answer a query, or subscribe: then `sink` has been offered the first event, and what is
        returned ends the subscription. Raises GatewayError.
        """
        request = Request(
            query=parameters.query,
            document_id=parameters.document_id,
            operation_name=parameters.operation_name,
            variables=parameters.variables,
            request_id=secrets.token_hex(16),
        )
        introspection = self.introspection or Scope.ADMIN in principal.scopes
        prepared = self.engine.prepare(request, allowed=_ALLOWED, introspection=introspection)
        if isinstance(prepared, Answer):
            return prepared
        try:
            if prepared.operation.operation is OperationType.SUBSCRIPTION:
                return await self._subscribe(prepared, request, principal, sink)
            async with self.context_for(principal, request.request_id) as context:
                return await self.engine.run(prepared, request, context)
        except GatewayError:
            raise
        except Exception as error:
            message, _ = Translator(request.request_id).unexpected(error)
            raise GatewayError(message) from error

    async def _subscribe(
        self, prepared: Prepared, request: Request, principal: Principal, sink: Sink
    ) -> Answer | Leave:
        field = self.engine.source_of(prepared, request)
        if isinstance(field, Answer):
            return field
        leaves = [self.admission.subscription(principal)]
        try:
            async with self.context_for(principal, request.request_id) as context:
                source = await self.open_source(context, field.name, field.arguments)
            leaves.append(self.watch.add(principal, sink.end, source.viewer))
            feed = open_feed(self.engine, prepared, request, source, self.context_for)
            leaves.append(await self.hub.join(feed, sink))
        except BaseException:
            _call_all(leaves)
            raise
        return partial(_call_all, leaves)


def _call_all(leaves: list[Leave]) -> None:
    """Call each once, the last first."""
    while leaves:
        leaves.pop()()


def error_of(error: GatewayError) -> dict[str, Any]:
    """Return one of our errors as it stands in `errors`."""
    return {"message": error.message, "extensions": error.extensions}
