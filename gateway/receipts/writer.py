"""The common parts of receipts and statements: texts and figures for people, the two parties, and
the head and the foot of a page.

Made of frozen data alone, so that the same document always says the same. Amounts keep every digit
that they have: what is printed adds up.
"""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Final, NotRequired, TypedDict

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_name, get_currency_symbol

from gateway.money import minor_digits
from gateway.receipts.glyphs import is_right_to_left
from gateway.store.buyers import Buyer
from gateway.store.sellers import SellerFacts
from gateway.store.taxes import PrintedTax
from gateway.windows import zone

LOCALE: Final = "en"


class Text(TypedDict):
    """A text, and whether it is written from right to left."""

    text: str
    rtl: bool


class Fact(TypedDict):
    name: str
    value: Text


class Sum(TypedDict):
    name: str
    amount: str
    strong: bool


class Party(TypedDict):
    """The seller or the buyer."""

    name: Text
    details: list[Text]


View = TypedDict(
    "View",
    {
        "title": str,
        "state": str,
        "number": str,
        "summary": str,
        "facts": list[Fact],
        "seller": Party,
        "buyer": Party,
        "footer": list[Text],
        "small-print": str,
        "accent": str,
        "han": str,
        "fonts": NotRequired[list[str]],
        "logo": NotRequired[str | None],
    },
)
"""The data that the template of every document prints."""

_KANA: Final = re.compile("[\u3040-\u30ff]")
_HANGUL: Final = re.compile("[\uac00-\ud7af]")
_HAN_BY_ZONE: Final = {
    "Asia/Tokyo": "JP",
    "Asia/Seoul": "KR",
    "Asia/Taipei": "TC",
    "Asia/Hong_Kong": "HK",
    "Asia/Macau": "HK",
}


def display_amount(amount: str, currency: str) -> str:
    """Return a decimal string with its currency's symbol, with the digits of ISO 4217 or, where it
    has more, all of them.
    """
    symbol = get_currency_symbol(currency, LOCALE)
    gap = "\N{NO-BREAK SPACE}" if symbol[-1].isalpha() else ""
    digits = minor_digits(currency)
    places = f".{'0' * digits}{'#' * (9 - digits)}" if digits else ".#########"
    text = format_currency(
        Decimal(amount), currency, f"¤{gap}#,##0{places}", LOCALE, currency_digits=False
    )
    return text.replace("-", "\N{MINUS SIGN}")


class Writer:
    """Writes a document's texts. Every text from outside passes `printable`."""

    def __init__(
        self,
        *,
        currency: str,
        time_zone: str,
        buyer: Buyer,
        seller: SellerFacts,
        printable: Callable[[str], str],
    ) -> None:
        self._currency = currency
        self._zone = zone(time_zone)
        self._buyer = buyer
        self._billing = buyer.get("billing")
        self._buyer_name = (self._billing and self._billing["name"]) or buyer["name"]
        self._seller = seller
        self._printable = printable

    def page(
        self, *, title: str, state: str, number: str, summary: str, facts: list[tuple[str, str]]
    ) -> View:
        """Return the common data of documents; facts are names and texts."""
        return {
            "title": title,
            "state": state,
            "number": number,
            "summary": summary,
            "facts": [{"name": name, "value": self.text(value)} for name, value in facts],
            "seller": self._seller_view(),
            "buyer": self._buyer_view(),
            "footer": self.texts(self._seller.get("name"), self._seller.get("taxId")),
            "small-print": self._small_print(),
            "accent": self._seller.get("accent", "#3b5bdb"),
            "han": self._han(),
        }

    def _seller_view(self) -> Party:
        lines = (
            *self._seller.get("address", ()),
            self._seller.get("taxId"),
            self._seller.get("email"),
        )
        return {"name": self.text(self._seller.get("name") or ""), "details": self.texts(*lines)}

    def _buyer_view(self) -> Party:
        billing = self._billing
        lines = (*billing["address"], billing["taxId"]) if billing else ()
        return {
            "name": self.text(self._buyer_name),
            "details": self.texts(*lines, f"Customer {self._buyer['externalId']}"),
        }

    def _small_print(self) -> str:
        currency = get_currency_name(self._currency, locale=LOCALE)
        return (
            f"Amounts are in {self._currency} ({currency}). Dates are those of the time zone "
            f"{self._zone.key}."
        )

    def _han(self) -> str:
        """Return the region that decides the forms of Chinese characters, as far as the account
        implies one.
        """
        name = self._buyer_name
        if _KANA.search(name):
            return "JP"
        if _HANGUL.search(name):
            return "KR"
        return _HAN_BY_ZONE.get(self._zone.key, "SC")

    def money(self, amount: str) -> str:
        return display_amount(amount, self._currency)

    def day(self, instant: str) -> str:
        day = datetime.fromisoformat(instant).astimezone(self._zone)
        return format_date(day.date(), "d MMMM y", LOCALE)

    def tax_name(self, tax: PrintedTax) -> str:
        """Return the name of a tax with its percentage, as far as the provider gave them."""
        name = self._printable(tax.get("name", "Tax"))
        return f"{name} {tax['percentage']} %" if "percentage" in tax else name

    def text(self, text: str) -> Text:
        return {"text": self._printable(text), "rtl": is_right_to_left(text)}

    def texts(self, *texts: str | None) -> list[Text]:
        return [self.text(text) for text in texts if text]
