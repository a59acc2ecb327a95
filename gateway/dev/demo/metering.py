"""Usage of the demo's meters: a record per deployment, resource and period."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from gateway.billing.usage.usage_record import UsageRecord
from gateway.dev.demo.cast import GPU_PRICES, Fleet, Player
from gateway.dev.demo.chance import jitter
from gateway.dev.demo.story import DAY, HOUR, Run, Story, load, runs
from gateway.money import NANOS, divide_half_even

SOURCE: Final = "demo-meter"
ARRIVAL: Final = timedelta(hours=1)
"""How long after its start a period's charge is there."""


class ResourceLease(NamedTuple):
    """A charge of a deployment: units for an hour of the period, and nanos of a dollar for each."""

    resource: str
    unit: str
    units: int
    price: int
    elastic: bool


@cache
def leases(fleet: Fleet) -> tuple[ResourceLease, ...]:
    """Return a fleet's resources; elastic ones follow the load."""
    gpu_price = GPU_PRICES[fleet.gpu_model] if fleet.gpu_model else 0
    all_of_them = (
        ResourceLease("GPU", "gpu-hour", fleet.gpus, gpu_price, True),
        ResourceLease("CPU", "cpu-hour", fleet.cpus, 4_200_000, True),
        ResourceLease("MEMORY", "gib-hour", fleet.memory_gib, 1_150_000, True),
        ResourceLease("STORAGE", "gib-hour", fleet.storage_gib, 33_333, False),
        ResourceLease("NETWORK", "gib", fleet.egress_gib, 8_750_000, True),
        ResourceLease("IP", "ip-hour", fleet.ips, 2_000_000, False),
    )
    return tuple(lease for lease in all_of_them if lease.units)


def records(
    story: Story, player: Player, account_id: int, since: datetime, until: datetime
) -> Iterator[tuple[UsageRecord, Run | None]]:
    """Yield an account's usage that starts in [since, until), with the deployment it belongs to."""
    for run in runs(story, player, until):
        for record in _of_run(story, run, account_id, since, until):
            yield record, run
    if player.leading:
        yield from _reserved(story, player, account_id, since, until)
        if since <= (at := story.outage_at + DAY) < until:
            yield _apology(story, player, account_id, at)


def _of_run(
    story: Story, run: Run, account_id: int, since: datetime, until: datetime
) -> Iterator[UsageRecord]:
    period = run.fleet.hours * HOUR
    if run.closed_at and run.closed_at <= since:
        return
    end = min(until, run.closed_at) if run.closed_at else until
    step = max(0, -((run.started_at - since) // period))
    at = run.started_at + step * period
    while at < end:
        level = load(story, run, at) * (950 + jitter(run.key, step) // 10) // 1_000
        for lease in leases(run.fleet):
            # What is kept is charged also while nothing runs.
            if level or not lease.elastic:
                yield _charge(run, lease, account_id, at, level)
        step += 1
        at += period


def _charge(
    run: Run, lease: ResourceLease, account_id: int, at: datetime, level: int
) -> UsageRecord:
    fleet = run.fleet
    quantity = lease.units * fleet.hours * (level if lease.elastic else 1_000) * (NANOS // 1_000)
    price = lease.price * run.player.rate
    return UsageRecord(
        account_id=account_id,
        source=SOURCE,
        event_id=f"{run.external_id}-{lease.resource}-{at:%Y%m%dT%H}",
        deployment=run.external_id,
        resource=lease.resource,
        unit=lease.unit,
        quantity=quantity,
        quantity_text=None,
        amount=divide_half_even(quantity * price, NANOS * 1_000),
        amount_text=None,
        correction=False,
        provider=fleet.provider,
        gpu_model=fleet.gpu_model,
        region=fleet.region,
        service="compute",
        sku=f"{fleet.gpu_model}-{lease.resource}".lower() if fleet.gpu_model else None,
        started_at=at,
        ended_at=at + fleet.hours * HOUR,
        project=fleet.project,
    )


def _reserved(
    story: Story, player: Player, account_id: int, since: datetime, until: datetime
) -> Iterator[tuple[UsageRecord, Run | None]]:
    """Yield the daily charges of an address that belongs to no deployment."""
    day = max(0, -((story.begin - since) // DAY))
    while (at := story.begin + day * DAY) < until:
        yield (
            UsageRecord(
                account_id=account_id,
                source=SOURCE,
                event_id=f"reserved-ip-{at:%Y%m%d}",
                deployment=None,
                resource="IP",
                unit="ip-hour",
                quantity=24 * NANOS,
                quantity_text=None,
                amount=24 * 2_000_000 * player.rate // 1_000,
                amount_text=None,
                correction=False,
                provider="hetzner-gpu",
                gpu_model=None,
                region="eu-central",
                service="network",
                sku="reserved-ip",
                started_at=at,
                ended_at=at + DAY,
            ),
            None,
        )
        day += 1


def _apology(
    story: Story, player: Player, account_id: int, at: datetime
) -> tuple[UsageRecord, Run | None]:
    """Return the correction for the outage: half a day of the service."""
    run = next(runs(story, player, at))
    (record, *_) = (_charge(run, lease, account_id, at, 1_000) for lease in leases(run.fleet))
    amount = -12 * hourly_price(run.fleet) * player.rate // 1_000
    credit = record._replace(
        event_id=f"outage-{at:%Y%m%d}",
        resource="OTHER",
        unit="credit",
        quantity=0,
        amount=amount,
        correction=True,
        service="support",
        sku=None,
        ended_at=at,
    )
    return credit, run


def hourly_price(fleet: Fleet) -> int:
    """Return a fleet's price at full load, in nanos of a dollar per hour."""
    return sum(lease.units * lease.price for lease in leases(fleet))
