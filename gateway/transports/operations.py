"""Prepares, runs and subscribes operations: the one way in for every transport."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from graphql import OperationType

from gateway.errors import GatewayError
from gateway.execution.engine import Engine
from gateway.execution.errors import log_unexpected
from gateway.execution.operation import OperationRequest, OperationResult, PreparedOperation
from gateway.http.request_log import RequestRecord
from gateway.live.access import AccessCheck
from gateway.live.hub import Hub, Sink
from gateway.live.source import EventSource
from gateway.principal import Permission, Principal
from gateway.quotas import Quotas, Release
from gateway.settings.live import LiveSettings
from gateway.transports.costs import OperationCosts
from gateway.transports.feeds import ContextFactory, open_feed

ALL_TYPES: Final = frozenset(OperationType)


Describe: TypeAlias = Callable[[Any, RequestRecord], None]
"""Has the record of an operation say what its context did."""


def describe_nothing(_context: object, _record: RequestRecord) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """Runs operations, each with a context of its own; `context_for` makes it. `describe` has
    the operation's record say what the context did, such as the number of statements.

    `start` checks the principal's points and passes the gate; callers of `prepare` and `run` do so
    before both.
    """

    engine: Engine
    context_for: ContextFactory
    hub: Hub
    limits: LiveSettings
    quotas: Quotas
    costs: OperationCosts
    access: AccessCheck
    introspection: bool
    leeway_seconds: int
    describe: Describe = describe_nothing

    async def prepare(
        self,
        principal: Principal,
        request: OperationRequest,
        *,
        request_id: str,
        allowed: frozenset[OperationType] = ALL_TYPES,
    ) -> PreparedOperation | OperationResult:
        """Return the operation to run, or the result that refuses it. Raises OperationThrottled."""
        introspection = self.introspection or Permission.ADMIN in principal.scopes
        prepared = await self.engine.prepare(
            request, request_id=request_id, allowed=allowed, introspection=introspection
        )
        if isinstance(prepared, OperationResult):
            return await self.costs.refused(principal, prepared)
        return prepared

    async def run(
        self, prepared: PreparedOperation, principal: Principal, record: RequestRecord
    ) -> OperationResult:
        """Run a query or a mutation; the record describes it and its context, also of a failure.

        Raises OperationThrottled.
        """
        _name(record, prepared)
        requested = await self.costs.take(principal, prepared)
        async with self._context(principal, prepared) as context:
            try:
                result = await self.engine.run(prepared, context)
            finally:
                self.describe(context, record)
        record.codes = result.codes
        return await self.costs.settle(principal, requested, result)

    async def start(
        self,
        principal: Principal,
        request: OperationRequest,
        sink: Sink,
        record: RequestRecord,
        *,
        allowed: frozenset[OperationType] = ALL_TYPES,
    ) -> OperationResult | Release:
        """Run a query or a mutation, or subscribe. After subscribing, `sink` has been offered the
        first event; the returned function ends the subscription. Raises GatewayError alone.
        """
        record.principal = principal
        self.costs.check(principal)
        async with self.quotas.gates.reads.admitted(principal.quota_key):
            prepared = await self.prepare(
                principal, request, request_id=record.request_id, allowed=allowed
            )
            return await self._start(prepared, principal, sink, record)

    async def _start(
        self,
        prepared: PreparedOperation | OperationResult,
        principal: Principal,
        sink: Sink,
        record: RequestRecord,
    ) -> OperationResult | Release:
        if isinstance(prepared, OperationResult):
            record_result(record, prepared)
            return prepared
        try:
            if prepared.operation.operation is OperationType.SUBSCRIPTION:
                return await self._subscribe(prepared, principal, sink, record)
            return await self.run(prepared, principal, record)
        except GatewayError:
            raise
        except Exception as error:
            raise log_unexpected(error, record.request_id) from error

    async def _subscribe(
        self,
        prepared: PreparedOperation,
        principal: Principal,
        sink: Sink,
        record: RequestRecord,
    ) -> OperationResult | Release:
        _name(record, prepared)
        field = self.engine.root_field(prepared)
        if isinstance(field, OperationResult):
            record_result(record, field)
            return field
        await self.costs.take(principal, prepared)  # once: its events cost nothing
        releases = [await self.quotas.live.subscriptions.take(principal.quota_key)]
        try:
            async with self._context(principal, prepared) as context:
                source: EventSource = await self.engine.open_events(field, context)
                self.describe(context, record)
            releases.append(self.access.add(principal, sink.end, source.viewer))
            feed = open_feed(self.engine, prepared, source, self.context_for)
            releases.append(await self.hub.join(feed, sink))
        except BaseException:
            _call_all(releases)
            raise
        return partial(_call_all, releases)

    def _context(
        self, principal: Principal, prepared: PreparedOperation
    ) -> AbstractAsyncContextManager[Any]:
        return self.context_for(principal, prepared.request_id)


def _name(record: RequestRecord, prepared: PreparedOperation) -> None:
    record.operation = prepared.operation.operation.value
    if prepared.operation.name is not None:
        record.operation_name = prepared.operation.name.value


def record_result(record: RequestRecord, result: OperationResult) -> None:
    """Have a record say how an operation ended."""
    record.codes = result.codes
    if result.operation is not None:
        record.operation = result.operation.operation.value


def _call_all(releases: list[Release]) -> None:
    """Call each once, the last first."""
    while releases:
        releases.pop()()
