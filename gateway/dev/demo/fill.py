"""Fills a database with the demo's story up to an instant; repeated, continues from there.

Everything goes through billing. An act of the story is one transaction, in the order of time, so
that an interrupted filling goes on as if nothing had happened.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from random import Random
from typing import Final

from gateway.billing.accounts import AccountFacts, put_account
from gateway.billing.book import Book
from gateway.billing.credits.posting import adjust_balance
from gateway.billing.purchases.disputes import record_dispute
from gateway.billing.purchases.recording import load_purchases, record_purchase
from gateway.billing.purchases.refunds import record_refund
from gateway.billing.statements.issuing import GRACE, issue_next
from gateway.billing.statements.month import Month
from gateway.billing.usage.deployments import DeploymentFacts
from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.clock import Clock, FixedClock
from gateway.dev.demo.buying import Happening, happenings
from gateway.dev.demo.cast import ADJUSTMENTS, LEADER, PLAYERS, Adjustment, Player
from gateway.dev.demo.metering import ARRIVAL, SOURCE, records
from gateway.dev.demo.people import find_people
from gateway.dev.demo.report import DemoReport, Progress, silent
from gateway.dev.demo.story import DAY, Run, Story, midnight
from gateway.ids import KeyFactory
from gateway.money import NANOS
from gateway.principal import Actor
from gateway.store import Database, Snapshot, Transaction, accounts, ledger, usage_events
from gateway.windows import local_day, zone

ACTOR: Final = Actor.operator("demo")
SEED: Final = 20_260
DAYS: Final = 730
ACT: Final = 10 * DAY
"""Length of the period that one transaction records: some thousand events."""
OVERLAP: Final = 2 * DAY
"""Length of the period that is recorded again, for usage that had not arrived."""
RECENT: Final = 40 * DAY
SECOND: Final = timedelta(seconds=1)
_GIB: Final = 2**30


async def fill(
    database: Database,
    *,
    clock: Clock,
    seed: int = SEED,
    end: datetime | None = None,
    days: int = DAYS,
    begin: datetime | None = None,
    progress: Progress = silent,
) -> DemoReport:
    """Tell the story up to `end` (default: now), or what is missing of it.

    It begins `days` before the first filling's `end`, at midnight, or at `begin`. The same seed,
    beginning and length give the same facts, in however many parts.
    """
    end = end or clock.now()
    begin = await _begun_at(database) or begin or midnight(end - days * DAY)
    recorder = _StoryRecorder(database, Story(seed=seed, begin=begin, days=days), end)
    events = await recorder.record(progress)
    return DemoReport(events=events, people=tuple(await find_people(database)))


async def open_story(database: Database) -> Story | None:
    """Return the story that is there, as the defaults record it; None where there is none."""
    begin = await _begun_at(database)
    return Story(seed=SEED, begin=begin, days=DAYS) if begin else None


async def _begun_at(database: Database) -> datetime | None:
    """Return when the story that is there began: the leading account was made then."""
    async with Snapshot(database, ACTOR) as snapshot:
        rows = await accounts.by_external_id(snapshot, [LEADER.external_id])
    return rows[0]["created_at"] if rows else None


class _StoryRecorder:
    """One filling. The clock is at the end of the current act."""

    def __init__(self, database: Database, story: Story, end: datetime) -> None:
        self.database = database
        self.story = story
        self.end = end
        self.clock = FixedClock(story.begin)
        self.keys = KeyFactory(self.clock, Random(f"{story.seed} {end}").getrandbits)  # noqa: S311  # repeatable is meant
        self.ids: dict[str, int] = {}

    async def record(self, progress: Progress) -> int:
        """Record the missing part; return the number of new usage events."""
        await self._open_accounts()
        acts = list(self._acts(await self._recorded_until()))
        parts = [
            happening
            for player, account_id in self._players()
            for happening in happenings(self.story, player, account_id, self.end)
        ]
        parts.sort(key=lambda each: each.at)
        events = 0
        for done, (since, until) in enumerate(acts, 1):
            self.clock.instant = until
            now = [each for each in parts if since <= each.at < until]
            async with self.database.writing(ACTOR, unlimited=True) as transaction:
                events += await self._act(transaction, now, since, until)
            await self._issue_statements()
            progress(done, len(acts))
        return events

    async def _issue_statements(self) -> None:
        """Issue the statements of months that ended with the act."""
        clock = FixedClock(min(self.clock.instant + GRACE, self.end))
        keys = KeyFactory(clock, self.keys.draw)
        for _, account_id in self._players():
            while await issue_next(self.database, account_id, actor=ACTOR, clock=clock, keys=keys):
                pass

    async def _open_accounts(self) -> None:
        """Create the missing accounts that are due."""
        async with self.database.writing(ACTOR) as transaction:
            names = [player.external_id for player in PLAYERS]
            for row in await accounts.by_external_id(transaction, names):
                self.ids[row["external_id"]] = row["account_id"]
            for player in PLAYERS:
                opened_at = self.story.at(player.opens)
                if player.external_id not in self.ids and opened_at < self.end:
                    self.clock.instant = opened_at
                    self.ids[player.external_id] = await put_account(
                        transaction,
                        _facts(player, opened_at),
                        actor=ACTOR,
                        clock=self.clock,
                        keys=self.keys,
                    )

    async def _recorded_until(self) -> datetime:
        async with Snapshot(self.database, ACTOR) as snapshot:
            leader_id = self.ids[LEADER.external_id]
            latest = await usage_events.latest(snapshot, leader_id, SOURCE)
        return max(self.story.begin, latest - OVERLAP) if latest else self.story.begin

    def _acts(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the acts' times. A month of any account's zone ends with an act, because an act
        that is long ago is recorded at its end.
        """
        zones = {zone(player.time_zone) for player, _ in self._players()}
        while since < self.end:
            ends = (Month.of(local_day(since, each)).span(each).end for each in zones)
            until = min(self.end, since + ACT, *ends)
            yield since, until
            since = until

    def _players(self) -> Iterator[tuple[Player, int]]:
        for player in PLAYERS:
            if player.external_id in self.ids:
                yield player, self.ids[player.external_id]

    async def _act(
        self, transaction: Transaction, now: Sequence[Happening], since: datetime, until: datetime
    ) -> int:
        book = await Book.open(
            transaction, list(self.ids.values()), actor=ACTOR, clock=self.clock, keys=self.keys
        )
        await _load_purchases(book, now)
        adjustments = await self._adjustments(book)
        accepted = 0
        for begin, end in self._recordings(since, until):
            book.now = end - SECOND
            _record_money(book, [each for each in now if begin <= each.at < end])
            for adjustment in adjustments:
                if begin <= self.story.at(adjustment.at) < end:
                    self._adjust(book, adjustment)
            accepted += await self._record_usage(book, begin, end)
        await book.close()
        return accepted

    def _recordings(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the parts of an act that are recorded together: each day of UTC, so that the ledger
        has a row for each; the whole act where it is long ago, because that is faster.
        """
        if until <= self.end - RECENT:
            yield since, until
            return
        while since < until:
            midnight_after = midnight(since) + DAY
            yield since, min(until, midnight_after)
            since = midnight_after

    async def _record_usage(self, book: Book, since: datetime, until: datetime) -> int:
        # Usage arrives late, and so do a day's last hours: the next day begins with them.
        metered = list(
            chain.from_iterable(
                records(self.story, player, account_id, since - ARRIVAL, until - ARRIVAL)
                for player, account_id in self._players()
            )
        )
        result = await record_usage(book, [record for record, _ in metered], _stated(metered))
        return result.accepted

    async def _adjustments(self, book: Book) -> list[Adjustment]:
        """Return the adjustments of the leader's balance that are not booked yet."""
        sources = [(self.ids[LEADER.external_id], str(each.source)) for each in ADJUSTMENTS]
        booked = await ledger.booked_keys(book.transaction, sources)
        return [
            each for each, source in zip(ADJUSTMENTS, sources, strict=True) if source not in booked
        ]

    def _adjust(self, book: Book, adjustment: Adjustment) -> None:
        adjust_balance(
            book,
            self.ids[LEADER.external_id],
            adjustment.cents * NANOS // 100,
            source=adjustment.source,
            occurred_at=self.story.at(adjustment.at),
            description=adjustment.reason,
        )


async def _load_purchases(book: Book, now: Sequence[Happening]) -> None:
    references = {
        (each.purchase.account_id, each.purchase.provider, each.purchase.reference)
        for each in now
        if each.purchase.reference is not None
    }
    await load_purchases(book, references)


def _record_money(book: Book, now: Sequence[Happening]) -> None:
    for each in now:
        purchase = record_purchase(book, each.purchase)
        if each.refund:
            record_refund(book, purchase, each.refund)
        if each.dispute:
            record_dispute(book, purchase, each.dispute)


def _stated(metered: Sequence[tuple[UsageRecord, Run | None]]) -> list[DeploymentFacts | None]:
    """Return the facts of each charge about its deployment; the last one closes it."""
    made: dict[tuple[int, bool], DeploymentFacts] = {}
    stated: list[DeploymentFacts | None] = []
    for record, run in metered:
        if run is None:
            stated.append(None)
            continue
        closed = run.closed_at is not None and record.ended_at >= run.closed_at
        if (id(run), closed) not in made:
            made[id(run), closed] = _deployment(run, closed=closed)
        stated.append(made[id(run), closed])
    return stated


def _deployment(run: Run, *, closed: bool) -> DeploymentFacts:
    fleet = run.fleet
    return DeploymentFacts(
        name=run.name,
        provider=fleet.provider,
        gpu_model=fleet.gpu_model,
        region=fleet.region,
        service="compute",
        project=fleet.project,
        cpu_nanos=fleet.cpus * NANOS,
        gpu_nanos=fleet.gpus * NANOS,
        memory_bytes=fleet.memory_gib * _GIB,
        storage_bytes=fleet.storage_gib * _GIB,
        started_at=run.started_at,
        closed_at=run.closed_at if closed else None,
    )


def _facts(player: Player, opened_at: datetime) -> AccountFacts:
    return AccountFacts(
        external_id=player.external_id,
        name=player.name,
        currency=player.currency,
        time_zone=player.time_zone,
        members=player.members,
        billing=player.billing,
        low_balance_nanos=None if player.low_amount is None else player.low_amount * NANOS,
        low_balance_days=player.low_days,
        created_at=opened_at,
    )
