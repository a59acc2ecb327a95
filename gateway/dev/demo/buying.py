"""Purchases of the demo's accounts and their later changes, each a fact with its instant."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.billing.purchases.dispute_state import DisputeFacts, DisputeMovement
from gateway.billing.purchases.purchase_state import PaymentMethod, PurchaseFacts, RefundFacts
from gateway.dev.demo.cast import BANK, Player
from gateway.dev.demo.chance import between, number
from gateway.dev.demo.metering import hourly_price
from gateway.dev.demo.story import DAY, HOUR, Run, Story, load, runs
from gateway.models import CreditPurchaseKind, DisputeStatus, RefundStatus
from gateway.money import NANOS, divide_half_even, from_minor_units, minor_digits
from gateway.store.taxes import TaxLine

PROVIDER = "demo"
_MINUTE = timedelta(minutes=1)
_REASONS = (
    ("card_declined", "The card was declined."),
    ("insufficient_funds", "The card has insufficient funds."),
    ("expired_card", "The card has expired."),
    ("authentication_required", "The bank required a confirmation that was not given."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """The facts of a purchase, refund or dispute from an instant on."""

    at: datetime
    purchase: PurchaseFacts
    refund: RefundFacts | None = None
    dispute: DisputeFacts | None = None


def happenings(
    story: Story, player: Player, account_id: int, until: datetime
) -> Iterator[Happening]:
    """Yield the events of an account's purchases before an instant, in no particular order."""
    buyer = _Buyer(story, player, account_id)
    for each in buyer.everything(until):
        if each.at < until:
            yield each


class _Buyer:
    """One account's purchases."""

    def __init__(self, story: Story, player: Player, account_id: int) -> None:
        self.story = story
        self.player = player
        self.account_id = account_id
        self.opened_at = story.at(player.opens)

    def everything(self, until: datetime) -> Iterator[Happening]:
        if not self.player.methods:
            return
        yield self._gift(
            CreditPurchaseKind.TRIAL_GRANT, self.opened_at + 10 * _MINUTE, "Trial credit", 1
        )
        yield from self._orders(until)
        if self.player.leading:
            yield from self._scenes()
            yield from self._transfers(until)

    def _orders(self, until: datetime) -> Iterator[Happening]:
        """Yield the regular orders, and the attempts that went wrong before some of them."""
        runs_ = list(runs(self.story, self.player, until + self.player.every_days * DAY))
        turn, period = 0, self.player.every_days * DAY
        stop_at = self.story.at(self.player.stops) if self.player.stops else None
        while (from_at := self.opened_at + turn * period) < min(until, stop_at or until):
            who = (self.story.seed, self.player.external_id, turn)
            at = from_at + between(0, 10 * 60, "minute", *who) * _MINUTE + HOUR
            need = self._expected_cost(runs_, from_at, from_at + period)
            amount = self._rounded(need * self.player.cover // 100)
            order = self._order(at, amount, "order", turn, bonus=amount >= 20 * self.player.step)
            fate = number("fate", *who) % 16
            if fate in {0, 1}:
                yield from self._failed(at - 20 * _MINUTE, amount, turn)
            elif fate == 2:
                canceled = self._order(at - 30 * _MINUTE, amount, "dropped", turn)
                yield Happening(at=canceled.created_at, purchase=canceled)
                yield Happening(at=at - _MINUTE, purchase=replace(canceled, canceled=True))
            yield from self._settled(order)
            if fate == 3:
                yield self._refund(order, at + 6 * DAY, amount // 5, "requested_by_customer")
            turn += 1

    def _expected_cost(self, runs_: list[Run], since: datetime, until: datetime) -> int:
        """Return the estimated cost of the running fleet, in nanos of the account's currency."""
        total, at = 0, since
        while at < until:
            for run in runs_:
                if run.started_at <= at and (run.closed_at is None or at < run.closed_at):
                    total += 6 * hourly_price(run.fleet) * load(self.story, run, at) // 1_000
            at += 6 * HOUR
        return total * self.player.rate // 1_000

    def _rounded(self, amount: int) -> int:
        step = self.player.step * NANOS
        return max(1, -(-amount // step)) * step

    def _taxes(self, amount: int) -> list[TaxLine]:
        """Return the taxes of an amount, each rounded to the currency's minor unit."""
        unit = from_minor_units(1, minor_digits(self.player.currency))
        return [
            TaxLine(
                tax.name,
                str(Decimal(tax.per_mille) / 10),
                divide_half_even(amount * tax.per_mille, 1_000 * unit) * unit,
            )
            for tax in self.player.taxes
        ]

    def _order(
        self, at: datetime, amount: int, *name: object, bonus: bool = False
    ) -> PurchaseFacts:
        taxes = self._taxes(amount)
        who = (self.story.seed, self.player.external_id, *name)
        method: PaymentMethod = self.player.methods[
            number("method", *who) % len(self.player.methods)
        ]
        return PurchaseFacts(
            account_id=self.account_id,
            kind=CreditPurchaseKind.CARD,
            amount=amount,
            currency=self.player.currency,
            created_at=at,
            tax=sum(line.nanos for line in taxes),
            taxes=taxes,
            bonus=amount // 20 if bonus else 0,
            payment_method=method,
            provider=PROVIDER,
            reference=f"demo_pi_{number('reference', *who):016x}",
        )

    def _settled(self, order: PurchaseFacts, minutes: int = 2) -> Iterator[Happening]:
        yield Happening(at=order.created_at, purchase=order)
        at = order.created_at + minutes * _MINUTE
        yield Happening(at=at, purchase=replace(order, succeeded_at=at))

    def _failed(self, at: datetime, amount: int, turn: int) -> Iterator[Happening]:
        order = self._order(at, amount, "failed", turn)
        code, reason = _REASONS[turn % len(_REASONS)]
        failed_at = at + 3 * _MINUTE
        facts = replace(order, failed_at=failed_at, failure_code=code, failure_reason=reason)
        yield Happening(at=at, purchase=order)
        yield Happening(at=at + _MINUTE, purchase=replace(order, requires_action=True))
        yield Happening(at=failed_at, purchase=facts)

    def _refund(
        self,
        order: PurchaseFacts,
        at: datetime,
        amount: int,
        reason: str,
        status: RefundStatus = RefundStatus.SUCCEEDED,
        *,
        created_at: datetime | None = None,
    ) -> Happening:
        facts = RefundFacts(
            amount=amount,
            created_at=created_at or at,
            status=status,
            reason=reason,
            failed_at=at if status == RefundStatus.FAILED else None,
            failure_reason="The card is closed." if status == RefundStatus.FAILED else None,
            provider=PROVIDER,
            reference=f"demo_re_{number(order.reference, created_at or at):016x}",
        )
        return Happening(at=at, purchase=order, refund=facts)

    def _gift(
        self, kind: CreditPurchaseKind, at: datetime, description: str, steps: int, *name: object
    ) -> Happening:
        amount = steps * self.player.step * NANOS
        facts = replace(
            self._order(at, amount, kind, *name),
            kind=kind,
            tax=0,
            taxes=(),
            payment_method=None,
            description=description,
            succeeded_at=at,
        )
        return Happening(at=at, purchase=facts)

    def _scenes(self) -> Iterator[Happening]:
        """Yield the events that happen once in the story."""
        at = self.story.at
        yield self._gift(CreditPurchaseKind.COUPON, at(120), "Coupon WELCOME", 4)
        yield self._gift(CreditPurchaseKind.MANUAL_CREDIT, at(966), "Thank you for waiting", 2)
        yield self._gift(CreditPurchaseKind.COUPON, at(992), "Coupon AUTUMN", 1, "second")
        amount = 10 * self.player.step * NANOS
        returned = self._order(at(300), amount, "returned", bonus=True)
        yield from self._settled(returned)
        yield self._refund(returned, at(306), amount // 4, "duplicate")
        yield self._refund(returned, at(312), amount - amount // 4, "requested_by_customer")
        partly = self._order(at(600), amount, "partly returned")
        yield from self._settled(partly)
        yield self._refund(partly, at(605), amount // 2, "requested_by_customer")
        stuck = self._order(at(400), amount, "refund failed")
        yield from self._settled(stuck)
        history = (
            (405, RefundStatus.PENDING),
            (406, RefundStatus.SUCCEEDED),
            (410, RefundStatus.FAILED),
        )
        for moment, status in history:
            yield self._refund(stuck, at(moment), amount, "duplicate", status, created_at=at(405))
        bounced = self._order(at(976), amount, "refund bounced")
        yield from self._settled(bounced)
        for moment, status in ((982, RefundStatus.SUCCEEDED), (990, RefundStatus.FAILED)):
            yield self._refund(
                bounced, at(moment), amount, "requested_by_customer", status, created_at=at(982)
            )
        yield from self._disputed(500, 530, (580, DisputeStatus.LOST))
        yield from self._disputed(700, 720, (780, DisputeStatus.WON))
        yield from self._disputed(970, 985, (1_100, DisputeStatus.WON))

    def _disputed(
        self, bought: int, opened: int, closing: tuple[int, DisputeStatus]
    ) -> Iterator[Happening]:
        at = self.story.at
        order = self._order(at(bought), 6 * self.player.step * NANOS, "disputed", bought)
        yield from self._settled(order)
        money = order.amount + order.tax
        name = f"{number(order.reference):016x}"
        withdrawal = DisputeMovement(
            reference=f"demo_withdrawal_{name}", amount=-money, at=at(opened) + HOUR
        )
        dispute = DisputeFacts(
            amount=money,
            created_at=at(opened),
            reason="fraudulent",
            movements=(withdrawal,),
            provider=PROVIDER,
            reference=f"demo_dp_{name}",
        )
        yield Happening(at=withdrawal.at, purchase=order, dispute=dispute)
        closed = replace(dispute, state=closing[1], closed_at=at(closing[0]))
        if closing[1] == DisputeStatus.WON:
            returned = DisputeMovement(
                reference=f"demo_return_{name}", amount=money, at=at(closing[0])
            )
            closed = replace(closed, movements=(withdrawal, returned))
        yield Happening(at=at(closing[0]), purchase=order, dispute=closed)

    def _transfers(self, until: datetime) -> Iterator[Happening]:
        """Yield bank transfers that take two weeks, so that one is always under way, and payments
        that wait for a confirmation, three weeks each, until they are given up.
        """
        amount = 4 * self.player.step * NANOS
        for turn in range((until - self.opened_at) // (14 * DAY) + 1):
            at = self.opened_at + turn * 14 * DAY + 5 * HOUR
            order = replace(self._order(at, amount, "transfer", turn), payment_method=BANK)
            yield from self._settled(order, minutes=14 * 24 * 60)
        for turn in range((until - self.opened_at) // (21 * DAY) + 1):
            at = self.opened_at + turn * 21 * DAY + 9 * HOUR
            order = self._order(at, amount, "abandoned", turn)
            yield Happening(at=at, purchase=order)
            yield Happening(at=at + 2 * _MINUTE, purchase=replace(order, requires_action=True))
            yield Happening(at=at + 21 * DAY, purchase=replace(order, canceled=True))
