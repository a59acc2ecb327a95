"""Credit purchases as FOCUS charges: what was bought or given, its tax, and what was taken back."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import orjson

from gateway.billing.purchases.holds import Holds, Moves, Terms
from gateway.exports.cells import Memo
from gateway.exports.export import PurchasesSubject
from gateway.exports.focus.terms import (
    COLUMNS,
    CREDIT,
    CREDIT_SERVICE,
    billing_month,
    seller_name,
    whole_second,
)
from gateway.exports.lines import quoted
from gateway.ids import encode_global_id
from gateway.models import CreditPurchaseKind
from gateway.money import NANOS, format_nanos, minor_digits, parse_exact_nanos, pro_rata
from gateway.store.engine.stream import Chunk, rows_in

_Charge: TypeAlias = dict[str, str | None]

_BOUGHT: Final = "prepaid-credit"
_BONUS: Final = "bonus-credit"
_GIVEN: Final = {
    CreditPurchaseKind.COUPON: "coupon-credit",
    CreditPurchaseKind.MANUAL_CREDIT: "manual-credit",
    CreditPurchaseKind.TRIAL_GRANT: "trial-credit",
}
_NAMES: Final = {
    sku: sku.replace("-", " ").capitalize() for sku in (_BOUGHT, _BONUS, *_GIVEN.values())
}
_COSTS: Final = (
    "BilledCost",
    "ContractedCost",
    "EffectiveCost",
    "ListCost",
    "PricingCurrencyEffectiveCost",
)
_SELLERS: Final = ("InvoiceIssuerName", "ProviderName", "PublisherName")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """Credit that came or, negative, went, with the tax on it; `what` says why it went.

    `seller_id` is the version of the seller's details that `invoice` names, if any.
    """

    at: datetime
    amount: int
    tax: int = 0
    bonus: int = 0
    invoice: str | None = None
    seller_id: int | None = None
    what: str | None = None


class PurchaseCharges:
    """Makes the cells of a chunk's charges, in the order of COLUMNS."""

    def __init__(self, subject: PurchasesSubject) -> None:
        account = subject.account
        self._account_id: int = account["account_id"]
        self._currency = subject.currency
        self._texts = Memo(quoted, "")
        self._places = max(2, minor_digits(subject.currency))
        self._sold_now = _sold_by(subject.seller)
        self._sold: dict[int | None, _Charge] = {
            None: _sold_by({}),
            **{id_: _sold_by(details) for id_, details in subject.sellers.items()},
        }
        self._free: _Charge = {
            **dict.fromkeys(_COSTS, self._text(0)),
            "ChargeCategory": "Credit",
        }
        self._always: _Charge = {
            "BillingAccountId": account["external_id"],
            "BillingAccountName": account["name"],
            "BillingCurrency": subject.currency,
            "ChargeFrequency": "One-Time",
            "PricingCurrency": subject.currency,
            "ServiceCategory": CREDIT_SERVICE.category,
            "ServiceName": CREDIT_SERVICE.name,
            "ServiceSubcategory": CREDIT_SERVICE.subcategory,
        }

    def __call__(self, chunk: Chunk) -> Iterable[Iterable[str]]:
        for row in rows_in(chunk):
            if row["settled_at"] is not None:
                for charge in self._charges(row):
                    yield self._texts.of(map(charge.get, COLUMNS))

    def _charges(self, row: Mapping[str, Any]) -> Iterator[_Charge]:
        bought = row["kind"] == CreditPurchaseKind.CARD
        for move in _moves(row):
            common = self._common(row, move)
            if move.amount:
                sku = _BOUGHT if bought else _GIVEN[row["kind"]]
                credit = self._credit(common, sku, move, move.amount)
                yield credit | (self._paid(move.amount) if bought else self._free)
            if move.tax:
                yield common | self._tax(move)
            if move.bonus:
                yield self._credit(common, _BONUS, move, move.bonus) | self._free

    def _common(self, row: Mapping[str, Any], move: _Move) -> _Charge:
        start, end = billing_month(move.at.year, move.at.month)
        bought_in, _ = billing_month(row["settled_at"].year, row["settled_at"].month)
        second = move.at.replace(microsecond=0)
        return {
            **self._always,
            **self._seller(move),
            "BillingPeriodEnd": end,
            "BillingPeriodStart": start,
            "ChargeClass": "Correction" if move.what and start > bought_in else None,
            "ChargePeriodEnd": whole_second(second + timedelta(seconds=1)),
            "ChargePeriodStart": whole_second(second),
            "InvoiceId": move.invoice,
            "x_PurchaseId": encode_global_id("CreditPurchase", self._account_id, row["id"]),
        }

    def _seller(self, move: _Move) -> _Charge:
        # What is on an invoice was sold by whom that names, whoever sells today.
        return self._sold[move.seller_id] if move.invoice else self._sold_now

    def _credit(self, common: _Charge, sku: str, move: _Move, amount: int) -> _Charge:
        name = _NAMES[sku]
        return common | {
            "ChargeDescription": f"{name}, {move.what}" if move.what else name,
            "PricingCategory": "Standard",
            "PricingQuantity": self._text(amount),
            "PricingUnit": CREDIT,
            "ResourceId": common["x_PurchaseId"],
            "ResourceName": name,
            "ResourceType": "Credit Allocation",
            "SkuId": sku,
            "SkuMeter": CREDIT_SERVICE.meter,
            "SkuPriceId": f"{sku}/{CREDIT}",
        }

    def _paid(self, amount: int) -> _Charge:
        cost, one, nothing = self._text(amount), self._text(NANOS), self._text(0)
        return {
            "BilledCost": cost,
            "ChargeCategory": "Purchase",
            "ContractedCost": cost,
            "ContractedUnitPrice": one,
            "EffectiveCost": nothing,
            "ListCost": cost,
            "ListUnitPrice": one,
            "PricingCurrencyContractedUnitPrice": one,
            "PricingCurrencyEffectiveCost": nothing,
            "PricingCurrencyListUnitPrice": one,
        }

    def _tax(self, move: _Move) -> _Charge:
        tax, nothing = self._text(move.tax), self._text(0)
        return {
            "BilledCost": tax,
            "ChargeCategory": "Tax",
            "ChargeDescription": f"Tax, {move.what}" if move.what else "Tax",
            "ContractedCost": tax,
            "EffectiveCost": nothing,
            "ListCost": tax,
            "PricingCurrencyEffectiveCost": nothing,
        }

    def _text(self, nanos: int) -> str:
        return format_nanos(nanos, self._places)


def _sold_by(details: Mapping[str, Any]) -> _Charge:
    return dict.fromkeys(_SELLERS, seller_name(details))


def _moves(row: Mapping[str, Any]) -> Iterator[_Move]:
    """Yield a settled purchase's credit, then what was taken back and given again."""
    yield _Move(
        at=row["settled_at"],
        amount=row["amount_nanos"],
        tax=row["tax_nanos"],
        bonus=row["bonus_nanos"],
        invoice=row["receipt_number"],
        seller_id=row["receipt_seller_id"],
    )
    yield from _refunded(row["refunds"])
    if row["disputes"]:
        yield from _disputed(row)


def _refunded(refunds: Sequence[Mapping[str, Any]]) -> Iterator[_Move]:
    """Yield what each credit note says, and what cancels it where its refund failed.

    The bonus need not be on the note of the refund that it went with, nor on what cancels that: it
    is compared in sum.
    """
    bonus, instants = 0, []
    for refund in refunds:
        moves = [*_documented(refund)] or [_Move(at=refund["created_at"], **_held(refund))]
        yield from moves
        bonus += _held(refund)["bonus"] - sum(each.bonus for each in moves)
        instants += [each.at for each in moves]
    if bonus:
        what = "refund failed" if bonus > 0 else "refund"
        yield _Move(at=max(instants), amount=0, bonus=bonus, what=what)


def _held(refund: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the books have of a refund now."""
    names = {"amount": "amount_nanos", "tax": "tax_nanos", "bonus": "bonus_reversed_nanos"}
    holds = refund["settled_at"] is not None
    taken = {name: -refund[column] if holds else 0 for name, column in names.items()}
    return {**taken, "what": "refund"}


def _documented(refund: Mapping[str, Any]) -> Iterator[_Move]:
    """Yield what a refund's documents say, from the data that they are printed from."""
    for document, what in (("receipt", "refund"), ("cancellation", "refund failed")):
        if refund[f"{document}_number"]:
            data = orjson.loads(refund[f"{document}_data"])
            bonus = [line["amount"] for line in data["lines"] if line["kind"] == "bonus"]
            yield _Move(
                at=refund[f"{document}_issued_at"],
                amount=parse_exact_nanos(data["net"]),
                tax=parse_exact_nanos(data["tax"]),
                bonus=sum(map(parse_exact_nanos, bonus)),
                invoice=refund[f"{document}_number"],
                seller_id=refund[f"{document}_seller_id"],
                what=what,
            )


def _disputed(row: Mapping[str, Any]) -> Iterator[_Move]:
    """Yield what disputes took and gave back, oldest first, with what that changes of the tax."""
    refunds = [each for each in row["refunds"] if each["settled_at"] is not None]
    terms = Terms(row["amount_nanos"], row["tax_nanos"], row["currency"])
    holds, tax_with = Holds(terms, [*map(_moves_of, row["disputes"])]), _tax_beside_refunds(row)
    unrefunded, gone_at = row["amount_nanos"], None
    for at in sorted(holds.instants.union(each["created_at"] for each in refunds)):
        unrefunded -= sum(each["amount_nanos"] for each in refunds if each["created_at"] == at)
        before = holds.total
        taken = sum(holds.change(at, unrefunded).values())
        tax = tax_with(before) - tax_with(holds.total)
        what = "dispute" if taken > 0 else "dispute returned"
        yield _Move(at=at, amount=-taken, tax=tax, what=what)
        gone_at = None if holds.total < unrefunded else gone_at or at
    # What no refund took of the bonus went with the dispute that took the last of the money.
    by_refunds = sum(each["bonus_reversed_nanos"] for each in row["refunds"])
    if gone_at is not None:
        bonus = by_refunds - row["bonus_reversed_nanos"]
        yield _Move(at=gone_at, amount=0, bonus=bonus, what="dispute")


def _moves_of(dispute: Mapping[str, Any]) -> Moves:
    name = (dispute["provider"] or "", dispute["provider_reference"] or "", dispute["id"])
    moves = [(each["moved_at"], each["amount_nanos"]) for each in dispute["movements"]]
    return Moves(dispute["id"], dispute["created_at"], name, moves)


def _tax_beside_refunds(row: Mapping[str, Any]) -> Callable[[int], int]:
    """Return what gives the tax that went with so much of a purchase beside its refunds' own.

    Refunds keep the tax of their credit notes, so disputes share what those left: of what is gone
    whole, the tax is gone whole.
    """
    refunds = [each for each in row["refunds"] if each["settled_at"] is not None]
    amount = row["amount_nanos"] - sum(each["amount_nanos"] for each in refunds)
    tax = row["tax_nanos"] - sum(each["tax_nanos"] for each in refunds)
    if not amount:
        # Disputes hold nothing now; what they held before the refunds came had its plain share.
        amount, tax = row["amount_nanos"], row["tax_nanos"]
    return lambda taken: pro_rata(taken, amount, tax)
