"""Receives Stripe's events: stores each once, and applies it in the same transaction."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final, Literal, TypeAlias

import structlog

from gateway.audit.deeds import Act, Deed, record
from gateway.billing.book import Book
from gateway.clock import Clock
from gateway.errors import BadUserInput, NotFound
from gateway.ids import KeyFactory
from gateway.models import WebhookState
from gateway.principal import Actor
from gateway.providers.stripe.events import (
    PROVIDER,
    Event,
    parse_event,
)
from gateway.providers.stripe.owner import Claim, find_owner
from gateway.providers.stripe.payment import record_payment
from gateway.providers.stripe.signature import check_signature, parse_secrets
from gateway.providers.stripe.sweep import ACTOR, Sweep
from gateway.settings import Settings
from gateway.store import Database, Snapshot, Transaction, parked_events, webhook_events
from gateway.store.webhook_events import ReceivedEvent, WebhookEventRow
from gateway.windows import USAGE_DELAY_SECONDS
from gateway.work.loops import Loops

COUNT_SECONDS: Final = 5
COUNT_LIMIT: Final = 10_000
PAGE: Final = 500
UNKNOWN_ACCOUNT: Final = (
    "Waiting for the account: no account has this external id or Stripe customer."
)
TEST_MODE: Final = "Test mode event; GATEWAY_STRIPE_TEST_MODE=1 books test mode."
Outcome: TypeAlias = Literal["applied", "parked", "ignored", "duplicate"]

log = structlog.get_logger(__name__)


class Inbox:
    """Receives events from the webhook and the backfill; safe to call concurrently from any number
    of processes.

    Events of test mode are recorded and ignored unless `test_mode`. `parked` is the number of
    payments that waited when they were last counted. `background` is the work between the events.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        secrets: Sequence[str] = (),
        test_mode: bool,
        usage_delay_seconds: int = USAGE_DELAY_SECONDS,
        parked_days: int = 90,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = KeyFactory(clock)
        self._secrets = secrets
        self._test_mode = test_mode
        self._usage_delay_seconds = usage_delay_seconds
        self.parked = 0
        self.background = Sweep(database, clock, self.apply, days=parked_days)

    async def receive(self, body: bytes, signature: str) -> Outcome:
        """Store and apply a webhook; return the outcome after the commit. Raises BadRequest for one
        without Stripe's signature, and then stores nothing.
        """
        check_signature(body, signature, self._secrets, self._clock.now())
        return await self.take(parse_event(body))

    def now(self) -> datetime:
        """Return the present instant by the clock of the books."""
        return self._clock.now()

    async def take(self, event: Event) -> Outcome:
        """Store an event and record its payment from all events, in one transaction.

        What the books refuse is kept all the same, parked, and logged.
        """
        if not self._counts(event):
            outcome = await self._record(event, WebhookState.IGNORED)
            if event.object_id is not None and outcome == "ignored":
                log.warning("stripe: event ignored", event_id=event.id, reason=TEST_MODE)
            return outcome
        if event.payment is None:
            assert event.invoice is not None  # noqa: S101  # what counts is of either
            return await self._take_of_invoice(event, event.invoice)
        try:
            async with self._database.writing(ACTOR) as transaction:
                await self._lock(transaction, event.invoice, event.payment)
                if not await self._add(transaction, event, WebhookState.PARKED):
                    return "duplicate"
                applied = await self._apply(transaction, event.payment)
                outcome = await self._outcome(transaction, event, applied)
        except BadUserInput:
            if await self._record(event, WebhookState.PARKED) == "duplicate":
                return "duplicate"
            # What another delivery brought meanwhile may be what was missing.
            applied = await self.apply(event.payment)
            return "applied" if event.id in applied else "parked"
        return outcome

    async def _outcome(
        self, transaction: Transaction, event: Event, applied: Collection[str]
    ) -> Outcome:
        """Return the outcome of a new event; log a parked one with the reason."""
        if event.id in applied:
            return "applied"
        row = await webhook_events.state(transaction, PROVIDER, event.id)
        if row["state"] == WebhookState.IGNORED:
            return "ignored"
        log.warning(
            "stripe: event parked",
            event_id=event.id,
            type=event.type,
            payment=event.payment,
            reason=row["reason"],
        )
        return "parked"

    async def _take_of_invoice(self, event: Event, invoice: str) -> Outcome:
        """Record an event of an invoice, then each of its payments in a transaction of its own.

        A known event may come from a process that was stopped before it recorded the payments, so
        payments with waiting events are recorded again. The event of an invoice without a payment
        is ignored, because many invoices have none; a payment that waits for its invoice is parked
        itself.
        """
        async with self._database.writing(ACTOR) as transaction:
            await self._lock(transaction, invoice)
            is_new = await self._add(transaction, event, WebhookState.IGNORED)
            payments = await webhook_events.of_invoice(transaction, PROVIDER, invoice)
        applied: set[str] = set()
        for payment, waits in payments.items():
            if is_new or waits:
                applied.update(await self.apply(payment))
        if not is_new:
            return "duplicate"
        if event.id in applied:
            return "applied"
        return "parked" if any(payments.values()) else "ignored"

    async def apply(self, payment: str) -> Collection[str]:
        """Record a payment from all of its events; a repetition changes nothing. Return the ids of
        the events that took effect; none where the books refuse the payment, which is logged.
        """
        try:
            async with self._database.writing(ACTOR) as transaction:
                await self._lock(transaction, payment)
                return await self._apply(transaction, payment)
        except BadUserInput as error:
            await self._keep(payment, error)
            return ()

    async def retry(self, payment: str, *, actor: Actor) -> str | None:
        """Apply a payment's parked and ignored events; return why one still waits, None where none
        does. Raises NotFound for a payment that has neither.
        """
        async with self._database.writing(ACTOR) as transaction:
            await self._lock(transaction, payment)
            await webhook_events.unignore(transaction, PROVIDER, payment)
            if not await parked_events.of_payments(transaction, PROVIDER, [payment]):
                raise NotFound(f"{payment} has no parked or ignored events.")
            act = Act(Deed.PAYMENT_RETRIED, target=payment)
            await record(transaction, actor, [act], clock=self._clock)
        await self.apply(payment)
        async with Snapshot(self._database, ACTOR) as snapshot:
            waiting = await parked_events.of_payments(snapshot, PROVIDER, [payment])
        return (waiting[-1]["reason"] or UNKNOWN_ACCOUNT) if waiting else None

    async def waiting(self) -> Sequence[str]:
        """Return every payment of which something is parked, by their names."""
        found: list[str] = []
        async with Snapshot(self._database, ACTOR) as snapshot:
            while page := await parked_events.payments(
                snapshot, PROVIDER, after=found[-1] if found else "", most=PAGE
            ):
                found += page
        return found

    async def ignore(self, payment: str, *, actor: Actor) -> None:
        """Keep a payment's parked events without waiting for anything; `retry` undoes it. Raises
        NotFound for a payment of which nothing is parked.

        Of a payment of which nothing has taken effect, what comes later is ignored too.
        """
        async with self._database.writing(ACTOR) as transaction:
            await self._lock(transaction, payment)
            if not await webhook_events.ignore(transaction, PROVIDER, payment):
                raise NotFound(f"{payment} has no parked events.")
            act = Act(Deed.PAYMENT_IGNORED, target=payment)
            await record(transaction, actor, [act], clock=self._clock)

    async def record_backfill(self, outcomes: Mapping[str, int], *, actor: Actor) -> None:
        """Record that past payments were read, with their number by outcome."""
        async with self._database.writing(ACTOR) as transaction:
            act = Act(Deed.PAYMENTS_READ, target=PROVIDER, details=dict(outcomes))
            await record(transaction, actor, [act], clock=self._clock)

    async def sweep(self) -> int:
        """Apply the parked events of all accounts that now exist; return the number of payments."""
        return await self.background.review()

    async def count(self) -> None:
        """Count the parked payments again, up to `COUNT_LIMIT`."""
        async with Snapshot(self._database, ACTOR) as snapshot:
            self.parked = await parked_events.count(snapshot, PROVIDER, most=COUNT_LIMIT)

    def counting(self, loops: Loops) -> AbstractAsyncContextManager[None]:
        """Count the parked payments every few seconds, for the metrics of this process."""
        return loops.make("stripe.count_parked", self.count, seconds=COUNT_SECONDS).running()

    def _counts(self, event: Event) -> bool:
        return event.object_id is not None and (event.livemode or self._test_mode)

    async def _lock(self, transaction: Transaction, *names: str | None) -> None:
        """Lock an invoice before its payment, never the other way round: an invoice's event and a
        payment's that names it do not miss each other.
        """
        for name in filter(None, names):
            await webhook_events.lock(transaction, PROVIDER, name)

    async def _record(self, event: Event, state: WebhookState) -> Outcome:
        async with self._database.writing(ACTOR) as transaction:
            await self._lock(transaction, event.invoice)
            if not await self._add(transaction, event, state):
                return "duplicate"
        return "ignored" if state == WebhookState.IGNORED else "parked"

    async def _add(self, transaction: Transaction, event: Event, state: WebhookState) -> bool:
        counts = self._counts(event)
        row = ReceivedEvent(
            provider=PROVIDER,
            event_id=event.id,
            type=event.type,
            object_id=event.object_id if counts else None,
            external_id=event.external_id,
            customer_id=event.customer_id,
            account_id=None,
            state=state.value,
            reason=UNKNOWN_ACCOUNT if state == WebhookState.PARKED else None,
            payload=event.payload,
            created_at=event.created_at,
            received_at=self._clock.now(),
        )
        is_new = await webhook_events.add(transaction, row)
        if is_new and counts and event.invoice is not None:
            await webhook_events.link(transaction, PROVIDER, event.invoice, event.payments)
        return is_new

    async def _apply(self, transaction: Transaction, payment: str) -> Collection[str]:
        every = await webhook_events.of_payment(transaction, PROVIDER, payment)
        rows = [row for row in every if not _is_ignored(row, payment)]
        if len(rows) < len(every) and not any(_is_applied(row, payment) for row in rows):
            await webhook_events.ignore(transaction, PROVIDER, payment)
            return []
        events = [parse_event(row["payload"]) for row in rows]
        account_id = _known_account(rows, payment) or await find_owner(
            transaction, [Claim.of(event) for event in events]
        )
        if account_id is None:
            return []
        book = await Book.open(
            transaction,
            [account_id],
            actor=ACTOR,
            clock=self._clock,
            keys=self._keys,
            usage_delay_seconds=self._usage_delay_seconds,
        )
        # After the account is locked: the reference to it would take a weaker lock before.
        await webhook_events.assign(transaction, PROVIDER, payment, account_id)
        waits = await record_payment(book, account_id, payment, events)
        applied = [event_id for event_id, reason in waits.items() if reason is None]
        before = {row["event_id"] for row in rows if row["state"] == WebhookState.APPLIED}
        if new := [event.type for event in events if event.id in {*applied} - before]:
            book.acts.append(Act(Deed.PAYMENT_RECORDED, account_id, payment, {"events": new}))
        await book.close()
        now: datetime = self._clock.now()
        await webhook_events.mark_applied(transaction, PROVIDER, applied, now)
        for reason in filter(None, dict.fromkeys(waits.values())):
            waiting = [event_id for event_id, why in waits.items() if why == reason]
            await webhook_events.keep_parked(transaction, PROVIDER, waiting, reason)
        return applied

    async def _keep(self, payment: str, error: BadUserInput) -> None:
        """Log why a payment is not applied, and keep the reason; give its events their account, so
        that no sweep tries it again.
        """
        async with self._database.writing(ACTOR) as transaction:
            await self._lock(transaction, payment)
            rows = await webhook_events.of_payment(transaction, PROVIDER, payment)
            events = [parse_event(row["payload"]) for row in rows]
            owner = await find_owner(transaction, [Claim.of(event) for event in events])
            if owner is not None:
                await webhook_events.assign(transaction, PROVIDER, payment, owner)
                waiting = [row["event_id"] for row in rows]
                await webhook_events.keep_parked(transaction, PROVIDER, waiting, error.message)
        log.warning("stripe: payment kept, not applied", payment=payment, reason=error.message)


def _is_ignored(row: WebhookEventRow, payment: str) -> bool:
    """Return whether a person ignored an event. A document's events are never parked: until they
    take effect they count as ignored.
    """
    return bool(row["object_id"] == payment and row["state"] == WebhookState.IGNORED)


def _is_applied(row: WebhookEventRow, payment: str) -> bool:
    return bool(row["object_id"] == payment and row["state"] == WebhookState.APPLIED)


def _known_account(rows: Sequence[WebhookEventRow], payment: str) -> int | None:
    """Return the account that the events of the payment itself were given."""
    own = (row["account_id"] for row in rows if row["object_id"] == payment)
    return next((each for each in own if each is not None), None)


def build_inbox(settings: Settings, database: Database, clock: Clock) -> Inbox | None:
    """Return the inbox of Stripe's events, where there is a secret to verify them with."""
    secrets = settings.stripe.webhook_secrets
    if secrets is None:
        return None
    return Inbox(
        database,
        clock,
        secrets=parse_secrets(secrets.get_secret_value()),
        test_mode=settings.or_dev(settings.stripe.test_mode),
        usage_delay_seconds=settings.usage_delay_seconds,
        parked_days=settings.stripe.parked_days,
    )
