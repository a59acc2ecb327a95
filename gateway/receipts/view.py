"""The text of a receipt: words and figures for people, made of the frozen data alone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypedDict, TypeVar

from gateway.payment_methods import earlier_display_name
from gateway.receipts.writer import Sum, Text, View, Writer
from gateway.store.receipts import ReceiptData, ReceiptLine
from gateway.store.sellers import SellerFacts
from gateway.store.taxes import PrintedTax

_T = TypeVar("_T")


class Line(TypedDict):
    name: str
    note: Text | None
    credit: str
    amount: str


class Balance(TypedDict):
    name: str
    amount: str


class ReceiptView(View):
    """The data that the template prints."""

    lines: list[Line]
    sums: list[Sum]
    balance: Balance


CREDITS: Final = {
    "CARD": "Prepaid compute credit",
    "COUPON": "Coupon credit",
    "MANUAL_CREDIT": "Manual credit",
    "TRIAL_GRANT": "Trial credit",
}
_GIVEN: Final = {"COUPON": "Coupon", "MANUAL_CREDIT": "Manual credit", "TRIAL_GRANT": "Trial"}
"""Labels for settling granted credit."""

_CODE: Final = re.compile("[a-z]+(_[a-z]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedData:
    """A receipt's frozen data and its seller's, and the receipt that a credit note takes back."""

    data: ReceiptData
    seller: SellerFacts
    original_number: str | None


def receipt_view(printed: PrintedData, printable: Callable[[str], str]) -> ReceiptView:
    """Return the template's values; every text from outside has passed `printable`."""
    return _Writer(printed, printable).view()


class _Writer(Writer):
    def __init__(self, printed: PrintedData, printable: Callable[[str], str]) -> None:
        self._data = data = printed.data
        super().__init__(
            currency=data["currency"],
            time_zone=data["timeZone"],
            buyer=data["buyer"],
            seller=printed.seller,
            printable=printable,
        )
        self._original = printed.original_number
        self._purchase = data["purchase"]
        self._refund = data.get("refund")
        self._cancels = data.get("cancels")

    def view(self) -> ReceiptView:
        title, state = self._kind(
            receipt=("Receipt", self._settled("Paid", "Credited")),
            note=("Credit note", "Refunded"),
            cancellation=("Cancellation of credit note", "Refund failed"),
        )
        page = self.page(
            title=title,
            state=state,
            number=self._data["number"],
            summary=self._summary(),
            facts=self._facts(),
        )
        return {
            **page,
            "lines": [self._line(line) for line in self._data["lines"]],
            "sums": self._sums(),
            "balance": self._balance(),
        }

    def _kind(self, *, receipt: _T, note: _T, cancellation: _T) -> _T:
        """Return the value for the document's kind."""
        if self._cancels is not None:
            return cancellation
        return receipt if self._refund is None else note

    def _summary(self) -> str:
        total = self.money(self._data["total"].removeprefix("-"))
        text = self._kind(
            receipt=f"{total} {self._settled('paid', 'credited')}",
            note=f"{total} refunded",
            cancellation=f"Refund of {total} failed",
        )
        return f"{text} on {self.day(self._data['issuedAt'])}"

    def _facts(self) -> list[tuple[str, str]]:
        date = self._kind(
            receipt=self._settled("Date paid", "Date"),
            note="Date refunded",
            cancellation="Date of failure",
        )
        facts = [("Number", self._data["number"]), (date, self.day(self._data["issuedAt"]))]
        if self._cancels is not None:
            facts.append(("Cancels credit note", self._cancels["number"]))
        if self._refund is not None and self._original:
            facts.append(("For receipt", self._original))
        if method := self._method():
            facts.append((self._settled("Payment method", "Settled by"), method))
        return facts

    def _method(self) -> str:
        """Return the payment method as of the receipt's issue."""
        if given := _GIVEN.get(self._purchase["kind"]):
            return given
        method = self._purchase["paymentMethod"]
        if "displayName" in method:
            return method["displayName"] or ""
        return earlier_display_name(method.get("brand"), method.get("last4"), method.get("label"))

    def _line(self, line: ReceiptLine) -> Line:
        amount = self.money(line["amount"])
        if line["kind"] == "bonus":
            free = self.money("0")
            given = "Given free of charge"
            text = self._kind(receipt="Free of charge", note=given, cancellation=given)
            return self._row("Bonus credit", text, credit=amount, amount=free)
        if line["kind"] == "refund":
            about = self._cancels or self._refund
            note = words_of(about["reason"]) if about and about["reason"] else None
            name = "Refund of compute credit"
            name = self._kind(receipt=name, note=name, cancellation=f"{name}, canceled")
            return self._row(name, note, credit=amount, amount=amount)
        name = CREDITS[self._purchase["kind"]]
        return self._row(name, self._purchase["description"], credit=amount, amount=amount)

    def _row(self, name: str, note: str | None, *, credit: str, amount: str) -> Line:
        text = self.text(note) if note and note.casefold() != name.casefold() else None
        return {"name": name, "note": text, "credit": credit, "amount": amount}

    def _sums(self) -> list[Sum]:
        total = self._data["total"]
        taxes = self._data.get("taxes") or [PrintedTax(amount=self._data["tax"])]
        sums = [("Subtotal", self._data["net"])]
        sums += [(self.tax_name(tax), tax["amount"]) for tax in taxes]
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
            {"name": name, "amount": self.money(amount), "strong": index == last}
            for index, (name, amount) in enumerate(sums)
        ]

    def _balance(self) -> Balance:
        credit = sum((Decimal(line["amount"]) for line in self._data["lines"]), Decimal())
        name = self._kind(
            receipt="Credit added to your balance",
            note="Credit taken off your balance",
            cancellation="Credit returned to your balance",
        )
        return {"name": name, "amount": self.money(str(abs(credit)))}

    def _settled(self, paid: str, given: str) -> str:
        return given if self._purchase["kind"] in _GIVEN else paid


def words_of(reason: str) -> str:
    """Return a provider's code such as `requested_by_customer` as words; other text as it is."""
    return reason.replace("_", " ").capitalize() if _CODE.fullmatch(reason) else reason
