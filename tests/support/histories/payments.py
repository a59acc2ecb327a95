"""Plays a provider for one payment: changes its objects and sends their events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tests.support.histories.reversals import DisputeActor, RefundActor
from tests.support.histories.shapes import Json, instant
from tests.support.histories.story import Attempt, Capture, Payment

if TYPE_CHECKING:
    from tests.support.histories.provider import Action, Provider

DECLINE = {"code": "card_declined", "decline_code": "insufficient_funds"}
DECLINED = {"message": "Your card has insufficient funds.", "type": "card_error"} | DECLINE


class PaymentActor:
    """A PaymentIntent and its charges, or a charge alone."""

    def __init__(self, provider: Provider, payment: Payment, number: int) -> None:
        self.provider, self.payment, self.number = provider, payment, number
        self.shapes, self.story = provider.shapes, provider.story
        self.intent = self.shapes.intent(payment, number)
        self.charges: list[Json] = []
        self.refunds: list[Json] = []
        has_session = payment.tax_source in {"checkout", "order"}
        self.session = self.shapes.session(payment, number) if has_session else None

    @property
    def charge(self) -> Json:
        return self.charges[-1]

    def actions(self) -> Iterator[Action]:
        """Yield what happens and when, in order."""
        payment = self.payment
        yield payment.at, self._create
        for place, attempt in enumerate(payment.attempts):
            yield from self._attempt_actions(attempt, place)
        for number, capture in enumerate(payment.captures):
            yield capture.at, _bind(self._capture, capture, number)
            if capture.final:
                yield capture.at + payment.lag, self._conclude
        if payment.canceled_at is not None:
            yield payment.canceled_at, self._cancel
        for number, refund in enumerate(payment.refunds):
            yield from RefundActor(self, refund, number).actions()
        for number, dispute in enumerate(payment.disputes):
            yield from DisputeActor(self, dispute, number).actions()

    def _attempt_actions(self, attempt: Attempt, place: int) -> Iterator[Action]:
        if attempt.challenged_at is not None:
            yield attempt.challenged_at, _bind(self._challenge, attempt)
        if attempt.processing_at is not None:
            yield attempt.processing_at, _bind(self._process, attempt, place)
        if attempt.ended_at is not None:
            end = self._succeed if attempt.outcome == "succeeded" else self._fail
            yield attempt.ended_at, _bind(end, attempt, place)
            if attempt.outcome == "succeeded" and not self.payment.manual:
                yield attempt.ended_at + self.payment.lag, self._conclude

    def send_charge(self, event_type: str) -> None:
        if "refunds" in self.charge:
            self.charge["refunds"]["data"] = self.refunds[::-1]
        self.provider.send(event_type, self.charge)
        self._link()

    def show_charge(self) -> None:
        if "refunds" in self.charge:
            self.charge["refunds"]["data"] = self.refunds[::-1]
        self.provider.show(self.charge)
        self._link()

    def send_intent(self, event_type: str) -> None:
        if self.payment.intent:
            self._link()
            self.provider.send(event_type, self.intent)

    def _link(self) -> None:
        """Let the PaymentIntent show its charges: the ids, or before 2022-11-15 all of them."""
        if not self.payment.intent:
            return
        self.intent["latest_charge"] = self.charge["id"] if self.charges else None
        if self.story.version < "2022-11-15":
            self.intent["charges"] = {"object": "list", "data": self.charges[::-1]}
        self.provider.show(self.intent)

    def _send_session(self, event_type: str, **changes: Any) -> None:
        if self.session is not None:
            self.session |= changes
            self.provider.send(event_type, self.session)

    def _create(self) -> None:
        if self.session is not None:
            self.provider.show(self.session)
        self.send_intent("payment_intent.created")

    def _begin(self, attempt: Attempt) -> None:
        """The payment's terms may be edited before each attempt; no event says so."""
        self.intent |= {"amount": attempt.amount, "last_payment_error": None}
        self.intent["metadata"] = self.shapes.metadata(self.payment, attempt.tax)
        if self.payment.tax_source == "details":
            self.intent["amount_details"] = {"tax": {"total_tax_amount": attempt.tax}}

    def _challenge(self, attempt: Attempt) -> None:
        self._begin(attempt)
        self.intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk"}}
        self.send_intent("payment_intent.requires_action")

    def _process(self, attempt: Attempt, place: int) -> None:
        self._begin(attempt)
        self.intent |= {"status": "processing", "next_action": None}
        charge = self._new_charge(attempt, place)
        charge |= {"status": "pending", "captured": True, "amount_captured": attempt.amount}
        self.send_charge("charge.pending")
        self.send_intent("payment_intent.processing")
        if self.session is not None and self.session["status"] == "open":
            self._send_session("checkout.session.completed", status="complete")

    def _new_charge(self, attempt: Attempt, place: int) -> Json:
        made = self.shapes.charge(self.payment, attempt, self.number, place, self.provider.now)
        self.charges.append(made)
        return made

    def _fail(self, attempt: Attempt, place: int) -> None:
        if attempt.processing_at is None:
            self._begin(attempt)
            if attempt.charged:
                self._new_charge(attempt, place)
        if attempt.charged:
            failed = {"failure_code": DECLINE["code"], "failure_message": DECLINED["message"]}
            self.charge.update(failed, status="failed", captured=False, amount_captured=0)
            self.charge["outcome"]["reason"] = DECLINE["decline_code"]
            self.send_charge("charge.failed")
        method = self.shapes.charge(self.payment, attempt, self.number, place, 0)
        error = DECLINED | {"payment_method": method["payment_method_details"]}
        self.intent |= {"status": "requires_payment_method", "next_action": None}
        self.intent["last_payment_error"] = error
        self.send_intent("payment_intent.payment_failed")
        if self.session is not None and self.session["status"] == "complete":
            self._send_session("checkout.session.async_payment_failed")

    def _succeed(self, attempt: Attempt, place: int) -> None:
        if attempt.processing_at is None:
            self._begin(attempt)
            self._new_charge(attempt, place)
        self.charge.update(status="succeeded", paid=True)
        if self.payment.manual:
            self.intent |= {"next_action": None, "last_payment_error": None}
            self.intent |= {"status": "requires_capture", "amount_capturable": attempt.amount}
            self.send_charge("charge.succeeded")
            self.send_intent("payment_intent.amount_capturable_updated")
            self._send_session("checkout.session.completed", status="complete")
            return
        self.charge.update(captured=True, amount_captured=attempt.amount)
        self._book(attempt.amount)
        self.send_charge("charge.succeeded")

    def _conclude(self) -> None:
        """Let the PaymentIntent succeed, after its charge."""
        self.intent |= {"status": "succeeded", "amount_received": self.charge["amount_captured"]}
        self.intent |= {"next_action": None, "last_payment_error": None, "amount_capturable": 0}
        self.send_intent("payment_intent.succeeded")
        if self.session is None:
            return
        paid = {"status": "complete", "payment_status": "paid"}
        if self.payment.manual:
            # No event says so.
            self.session |= paid
            self.provider.show(self.session)
        else:
            delayed = self.session["status"] == "complete"
            name = "async_payment_succeeded" if delayed else "completed"
            self._send_session(f"checkout.session.{name}", **paid)

    def _book(self, amount: int) -> None:
        transaction = self.shapes.transaction(
            self.shapes.name("txn", self.number), self.provider.now, amount, "charge"
        )
        self.charge["balance_transaction"] = transaction["id"]
        self.provider.show(transaction)

    def _capture(self, capture: Capture, number: int) -> None:
        if number == 0:
            released = self.story.releases_as_refund and capture.final
            self._book(self.charge["amount"] if released else capture.amount)
        self.charge["amount_captured"] += capture.amount
        self.charge["captured"] = capture.claims
        if not capture.final:
            self.intent["amount_received"] += capture.amount
            self.intent["amount_capturable"] -= capture.amount
            self.send_charge("charge.captured" if capture.claims else "charge.updated")
            self.send_intent("payment_intent.amount_capturable_updated")
            return
        rest = self.charge["amount"] - self.charge["amount_captured"]
        if rest and self.story.releases_as_refund:
            self._release(rest, None)
            self.send_charge("charge.captured")
            self.send_charge("charge.refunded")
            self.provider.send("charge.refund.updated", self.refunds[-1])
        else:
            self.send_charge("charge.captured")

    def _release(self, rest: int, reason: str | None) -> None:
        """Tell the uncaptured rest as a refund, as versions before 2025-03-31 do."""
        made = self.shapes.make(
            "refund",
            self.provider.now,
            id=self.shapes.name("re_release", self.number),
            amount=rest,
            charge=self.charge["id"],
            payment_intent=self.charge["payment_intent"],
            reason=reason,
            status="succeeded",
        )
        self.refunds.append(made)
        self.charge["amount_refunded"] += rest
        self.charge["refunded"] = self.charge["amount_refunded"] == self.charge["amount"]
        self.provider.send("refund.created", made)

    def _cancel(self) -> None:
        expired = self.payment.expired and self.payment.authorized
        reason = "automatic" if self.story.releases_as_refund else "expired"
        if self.payment.authorized:
            if self.story.releases_as_refund:
                self.charge["amount_captured"] = None
                cause = "expired_uncaptured_charge" if expired else None
                self._release(self.charge["amount"], cause)
                self.send_charge("charge.expired" if expired else "charge.refunded")
            else:
                self.send_charge("charge.expired")
        self.intent |= {"status": "canceled", "canceled_at": instant(self.provider.now)}
        self.intent |= {"amount_capturable": 0, "next_action": None}
        self.intent["cancellation_reason"] = reason if expired else "requested_by_customer"
        self.send_intent("payment_intent.canceled")
        if self.session is not None and self.session["status"] == "open":
            self._send_session("checkout.session.expired", status="expired")


def _bind(act: Callable[..., None], *arguments: Any) -> Callable[[], None]:
    return lambda: act(*arguments)
