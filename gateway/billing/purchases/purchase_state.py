"""Purchases and refunds in a transaction: their rows, and their lifecycle.

    PENDING → REQUIRES_ACTION → SUCCEEDED → PARTIALLY_REFUNDED → REFUNDED
    PENDING, REQUIRES_ACTION → FAILED, CANCELED; FAILED → PENDING, REQUIRES_ACTION (tried again)
    SUCCEEDED, PARTIALLY_REFUNDED → DISPUTED → by the credit that is left, once it is decided

A status follows from the facts that are known, never from the order in which they came: facts are
only added. A settled purchase stays settled and a canceled one canceled; before that, the facts of
the latest time count, and of two of the same time those that rank higher.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final, NamedTuple, Self, TypeAlias

from gateway.instants import EARLIEST
from gateway.models import (
    CreditPurchaseKind,
    CreditPurchaseStatus,
    PaymentMethodType,
    RefundStatus,
)
from gateway.payment_methods import display_name
from gateway.store.engine.write import W
from gateway.store.purchases import CreditPurchaseCells, RefundCells
from gateway.store.taxes import TaxLine, dump_taxes

# Orders facts of the same time. A settled purchase outranks all of them; none of these statuses
# has an effect on the balance.
_UNSETTLED_RANK: Final = {
    CreditPurchaseStatus.PENDING: 0,
    CreditPurchaseStatus.REQUIRES_ACTION: 1,
    CreditPurchaseStatus.FAILED: 2,
    CreditPurchaseStatus.CANCELED: 3,
}
# A bank may return a refund that had succeeded, so FAILED outranks SUCCEEDED.
_REFUND_RANK: Final = {
    RefundStatus.PENDING: 0,
    RefundStatus.SUCCEEDED: 1,
    RefundStatus.FAILED: 2,
    RefundStatus.CANCELED: 3,
}


def final_status(statuses: Iterable[RefundStatus]) -> RefundStatus:
    """Return the status that ranks highest, whatever the order of arrival."""
    return max(statuses, key=lambda status: _REFUND_RANK[status])


def either(known: str | None, stated: str | None) -> str | None:
    """Return the text that is given; of two, the greater one, so that order does not matter."""
    return max(known, stated) if known and stated else known or stated


def earliest(known: datetime | None, stated: datetime | None) -> datetime | None:
    """Return the instant that is given; of two, the earlier one."""
    return min(known, stated) if known and stated else known or stated


UNSTORED: Final = {"stored": False}
"""Metadata of a field without a column."""


class Record:
    """Base of dataclasses that are read from a row, column by column."""

    __slots__ = ()

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        every = fields(cls)  # type: ignore[arg-type]  # a dataclass
        return tuple(each.name for each in every if each.metadata.get("stored", True))

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        return cls(**{name: row[name] for name in cls.columns()})


def cells_of(record: Record, shape: type[W]) -> W:
    """Return a record's cells in the shape that its table is written in."""
    return shape._make(getattr(record, name) for name in shape._fields)


@dataclass(slots=True, kw_only=True)
class PurchaseState(Record):
    """A row of `credit_purchase`."""

    account_id: int
    id: int
    kind: str
    status: str = CreditPurchaseStatus.PENDING
    currency: str
    amount_nanos: int
    tax_nanos: int = 0
    bonus_nanos: int = 0
    refunded_nanos: int = 0
    bonus_reversed_nanos: int = 0
    disputed_nanos: int = 0
    description: str | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    payment_method_type: str | None = None
    payment_method_name: str | None = None
    payment_method_brand: str | None = None
    payment_method_last4: str | None = None
    payment_method_label: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    created_at: datetime
    status_at: datetime | None = None
    failed_at: datetime | None = None
    settled_at: datetime | None = None
    revision: int = 0
    receipted: bool = False
    taxes: str | None = None

    def cells(self) -> CreditPurchaseCells:
        return cells_of(self, CreditPurchaseCells)

    @property
    def key(self) -> tuple[int, int]:
        return self.account_id, self.id

    @property
    def is_settled(self) -> bool:
        return self.settled_at is not None

    @property
    def payment_method(self) -> "PaymentMethod | None":
        if self.payment_method_type is None:
            return None
        return PaymentMethod(
            type=PaymentMethodType(self.payment_method_type),
            name=self.payment_method_name,
            brand=self.payment_method_brand,
            last4=self.payment_method_last4,
            label=self.payment_method_label,
        )

    @payment_method.setter
    def payment_method(self, method: "PaymentMethod | None") -> None:
        self.payment_method_type = method.type if method else None
        self.payment_method_name = method.name if method else None
        self.payment_method_brand = method.brand if method else None
        self.payment_method_last4 = method.last4 if method else None
        self.payment_method_label = method.label if method else None

    def learn(self, facts: "PurchaseFacts") -> None:
        """Replace an unsettled purchase's status, terms, failure and payment method by facts of a
        later time, or of the same time and a higher rank. CANCELED is final.

        Facts with `is_complete` replace them always.
        """
        if facts.is_complete or facts.order > self._known:
            self.status, self.status_at = facts.status, facts.known_at
            self.amount_nanos, self.tax_nanos, self.bonus_nanos = facts.terms
            self.failed_at, self.failure_code, self.failure_reason = facts.failure
            self.payment_method = facts.payment_method

    @property
    def _known(self) -> "FactsOrder":
        return _facts_order(
            CreditPurchaseStatus(self.status),
            self.status_at or EARLIEST,
            (self.amount_nanos, self.tax_nanos, self.bonus_nanos),
            (self.failed_at, self.failure_code, self.failure_reason),
            self.payment_method,
        )

    def settle(self, facts: "PurchaseFacts", at: datetime) -> None:
        """Settle the purchase at an instant, with the terms and the payment method of the facts;
        clear its failure.
        """
        self.settled_at = self.status_at = at
        self.amount_nanos, self.tax_nanos, self.bonus_nanos = facts.terms
        self.failed_at = self.failure_code = self.failure_reason = None
        self.payment_method = facts.payment_method
        self.taxes = dump_taxes(facts.taxes)

    def update_status(self) -> None:
        """Derive a settled purchase's status from its refunded and disputed amounts."""
        if self.disputed_nanos:
            self.status = CreditPurchaseStatus.DISPUTED
        elif self.refunded_nanos == self.amount_nanos:
            self.status = CreditPurchaseStatus.REFUNDED
        elif self.refunded_nanos:
            self.status = CreditPurchaseStatus.PARTIALLY_REFUNDED
        else:
            self.status = CreditPurchaseStatus.SUCCEEDED


class CreditNote(NamedTuple):
    """The credit note of a refund, as it was issued. `net` and `tax` are not below 0; `canceled`
    says whether a document cancels it.
    """

    id: int
    number: str
    net: int
    tax: int
    issued_at: datetime
    canceled: bool = False


@dataclass(slots=True, kw_only=True)
class RefundState(Record):
    """A row of `refund`; it is in the ledger where `settled_at` is set. `stated_tax` is the tax
    that facts of this transaction state, `note` its credit note.
    """

    account_id: int
    id: int
    purchase_id: int
    status: str = RefundStatus.PENDING
    currency: str
    amount_nanos: int
    tax_nanos: int = 0
    bonus_reversed_nanos: int = 0
    reason: str | None = None
    failure_reason: str | None = None
    provider: str | None = None
    provider_reference: str | None = None
    created_at: datetime
    settled_at: datetime | None = None
    has_succeeded: bool = False
    failed_at: datetime | None = None
    stated_tax: int | None = field(default=None, metadata=UNSTORED)
    note: CreditNote | None = field(default=None, metadata=UNSTORED)

    def cells(self) -> RefundCells:
        return cells_of(self, RefundCells)

    @property
    def key(self) -> tuple[int, int]:
        return self.account_id, self.id

    @property
    def is_undone(self) -> bool:
        """Whether the refund failed or was canceled."""
        return self.status in {RefundStatus.FAILED, RefundStatus.CANCELED}

    def raise_to(self, status: RefundStatus) -> None:
        """Set `status` if it ranks higher than the present one."""
        if _REFUND_RANK[status] > _REFUND_RANK[RefundStatus(self.status)]:
            self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A payment method: `name` is the provider's name for it, `label` the bank's."""

    type: PaymentMethodType
    name: str | None = None
    brand: str | None = None
    last4: str | None = None
    label: str | None = None

    @property
    def display_name(self) -> str:
        """The method as people read it, such as "Visa •••• 4242"."""
        return display_name(self.type, self.name, self.brand, self.last4, self.label)


def _order(method: PaymentMethod | None) -> tuple[str, ...]:
    if method is None:
        return ()
    texts = (method.brand, method.last4, method.name, method.label)
    return (method.type, *(text or "" for text in texts))


def later_method(known: PaymentMethod | None, stated: PaymentMethod | None) -> PaymentMethod | None:
    """Return the method that is given; of two, the one that sorts later."""
    return max(known, stated, key=_order)


Failure: TypeAlias = tuple[datetime | None, str | None, str | None]
"""The failure of an attempt: its instant, the provider's code, and the reason in words."""

FactsOrder: TypeAlias = tuple[bool, datetime, int, int, int, int, str, str, tuple[str, ...]]


def _facts_order(
    status: CreditPurchaseStatus,
    at: datetime,
    terms: tuple[int, int, int],
    failure: Failure,
    method: PaymentMethod | None,
) -> FactsOrder:
    """Return the sort key of facts of an unsettled purchase: the greatest facts stay.

    Of the same time and rank, any fixed order of the rest will do; of the same total, facts with
    more tax are more complete.
    """
    amount, tax, bonus = terms
    is_final = status == CreditPurchaseStatus.CANCELED
    words = failure[1] or "", failure[2] or "", _order(method)
    return (is_final, at, _UNSETTLED_RANK[status], amount + tax, tax, bonus, *words)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseFacts:
    """Facts of a purchase at one time. Amounts in nanos of the account's currency.

    `provider` and `reference` together identify the purchase. A description of None leaves the
    known one. `taxes` are the lines of `tax`; none where the provider named none. The first facts
    with `succeeded_at` settle the purchase: its amounts and that instant
    never change again. Before that, `status_at` is the provider's time of these facts; by default
    the time of the failure, else of the purchase. `is_complete` facts are derived from every
    message of the purchase.
    """

    account_id: int
    kind: CreditPurchaseKind
    amount: int
    currency: str
    created_at: datetime
    tax: int = 0
    taxes: Sequence[TaxLine] = ()
    bonus: int = 0
    description: str | None = None
    payment_method: PaymentMethod | None = None
    provider: str | None = None
    reference: str | None = None
    requires_action: bool = False
    succeeded_at: datetime | None = None
    failed_at: datetime | None = None
    failure_code: str | None = None
    failure_reason: str | None = None
    canceled: bool = False
    status_at: datetime | None = None
    is_complete: bool = False

    @property
    def known_at(self) -> datetime:
        return self.status_at or self.failed_at or self.created_at

    @property
    def failure(self) -> Failure:
        """The failure where the status is FAILED; else Nones."""
        if self.status != CreditPurchaseStatus.FAILED:
            return None, None, None
        return self.failed_at, self.failure_code, self.failure_reason

    @property
    def order(self) -> FactsOrder:
        return _facts_order(
            self.status, self.known_at, self.terms, self.failure, self.payment_method
        )

    @property
    def terms(self) -> tuple[int, int, int]:
        return self.amount, self.tax, self.bonus

    @property
    def status(self) -> CreditPurchaseStatus:
        """The status of an unsettled purchase by these facts alone."""
        if self.canceled:
            return CreditPurchaseStatus.CANCELED
        if self.failed_at:
            return CreditPurchaseStatus.FAILED
        if self.requires_action:
            return CreditPurchaseStatus.REQUIRES_ACTION
        return CreditPurchaseStatus.PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFacts:
    """Facts of a refund. `amount` is credit in nanos without its tax; a tax of None is the amount's
    share of the purchase's tax.

    `has_succeeded`: the refund succeeded once, whatever its status is now. `failed_at` is when it
    failed or was canceled, where that is known.
    """

    amount: int
    tax: int | None = None
    created_at: datetime
    status: RefundStatus = RefundStatus.SUCCEEDED
    has_succeeded: bool = False
    failed_at: datetime | None = None
    reason: str | None = None
    failure_reason: str | None = None
    provider: str | None = None
    reference: str | None = None
