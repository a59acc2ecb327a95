"""Short stories: each has one behaviour of providers."""

from typing import Any

from tests.support.histories.story import (
    BASIL,
    Attempt,
    Capture,
    Dispute,
    Invoice,
    Payment,
    Refund,
    Step,
    Story,
)

DAY = 86_400


def attempt(amount: int = 11_900, tax: int = 1_900, **changes: Any) -> Attempt:
    """Return an attempt that succeeds after a minute."""
    fields: dict[str, Any] = {
        "amount": amount,
        "tax": tax,
        "method": "card",
        "challenged_at": None,
        "processing_at": None,
        "ended_at": 60,
        "outcome": "succeeded",
        "charged": True,
    }
    return Attempt(**fields | changes)


def payment(*attempts: Attempt, **changes: Any) -> Payment:
    """Return a payment of 119.00 with 19.00 of tax, without a bonus."""
    tried = attempts or (attempt(),)
    fields: dict[str, Any] = {
        "at": 0,
        "amount": tried[0].amount,
        "tax": tried[0].tax,
        "intent": True,
        "names_account": True,
        "tax_source": "metadata",
        "bonus": 0,
        "manual": False,
        "attempts": tried,
        "captures": (),
        "canceled_at": None,
        "expired": False,
    }
    return Payment(**fields | changes)


def story(version: str, *payments: Payment, invoice: Invoice | None = None) -> Story:
    return Story(version=version, currency="USD", payments=payments, invoice=invoice)


def authorized(amount: int, *captures: tuple[int, bool], **changes: Any) -> Payment:
    """Return an authorised payment without tax; each capture is an amount and whether it is final.

    The charge says of itself that it is captured from the first capture on.
    """
    return payment(
        attempt(amount, 0),
        manual=True,
        captures=tuple(
            Capture(at=DAY * (number + 1), amount=captured, final=final, claims=True)
            for number, (captured, final) in enumerate(captures)
        ),
        **changes,
    )


def invoice_in_parts(version: str, *parts: int, balance: int = 0) -> Story:
    """Return an invoice of 119.00 with 19.00 of tax; older versions pay it at once."""
    amounts = parts if version >= BASIL else (sum(parts),)
    payments = [
        payment(
            attempt(amount, 0, ended_at=at + 60),
            at=at,
            tax_source="invoice",
        )
        for at, amount in enumerate(amounts, start=1)
    ]
    invoice = Invoice(
        at=0,
        total=sum(parts) + balance,
        tax=1_900,
        balance=balance,
        paid_at=max(each.attempts[-1].ended_at or 0 for each in payments),
    )
    return story(version, *payments, invoice=invoice)


def refunded(amount: int, *statuses: str, at: int = DAY) -> Refund:
    states = tuple((at + number * DAY, status) for number, status in enumerate(statuses))
    return Refund(amount=amount, states=states)


def disputed(amount: int, *steps: tuple[int, str, int], **changes: Any) -> Dispute:
    """Return a dispute; each step is its day, its status and what moved."""
    changed = tuple(Step(at=day * DAY, status=status, moved=moved) for day, status, moved in steps)
    return Dispute(amount=amount, steps=changed, **changes)
