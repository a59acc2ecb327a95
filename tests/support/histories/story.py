"""Stories: payments, their attempts, captures, refunds, disputes and invoices.

Amounts are integers of the provider's smallest unit, instants are seconds after a story's begin.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

VERSIONS: Final = (
    "2022-08-01",
    "2023-10-16",
    "2024-06-20",
    "2025-03-31.basil",
    "2026-03-25.dahlia",
)
BASIL: Final = "2025-03-31.basil"
NEWEST: Final = VERSIONS[-1]


class Currency(NamedTuple):
    """Decimals by ISO 4217 and of the provider's unit; amounts are multiples of `step`."""

    iso_digits: int
    digits: int
    step: int

    @property
    def unit(self) -> int:
        """Nanos of the provider's smallest unit."""
        return int(10 ** (9 - self.digits))

    @property
    def minor(self) -> int:
        """Nanos of the minor unit by ISO 4217."""
        return int(10 ** (9 - self.iso_digits))


CURRENCIES: Final = {
    "USD": Currency(2, 2, 1),
    "JPY": Currency(0, 0, 1),
    "KWD": Currency(3, 3, 10),
    "ISK": Currency(0, 2, 100),
    "UGX": Currency(0, 2, 100),
    "MGA": Currency(2, 0, 1),
    "HUF": Currency(2, 2, 1),
}

TaxSource = Literal["nothing", "metadata", "details", "checkout", "order", "invoice"]
Outcome = Literal["succeeded", "failed", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One confirmation of a payment. `challenged_at` is when authentication was required,
    `processing_at` when a delayed method began; a failed attempt may leave no charge behind.
    """

    amount: int
    tax: int
    method: Literal["card", "us_bank_account", "sepa_debit"]
    challenged_at: int | None
    processing_at: int | None
    ended_at: int | None
    outcome: Outcome
    charged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A capture of an authorised payment. `claims` is what the charge says of being captured."""

    at: int
    amount: int
    final: bool
    claims: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    amount: int
    states: tuple[tuple[int, str], ...]
    """Instants and statuses; the first is its creation."""
    reason: str | None = "requested_by_customer"

    @property
    def status(self) -> str:
        return self.states[-1][1]

    @property
    def succeeded_once(self) -> bool:
        return any(status == "succeeded" for _, status in self.states)

    def holds(self, at: int) -> bool:
        """Return whether its money cannot be refunded again."""
        return not (self.status in {"failed", "canceled"} and self.states[-1][0] < at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A dispute's change: its status from here on, and money that moved (negative: withdrawn).

    `ahead`: the event of the status shows the dispute before the money moved.
    """

    at: int
    status: str
    moved: int
    ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dispute of a charge. `rates` convert what is withdrawn and what comes back, where the
    provider's balance is in another currency than the charge.
    """

    amount: int
    steps: tuple[Step, ...]
    rates: tuple[str, str] | None = None

    @property
    def status(self) -> str:
        return self.steps[-1].status

    @property
    def is_open(self) -> bool:
        return self.status in {"needs_response", "under_review"}

    @property
    def withdrawn(self) -> int:
        """What it took for good, or holds so far."""
        return -sum(step.moved for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A PaymentIntent with its attempts, or a charge without one (`intent` is False).

    The PaymentIntent succeeds `lag` seconds after its charge.
    """

    at: int
    amount: int
    tax: int
    intent: bool
    names_account: bool
    tax_source: TaxSource
    bonus: int
    manual: bool
    attempts: tuple[Attempt, ...]
    captures: tuple[Capture, ...]
    canceled_at: int | None
    expired: bool
    lag: int = 0
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def authorized(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].outcome == "succeeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice. A balance at the provider paid `balance` of its total."""

    at: int
    total: int
    tax: int
    balance: int
    paid_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One payment, or all payments of one invoice."""

    version: str
    currency: str
    payments: tuple[Payment, ...]
    invoice: Invoice | None = None

    @property
    def releases_as_refund(self) -> bool:
        """Whether this version tells the uncaptured rest as a refund."""
        return self.version < BASIL
