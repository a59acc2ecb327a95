"""Stripe's minor units, which are not everywhere ISO 4217's."""

from typing import Final

from gateway.billing.purchases.purchase_state import PurchaseState
from gateway.errors import BadUserInput
from gateway.money import from_minor_units, minor_digits
from gateway.providers.stripe.texts import Json

_NONE: Final = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "JPY",
        "KMF",
        "KRW",
        "MGA",
        "PYG",
        "RWF",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE: Final = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def digits_of(currency: str) -> int:
    """Return the decimals of Stripe's smallest unit of an ISO 4217 currency.

    Everything that is in neither list has two: also ISK and UGX, which have no minor unit but are
    sent in hundredths, and HUF and TWD, which are whole in payouts alone.
    """
    minor_digits(currency, argument="currency")
    if currency in _NONE:
        return 0
    return 3 if currency in _THREE else 2


def currency_of(code: object) -> str:
    """Return a currency as ISO 4217 writes it; raises BadUserInput for anything else."""
    currency = code.upper() if isinstance(code, str) else ""
    minor_digits(currency, argument="currency")
    return currency


def nanos_of(amount: object, currency: str) -> int:
    """Return the nanos of an amount as Stripe sends it; raises BadUserInput for no integer."""
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise BadUserInput(
            "An amount must be an integer in the currency's smallest unit.", argument="amount"
        )
    return from_minor_units(amount, digits_of(currency), argument="amount")


def minor_unit(purchase: PurchaseState) -> int:
    """Return the nanos of the smallest unit that a purchase's currency has by ISO 4217."""
    return from_minor_units(1, minor_digits(purchase.currency))


def total_of(purchase: PurchaseState) -> int:
    """Return a purchase's money: its credit and its tax."""
    return purchase.amount_nanos + purchase.tax_nanos


def money_of(subject: Json, purchase: PurchaseState) -> int:
    """Return an object's amount; raises BadUserInput for another currency than the purchase's."""
    currency = currency_of(subject.get("currency"))
    if currency != purchase.currency:
        raise BadUserInput(f"The payment's currency is {purchase.currency}.", argument="currency")
    return nanos_of(subject.get("amount"), currency)
