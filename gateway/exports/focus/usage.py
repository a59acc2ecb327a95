"""Writes usage events as FOCUS charges: the cells of each column."""

from collections.abc import Iterable, Sequence
from itertools import repeat
from operator import eq
from typing import Final, NamedTuple, TypeAlias

from gateway.exports.cells import Memo, numbers
from gateway.exports.export import UsageSubject
from gateway.exports.focus.terms import (
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
from gateway.exports.lines import QUOTED, quoted
from gateway.models import Resource
from gateway.models.base import instant_from_microseconds
from gateway.money import format_nanos, minor_digits
from gateway.store.engine.stream import ColumnChunk

PLACES: Final = 2
"""Decimals of every number at least: what has none is an integer to tools that guess types."""

_Cells: TypeAlias = dict[str, Iterable[str]]
_Month: TypeAlias = tuple[int, int]
_Used: TypeAlias = tuple[str, str | None, str | None, bool]
"""Resource, SKU, GPU model, and whether it is a correction."""


class _Named(NamedTuple):
    """Cells of the used resource, which repeat from event to event."""

    service: str
    category: str
    subcategory: str
    meter: str
    sku: str
    description: str
    sku_id: str


class UsageCharges:
    """Makes the cells of a chunk's charges, in the order of COLUMNS."""

    def __init__(self, subject: UsageSubject) -> None:
        account, seller = subject.account, quoted(seller_name(subject.seller))
        places = max(PLACES, minor_digits(subject.currency))
        self._places = places
        self._units = Memo(focus_unit)
        self._seconds: Memo[int, str] = Memo(lambda at: whole_second(instant_from_microseconds(at)))
        self._ends: Memo[int, str] = Memo(lambda at: next_second(instant_from_microseconds(at)))
        self._dates = Memo(_year_and_month)
        self._texts: Memo[str, str] = Memo(lambda text: "" if text.isspace() else quoted(text), "")
        self._publishers: Memo[str, str] = Memo(lambda name: self._texts[name] or seller, seller)
        self._price_ids: Memo[tuple[str, str], str] = Memo(lambda facts: _price_id(*facts))
        self._named: Memo[_Used, _Named] = Memo(lambda facts: _named(*facts))
        self._months: Memo[tuple[int, int], tuple[str, str]] = Memo(
            lambda month: billing_month(*month)
        )
        self._constant = {
            "BilledCost": format_nanos(0, places),
            "BillingAccountId": quoted(account["external_id"]),
            "BillingAccountName": quoted(account["name"]),
            "BillingCurrency": subject.currency,
            "ChargeCategory": "Usage",
            "ChargeFrequency": "Usage-Based",
            "InvoiceIssuerName": seller,
            "PricingCategory": "Standard",
            "PricingCurrency": CREDIT,
            "ProviderName": seller,
        }

    def __call__(self, chunk: ColumnChunk) -> Iterable[Iterable[str]]:
        facts = ("resource", "sku", "gpu_model", "correction")
        named = self._named.of(chunk.zip(*facts))
        cells = {
            **self._money(chunk, named),
            **self._times(chunk),
            **self._things(chunk, named),
            **self._own(chunk),
        }
        size = len(named)
        return zip(
            *(cells.get(name) or repeat(self._constant.get(name, ""), size) for name in COLUMNS),
            strict=True,
        )

    def _money(self, chunk: ColumnChunk, named: Sequence[_Named]) -> _Cells:
        amounts = numbers(chunk.column("amount_nanos"), self._places)
        consumed = numbers(chunk.column("quantity_nanos"), PLACES)
        units = self._units.of(chunk.column("unit"))
        prices, quantities, priced = _prices(chunk, amounts, consumed, units)
        return {
            **dict.fromkeys(_COSTS, amounts),
            **dict.fromkeys(_PRICES, prices),
            "ConsumedQuantity": consumed,
            "ConsumedUnit": self._texts.of(units),
            "PricingQuantity": quantities,
            "PricingUnit": self._texts.of(priced),
            "SkuPriceId": self._price_ids.of(
                (each.sku_id, unit) for each, unit in zip(named, priced, strict=True)
            ),
        }

    def _times(self, chunk: ColumnChunk) -> _Cells:
        starts = self._dates.of(chunk.column("started_at"))
        classes = [""] * len(starts)
        for index, correction in enumerate(chunk.column("correction")):
            if correction:
                received = self._dates[chunk.column("received_at")[index]]
                if received > starts[index]:
                    starts[index], classes[index] = received, "Correction"
        months = self._months.of(starts)
        return {
            "BillingPeriodStart": [first for first, _ in months],
            "BillingPeriodEnd": [end for _, end in months],
            "ChargeClass": classes,
            "ChargePeriodStart": self._seconds.of(chunk.column("started_at")),
            "ChargePeriodEnd": self._ends.of(
                _ends_after(chunk.column("started_at"), chunk.column("ended_at"))
            ),
        }

    def _things(self, chunk: ColumnChunk, named: Sequence[_Named]) -> _Cells:
        ids = self._texts.of(chunk.column("deployment_external_id"))
        names = self._texts.of(chunk.column("deployment_name"))
        regions = self._texts.of(chunk.column("region"))
        return {
            "ChargeDescription": [each.description for each in named],
            "PublisherName": self._publishers.of(chunk.column("provider")),
            "RegionId": regions,
            "RegionName": regions,
            "ResourceId": ids,
            "ResourceName": [
                "" if name == id_ else name for id_, name in zip(ids, names, strict=True)
            ],
            "ResourceType": ["Deployment" if each else "" for each in ids],
            "ServiceCategory": [each.category for each in named],
            "ServiceName": [each.service for each in named],
            "ServiceSubcategory": [each.subcategory for each in named],
            "SkuId": [each.sku for each in named],
            "SkuMeter": [each.meter for each in named],
        }

    def _own(self, chunk: ColumnChunk) -> _Cells:
        columns = {
            "x_ComputeProvider": "provider",
            "x_EventSource": "source",
            "x_GpuModel": "gpu_model",
            "x_Project": "project",
            "x_Resource": "resource",
            "x_Service": "service",
            "x_Unit": "unit",
        }
        return {
            **{ours: self._texts.of(chunk.column(name)) for ours, name in columns.items()},
            "x_Correction": ["true" if each else "" for each in chunk.column("correction")],
            "x_EventId": _distinct(chunk.column("event_id")),
        }


_COSTS: Final = ("EffectiveCost", "ListCost", "ContractedCost", "PricingCurrencyEffectiveCost")
_PRICES: Final = (
    "ListUnitPrice",
    "ContractedUnitPrice",
    "PricingCurrencyListUnitPrice",
    "PricingCurrencyContractedUnitPrice",
)


def _year_and_month(microseconds: int) -> _Month:
    instant = instant_from_microseconds(microseconds)
    return instant.year, instant.month


def _ends_after(starts: Sequence[int], ends: Sequence[int]) -> Sequence[int]:
    """Return the ends of periods, exclusive: also one of no length ends after its start."""
    if not any(map(eq, starts, ends)):
        return ends
    return [max(end, start + 1) for start, end in zip(starts, ends, strict=True)]


def _prices(
    chunk: ColumnChunk, amounts: list[str], consumed: list[str], units: list[str]
) -> tuple[list[str], list[str], list[str]]:
    """Return unit prices, priced quantities and their units: what was consumed or, where that has
    no price, the credit itself.
    """
    pairs = zip(chunk.column("amount_nanos"), chunk.column("quantity_nanos"), strict=True)
    found = [unit_price(amount, quantity) for amount, quantity in pairs]
    if None not in found:
        return [price or "" for price in found], consumed, units
    quantities, priced = consumed.copy(), units.copy()
    for index, price in enumerate(found):
        if price is None:
            quantities[index], priced[index] = amounts[index], CREDIT
    return [price or "1.00" for price in found], quantities, priced


def _named(resource: str, sku: str | None, gpu_model: str | None, correction: bool) -> _Named:
    service = SERVICES[Resource(resource)]
    model = gpu_model if resource == Resource.GPU else None
    given = sku if sku and not sku.isspace() else None
    sku_id = given or "-".join(part for part in (resource.lower(), (model or "").strip()) if part)
    what = "Credit consumption, correction" if correction else "Credit consumption"
    return _Named(
        service=service.name,
        category=service.category,
        subcategory=service.subcategory,
        meter=service.meter,
        sku=quoted(sku_id),
        description=quoted(f"{what} - {sku_id}"),
        sku_id=sku_id,
    )


def _price_id(sku_id: str, unit: str) -> str:
    # The unit's part has no slash, so that an id has one SKU whatever the two are called.
    return quoted(f"{sku_id}/{unit.replace('/', ' per ')}")


def _distinct(texts: Sequence[str]) -> Sequence[str]:
    """Return the cells of mostly distinct texts."""
    whole = "".join(texts)
    return [*map(quoted, texts)] if QUOTED.search(whole) else texts
