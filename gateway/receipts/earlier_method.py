"""How receipts of earlier versions print what something was paid with: they did not freeze it."""

from typing import Final

_DOTS: Final = "••••"
_BRANDS: Final = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "unionpay": "UnionPay",
}


def earlier_method(brand: str | None, last4: str | None, label: str | None) -> str:
    """Return a card's brand and last digits, a wallet's name; empty where nothing is known.

    Receipts keep their bytes: names that are wrong here stay so.
    """
    brand = _BRANDS.get(brand, brand.capitalize()) if brand else None
    digits = f"{_DOTS} {last4}" if last4 else None
    card = " ".join(part for part in (brand, digits) if part)
    if label and brand:
        return f"{label} ({card})"
    return " ".join(part for part in (label, card) if part)
