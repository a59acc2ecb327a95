"""Usage events as FOCUS charges: what each column of the header says of a chunk."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from gateway.documents.export import UsageSubject
from gateway.documents.export_cells import Memo
from gateway.documents.focus_terms import (
    COLUMNS,
    CREDIT,
    SERVICES,
    billing_month,
    focus_unit,
    next_second,
    seller_name,
    unit_price,
    whole_second,
)
from gateway.models import Resource
from gateway.money import format_nanos, minor_digits
from gateway.store.stream import Chunk

PLACES: Final = 2
"""Decimals of every number at least: what has none is an integer to tools that guess types."""


class _Pricing(NamedTuple):
    quantity: str
    unit: str
    price: str


class _Named(NamedTuple):
    """What the facts that rarely change from one event to the next are called."""

    service: str
    category: str
    subcategory: str
    meter: str
    sku: str
    description: str


class UsageCharges:
    """Makes the cells of a chunk's charges, in the order of COLUMNS."""

    def __init__(self, subject: UsageSubject) -> None:
        account = subject.account
        self._seller = seller_name(subject)
        places = max(PLACES, minor_digits(subject.currency))
        self._amounts = Memo(lambda nanos: format_nanos(nanos, places))
        self._quantities = Memo(lambda nanos: format_nanos(nanos, PLACES))
        self._units = Memo(focus_unit)
        self._seconds, self._ends = Memo(whole_second), Memo(next_second)
        self._named = Memo(lambda facts: _named(*facts))
        self._pricings = Memo(lambda facts: self._price(*facts))
        self._months = Memo(lambda month: billing_month(*month))
        self._constant = {
            "BilledCost": self._amounts[0],
            "BillingAccountId": account["external_id"],
            "BillingAccountName": account["name"],
            "BillingCurrency": subject.currency,
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "InvoiceIssuerName": self._seller,
            "PricingCategory": "Standard",
            "PricingCurrency": CREDIT,
            "ProviderName": self._seller,
        }

    def __call__(self, chunk: Chunk) -> Iterable[Iterable[Any]]:
        size = len(chunk["amount_nanos"])
        cells = {
            **self._money(chunk),
            **self._times(chunk),
            **self._things(chunk),
            **_own(chunk),
        }
        return zip(
            *(cells.get(name) or repeat(self._constant.get(name), size) for name in COLUMNS),
            strict=True,
        )

    def _money(self, chunk: Chunk) -> dict[str, Sequence[Any]]:
        amounts = self._amounts.of(chunk["amount_nanos"])
        facts = zip(chunk["amount_nanos"], chunk["quantity_nanos"], chunk["unit"], strict=True)
        pricings = self._pricings.of(facts)
        prices = [pricing.price for pricing in pricings]
        costs = ("EffectiveCost", "ListCost", "ContractedCost", "PricingCurrencyEffectiveCost")
        units = (
            "ListUnitPrice",
            "ContractedUnitPrice",
            "PricingCurrencyListUnitPrice",
            "PricingCurrencyContractedUnitPrice",
        )
        return {
            **dict.fromkeys(costs, amounts),
            **dict.fromkeys(units, prices),
            "PricingQuantity": [pricing.quantity for pricing in pricings],
            "PricingUnit": [pricing.unit for pricing in pricings],
            "ConsumedQuantity": self._quantities.of(chunk["quantity_nanos"]),
            "ConsumedUnit": self._units.of(chunk["unit"]),
            "SkuPriceId": [
                f"{named.sku}/{pricing.unit.replace('/', ' per ')}"
                for named, pricing in zip(self._names(chunk), pricings, strict=True)
            ],
        }

    def _price(self, amount: int, quantity: int, unit: str) -> _Pricing:
        price = unit_price(amount, quantity)
        if price is None:
            return _Pricing(self._amounts[amount], CREDIT, "1.00")
        return _Pricing(self._quantities[quantity], self._units[unit], price)

    def _times(self, chunk: Chunk) -> dict[str, Sequence[Any]]:
        starts = [(start.year, start.month) for start in chunk["started_at"]]
        classes: list[str | None] = [None] * len(starts)
        for index, correction in enumerate(chunk["correction"]):
            if correction:
                received = chunk["received_at"][index]
                if (received.year, received.month) > starts[index]:
                    starts[index], classes[index] = (received.year, received.month), "Correction"
        months = self._months.of(starts)
        return {
            "BillingPeriodStart": [first for first, _ in months],
            "BillingPeriodEnd": [end for _, end in months],
            "ChargeClass": classes,
            "ChargePeriodStart": self._seconds.of(chunk["started_at"]),
            "ChargePeriodEnd": self._ends.of(chunk["ended_at"]),
        }

    def _names(self, chunk: Chunk) -> list[_Named]:
        facts = zip(
            *(chunk[name] for name in ("resource", "sku", "gpu_model", "correction")), strict=True
        )
        return self._named.of(facts)

    def _things(self, chunk: Chunk) -> dict[str, Sequence[Any]]:
        named = self._names(chunk)
        ids, names = chunk["deployment_external_id"], chunk["deployment_name"]
        regions = [*map(_text, chunk["region"])]
        return {
            "ChargeDescription": [each.description for each in named],
            "PublisherName": [_text(each) or self._seller for each in chunk["provider"]],
            "RegionId": regions,
            "RegionName": regions,
            "ResourceId": ids,
            "ResourceName": [
                None if name == id_ else _text(name) for id_, name in zip(ids, names, strict=True)
            ],
            "ResourceType": [None if each is None else "Deployment" for each in ids],
            "ServiceCategory": [each.category for each in named],
            "ServiceName": [each.service for each in named],
            "ServiceSubcategory": [each.subcategory for each in named],
            "SkuId": [each.sku for each in named],
            "SkuMeter": [each.meter for each in named],
        }


def _own(chunk: Chunk) -> dict[str, Sequence[Any]]:
    return {
        "x_ComputeProvider": chunk["provider"],
        "x_Correction": ["true" if each else None for each in chunk["correction"]],
        "x_EventId": chunk["event_id"],
        "x_EventSource": chunk["source"],
        "x_GpuModel": chunk["gpu_model"],
        "x_Resource": chunk["resource"],
        "x_Service": chunk["service"],
        "x_Unit": chunk["unit"],
    }


def _named(resource: str, sku: str | None, gpu_model: str | None, correction: bool) -> _Named:
    service = SERVICES[Resource(resource)]
    model = gpu_model if resource == Resource.GPU else None
    sku_id = _text(sku) or "-".join(part for part in (resource.lower(), _text(model)) if part)
    what = "Credit consumption, correction" if correction else "Credit consumption"
    return _Named(
        service=service.name,
        category=service.category,
        subcategory=service.subcategory,
        meter=service.meter,
        sku=sku_id,
        description=f"{what} - {sku_id}",
    )


def _text(text: str | None) -> str | None:
    """Return a text that says something, or None."""
    return text if text and not text.isspace() else None
