"""Terms of FOCUS 1.2: columns, and the names of resources, units, months and prices."""

from datetime import datetime, timedelta
from itertools import chain
from typing import Final, NamedTuple

from gateway.models import Resource
from gateway.money import divide_half_even
from gateway.store.sellers import SellerFacts

COLUMNS: Final = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "x_ComputeProvider",
    "x_Correction",
    "x_EventId",
    "x_EventSource",
    "x_GpuModel",
    "x_Project",
    "x_PurchaseId",
    "x_Resource",
    "x_Service",
    "x_Unit",
)
"""The header: FOCUS's columns, then ours, which `gateway import-focus` reads back."""

CREDIT: Final = "Credit"
"""The virtual currency and its unit: one credit pays one unit of the account's currency."""

UNNAMED_SELLER: Final = "Cloud operator"

PRICE_PLACES: Final = 39
"""Decimals that are enough for a unit price of any amount of 64 bits and quantity of 38 digits."""


class FocusService(NamedTuple):
    """A service of the catalogue. FOCUS allows one category and subcategory for each name."""

    name: str
    category: str
    subcategory: str
    meter: str


SERVICES: Final = {
    Resource.CPU: FocusService("CPU compute", "Compute", "Containers", "CPU"),
    Resource.MEMORY: FocusService("Compute memory", "Compute", "Containers", "Memory"),
    Resource.GPU: FocusService("GPU compute", "Compute", "Containers", "GPU"),
    Resource.STORAGE: FocusService("Deployment storage", "Storage", "Block Storage", "Storage"),
    Resource.NETWORK: FocusService(
        "Network traffic", "Networking", "Network Connectivity", "Network traffic"
    ),
    Resource.IP: FocusService("IP addresses", "Networking", "Network Infrastructure", "IP address"),
    Resource.OTHER: FocusService("Other services", "Other", "Other (Other)", "Other"),
}
CREDIT_SERVICE: Final = FocusService("Prepaid credit", "Other", "Other (Other)", CREDIT)

_TIMES: Final = {
    spelling: f"{time}s"
    for time in ("Year", "Month", "Day", "Hour", "Minute", "Second")
    for spelling in (time.lower(), f"{time.lower()}s")
}
_NAMES: Final = {
    **{name.lower(): name for name in ("CPU", "GPU", "IP", "vCPU")},
    **{
        size.lower(): size
        for size in chain("B", *((f"{prefix}B", f"{prefix}iB") for prefix in "KMGTPE"))
    },
}


def focus_unit(unit: str) -> str:
    """Return a unit as FOCUS's UnitFormat has it (`gib-hour` is `GiB-Hours`); what it has no form
    for stays as it is.
    """
    bare = unit.strip()
    if not bare:
        return "Unit"
    for separator in ("-", "/"):
        thing, found, time = bare.rpartition(separator)
        plural = _TIMES.get(time.lower())
        if found and thing and plural:
            return f"{_name(thing)}{separator}{plural if separator == '-' else plural[:-1]}"
    return _TIMES.get(bare.lower(), _name(bare))


def _name(thing: str) -> str:
    # `Gb` is a gigabit as it stands; only other spellings are mended.
    exact = len(thing) > 1 and thing[-1] == "b" and thing[0].isupper()
    return thing if exact else _NAMES.get(thing.lower(), thing)


def billing_month(year: int, month: int) -> tuple[str, str]:
    """Return the first moment of a calendar month in UTC, and that of the next one."""
    later = (year + month // 12, month % 12 + 1)
    return _month(year, month), _month(*later)


def _month(year: int, month: int) -> str:
    return f"{year:04}-{month:02}-01T00:00:00Z"


def whole_second(instant: datetime) -> str:
    """Return the second that an instant lies in, as FOCUS's DateTimeFormat writes it."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def next_second(instant: datetime) -> str:
    """Return the first whole second that is not before an instant."""
    return whole_second(instant + timedelta(seconds=1, microseconds=-1))


def unit_price(amount: int, quantity: int) -> str | None:
    """Return the price for which `quantity`, rounded half-even to the nano, costs `amount`.

    The price has the fewest sufficient decimals, at least nine; None if no price of 0 or more fits.
    """
    if amount == 0:
        return "0.00"
    if quantity == 0 or (amount < 0) != (quantity < 0):
        return None
    amount, quantity = abs(amount), abs(quantity)
    for places in range(9, PRICE_PLACES):
        price = divide_half_even(amount * 10**places, quantity)
        if divide_half_even(price * quantity, 10**places) == amount:
            return _decimal(price, places)
    return _decimal(divide_half_even(amount * 10**PRICE_PLACES, quantity), PRICE_PLACES)


def _decimal(number: int, places: int) -> str:
    digits = str(number).zfill(places + 1)
    fraction = digits[-places:].rstrip("0").ljust(2, "0")
    return f"{digits[:-places]}.{fraction}"


def seller_name(details: SellerFacts) -> str:
    """Return the seller's name of these details; FOCUS requires a name even if none is stored
    yet.
    """
    return details.get("name") or UNNAMED_SELLER
