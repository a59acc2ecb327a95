"""Strategies for stories."""

from dataclasses import replace
from typing import Literal

from hypothesis import strategies as st

from tests.support.histories.story import (
    BASIL,
    CURRENCIES,
    NEWEST,
    Attempt,
    Capture,
    Currency,
    Dispute,
    Invoice,
    Outcome,
    Payment,
    Refund,
    Step,
    Story,
    TaxSource,
)

Draw = st.DrawFn
SOON = st.sampled_from([1, 2, 30, 3_600])
LATER = st.sampled_from([1, 3_600, 86_400, 400_000])
SETTLING: list[Outcome] = [
    *("succeeded", "succeeded", "succeeded", "succeeded", "succeeded"),
    "failed",
]
OPEN: list[Outcome] = ["open"]
AT_ONCE = st.sampled_from([0, 0, 1, 60])


class Clock:
    """The instant of a story that is being invented."""

    def __init__(self, draw: Draw, now: int = 0) -> None:
        self.draw, self.now = draw, now

    def wait(self, gaps: st.SearchStrategy[int]) -> int:
        self.now += self.draw(gaps)
        return self.now


@st.composite
def stories(draw: Draw, version: str) -> Story:
    """Draw a story that a version of the API tells."""
    currency = draw(st.sampled_from(["USD", "USD", *CURRENCIES]))
    if draw(st.integers(0, 3)) == 3:
        return draw(invoiced(version, currency))
    intent = draw(st.integers(0, 5)) > 0
    source = draw(st.sampled_from(_sources(version, intent)))
    payment = _payment(draw, Clock(draw), currency, source, intent=intent)
    return Story(version=version, currency=currency, payments=(payment,))


def _sources(version: str, intent: bool) -> list[TaxSource]:
    if not intent:
        return ["nothing", "metadata"]
    newest: list[TaxSource] = ["details", "order"] if version == NEWEST else []
    return ["nothing", "metadata", "metadata", "checkout", *newest]


def _payment(
    draw: Draw, clock: Clock, currency: str, source: TaxSource, *, intent: bool, amount: int = 0
) -> Payment:
    begin = clock.now
    manual = source != "invoice" and draw(st.integers(0, 2)) == 0
    terms = _terms(draw, currency, source) if not amount else (amount, 0)
    attempts = _attempts(draw, clock, currency, source, terms, manual=manual, intent=intent)
    captures: tuple[Capture, ...] = ()
    canceled_at, expired = None, False
    paid = bool(attempts) and attempts[-1].outcome == "succeeded"
    if paid and manual:
        captures = _captures(draw, clock, attempts[-1], currency, many=intent)
        if source in {"checkout", "order"} and captures and captures[-1].final:
            captures = _completed(captures, attempts[-1].amount)
    is_undecided = not captures and (manual or not paid) and _may_cancel(attempts, intent)
    if is_undecided and draw(st.booleans()):
        canceled_at, expired = clock.wait(AT_ONCE), draw(st.booleans())
    lag = draw(st.sampled_from([0, 0, 1, 2])) if intent and paid else 0
    clock.now += lag
    digits = CURRENCIES[currency].iso_digits
    payment = Payment(
        at=begin,
        amount=attempts[0].amount if attempts else terms[0],
        tax=attempts[0].tax if attempts else terms[1],
        intent=intent,
        names_account=draw(st.integers(0, 3)) > 0,
        tax_source=source,
        bonus=draw(st.sampled_from([0, 0, 1, 10 * 10**digits])),
        manual=manual,
        attempts=attempts,
        captures=captures,
        canceled_at=canceled_at,
        expired=expired,
        lag=lag,
    )
    if paid and (not manual or (captures and captures[-1].final)):
        money = sum(each.amount for each in captures) if manual else attempts[-1].amount
        payment = _taken_back(draw, clock, payment, money, CURRENCIES[currency])
    return payment


def _may_cancel(attempts: tuple[Attempt, ...], intent: bool) -> bool:
    """Return whether it can be canceled: not while it is processed, and no failed charge."""
    if not intent:
        return attempts[-1].outcome == "succeeded"
    return not attempts or attempts[-1].outcome != "open" or not attempts[-1].processing_at


def _terms(draw: Draw, currency: str, source: TaxSource) -> tuple[int, int]:
    """Draw an amount, and the tax that is in it."""
    step = CURRENCIES[currency].step
    steps = draw(st.sampled_from([11_900, 20_675, 100, 60]) | st.integers(20, 60_000))
    if source == "nothing":
        return steps * step, 0
    tax = draw(st.sampled_from([steps * 19 // 119, 0, 1]) | st.integers(0, steps // 2))
    return steps * step, tax * step


def _attempts(
    draw: Draw,
    clock: Clock,
    currency: str,
    source: TaxSource,
    terms: tuple[int, int],
    *,
    manual: bool,
    intent: bool,
) -> tuple[Attempt, ...]:
    found: list[Attempt] = []
    most = draw(st.sampled_from([1, 1, 1, 1, 2, 2, 3, 0])) if intent else 1
    edits = source in {"nothing", "metadata", "details"}
    for number in range(most):
        is_last = number == most - 1
        outcomes = SETTLING + (OPEN if intent else [])
        outcome = draw(st.sampled_from(outcomes)) if is_last else "failed"
        if edits and number and draw(st.booleans()):
            terms = _terms(draw, currency, source)
        clock.wait(SOON if number else AT_ONCE)
        found.append(_attempt(draw, clock, terms, outcome, manual=manual, intent=intent))
    return tuple(found)


def _attempt(
    draw: Draw,
    clock: Clock,
    terms: tuple[int, int],
    outcome: Outcome,
    *,
    manual: bool,
    intent: bool,
) -> Attempt:
    delayed = intent and not manual and draw(st.integers(0, 2)) == 0
    method: Literal["card", "us_bank_account", "sepa_debit"] = "card"
    if delayed:
        method = draw(st.sampled_from(["us_bank_account", "sepa_debit"]))
    challenged_at = processing_at = ended_at = None
    challenges = intent and (draw(st.integers(0, 2)) == 0 or (outcome == "open" and not delayed))
    if challenges:
        challenged_at = clock.now
        if outcome != "open" or (delayed and draw(st.booleans())):
            clock.wait(SOON)
    stays = outcome == "open" and challenged_at == clock.now
    if delayed and not stays:
        processing_at = clock.now
    if outcome != "open":
        ended_at = clock.wait(LATER) if processing_at is not None else clock.now
    return Attempt(
        amount=terms[0],
        tax=terms[1],
        method=method,
        challenged_at=challenged_at,
        processing_at=processing_at,
        ended_at=ended_at,
        outcome=outcome,
        charged=not intent or delayed or draw(st.booleans()),
    )


def _captures(
    draw: Draw, clock: Clock, attempt: Attempt, currency: str, *, many: bool
) -> tuple[Capture, ...]:
    step = CURRENCIES[currency].step
    least = attempt.tax // step + 1
    rest = attempt.amount // step
    count = draw(st.sampled_from([0, 1, 1, 1, 2, 3] if many else [0, 1, 1]))
    found: list[Capture] = []
    for number in range(count):
        is_last = number == count - 1
        most = rest - (count - 1 - number)
        low = max(1, least - sum(each.amount for each in found) // step) if is_last else 1
        if low > most:
            break
        whole = is_last and draw(st.booleans())
        steps = most if whole else draw(st.integers(low, most))
        rest -= steps
        final = is_last and draw(st.integers(0, 7)) > 0
        claims = draw(st.booleans())
        at = clock.wait(LATER if found else SOON)
        # Without a further word, a capture of all that is left is the last one.
        final = final or not many or rest == 0
        found.append(Capture(at=at, amount=steps * step, final=final, claims=final or claims))
        if final:
            break
    return _settling(found, attempt)


def _completed(captures: tuple[Capture, ...], amount: int) -> tuple[Capture, ...]:
    """Return captures of the whole amount: a document says the tax of no part."""
    *before, last = captures
    rest = amount - sum(each.amount for each in before)
    return (*before, replace(last, amount=rest))


def _settling(found: list[Capture], attempt: Attempt) -> tuple[Capture, ...]:
    """Return the captures; the final one leaves more than the tax."""
    if found and found[-1].final and sum(each.amount for each in found) <= attempt.tax:
        return tuple(replace(each, final=False) for each in found)
    return tuple(found)


def _taken_back(
    draw: Draw, clock: Clock, payment: Payment, money: int, currency: Currency
) -> Payment:
    begin = clock.now
    released = payment.attempts[-1].amount - money
    refunds = _refunds(draw, clock, money, currency.step, released)
    clock.now = begin if draw(st.booleans()) else clock.now
    disputes: list[Dispute] = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        # No second one while the first is open: whose money it were would be a matter of taste.
        if not disputes or not disputes[-1].is_open:
            disputes.append(_dispute(draw, clock, money, currency))
    return replace(payment, refunds=refunds, disputes=tuple(disputes))


ENDINGS = (
    ("succeeded",),
    ("succeeded",),
    ("pending", "succeeded"),
    ("pending",),
    ("pending", "failed"),
    ("pending", "canceled"),
    ("requires_action", "succeeded"),
    ("requires_action", "canceled"),
    ("succeeded", "failed"),
    ("pending", "succeeded", "failed"),
)


def _refunds(draw: Draw, clock: Clock, money: int, step: int, released: int) -> tuple[Refund, ...]:
    """Draw refunds; one may be of exactly the uncaptured rest that was `released`."""
    found: list[Refund] = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        at = clock.wait(LATER)
        free = (money - sum(each.amount for each in found if each.holds(at))) // step
        if free < 1:
            break
        whole = draw(st.integers(0, 2)) == 0
        steps = free if whole else draw(st.integers(1, free))
        if 0 < released <= free * step and draw(st.booleans()):
            steps = released // step
        states, then = [], Clock(draw, at)
        for number, status in enumerate(draw(st.sampled_from(ENDINGS))):
            states.append((then.wait(LATER) if number else at, status))
        reason = draw(st.sampled_from([None, "requested_by_customer"]))
        found.append(Refund(amount=steps * step, states=tuple(states), reason=reason))
    return tuple(found)


PATHS = (
    ("warning_needs_response", "warning_closed"),
    ("needs_response",),
    ("needs_response", "under_review"),
    ("needs_response", "lost"),
    ("needs_response", "under_review", "won"),
    ("needs_response", "under_review", "lost"),
    ("needs_response", "lost", "lost"),
    ("needs_response", "under_review", "lost", "won"),
    ("needs_response", "won", "won", "lost"),
    ("lost",),
)


RATES = (("1.0837", "1.0837"), ("1.2", "1.195517"), ("3.672", "3.675"))
"""More than 1, so that an amount of smallest units can be found again from a converted one."""


def _dispute(draw: Draw, clock: Clock, money: int, currency: Currency) -> Dispute:
    """Draw a dispute: its money moves with any of its changes, also more than once."""
    step, whole = currency.step, draw(st.booleans())
    amount = money if whole else draw(st.integers(1, money // step)) * step
    clock.wait(LATER)
    path = draw(st.sampled_from(PATHS))
    held, steps = 0, []
    for number, status in enumerate(path):
        at = clock.wait(LATER if draw(st.booleans()) else AT_ONCE) if number else clock.now
        moved = 0 if status.startswith("warning") else _move(draw, status, held, amount, step)
        if number == 0 and not status.startswith("warning") and draw(st.integers(0, 5)):
            moved = -amount
        held -= moved
        steps.append(Step(at=at, status=status, moved=moved, ahead=draw(st.booleans())))
    converts = currency.digits == 2 and draw(st.integers(0, 3)) == 0
    rates = draw(st.sampled_from(RATES)) if converts else None
    return Dispute(amount=amount, steps=tuple(steps), rates=rates)


def _move(draw: Draw, status: str, held: int, amount: int, step: int) -> int:
    """Draw what moves with a change: mostly what is usual, else any part of what can move."""
    if draw(st.integers(0, 2)):
        return held if status == "won" else (held - amount if status == "lost" else 0)
    target = draw(st.integers(0, amount // step)) * step
    return held - target


@st.composite
def invoiced(draw: Draw, version: str, currency: str) -> Story:
    """Draw an invoice with its payments: one before the versions in which there may be several."""
    step = CURRENCIES[currency].step
    clock = Clock(draw)
    count = draw(st.sampled_from([1, 2, 2, 3])) if version >= BASIL else 1
    parts = [draw(st.integers(20, 9_000) | st.sampled_from([6_000, 5_900])) for _ in range(count)]
    balance = draw(st.sampled_from([0, 0, 0, 1, 1_000])) * step
    total = sum(parts) * step + balance
    tax = draw(st.sampled_from([total * 19 // 119, total // 5, 0])) // step * step
    payments: list[Payment] = []
    for part in parts:
        same = draw(st.booleans())
        clock.now = payments[-1].at if payments and same else clock.wait(SOON)
        payment = _payment(draw, clock, currency, "invoice", intent=True, amount=part * step)
        payments.append(payment)
    settled = [each for each in payments if each.authorized]
    paid_at = None
    if len(settled) == len(payments):
        paid_at = max((each.attempts[-1].ended_at or 0) + each.lag for each in settled)
    invoice = Invoice(at=0, total=total, tax=tax, balance=balance, paid_at=paid_at)
    return Story(version=version, currency=currency, payments=tuple(payments), invoice=invoice)
