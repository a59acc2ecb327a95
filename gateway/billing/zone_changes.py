"""Changes an account's time zone beside traffic: a job stages the roll-ups of the new zone's days
in pieces, and replaces those of the old zone in one short transaction.

A staged day follows from the facts alone, so it is made of a snapshot, without a lock. The ledger
lists what came in since: each entry has the time of its facts, whatever version of the gateway
wrote it. So the days that changed are staged once more, the last of them with the account locked.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import structlog

from gateway.errors import OutOfRange
from gateway.ids import KeyFactory
from gateway.instants import EARLIEST
from gateway.models import LedgerCause
from gateway.principal import Actor
from gateway.store import Database, Reader, Snapshot, Transaction, accounts, rebuild, zone_changes
from gateway.store.rows import LockedAccount
from gateway.store.zone_changes import ChangingAccount, EntrySpan, Progress
from gateway.windows import FIRST_DAY, day_start, local_day, zone
from gateway.work.jobs import Job, Task, Unrecoverable
from gateway.work.outbox import Outbox
from gateway.work.tasks import Tasks

log = structlog.get_logger(__name__)

AT_ONCE: Final = 2_000
"""Most events, and most ledger entries, of an account that changes in the request's transaction."""
PIECE_EVENTS: Final = 5_000
"""Events of one piece, or those of a day."""
PIECE_DAYS: Final = 92
PIECE_ENTRIES: Final = 5_000
LATE_ENTRIES: Final = 100
"""Most ledger entries that are left for the transaction that shows the new days."""
LATE_EVENTS: Final = 20_000
"""Most events of the days that are staged in that transaction, unless it failed REFUSALS times."""
REFUSALS: Final = 10
CLEARED: Final = 2_000
"""Rows of each staged table that one transaction deletes."""
RUN_SECONDS: Final = 60
"""How long a job works before it lets another one go on."""

_DAY: Final = timedelta(days=1)
_BEFORE_ALL: Final = FIRST_DAY - 2 * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class OfAccount:
    """The account that a job changes."""

    account_id: int


CHANGE: Final = Task(
    name="accounts.change_zone", payload=OfAccount, queue="time_zones", timeout_seconds=600
)
ACTOR: Final = Actor.job(CHANGE.name)


class _Days(NamedTuple):
    """Days from `first` to before `end`."""

    first: date
    end: date


async def put_zone(
    transaction: Transaction, locked: LockedAccount, time_zone: str, keys: KeyFactory
) -> None:
    """Change a locked account's time zone: at once where it has few facts, else by a job. The zone
    of the account ends a change to another one.
    """
    account_id = locked["account_id"]
    if time_zone == (locked["pending_time_zone"] or locked["time_zone"]):
        return
    if time_zone != locked["time_zone"] and await _is_small(transaction, locked):
        own_zone = zone(time_zone)
        await rebuild.days(transaction, account_id, own_zone, locked["ledger_version"])
        await accounts.set_zone(transaction, account_id, time_zone)
        return
    pending = None if time_zone == locked["time_zone"] else time_zone
    await accounts.set_pending_zone(transaction, account_id, pending)
    await _defer(transaction, Outbox(keys, _wake_nobody), account_id)


async def _is_small(reader: Reader, account: LockedAccount) -> bool:
    if account["ledger_version"] > AT_ONCE:
        return False
    return await zone_changes.event_at(reader, account["account_id"], EARLIEST, AT_ONCE) is None


def _wake_nobody() -> None:
    """Leave the job to the next look of a worker, whichever process has one."""


async def _defer(transaction: Transaction, outbox: Outbox, account_id: int) -> None:
    name = f"{CHANGE.name}:{account_id}"
    await outbox.defer(
        transaction,
        CHANGE,
        OfAccount(account_id=account_id),
        account_id=account_id,
        lock=name,
        queueing_lock=name,
    )


class ZoneChanges:
    """Does the jobs."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    def register(self, tasks: Tasks) -> None:
        """Have every process change accounts."""
        tasks.add(CHANGE, self.run)

    async def run(self, job: Job[OfAccount]) -> None:
        """Go on with an account's change, to its end or for RUN_SECONDS. A zone in which a sum
        would not fit is given up. Raises Unrecoverable then.
        """
        account_id, reason = job.payload.account_id, None
        until, refusals = time.monotonic() + RUN_SECONDS, 0
        while time.monotonic() < until:
            try:
                step = await self.step(account_id, is_patient=refusals < REFUSALS)
            except OutOfRange as error:
                reason = str(error)
                await self._give_up(account_id)
                continue
            refusals += step.is_refused
            if step.is_last:
                if reason is not None:
                    raise Unrecoverable(f"The account keeps its time zone: {reason}")
                return
        async with self._database.writing(ACTOR) as transaction:
            await _defer(transaction, self._outbox, account_id)

    async def step(self, account_id: int, *, is_patient: bool = True) -> "Step":
        """Do the next piece of an account's change, in short transactions. Any process may go on
        with the next one. One that is not `is_patient` shows the new days however long it takes.
        """
        async with Snapshot(self._database, ACTOR) as snapshot:
            account = await zone_changes.state(snapshot, account_id)
            pending = account["pending_time_zone"]
            if pending is not None and account["staged_zone"] == pending:
                change = _Change(self._database, account_id, account)
                first = await change.first_slot(snapshot)
                if first is not None:
                    days = await change.piece(snapshot, first)
                    rows = await change.derive(snapshot, days)
        if account["staged_zone"] is None:
            return await self._begin(account_id, account)
        if account["staged_zone"] != pending:
            async with self._database.writing(ACTOR) as transaction:
                await zone_changes.end(transaction, account_id)
            return Step()
        if first is not None:
            await change.stage(days, rows)
            return Step()
        return await change.catch_up(is_patient=is_patient)

    async def _begin(self, account_id: int, account: ChangingAccount) -> "Step":
        """Begin the change, once nothing of an earlier one is left."""
        async with self._database.writing(ACTOR) as transaction:
            if await zone_changes.clear(transaction, account_id, limit=CLEARED):
                return Step()
            if account["pending_time_zone"] is None:
                return Step(is_last=True)
            (locked,) = await accounts.lock(transaction, [account_id])
            if (pending := locked["pending_time_zone"]) is not None:
                progress = Progress(account_id, pending, locked["ledger_version"], _BEFORE_ALL)
                await zone_changes.begin(transaction, progress)
        return Step()

    async def _give_up(self, account_id: int) -> None:
        async with self._database.writing(ACTOR) as transaction:
            await accounts.lock(transaction, [account_id])
            state = await zone_changes.state(transaction, account_id)
            if state["pending_time_zone"] == state["staged_zone"]:
                await accounts.set_pending_zone(transaction, account_id, None)
        log.warning("account.zone_refused", account_id=account_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The outcome of a step: the last one found nothing to do, a refused one too much at once."""

    is_last: bool = False
    is_refused: bool = False


class _Change:
    """A change that has begun, at one step of it."""

    def __init__(self, database: Database, account_id: int, account: ChangingAccount) -> None:
        assert account["staged_zone"] is not None  # noqa: S101  # narrows for the type checker
        self._database = database
        self._account_id = account_id
        self._zone: ZoneInfo = zone(account["staged_zone"])
        self._ledger_version = account["ledger_version"]
        self._progress = Progress(
            account_id,
            account["staged_zone"],
            account["version"],
            account["staged_to"],
            account["entries_to"],
        )

    def _start(self, day: date) -> datetime:
        """Return when a day begins. The first one of all begins before every instant."""
        return EARLIEST if day <= FIRST_DAY - _DAY else day_start(day, self._zone)

    async def first_slot(self, reader: Reader) -> datetime | None:
        """Return the first quarter hour with facts of the days that are not staged."""
        starts_at = self._start(self._progress.staged_to)
        return await zone_changes.first_slot(reader, self._account_id, starts_at)

    async def piece(self, reader: Reader, starts_at: datetime) -> _Days:
        """Return the days of one piece from an instant on, at least one."""
        first = local_day(starts_at, self._zone)
        end = first + PIECE_DAYS * _DAY
        last = await zone_changes.event_at(
            reader, self._account_id, self._start(first), PIECE_EVENTS
        )
        if last is not None:
            end = min(end, max(local_day(last, self._zone), first + _DAY))
        return _Days(first, end)

    async def derive(self, reader: Reader, days: _Days) -> rebuild.DerivedDays:
        span = (self._start(days.first), self._start(days.end))
        return await rebuild.derive(reader, self._account_id, self._zone, *span)

    async def stage(self, days: _Days, rows: rebuild.DerivedDays) -> None:
        """Stage the next days."""
        async with self._database.writing(ACTOR) as transaction:
            after = self._progress._replace(staged_to=days.end)
            if await zone_changes.advance(transaction, self._progress, after):
                await zone_changes.stage(transaction, self._account_id, *days, rows)

    async def catch_up(self, *, is_patient: bool) -> Step:
        """Stage what came in since the days were staged; show the new days where it is little."""
        if self._ledger_version - self._progress.entries_to > LATE_ENTRIES:
            await self._stage_entries()
            return Step()
        if self._ledger_version - self._progress.version > LATE_ENTRIES:
            await self._stage_again()
            return Step()
        if await self._show(is_patient=is_patient):
            return Step()
        await self._stage_again()
        return Step(is_refused=True)

    async def _stage_entries(self) -> None:
        """Stage the days of the next ledger entries."""
        progress = self._progress
        after, to = progress.entries_to, progress.entries_to + PIECE_ENTRIES
        to = min(to, self._ledger_version)
        async with Snapshot(self._database, ACTOR) as snapshot:
            days = await rebuild.derive_ledger_days(
                snapshot, self._account_id, self._zone, after=after, to=to
            )
        async with self._database.writing(ACTOR) as transaction:
            if await zone_changes.advance(transaction, progress, progress._replace(entries_to=to)):
                await zone_changes.stage_ledger_days(transaction, days)

    async def _stage_again(self) -> None:
        """Stage the days of facts that came in since once more."""
        progress = self._progress
        async with Snapshot(self._database, ACTOR) as snapshot:
            late = await zone_changes.spans(
                snapshot, self._account_id, after=progress.version, limit=PIECE_ENTRIES
            )
        for days in _runs(self._days_of(late)):
            await self._stage_run(days)
        if late:
            async with self._database.writing(ACTOR) as transaction:
                after = progress._replace(version=late[-1]["version"])
                await zone_changes.advance(transaction, progress, after)

    async def _stage_run(self, days: _Days) -> None:
        """Stage days once more, piece by piece."""
        first = days.first
        while first < days.end:
            async with Snapshot(self._database, ACTOR) as snapshot:
                piece = await self.piece(snapshot, self._start(first))
                piece = _Days(first, min(piece.end, days.end))
                rows = await self.derive(snapshot, piece)
            async with self._database.writing(ACTOR) as transaction:
                if not await zone_changes.advance(transaction, self._progress, self._progress):
                    return
                await zone_changes.stage(transaction, self._account_id, *piece, rows)
            first = piece.end

    async def _show(self, *, is_patient: bool) -> bool:
        """Lock the account, stage the last days, and show all of them. Return False, and change
        nothing, where that would be long.
        """
        async with self._database.writing(ACTOR, unlimited=True) as transaction:
            (locked,) = await accounts.lock(transaction, [self._account_id])
            if not await zone_changes.advance(transaction, self._progress, self._progress):
                return True
            if locked["pending_time_zone"] != self._progress.time_zone:
                return True
            number = locked["ledger_version"] - self._progress.version
            if number > PIECE_ENTRIES:
                return False
            late = await zone_changes.spans(
                transaction, self._account_id, after=self._progress.version, limit=number
            )
            runs = [*_runs(self._days_of(late))]
            if is_patient and await self._is_long(transaction, runs):
                return False
            for days in runs:
                rows = await self.derive(transaction, days)
                await zone_changes.stage(transaction, self._account_id, *days, rows)
            of_ledger = await rebuild.derive_ledger_days(
                transaction,
                self._account_id,
                self._zone,
                after=self._progress.entries_to,
                to=locked["ledger_version"],
            )
            await zone_changes.stage_ledger_days(transaction, of_ledger)
            await zone_changes.replace(transaction, self._account_id)
            await accounts.set_zone(transaction, self._account_id, self._progress.time_zone)
            await zone_changes.end(transaction, self._account_id)
        log.info(
            "account.zone_changed",
            account_id=self._account_id,
            time_zone=self._progress.time_zone,
        )
        return True

    async def _is_long(self, reader: Reader, runs: Sequence[_Days]) -> bool:
        """Return whether days have too many events to be staged while the account is locked."""
        for days in runs:
            last = await zone_changes.event_at(
                reader, self._account_id, self._start(days.first), LATE_EVENTS // len(runs)
            )
            if last is not None and last < self._start(days.end):
                return True
        return False

    def _days_of(self, entries: Iterable[EntrySpan]) -> set[date]:
        """Return the days that entries' facts lie in. Versions before 0023 do not say when a
        batch's usage begins.
        """
        found: set[date] = set()
        for entry in entries:
            earliest = entry["earliest_at"]
            if earliest is None:
                is_usage = entry["cause"] == LedgerCause.USAGE.value
                earliest = EARLIEST if is_usage else entry["effective_at"]
            day = local_day(earliest, self._zone)
            last = local_day(entry["effective_at"], self._zone)
            while day <= last:
                found.add(day)
                day += _DAY
        return found


def _runs(days: set[date]) -> Iterator[_Days]:
    """Yield days as runs, in their order."""
    first: date | None = None
    for day in sorted(days):
        if first is None:
            first = day
        if day + _DAY not in days:
            yield _Days(first, day + _DAY)
            first = None
