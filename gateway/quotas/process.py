"""The quotas of one process."""

from dataclasses import dataclass
from typing import Final

from gateway.quotas.admission import Gates, admission_gates
from gateway.quotas.buckets import Allowance, MemoryBuckets
from gateway.quotas.concurrency import ConcurrencyQuota, LiveQuotas, export_quota, live_quotas
from gateway.quotas.rate import RateQuota
from gateway.settings import Settings

_MINUTE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The quotas of one process.

    `failures` are failed credentials, by client address; over HTTP and WebSockets together.
    """

    gates: Gates
    live: LiveQuotas
    exports: ConcurrencyQuota
    failures: RateQuota


def build_quotas(settings: Settings) -> Quotas:
    """Return the quotas of one process."""
    failures = settings.http.failed_credentials_per_minute
    return Quotas(
        gates=admission_gates(settings.admission, settings.database),
        live=live_quotas(settings.live),
        exports=export_quota(settings.exports),
        failures=RateQuota(
            MemoryBuckets(Allowance(most=failures, per_second=failures / _MINUTE_SECONDS)),
            f"At most {failures:,} failed credentials per minute are allowed.",
        ),
    )
