"""Plays a story as Stripe does: the events it sends, and what its lists show at any moment."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial

from tests.support.histories.payments import PaymentActor
from tests.support.histories.shapes import Json, Shapes, instant
from tests.support.histories.story import BASIL, Story
from tests.support.stripe import OBJECTS

Action = tuple[int, Callable[[], None]]


class Provider:
    """What Stripe holds and has sent of one story."""

    def __init__(self, story: Story, tag: str, account: str) -> None:
        self.story = story
        self.shapes = Shapes(story, tag, account)
        self.now = 0
        self.events: list[Json] = []
        self._pictures: list[tuple[int, Json]] = []
        self._invoice = self.shapes.invoice() if story.invoice else None
        self._invoice_payments: list[Json] = []
        self._play()

    def objects(self, at: int | None = None) -> list[Json]:
        """Return every object as it was at an instant of the story (None: as it is in the end)."""
        newest: dict[str, Json] = {}
        for then, picture in self._pictures:
            if at is None or then <= at:
                newest[picture["id"]] = picture
        return list(newest.values())

    def show(self, subject: Json) -> Json:
        """Remember how an object looks now."""
        picture = deepcopy(subject)
        self._pictures.append((self.now, picture))
        return picture

    def send(self, event_type: str, subject: Json) -> None:
        """Send an event with the object as it looks now."""
        number = len(self.events)
        sent = {
            "id": f"evt_{self.shapes.tag}_{number:03}",
            "type": event_type,
            "livemode": True,
            "api_version": self.story.version,
            "created": instant(self.now),
            "data": {"object": deepcopy(self.show(subject))},
        }
        self.events.append(OBJECTS["event"] | sent)

    def _play(self) -> None:
        actors = [
            PaymentActor(self, payment, number)
            for number, payment in enumerate(self.story.payments)
        ]
        actions: list[Action] = [each for actor in actors for each in actor.actions()]
        if self._invoice is not None:
            actions += self._invoice_actions(self._invoice)
        for at, act in sorted(actions, key=lambda each: each[0]):
            self.now = at
            act()

    def _invoice_actions(self, shown: Json) -> Iterator[Action]:
        invoice = self.story.invoice
        assert invoice is not None
        yield invoice.at, lambda: self.send("invoice.finalized", shown)
        for number, payment in enumerate(self.story.payments):
            if self.story.version >= BASIL:
                part = self.shapes.invoice_payment(payment, number)
                self._invoice_payments.append(part)
                yield payment.at, partial(self._attach, part)
            if payment.authorized:
                at = payment.attempts[-1].ended_at
                assert at is not None
                yield at + payment.lag, partial(self._paid, number)
        if invoice.paid_at is not None:
            yield invoice.paid_at, lambda: self._invoice_paid(shown)

    def _attach(self, part: Json) -> None:
        self.show(part)
        self._show_invoice()

    def _paid(self, number: int) -> None:
        shown = self._invoice
        assert shown is not None
        amount = self.story.payments[number].attempts[-1].amount
        shown["amount_paid"] += amount
        shown["amount_remaining"] -= amount
        if self.story.version >= BASIL:
            part = self._invoice_payments[number]
            part |= {"status": "paid", "amount_paid": amount}
            part["status_transitions"]["paid_at"] = instant(self.now)
            self.send("invoice_payment.paid", part)
        self._show_invoice()

    def _invoice_paid(self, shown: Json) -> None:
        shown["status"] = "paid"
        shown["status_transitions"]["paid_at"] = instant(self.now)
        if self.story.version < BASIL:
            shown["paid"] = True
            shown["charge"] = self.shapes.name("ch", 0, len(self.story.payments[0].attempts) - 1)
        self.send("invoice.paid", shown)
        self.send("invoice.payment_succeeded", shown)

    def _show_invoice(self) -> None:
        if self._invoice is not None:
            self.show(self._invoice)
