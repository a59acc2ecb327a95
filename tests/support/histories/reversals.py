"""Plays a provider for a refund, and for a dispute."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from tests.support.histories.shapes import Json
from tests.support.histories.story import Dispute, Refund, Step

if TYPE_CHECKING:
    from tests.support.histories.payments import PaymentActor
    from tests.support.histories.provider import Action

REFUND_FAILED_SINCE = "2024-10-28"
CLOSED = frozenset({"won", "lost", "warning_closed"})


class RefundActor:
    """A refund of a payment's charge."""

    def __init__(self, payment: PaymentActor, refund: Refund, number: int) -> None:
        self.payment, self.refund, self.number = payment, refund, number
        self.shown: Json = {}

    def actions(self) -> Iterator[Action]:
        first, *others = self.refund.states
        yield first[0], lambda: self._create(first[1])
        for at, status in others:
            yield at, partial(self._change, status)

    def _create(self, status: str) -> None:
        payment = self.payment
        self.shown = payment.shapes.make(
            "refund",
            payment.provider.now,
            id=payment.shapes.name("re", payment.number, self.number),
            amount=self.refund.amount,
            charge=payment.charge["id"],
            payment_intent=payment.charge["payment_intent"],
            reason=self.refund.reason,
            status=status,
        )
        payment.refunds.append(self.shown)
        self._count(self.refund.amount)
        payment.provider.send("refund.created", self.shown)
        payment.send_charge("charge.refunded")

    def _change(self, status: str) -> None:
        payment = self.payment
        self.shown["status"] = status
        if status in {"failed", "canceled"}:
            self._count(-self.refund.amount)
            payment.show_charge()
        if status == "failed":
            self.shown["failure_reason"] = "lost_or_stolen_card"
            if payment.story.version >= REFUND_FAILED_SINCE:
                payment.provider.send("refund.failed", self.shown)
        payment.provider.send("refund.updated", self.shown)
        payment.provider.send("charge.refund.updated", self.shown)

    def _count(self, amount: int) -> None:
        charge = self.payment.charge
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]


class DisputeActor:
    """A dispute of a payment's charge, with the balance transactions of its money."""

    def __init__(self, payment: PaymentActor, dispute: Dispute, number: int) -> None:
        self.payment, self.dispute, self.number = payment, dispute, number
        self.shown: Json = {}

    def actions(self) -> Iterator[Action]:
        for number, step in enumerate(self.dispute.steps):
            yield step.at, partial(self._step, step, number)

    def _step(self, step: Step, number: int) -> None:
        event = "charge.dispute.updated" if number else "charge.dispute.created"
        if number == 0:
            self._create(step)
        before = self.shown.get("status")
        self.shown["status"] = step.status
        if step.ahead:
            self.payment.provider.send(event, self.shown)
        if step.moved:
            self._move(step, number)
        if not step.ahead:
            self.payment.provider.send(event, self.shown)
        if step.status in CLOSED and (number == 0 or step.status != before):
            self.payment.provider.send("charge.dispute.closed", self.shown)

    def _create(self, step: Step) -> None:
        payment = self.payment
        self.shown = payment.shapes.make(
            "dispute",
            step.at,
            id=payment.shapes.name("dp", payment.number, self.number),
            amount=self.dispute.amount,
            charge=payment.charge["id"],
            payment_intent=payment.charge["payment_intent"],
            balance_transactions=[],
            reason="fraudulent",
        )
        payment.charge["disputed"] = True
        payment.send_charge("charge.updated")

    def _move(self, step: Step, number: int) -> None:
        payment = self.payment
        name = payment.shapes.name("txn_dp", payment.number, self.number, number)
        kind = "dispute" if step.moved < 0 else "dispute_reversal"
        moved = payment.shapes.transaction(name, step.at, step.moved, kind)
        if self.dispute.rates is not None:
            rate = Fraction(self.dispute.rates[0 if step.moved < 0 else 1])
            converted = round(step.moved * rate)
            moved |= {"currency": "eur", "exchange_rate": float(rate)}
            moved |= {"amount": converted, "net": converted - moved["fee"]}
        self.shown["balance_transactions"] = [*self.shown["balance_transactions"], moved]
        end = "withdrawn" if step.moved < 0 else "reinstated"
        payment.provider.send(f"charge.dispute.funds_{end}", self.shown)
