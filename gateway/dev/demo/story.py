"""The timing of the demo: a story has a seed, a beginning and a length, and continues afterwards.

What happens at an instant follows from the story and the instant alone, so a story can be told in
any number of parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from gateway.dev.demo.cast import Fleet, Player, Rhythm
from gateway.dev.demo.chance import between, external_id, number

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


def midnight(at: datetime) -> datetime:
    """Return the beginning of an instant's day in UTC."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, kw_only=True)
class Story:
    """`begin` is a midnight of UTC."""

    seed: int
    begin: datetime
    days: int

    def at(self, per_mille: int) -> datetime:
        """Return the hour that comes after thousandths of the story's length."""
        return self.begin + self.days * 24 * per_mille // 1_000 * HOUR

    @cached_property
    def surge_at(self) -> datetime:
        """The hours in which the leading account's service was flooded."""
        return self.at(930)

    @cached_property
    def outage_at(self) -> datetime:
        """The half day in which the leading account's service stood still."""
        return self.at(962)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One deployment of a fleet. `key` seeds its noise."""

    player: Player
    fleet: Fleet
    name: str | None
    external_id: str
    key: int
    started_at: datetime
    closed_at: datetime | None


def runs(story: Story, player: Player, until: datetime) -> Iterator[Run]:
    """Yield a player's deployments that start before an instant."""
    for fleet in player.fleets:
        first_at = max(story.at(fleet.opens), story.at(player.opens)) + 2 * HOUR
        every = (fleet.every_days or 0) * DAY
        turn, started_at = 0, first_at
        while started_at < until:
            yield _run(story, player, fleet, turn, started_at)
            if not every:
                break
            turn += 1
            hours = between(0, 48, story.seed, player.external_id, fleet.name, "start", turn)
            started_at = first_at + turn * every + hours * HOUR


def _run(story: Story, player: Player, fleet: Fleet, turn: int, started_at: datetime) -> Run:
    who = (story.seed, player.external_id, fleet.name, turn)
    closed_at = None
    if fleet.life_days:
        # A whole number of charges, so that the last one ends when it closes.
        most = fleet.life_days * 24 // fleet.hours
        closed_at = started_at + between(most // 3, most, "life", *who) * fleet.hours * HOUR
    name = fleet.name if fleet.every_days is None else f"{fleet.name}-{turn + 1}"
    return Run(
        player=player,
        fleet=fleet,
        name=name if fleet.named else None,
        external_id=external_id(*who),
        key=number("noise", *who) & 0xFFFFFFFF,
        started_at=started_at,
        closed_at=closed_at,
    )


# Thousandths of full load by hour of the (rough) local day.
_NIGHT: Final = (300, 250, 220, 200, 200, 240)
_MORNING: Final = (330, 480, 650, 800, 900, 950)
_AFTERNOON: Final = (960, 980, 1_000, 980, 950, 920)
_EVENING: Final = (900, 870, 800, 680, 520, 400)
_DAILY: Final = _NIGHT + _MORNING + _AFTERNOON + _EVENING
_LOCAL_HOURS: Final = {"Asia/Tokyo": 9, "Europe/Berlin": 1, "America/Sao_Paulo": -3}


def load(story: Story, run: Run, at: datetime) -> int:
    """Return the load in thousandths of what is leased; it may be scaled beyond."""
    if run.fleet.rhythm is Rhythm.JOB:
        return 1_000
    local = at + _LOCAL_HOURS.get(run.player.time_zone, 0) * HOUR
    weekend = local.weekday() >= 5
    if run.fleet.rhythm is Rhythm.OFFICE:
        return 0 if weekend or is_idle(story, run, at) else _DAILY[local.hour]
    usual = _DAILY[local.hour] * (650 if weekend else 1_000) // 1_000
    grown = usual * (400 + 600 * ((at - run.started_at) // DAY) // story.days) // 1_000
    if run.player.leading:
        if story.surge_at <= at < story.surge_at + 6 * HOUR:
            return grown * 7
        if story.outage_at <= at < story.outage_at + 12 * HOUR:
            return 0
    return grown


def is_idle(story: Story, run: Run, at: datetime) -> bool:
    """Say whether the run's team is away that week."""
    week = (at - story.begin) // (7 * DAY)
    return number(story.seed, run.player.external_id, "idle", week) % 7 == 0
