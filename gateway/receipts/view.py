"""The text of a receipt: words and figures for people.

Made of the frozen data alone, so that the same receipt always says the same. Amounts keep every
digit that they have: what is printed adds up.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NotRequired, TypedDict, TypeVar

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_name, get_currency_symbol

from gateway.money import minor_digits
from gateway.payment_methods import earlier_display_name
from gateway.receipts.glyphs import is_right_to_left
from gateway.store.receipts import ReceiptData, ReceiptLine
from gateway.store.sellers import SellerFacts
from gateway.windows import zone

_T = TypeVar("_T")
LOCALE: Final = "en"


class Text(TypedDict):
    """A text, and whether it is written from right to left."""

    text: str
    rtl: bool


class Fact(TypedDict):
    name: str
    value: Text


class Line(TypedDict):
    name: str
    note: Text | None
    credit: str
    amount: str


class Sum(TypedDict):
    name: str
    amount: str
    strong: bool


class Balance(TypedDict):
    name: str
    amount: str


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
        "lines": list[Line],
        "sums": list[Sum],
        "balance": Balance,
        "footer": list[Text],
        "small-print": str,
        "accent": str,
        "han": str,
        "fonts": NotRequired[list[str]],
        "logo": NotRequired[str | None],
    },
)
"""The data that the template prints."""

_CREDITS: Final = {
    "CARD": "Prepaid compute credit",
    "COUPON": "Coupon credit",
    "MANUAL_CREDIT": "Manual credit",
    "TRIAL_GRANT": "Trial credit",
}
_GIVEN: Final = {"COUPON": "Coupon", "MANUAL_CREDIT": "Manual credit", "TRIAL_GRANT": "Trial"}
"""Labels for settling granted credit."""

_CODE: Final = re.compile("[a-z]+(_[a-z]+)+")
_KANA: Final = re.compile("[\u3040-\u30ff]")
_HANGUL: Final = re.compile("[\uac00-\ud7af]")
_HAN_BY_ZONE: Final = {
    "Asia/Tokyo": "JP",
    "Asia/Seoul": "KR",
    "Asia/Taipei": "TC",
    "Asia/Hong_Kong": "HK",
    "Asia/Macau": "HK",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedData:
    """A receipt's frozen data and its seller's, and the receipt that a credit note takes back."""

    data: ReceiptData
    seller: SellerFacts
    original_number: str | None


def receipt_view(printed: PrintedData, printable: Callable[[str], str]) -> View:
    """Return the template's values; every text from outside has passed `printable`."""
    return _Writer(printed, printable).view()


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


class _Writer:
    def __init__(self, printed: PrintedData, printable: Callable[[str], str]) -> None:
        self._data = printed.data
        self._seller = printed.seller
        self._original = printed.original_number
        self._printable = printable
        self._zone = zone(self._data["timeZone"])
        self._currency = self._data["currency"]
        self._purchase = self._data["purchase"]
        self._refund = self._data.get("refund")
        self._cancels = self._data.get("cancels")

    def view(self) -> View:
        title, state = self._kind(
            receipt=("Receipt", self._settled("Paid", "Credited")),
            note=("Credit note", "Refunded"),
            cancellation=("Cancellation of credit note", "Refund failed"),
        )
        return {
            "title": title,
            "state": state,
            "number": self._data["number"],
            "summary": self._summary(),
            "facts": self._facts(),
            "seller": self._seller_view(),
            "buyer": self._buyer_view(),
            "lines": [self._line(line) for line in self._data["lines"]],
            "sums": self._sums(),
            "balance": self._balance(),
            "footer": self._texts(self._seller.get("name"), self._seller.get("taxId")),
            "small-print": self._small_print(),
            "accent": self._seller.get("accent", "#3b5bdb"),
            "han": self._han(),
        }

    def _kind(self, *, receipt: _T, note: _T, cancellation: _T) -> _T:
        """Return the value for the document's kind."""
        if self._cancels is not None:
            return cancellation
        return receipt if self._refund is None else note

    def _summary(self) -> str:
        total = self._money(self._data["total"].removeprefix("-"))
        text = self._kind(
            receipt=f"{total} {self._settled('paid', 'credited')}",
            note=f"{total} refunded",
            cancellation=f"Refund of {total} failed",
        )
        return f"{text} on {self._day(self._data['issuedAt'])}"

    def _facts(self) -> list[Fact]:
        date = self._kind(
            receipt=self._settled("Date paid", "Date"),
            note="Date refunded",
            cancellation="Date of failure",
        )
        facts = [("Number", self._data["number"]), (date, self._day(self._data["issuedAt"]))]
        if self._cancels is not None:
            facts.append(("Cancels credit note", self._cancels["number"]))
        if self._refund is not None and self._original:
            facts.append(("For receipt", self._original))
        if method := self._method():
            facts.append((self._settled("Payment method", "Settled by"), method))
        return [{"name": name, "value": self._text(value)} for name, value in facts]

    def _method(self) -> str:
        """Return the payment method as of the receipt's issue."""
        if given := _GIVEN.get(self._purchase["kind"]):
            return given
        method = self._purchase["paymentMethod"]
        if "displayName" in method:
            return method["displayName"] or ""
        return earlier_display_name(method.get("brand"), method.get("last4"), method.get("label"))

    def _line(self, line: ReceiptLine) -> Line:
        amount = self._money(line["amount"])
        if line["kind"] == "bonus":
            free = self._money("0")
            given = "Given free of charge"
            text = self._kind(receipt="Free of charge", note=given, cancellation=given)
            return self._row("Bonus credit", text, credit=amount, amount=free)
        if line["kind"] == "refund":
            about = self._cancels or self._refund
            note = _words(about["reason"]) if about and about["reason"] else None
            name = "Refund of compute credit"
            name = self._kind(receipt=name, note=name, cancellation=f"{name}, canceled")
            return self._row(name, note, credit=amount, amount=amount)
        name = _CREDITS[self._purchase["kind"]]
        return self._row(name, self._purchase["description"], credit=amount, amount=amount)

    def _row(self, name: str, note: str | None, *, credit: str, amount: str) -> Line:
        text = self._text(note) if note and note.casefold() != name.casefold() else None
        return {"name": name, "note": text, "credit": credit, "amount": amount}

    def _sums(self) -> list[Sum]:
        total = self._data["total"]
        sums = [("Subtotal", self._data["net"]), ("Tax", self._data["tax"])]
        if self._cancels is not None:
            sums.append(("Total canceled", total))
        elif self._refund is not None:
            sums.append(("Total refunded", total))
        elif given := _GIVEN.get(self._purchase["kind"]):
            sums += [("Total", total), (given, f"-{total}"), ("Charged", "0")]
        else:
            sums.append(("Total paid", total))
        last = len(sums) - 1
        return [
            {"name": name, "amount": self._money(amount), "strong": index == last}
            for index, (name, amount) in enumerate(sums)
        ]

    def _balance(self) -> Balance:
        credit = sum((Decimal(line["amount"]) for line in self._data["lines"]), Decimal())
        name = self._kind(
            receipt="Credit added to your balance",
            note="Credit taken off your balance",
            cancellation="Credit returned to your balance",
        )
        return {"name": name, "amount": self._money(str(abs(credit)))}

    def _seller_view(self) -> Party:
        lines = (
            *self._seller.get("address", ()),
            self._seller.get("taxId"),
            self._seller.get("email"),
        )
        return {"name": self._text(self._seller.get("name") or ""), "details": self._texts(*lines)}

    def _buyer_view(self) -> Party:
        buyer = self._data["buyer"]
        return {
            "name": self._text(buyer["name"]),
            "details": self._texts(f"Customer {buyer['externalId']}"),
        }

    def _small_print(self) -> str:
        currency = get_currency_name(self._currency, locale=LOCALE)
        return (
            f"Amounts are in {self._currency} ({currency}). Dates are those of the time zone "
            f"{self._zone.key}."
        )

    def _settled(self, paid: str, given: str) -> str:
        return given if self._purchase["kind"] in _GIVEN else paid

    def _han(self) -> str:
        """Return the region that decides the forms of Chinese characters, as far as the account
        implies one.
        """
        name = self._data["buyer"]["name"]
        if _KANA.search(name):
            return "JP"
        if _HANGUL.search(name):
            return "KR"
        return _HAN_BY_ZONE.get(self._zone.key, "SC")

    def _money(self, amount: str) -> str:
        return display_amount(amount, self._currency)

    def _day(self, instant: str) -> str:
        day = datetime.fromisoformat(instant).astimezone(self._zone)
        return format_date(day.date(), "d MMMM y", LOCALE)

    def _text(self, text: str) -> Text:
        return {"text": self._printable(text), "rtl": is_right_to_left(text)}

    def _texts(self, *texts: str | None) -> list[Text]:
        return [self._text(text) for text in texts if text]


def _words(reason: str) -> str:
    """Return a provider's code such as `requested_by_customer` as words; other text as it is."""
    return reason.replace("_", " ").capitalize() if _CODE.fullmatch(reason) else reason
