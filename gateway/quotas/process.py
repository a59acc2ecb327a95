"""The quotas of one process."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.quotas.admission import Gates, admission_gates
from gateway.quotas.buckets import Allowance, Buckets, MemoryBuckets
from gateway.quotas.concurrency import (
    ConcurrencyQuota,
    LiveQuotas,
    export_principal_quota,
    export_quota,
    live_quotas,
)
from gateway.quotas.held_bytes import ByteQuota, body_quota, webhook_body_quota
from gateway.quotas.rate import PointQuota, RateQuota
from gateway.quotas.shared_buckets import RedisStore, SharedBuckets
from gateway.settings import Settings

_MINUTE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The quotas of one process.

    `bodies` are bytes of bodies, by principal; `webhook_bodies` those of webhooks, by client
    address. `failures` are failed credentials, by client address; over HTTP and WebSockets
    together. `refusals` are other requests that were refused without a valid credential. `store` is
    the Redis that those and `points` are shared in; None where they count in memory.
    """

    store: RedisStore | None
    gates: Gates
    points: PointQuota
    live: LiveQuotas
    exports: ConcurrencyQuota
    principal_exports: ConcurrencyQuota
    bodies: ByteQuota
    webhook_bodies: ByteQuota
    failures: RateQuota
    refusals: RateQuota

    async def aclose(self) -> None:
        if self.store is not None:
            await self.store.aclose()

    def throttled(self) -> Iterable[tuple[tuple[str], int]]:
        """Return the number of requests that each quota of a rate has refused, by its name."""
        yield ("points",), self.points.refused
        yield ("failures",), self.failures.refused
        yield ("refusals",), self.refusals.refused


def build_quotas(settings: Settings) -> Quotas:
    """Return the quotas of one process; those of rates are shared where a Redis is set. Raises
    ConfigurationError.
    """
    rate, failures = settings.rate, settings.http.failed_credentials_per_minute
    store = RedisStore(rate.redis_url.get_secret_value()) if rate.redis_url else None

    def buckets(name: str, most: int, per_second: float) -> Buckets:
        allowance = Allowance(most=most, per_second=per_second)
        return SharedBuckets(name, allowance, store) if store else MemoryBuckets(allowance)

    most_points = max(rate.points, settings.documents.operation_points)
    return Quotas(
        store=store,
        gates=admission_gates(settings.admission, settings.database),
        points=PointQuota(buckets("points", most_points, rate.points_per_second)),
        live=live_quotas(settings.live),
        exports=export_quota(settings.exports),
        principal_exports=export_principal_quota(settings.exports),
        bodies=body_quota(settings.http),
        webhook_bodies=webhook_body_quota(settings.http),
        failures=RateQuota(
            buckets("failures", failures, failures / _MINUTE_SECONDS),
            f"At most {failures:,} failed credentials per minute are allowed.",
        ),
        refusals=RateQuota(
            buckets("refusals", rate.address_refusals, rate.address_refusals_per_second),
            "Too many requests without a valid credential were refused to this address.",
        ),
    )
