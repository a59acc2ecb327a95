"""Writes credit purchases as FOCUS charges: credit bought or granted, tax, and refunds."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from gateway.billing.purchases.credit_changes import ChangeReason, CreditChange, credit_changes_of
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
from gateway.money import NANOS, format_nanos, minor_digits
from gateway.store.engine.stream import Chunk
from gateway.store.exports import ExportedPurchase
from gateway.store.sellers import SellerFacts

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


_REASONS: Final = {
    ChangeReason.CREDIT: None,
    ChangeReason.REFUND: "refund",
    ChangeReason.REFUND_FAILED: "refund failed",
    ChangeReason.DISPUTE: "dispute",
    ChangeReason.DISPUTE_RETURNED: "dispute returned",
}
"""Suffixes of a charge's name for credit taken back or returned."""


class PurchaseCharges:
    """Makes the cells of a chunk's charges, in the order of COLUMNS."""

    def __init__(self, subject: PurchasesSubject) -> None:
        account = subject.account
        self._account_id = account["account_id"]
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

    def __call__(self, chunk: Chunk[ExportedPurchase]) -> Iterable[Iterable[str]]:
        for row in chunk.rows():
            if (settled_at := row["settled_at"]) is not None:
                for charge in self._charges(row, settled_at):
                    yield self._texts.of(map(charge.get, COLUMNS))

    def _charges(self, row: ExportedPurchase, settled_at: datetime) -> Iterator[_Charge]:
        bought = row["kind"] == CreditPurchaseKind.CARD
        for change in credit_changes_of(row, settled_at):
            common = self._common(row["id"], settled_at, change)
            if change.amount:
                sku = _BOUGHT if bought else _GIVEN[CreditPurchaseKind(row["kind"])]
                credit = self._credit(common, sku, change, change.amount)
                yield credit | (self._paid(change.amount) if bought else self._free)
            if change.tax:
                yield common | self._tax(change)
            if change.bonus:
                yield self._credit(common, _BONUS, change, change.bonus) | self._free

    def _common(self, purchase_id: int, settled_at: datetime, change: CreditChange) -> _Charge:
        start, end = billing_month(change.at.year, change.at.month)
        bought_in, _ = billing_month(settled_at.year, settled_at.month)
        is_correction = change.reason is not ChangeReason.CREDIT and start > bought_in
        second = change.at.replace(microsecond=0)
        return {
            **self._always,
            **self._seller(change),
            "BillingPeriodEnd": end,
            "BillingPeriodStart": start,
            "ChargeClass": "Correction" if is_correction else None,
            "ChargePeriodEnd": whole_second(second + timedelta(seconds=1)),
            "ChargePeriodStart": whole_second(second),
            "InvoiceId": change.document and change.document.number,
            "x_PurchaseId": encode_global_id("CreditPurchase", self._account_id, purchase_id),
        }

    def _seller(self, change: CreditChange) -> _Charge:
        # The invoice's own seller stays, even if the seller has changed since.
        return self._sold[change.document.seller_id] if change.document else self._sold_now

    def _credit(self, common: _Charge, sku: str, change: CreditChange, amount: int) -> _Charge:
        name = _NAMES[sku]
        return common | {
            "ChargeDescription": _described(name, change),
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

    def _tax(self, change: CreditChange) -> _Charge:
        tax, nothing = self._text(change.tax), self._text(0)
        return {
            "BilledCost": tax,
            "ChargeCategory": "Tax",
            "ChargeDescription": _described("Tax", change),
            "ContractedCost": tax,
            "EffectiveCost": nothing,
            "ListCost": tax,
            "PricingCurrencyEffectiveCost": nothing,
        }

    def _text(self, nanos: int) -> str:
        return format_nanos(nanos, self._places)


def _sold_by(details: SellerFacts) -> _Charge:
    return dict.fromkeys(_SELLERS, seller_name(details))


def _described(name: str, change: CreditChange) -> str:
    reason = _REASONS[change.reason]
    return f"{name}, {reason}" if reason else name
