"""A quota of points that no test spends."""

from gateway.quotas import Allowance, MemoryBuckets, PointQuota


def many_points() -> PointQuota:
    return PointQuota(MemoryBuckets(Allowance(most=1_000_000, per_second=1_000_000)))
