"""The points that operations cost: taken before an operation runs, and those that its answer did
not need given back.

Answers say so in `extensions.cost`, in the shape of Shopify's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.errors import ServiceUnavailable, Throttled
from gateway.execution.operation import OperationResult, Outcome, PreparedOperation
from gateway.principal import Principal
from gateway.quotas import PointQuota
from gateway.quotas.rate import REFUSED_POINTS, REQUEST_POINTS


class OperationThrottled(Throttled):
    """An operation that its principal has too few points for. `response_extensions` are those of
    the response, beside its `errors`.
    """

    def __init__(self, refusal: Throttled, response_extensions: Mapping[str, object]) -> None:
        super().__init__(refusal.message, wait_seconds=refusal.wait_seconds)
        self.response_extensions = response_extensions


@dataclass(frozen=True, slots=True)
class OperationCosts:
    """Takes the points of operations from their principals. Raises OperationThrottled."""

    points: PointQuota

    def check(self, principal: Principal) -> None:
        """Refuse a request of a principal without a point, before anything is read of it."""
        key = principal.quota_key
        try:
            self.points.check(key)
        except Throttled as refusal:
            raise OperationThrottled(refusal, self._extensions(key, None, None)) from None

    async def take(self, principal: Principal, prepared: PreparedOperation) -> int:
        """Take what the operation may cost at most, and return it."""
        requested = prepared.cost.points or REQUEST_POINTS
        await self._take(principal.quota_key, requested)
        return requested

    async def settle(
        self, principal: Principal, requested: int, result: OperationResult
    ) -> OperationResult:
        """Give back what a query or a mutation did not cost; return the result with its cost."""
        actual = _actual(requested, result)
        key = principal.quota_key
        if actual != requested:
            await self.points.settle(key, taken=requested, spent=actual)
        result.extensions = self._extensions(key, requested, actual)
        return result

    async def refused(self, principal: Principal, result: OperationResult) -> OperationResult:
        """Take the points of an operation that was refused before its cost was known; return the
        result with its cost.
        """
        key = principal.quota_key
        await self._take(key, REFUSED_POINTS)
        result.extensions = self._extensions(key, REFUSED_POINTS, REFUSED_POINTS)
        return result

    async def _take(self, key: str, points: int) -> None:
        try:
            await self.points.take(key, points)
        except Throttled as refusal:
            raise OperationThrottled(refusal, self._extensions(key, points, None)) from None

    def _extensions(
        self, key: str, requested: int | None, actual: int | None
    ) -> Mapping[str, object]:
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": {
                    "maximumAvailable": self.points.most,
                    "currentlyAvailable": self.points.left(key),
                    "restoreRate": self.points.per_second,
                },
            }
        }


def _actual(requested: int, result: OperationResult) -> int:
    """Return the points that were spent. Work that was stopped by the deadline was done; a database
    that is away is not the client's fault.
    """
    if result.outcome is Outcome.EXECUTED:
        return result.points or REQUEST_POINTS
    if result.outcome is not Outcome.STOPPED:
        return min(requested, REFUSED_POINTS)
    return REQUEST_POINTS if ServiceUnavailable.code in result.codes else requested
