"""The text of a monthly statement, made of the frozen data alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, TypedDict

from babel.dates import format_date

from gateway.receipts.view import CREDITS, words_of
from gateway.receipts.writer import LOCALE, Sum, Text, View, Writer
from gateway.store.sellers import SellerFacts
from gateway.store.statements import (
    StatementData,
    StatementDay,
    StatementDeployment,
    StatementMovement,
    StatementUsage,
)

_GAINS: Final = {
    "PURCHASE": "Credit bought",
    "REFUND": "Refund canceled",
    "DISPUTE": "Disputed payment returned",
    "USAGE": "Usage corrected",
    "ADJUSTMENT": "Adjustment",
}
_LOSSES: Final = {
    "PURCHASE": "Credit bought",
    "BONUS": "Bonus credit taken back",
    "REFUND": "Refund",
    "DISPUTE": "Disputed payment",
    "USAGE": "Usage",
    "ADJUSTMENT": "Adjustment",
}
_TOTALS: Final = {
    "PURCHASE": "Credit bought",
    "BONUS": "Bonus and granted credit",
    "REFUND": "Refunds",
    "DISPUTE": "Disputed payments",
    "ADJUSTMENT": "Adjustments",
    "USAGE": "Usage",
}
"""The totals by cause, in the order in which they are printed."""
_RESOURCES: Final = {
    "CPU": "CPU",
    "GPU": "GPU",
    "IP": "IP addresses",
    "MEMORY": "Memory",
    "NETWORK": "Network",
    "STORAGE": "Storage",
    "OTHER": "Other",
}


class MovementRow(TypedDict):
    """A movement. Only a day's first one has its date, only the last one the balance."""

    date: str
    name: str
    note: list[Text]
    amount: str
    balance: str


class UsageRow(TypedDict):
    """The usage of a resource; only a deployment's first one has its name and, of several, the
    spend.
    """

    deployment: Text | None
    spent: str
    resource: Text
    quantity: Text
    cost: str


class UsageProject(TypedDict):
    """The usage of a project, and its sum."""

    name: Text
    spent: str
    rows: list[UsageRow]


class UsageSection(TypedDict):
    """The usage of a part, its sum, and a line about it."""

    title: str
    projects: list[UsageProject]
    total: str
    note: str


class StatementView(View):
    """The data that the template prints."""

    sums: list[Sum]
    movements: list[MovementRow]
    usage: list[UsageSection]
    taxes: list[Sum]
    none: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedStatement:
    """A statement's frozen data and its seller's."""

    data: StatementData
    seller: SellerFacts


def statement_view(printed: PrintedStatement, printable: Callable[[str], str]) -> StatementView:
    """Return the template's values; every text from outside has passed `printable`."""
    return _Writer(printed, printable).view()


class _Writer(Writer):
    def __init__(self, printed: PrintedStatement, printable: Callable[[str], str]) -> None:
        self._data = data = printed.data
        super().__init__(
            currency=data["currency"],
            time_zone=data["timeZone"],
            buyer=data["buyer"],
            seller=printed.seller,
            printable=printable,
        )
        first = date.fromisoformat(f"{data['month']}-01")
        self._month = format_date(first, "MMMM y", LOCALE)

    def view(self) -> StatementView:
        data = self._data
        page = self.page(
            title="Statement",
            state=self._month,
            number=data["number"],
            summary=f"Balance at the end of the month: {self.money(data['closing'])}",
            facts=[
                ("Number", data["number"]),
                ("Month", self._month),
                ("Date of issue", self.day(data["issuedAt"])),
            ],
        )
        return {
            **page,
            "sums": [*self._sums()],
            "movements": [row for day in data["days"] for row in self._movements(day)],
            "usage": [self._section(each) for each in data["usage"]],
            "taxes": [*self._taxes()],
            "none": f"The balance did not change in {self._month}.",
        }

    def _sums(self) -> Iterator[Sum]:
        yield self._sum("Opening balance", self._data["opening"])
        moved = [each for day in self._data["days"] for each in day["movements"]]
        for cause, name in _TOTALS.items():
            amounts = [Decimal(each["amount"]) for each in moved if each["cause"] == cause]
            if amounts:
                yield self._sum(name, str(sum(amounts)))
        yield self._sum("Closing balance", self._data["closing"], strong=True)

    def _sum(self, name: str, amount: str, *, strong: bool = False) -> Sum:
        return {"name": name, "amount": self.money(amount), "strong": strong}

    def _movements(self, day: StatementDay) -> Iterator[MovementRow]:
        last = len(day["movements"]) - 1
        for index, each in enumerate(day["movements"]):
            yield {
                "date": self._short_day(day["date"]) if index == 0 else "",
                "name": _name_of(each),
                "note": self._notes(each),
                "amount": self.money(each["amount"]),
                "balance": self.money(day["balance"]) if index == last else "",
            }

    def _notes(self, movement: StatementMovement) -> list[Text]:
        description = movement.get("description")
        return self.texts(words_of(description) if description else None, movement.get("document"))

    def _short_day(self, text: str) -> str:
        return format_date(date.fromisoformat(text), "d MMM", LOCALE)

    def _section(self, usage: StatementUsage) -> UsageSection:
        by_project: dict[str, list[StatementDeployment]] = {}
        for each in usage["deployments"]:
            by_project.setdefault(each["project"] or "", []).append(each)
        part = usage["part"]
        return {
            "title": {
                "MONTH": f"Usage in {self._month}",
                "EARLIER": "Usage of earlier months",
                "LATER": "Usage of later months",
            }[part],
            "projects": [self._project(*each) for each in by_project.items()],
            "total": self.money(usage["spent"]),
            "note": self._about_tab(usage["spent"]) if part == "MONTH" else self._about(part),
        }

    def _about_tab(self, spent: str) -> str:
        shown = self._data["usageShown"]
        when = f"on {self.day(self._data['issuedAt'])}, when this statement was issued"
        if Decimal(shown) == Decimal(spent):
            return f"{self.money(shown)} is what the Usage tab showed for {self._month} {when}."
        return (
            f"The Usage tab showed {self.money(shown)} for {self._month} {when}. It also counts "
            "usage of this month that is on the statements of the months in which it was recorded."
        )

    def _about(self, part: str) -> str:
        began = "before" if part == "EARLIER" else "after"
        return f"This usage began {began} {self._month} and was recorded in it."

    def _project(self, name: str, deployments: list[StatementDeployment]) -> UsageProject:
        spent = sum(Decimal(each["spent"]) for each in deployments)
        return {
            "name": self.text(name or "Without a project"),
            "spent": self.money(str(spent)),
            "rows": [row for each in deployments for row in self._rows(each)],
        }

    def _rows(self, deployment: StatementDeployment) -> Iterator[UsageRow]:
        name = self.text(deployment["deployment"] or "Without a deployment")
        several = len(deployment["resources"]) > 1
        for index, each in enumerate(deployment["resources"]):
            yield {
                "deployment": name if index == 0 else None,
                "spent": self.money(deployment["spent"]) if index == 0 and several else "",
                "resource": self.text(_RESOURCES[each["resource"]]),
                "quantity": self.text(f"{_grouped(each['quantity'])} {each['unit']}"),
                "cost": self.money(each["spent"]),
            }

    def _taxes(self) -> Iterator[Sum]:
        for tax in self._data["taxes"]:
            yield self._sum(self.tax_name(tax), tax["amount"])


def _name_of(movement: StatementMovement) -> str:
    is_gain = not movement["amount"].startswith("-")
    cause, kind = movement["cause"], movement.get("kind", "CARD")
    if cause == "BONUS" and is_gain:
        return "Bonus credit" if kind == "CARD" else CREDITS[kind]
    return (_GAINS if is_gain else _LOSSES)[cause]


def _grouped(quantity: str) -> str:
    """Return a quantity with a comma between thousands, all its digits kept."""
    whole, point, fraction = quantity.partition(".")
    return f"{int(whole):,}{point}{fraction}".replace("-", "\N{MINUS SIGN}")
