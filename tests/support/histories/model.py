"""The expected books at the end of a story, computed from the story itself.

Nothing here is read from an event, and no line is shared with the code under test.
"""

from dataclasses import dataclass

from tests.support.histories.story import CURRENCIES, Invoice, Payment, Refund, Story

REFUND_STATUS = {
    "pending": "PENDING",
    "requires_action": "PENDING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "canceled": "CANCELED",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRefund:
    """A refund's status and money in nanos, and the totals of its documents."""

    status: str
    money: int
    documents: tuple[int, ...]
    documents_are_certain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A purchase: money in nanos, instants in seconds after the story's begin.

    `tax` is None where it is not known yet: a document that has not come says it. `taken_back` is
    the money that went back in the end, in so many `roundings`; of lists, `booked_at` is the
    instant at which they date it,
    `listed_status` what they alone say. `may_be_whole`: see `_may_be_whole`.
    """

    number: int
    status: str
    created_at: int
    gross: int
    tax: int | None
    bonus: int
    settled_at: int | None
    booked_at: int | None
    taken_back: int
    roundings: int
    may_be_whole: bool
    bonus_reversed: int
    refunds: tuple[ExpectedRefund, ...]
    waits: bool
    listed_status: str


def expect(story: Story) -> list[Expected]:
    """Return what must be booked for each payment of a story."""
    taxes = invoice_taxes(story, story.invoice) if story.invoice else {}
    return [_expect(story, number, taxes.get(number)) for number in range(len(story.payments))]


def invoice_taxes(story: Story, invoice: Invoice) -> dict[int, int]:
    """Return each payment's share of an invoice's tax, in nanos: by the order of (created, id)."""
    currency = CURRENCIES[story.currency]
    order = sorted(range(len(story.payments)), key=lambda n: (story.payments[n].at, n))
    shares, paid, given = {}, 0, 0
    for number in order:
        paid += story.payments[number].amount
        numerator = invoice.tax * currency.unit * paid
        up_to = half_even(numerator, invoice.total * currency.minor) * currency.minor
        shares[number], given = up_to - given, up_to
    return shares


def half_even(numerator: int, denominator: int) -> int:
    """Divide, to the nearest integer; of two, to the even one."""
    whole, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
        whole += 1
    return whole


def _expect(story: Story, number: int, share: int | None) -> Expected:
    payment, unit = story.payments[number], CURRENCIES[story.currency].unit
    minor = CURRENCIES[story.currency].minor
    created_at = payment.at
    if not payment.intent:
        created_at = payment.attempts[0].ended_at or 0
    received = _received(payment)
    is_settled = received is not None and (
        story.invoice is None or story.invoice.paid_at is not None
    )
    last = payment.attempts[-1] if payment.attempts else payment
    tax = last.tax * unit if payment.tax_source in {"metadata", "details", "nothing"} else None
    if is_settled and tax is None:
        tax = share if share is not None else payment.tax * unit
    gross = (received if is_settled and received is not None else last.amount) * unit
    settled_at = _settled_at(payment) if is_settled else None
    back = _taken_back(payment, gross // unit) if is_settled else 0
    lost_amount = _lost_amount(payment) if is_settled else 0
    whole = is_settled and lost_amount * unit >= gross
    bonus = payment.bonus * minor
    status = _settled_status(payment, back, gross // unit) if is_settled else _status(payment)
    return Expected(
        number=number,
        status=status,
        listed_status=_listed_status(story, payment, status),
        created_at=created_at,
        gross=gross,
        tax=tax,
        bonus=bonus,
        settled_at=settled_at,
        booked_at=_booked_at(payment) if is_settled else None,
        taken_back=back * unit,
        roundings=sum(each.status == "succeeded" for each in payment.refunds)
        + any(each.withdrawn for each in payment.disputes),
        may_be_whole=_may_be_whole(payment, back * unit, gross, tax or 0, minor),
        bonus_reversed=bonus if whole else 0,
        refunds=tuple(_refund(each, unit) for each in payment.refunds) if is_settled else (),
        waits=not is_settled and (received is not None or _is_open(payment)),
    )


def _received(payment: Payment) -> int | None:
    """Return the money that the provider got in the end, None where the payment has not settled."""
    if not payment.authorized or payment.canceled_at is not None:
        return None
    if not payment.manual:
        return payment.attempts[-1].amount
    if not payment.captures or not payment.captures[-1].final:
        return None
    return sum(each.amount for each in payment.captures)


def _settled_at(payment: Payment) -> int | None:
    received_at = payment.captures[-1].at if payment.manual else payment.attempts[-1].ended_at
    return None if received_at is None else received_at + payment.lag


def _booked_at(payment: Payment) -> int | None:
    """Return when the first money came into the provider's balance."""
    return payment.captures[0].at if payment.captures else payment.attempts[-1].ended_at


def _refunded(payment: Payment) -> int:
    return sum(each.amount for each in payment.refunds if each.status == "succeeded")


def _taken_back(payment: Payment, money: int) -> int:
    """Return the money that is not the provider's any more: no more can go than had come."""
    withdrawn = sum(each.withdrawn for each in payment.disputes)
    return min(money, _refunded(payment) + withdrawn)


def _lost_amount(payment: Payment) -> int:
    lost = sum(each.withdrawn for each in payment.disputes if not each.is_open)
    return _refunded(payment) + lost


def _settled_status(payment: Payment, back: int, money: int) -> str:
    holds = any(each.is_open and each.withdrawn > 0 for each in payment.disputes)
    # A dispute takes what is left; of nothing that is left it takes nothing.
    if holds and _lost_amount(payment) < money:
        return "DISPUTED"
    if back == 0:
        return "SUCCEEDED"
    return "REFUNDED" if back == money else "PARTIALLY_REFUNDED"


def _may_be_whole(payment: Payment, back: int, gross: int, tax: int, minor: int) -> bool:
    """Return whether rounding may leave no credit: what disputes hold is rounded up to the minor
    unit, so of money that is less than that much credit beside a refund nothing may be left.
    """
    share = (gross - back) * (gross - tax)
    beside = bool(payment.refunds) and any(each.withdrawn for each in payment.disputes)
    return beside and 0 < share < 2 * minor * gross and tax > 0


def _is_open(payment: Payment) -> bool:
    """Return whether the payment may still come to something without another attempt."""
    if payment.canceled_at is not None:
        return False
    return not payment.attempts or payment.attempts[-1].outcome != "failed"


def _status(payment: Payment) -> str:
    if payment.canceled_at is not None:
        return "CANCELED"
    if not payment.attempts:
        return "PENDING"
    last = payment.attempts[-1]
    if last.outcome == "failed":
        return "FAILED"
    if last.outcome == "open" and last.processing_at is None:
        return "REQUIRES_ACTION"
    return "PENDING"


def _listed_status(story: Story, payment: Payment, status: str) -> str:
    """Return the status by lists alone: since 2025-03-31.basil a charge without a PaymentIntent
    looks the same whether its authorisation stands or was given up.
    """
    is_hidden = not payment.intent and not story.releases_as_refund
    return "PENDING" if status == "CANCELED" and is_hidden else status


def _refund(refund: Refund, unit: int) -> ExpectedRefund:
    money = refund.amount * unit
    documents: tuple[int, ...] = ()
    if refund.status == "succeeded":
        documents = (-money,)
    elif refund.succeeded_once:
        documents = (-money, money)
    return ExpectedRefund(
        status=REFUND_STATUS[refund.status],
        money=money,
        documents=documents,
        documents_are_certain=refund.status != "failed" or not refund.succeeded_once,
    )
