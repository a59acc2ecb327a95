"""Every limit on how much happens at once, and in a time.

`await quota.take(key)` takes one, or raises the quota's error. A `ConcurrencyQuota` returns a
function that gives it back; a `RateQuota` and a `PointQuota` are refilled with time, and may be
shared by replicas. An `AdmissionGate` lets a number of requests run at once.

A principal counts by its `quota_key`, a client without a credential by its address.
"""

from gateway.quotas.admission import OVERLOADED, AdmissionGate, Gates, admission_gates
from gateway.quotas.buckets import Allowance, Buckets, MemoryBuckets
from gateway.quotas.concurrency import (
    ConcurrencyQuota,
    LiveQuotas,
    Release,
    export_principal_quota,
    export_quota,
    live_quotas,
)
from gateway.quotas.held_bytes import ByteQuota, HeldBytes
from gateway.quotas.limit import Limit
from gateway.quotas.process import Quotas, build_quotas
from gateway.quotas.rate import PointQuota, RateQuota

__all__ = [
    "OVERLOADED",
    "AdmissionGate",
    "Allowance",
    "Buckets",
    "ByteQuota",
    "ConcurrencyQuota",
    "Gates",
    "HeldBytes",
    "Limit",
    "LiveQuotas",
    "MemoryBuckets",
    "PointQuota",
    "Quotas",
    "RateQuota",
    "Release",
    "admission_gates",
    "build_quotas",
    "export_principal_quota",
    "export_quota",
    "live_quotas",
]
