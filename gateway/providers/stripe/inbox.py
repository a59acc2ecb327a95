"""Where Stripe's events arrive: recorded once, and acted on in the same transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, Literal, TypeAlias

import structlog

from gateway.billing.book import Book
from gateway.clock import Clock
from gateway.errors import BadUserInput, GatewayError, ServiceUnavailable
from gateway.ids import KeyFactory
from gateway.models import WebhookState
from gateway.providers.stripe.events import (
    DOCUMENTS,
    PROVIDER,
    WITNESSES,
    Event,
    join,
    parse_event,
)
from gateway.providers.stripe.payment import tell_payment
from gateway.providers.stripe.signature import check_signature
from gateway.store import Database, Reader, Snapshot, Transaction, accounts, webhook_events
from gateway.windows import USAGE_DELAY_SECONDS

SWEEP_SECONDS: Final = 5
SWEEP_BATCH: Final = 100
Outcome: TypeAlias = Literal["applied", "parked", "ignored", "duplicate"]

log = structlog.get_logger(__name__)


class Inbox:
    """Takes events, whoever brings them; safe to call at once from any number of processes.

    Events of test mode are recorded and ignored unless `test_mode`. `parked` is the number of
    payments that waited when they were last counted.
    """

    def __init__(
        self,
        database: Callable[[], Database],
        clock: Clock,
        *,
        secrets: Sequence[str] = (),
        test_mode: bool,
        usage_delay_seconds: int = USAGE_DELAY_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keys = KeyFactory(clock)
        self._secrets = secrets
        self._test_mode = test_mode
        self._usage_delay_seconds = usage_delay_seconds
        self.parked = 0

    async def receive(self, body: bytes, signature: str) -> Outcome:
        """Take a webhook; returns once it is committed. Raises BadRequest for one that Stripe has
        not signed, and then nothing is stored.
        """
        check_signature(body, signature, self._secrets, self._clock.now())
        return await self.take(parse_event(body))

    async def take(self, event: Event) -> Outcome:
        """Record an event and tell its payment to the books, in one transaction.

        What the books refuse is kept all the same, parked, and logged.
        """
        if not self._counts(event):
            return await self._record(event, WebhookState.IGNORED)
        if event.invoice is not None:
            return await self._take_half(event, event.invoice)
        payment = event.payment
        assert payment is not None  # noqa: S101  # what counts is of a payment
        try:
            async with self._database().writing() as transaction:
                await webhook_events.lock(transaction, PROVIDER, payment)
                if not await self._add(transaction, event, WebhookState.PARKED):
                    return "duplicate"
                applied = await self._apply(transaction, payment)
        except BadUserInput:
            if await self._record(event, WebhookState.PARKED) == "duplicate":
                return "duplicate"
            # What another delivery brought meanwhile may be what was missing.
            applied = await self.apply(payment)
        return "applied" if event.id in applied else "parked"

    async def _take_half(self, event: Event, invoice: str) -> Outcome:
        """Record half of what there is to say of an invoice, and take what is whole by now.

        Also where it is known: whoever recorded it may have been stopped before the rest. Alone it
        counts as ignored, because many an invoice is of no payment: a purchase that waits for one
        is parked itself.
        """
        async with self._database().writing() as transaction:
            await webhook_events.lock(transaction, PROVIDER, invoice)
            is_new = await self._add(transaction, event, WebhookState.IGNORED)
            rows = await webhook_events.of_object(transaction, PROVIDER, invoice)
        whole = join([parse_event(row["payload"]) for row in rows])
        outcomes = {await self.take(each) for each in whole}
        if not is_new:
            return "duplicate"
        found: Sequence[Outcome] = ("applied", "parked", "duplicate")
        return next((each for each in found if each in outcomes), "ignored")

    async def apply(self, payment: str) -> Sequence[str]:
        """Tell a payment to the books from what is recorded; again, nothing changes. Return the ids
        of the events that took effect: none where the books refuse it, which is logged.
        """
        try:
            async with self._database().writing() as transaction:
                await webhook_events.lock(transaction, PROVIDER, payment)
                return await self._apply(transaction, payment)
        except BadUserInput as error:
            await self._keep(payment, error)
            return ()

    async def sweep(self) -> int:
        """Apply the parked events whose accounts exist by now; return of how many payments.

        A payment that fails is logged, and keeps no other one waiting.
        """
        tried, after = 0, ""
        while payments := await self._due(after):
            for payment in payments:
                try:
                    await self.apply(payment)
                except ServiceUnavailable:
                    raise
                except Exception:
                    log.exception("stripe: payment kept, not applied", payment=payment)
            tried, after = tried + len(payments), payments[-1]
        return tried

    async def count(self) -> None:
        """Count the parked payments anew."""
        async with Snapshot(self._database()) as snapshot:
            self.parked = await webhook_events.parked(snapshot, PROVIDER)

    async def _due(self, after: str) -> Sequence[str]:
        async with Snapshot(self._database()) as snapshot:
            return await webhook_events.due(snapshot, PROVIDER, after=after, most=SWEEP_BATCH)

    @asynccontextmanager
    async def sweeping(self) -> AsyncIterator[None]:
        """Sweep every few seconds, whoever makes or changes an account; end between two."""
        leaving = asyncio.Event()
        task = asyncio.create_task(self._keep_sweeping(leaving))
        try:
            yield
        finally:
            leaving.set()
            await task

    async def _keep_sweeping(self, leaving: asyncio.Event) -> None:
        while not leaving.is_set():
            try:
                await self.sweep()
                await self.count()
            except GatewayError as error:
                log.warning("stripe: parked events wait", reason=error.message)
            except Exception:
                log.exception("stripe: parked events wait")
            with suppress(TimeoutError):
                await asyncio.wait_for(leaving.wait(), SWEEP_SECONDS)

    def _counts(self, event: Event) -> bool:
        is_of_payment = event.payment is not None or event.invoice is not None
        return is_of_payment and (event.livemode or self._test_mode)

    async def _record(self, event: Event, state: WebhookState) -> Outcome:
        async with self._database().writing() as transaction:
            if not await self._add(transaction, event, state):
                return "duplicate"
        return "ignored" if state == WebhookState.IGNORED else "parked"

    async def _add(self, transaction: Transaction, event: Event, state: WebhookState) -> bool:
        row = {
            "provider": PROVIDER,
            "event_id": event.id,
            "type": event.type,
            "object_id": (event.payment or event.invoice) if self._counts(event) else None,
            "external_id": event.external_id,
            "customer_id": event.customer_id,
            "account_id": None,
            "state": state.value,
            "payload": event.payload,
            "created_at": event.created_at,
            "received_at": self._clock.now(),
            "applied_at": None,
        }
        return await webhook_events.add(transaction, row)

    async def _apply(self, transaction: Transaction, payment: str) -> Sequence[str]:
        rows = await webhook_events.of_object(transaction, PROVIDER, payment)
        events = [parse_event(row["payload"]) for row in rows]
        known = next((row["account_id"] for row in rows if row["account_id"] is not None), None)
        account_id = known if known is not None else await _owner(transaction, events)
        if account_id is None:
            return []
        book = await Book.open(
            transaction,
            [account_id],
            clock=self._clock,
            keys=self._keys,
            usage_delay_seconds=self._usage_delay_seconds,
        )
        # After the account is locked: the reference to it would take a weaker lock before.
        await webhook_events.assign(transaction, PROVIDER, payment, account_id)
        applied = await tell_payment(book, account_id, payment, events)
        await book.close()
        now: datetime = self._clock.now()
        await webhook_events.mark_applied(transaction, PROVIDER, applied, now)
        return applied

    async def _keep(self, payment: str, error: BadUserInput) -> None:
        """Log why a payment is not applied; say whose it is, so that no sweep tries it again."""
        async with self._database().writing() as transaction:
            await webhook_events.lock(transaction, PROVIDER, payment)
            rows = await webhook_events.of_object(transaction, PROVIDER, payment)
            owner = await _owner(transaction, [parse_event(row["payload"]) for row in rows])
            if owner is not None:
                await webhook_events.assign(transaction, PROVIDER, payment, owner)
        log.warning("stripe: payment kept, not applied", payment=payment, reason=error.message)


async def _owner(reader: Reader, events: Sequence[Event]) -> int | None:
    """Return the account whose the payment is, or None: by what its PaymentIntent and charges say,
    else by its documents; by the customer where no account is named.

    A document alone says nothing yet: what the payment itself says might come later.
    """
    payment = [event for event in events if event.kind in WITNESSES]
    if not payment:
        return None
    documents = [event for event in events if event.kind in DOCUMENTS]
    for told in (payment, documents):
        names = sorted({event.external_id for event in told if event.external_id})
        if names:
            found = await accounts.by_external_id(reader, names)
            return min((row["account_id"] for row in found), default=None)
        for customer in sorted({event.customer_id for event in told if event.customer_id}):
            for row in await accounts.by_customer(reader, customer):
                return int(row["account_id"])
    return None
