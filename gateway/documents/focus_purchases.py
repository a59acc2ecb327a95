"""Credit purchases as FOCUS charges: what was bought or given, its tax, and what was taken back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from gateway.documents.export import PurchasesSubject
from gateway.documents.export_cells import Memo
from gateway.documents.export_lines import quoted
from gateway.documents.focus_terms import (
    COLUMNS,
    CREDIT,
    CREDIT_SERVICE,
    billing_month,
    seller_name,
    whole_second,
)
from gateway.ids import encode_global_id
from gateway.models import CreditPurchaseKind
from gateway.money import NANOS, format_nanos, minor_digits
from gateway.store.stream import Chunk, rows_in

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """Credit that came or, negative, went, with the tax on it; `what` says why it went."""

    at: datetime
    amount: int
    tax: int = 0
    bonus: int = 0
    invoice: str | None = None
    what: str | None = None


class PurchaseCharges:
    """Makes the cells of a chunk's charges, in the order of COLUMNS."""

    def __init__(self, subject: PurchasesSubject) -> None:
        account, seller = subject.account, seller_name(subject)
        self._account_id: int = account["account_id"]
        self._currency = subject.currency
        self._texts = Memo(quoted, "")
        self._places = max(2, minor_digits(subject.currency))
        self._free: _Charge = {
            **dict.fromkeys(_COSTS, self._text(0)),
            "ChargeCategory": "Credit",
        }
        self._always: _Charge = {
            "BillingAccountId": account["external_id"],
            "BillingAccountName": account["name"],
            "BillingCurrency": subject.currency,
            "ChargeFrequency": "One-Time",
            "InvoiceIssuerName": seller,
            "PricingCurrency": subject.currency,
            "ProviderName": seller,
            "PublisherName": seller,
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
            "BillingPeriodEnd": end,
            "BillingPeriodStart": start,
            "ChargeClass": "Correction" if move.what and start > bought_in else None,
            "ChargePeriodEnd": whole_second(second + timedelta(seconds=1)),
            "ChargePeriodStart": whole_second(second),
            "InvoiceId": move.invoice,
            "x_PurchaseId": encode_global_id("CreditPurchase", self._account_id, row["id"]),
        }

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


def _moves(row: Mapping[str, Any]) -> Iterator[_Move]:
    """Yield a settled purchase's credit, then what was taken back and given again."""
    yield _Move(
        at=row["settled_at"],
        amount=row["amount_nanos"],
        tax=row["tax_nanos"],
        bonus=row["bonus_nanos"],
        invoice=row["receipt_number"],
    )
    refunds = [each for each in row["refunds"] if each["settled_at"] is not None]
    for refund in refunds:
        yield _Move(
            at=refund["settled_at"],
            amount=-refund["amount_nanos"],
            tax=-refund["tax_nanos"],
            bonus=-refund["bonus_reversed_nanos"],
            invoice=refund["receipt_number"],
            what="refund",
        )
    # What no refund took of the bonus went with the dispute that was lost last.
    bonus = row["bonus_reversed_nanos"] - sum(each["bonus_reversed_nanos"] for each in refunds)
    yield from _disputed(row["disputes"], bonus)


def _disputed(disputes: Sequence[Mapping[str, Any]], bonus: int) -> Iterator[_Move]:
    last = None
    for dispute in disputes:
        at = dispute["withdrawn_at"]
        yield _Move(at=at, amount=-dispute["debited_nanos"], what="dispute")
        last = max(dispute["closed_at"] or at, at)
        yield _Move(at=last, amount=dispute["credited_nanos"], what="dispute won")
    if bonus and last:
        yield _Move(at=last, amount=0, bonus=-bonus, what="dispute")
