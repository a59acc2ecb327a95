"""The lines of a purchase's tax, as a payment provider named them."""

from collections.abc import Sequence
from typing import NamedTuple, NotRequired, TypedDict

from gateway.store.engine.stored_json import dumps, loads


class TaxLine(NamedTuple):
    """A tax: its name and its percentage (a decimal) where the provider gave them, and nanos."""

    name: str | None
    percentage: str | None
    nanos: int


class PrintedTax(TypedDict):
    """A tax on a document: an exact decimal. Without a name it is called tax."""

    name: NotRequired[str]
    percentage: NotRequired[str]
    amount: str


def dump_taxes(lines: Sequence[TaxLine]) -> str | None:
    """Return lines as they are stored; None where there are none."""
    return dumps([*map(list, lines)]) if lines else None


def parse_taxes(stored: str | None) -> list[TaxLine]:
    """Return stored lines."""
    return [TaxLine(*line) for line in loads(stored)] if stored else []
