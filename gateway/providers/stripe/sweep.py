"""Parked payments in the background: applied once their account appears, dropped when old."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog

from gateway.audit.deeds import Act, Deed, record
from gateway.clock import Clock
from gateway.errors import ServiceUnavailable
from gateway.ids import first_key
from gateway.principal import Actor
from gateway.providers.stripe.events import PROVIDER
from gateway.providers.stripe.owner import Claim, find_owner
from gateway.store import Database, Snapshot, parked_events, webhook_events
from gateway.store.parked_events import OwnerlessPayment
from gateway.work.jobs import NoPayload, Task
from gateway.work.periodic import Periodic
from gateway.work.tasks import Tasks

ACTOR: Final = Actor.provider(PROVIDER)
SWEEP_SECONDS: Final = 5
REVIEW_SECONDS: Final = 3_600
SWEEP: Final = Task(name="stripe.sweep", payload=NoPayload, timeout_seconds=600)
REVIEW: Final = Task(name="stripe.review", payload=NoPayload, timeout_seconds=3_600)
CHANGED: Final = (Deed.ACCOUNT_CREATED, Deed.ACCOUNT_CHANGED)
CHANGED_SECONDS: Final = 300
"""How long after an account's change its names are looked up: longer than any transaction, and
than the difference between two processes' clocks.
"""
SWEEP_BATCH: Final = 100
ACCOUNT_BATCH: Final = 500

log = structlog.get_logger(__name__)


class Sweep:
    """Applies parked payments by `apply`, which must be repeatable.

    `changed` finds by index the payments of accounts that were just made or changed. `review` reads
    every payment without an account, in pages: it finds what `changed` missed while no process ran,
    and deletes what has waited for `days`. `dropped` counts the deleted events.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        apply: Callable[[str], Awaitable[object]],
        *,
        days: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._apply = apply
        self._age = timedelta(days=days)
        self.dropped = 0

    async def changed(self) -> int:
        """Apply the payments of accounts that were made or changed within `CHANGED_SECONDS`; return
        the number of payments.
        """
        since = self._clock.now() - timedelta(seconds=CHANGED_SECONDS)
        after, tried = first_key(since), 0
        while True:
            async with Snapshot(self._database, ACTOR) as snapshot:
                rows = await parked_events.changed_accounts(
                    snapshot, CHANGED, after=after, most=ACCOUNT_BATCH
                )
            if not rows:
                return tried
            names = {row["external_id"] for row in rows}
            customers = {row["stripe_customer_id"] or "" for row in rows} - {""}
            async for payments in self._naming(names, customers):
                tried += await self._apply_owned(payments)
            after = rows[-1]["id"]

    async def review(self) -> int:
        """Apply the payments of all accounts that exist and delete the old ones of nobody; return
        the number of payments that were applied.
        """
        tried, after = 0, ""
        while page := await self._ownerless(after):
            tried += await self._apply_owned([each.payment for each in page if each.names_account])
            await self._drop([each for each in page if not each.names_account])
            after = page[-1].payment
        return tried

    def register(self, tasks: Tasks) -> None:
        """Have one process look at changed accounts every few seconds, and review all payments at
        the start and every hour.
        """
        tasks.add_periodic(Periodic(task=SWEEP, seconds=SWEEP_SECONDS), self.changed)
        tasks.add_periodic(Periodic(task=REVIEW, seconds=REVIEW_SECONDS), self.review)

    async def _naming(self, names: set[str], customers: set[str]) -> AsyncIterator[Sequence[str]]:
        """Yield the payments that wait for accounts of these names."""
        after = ""
        while True:
            async with Snapshot(self._database, ACTOR) as snapshot:
                found = await parked_events.naming(
                    snapshot,
                    PROVIDER,
                    external_ids=names,
                    customer_ids=customers,
                    after=after,
                    most=SWEEP_BATCH,
                )
                waiting = found and await parked_events.waiting(snapshot, PROVIDER, found)
            if not found:
                return
            yield waiting
            after = found[-1]

    async def _ownerless(self, after: str) -> Sequence[OwnerlessPayment]:
        async with Snapshot(self._database, ACTOR) as snapshot:
            return await parked_events.ownerless(snapshot, PROVIDER, after=after, most=SWEEP_BATCH)

    async def _apply_owned(self, payments: Sequence[str]) -> int:
        """Apply the payments with a known account; return their number. A payment that fails is
        logged, and keeps no other one waiting.
        """
        owned = await self._owned(payments) if payments else ()
        for payment in owned:
            try:
                await self._apply(payment)
            except ServiceUnavailable:
                raise
            except Exception:
                log.exception("stripe: payment kept, not applied", payment=payment)
        return len(owned)

    async def _owned(self, payments: Sequence[str]) -> Sequence[str]:
        """Return the payments with a known account, in their order."""
        claims: defaultdict[str, list[Claim]] = defaultdict(list)
        async with Snapshot(self._database, ACTOR) as snapshot:
            for row in await parked_events.claims(snapshot, PROVIDER, payments):
                claims[row["payment"]].append(Claim.of_row(row))
            owners = [await find_owner(snapshot, claims[payment]) for payment in payments]
        return [each for each, owner in zip(payments, owners, strict=True) if owner is not None]

    async def _drop(self, found: Sequence[OwnerlessPayment]) -> None:
        """Delete the events of payments of which nothing was received for so long."""
        before = self._clock.now() - self._age
        old = [each.payment for each in found if each.received_at < before]
        if not old:
            return
        async with self._database.writing(ACTOR) as transaction:
            for payment in old:
                await webhook_events.lock(transaction, PROVIDER, payment)
            events = await parked_events.drop(transaction, PROVIDER, old, before)
            counts = {"payments": len(old), "events": events}
            act = Act(Deed.PAYMENTS_DROPPED, target=PROVIDER, details=counts)
            await record(transaction, ACTOR, [act], clock=self._clock)
        self.dropped += events
        log.warning("stripe: parked payments of no account dropped", **counts)
