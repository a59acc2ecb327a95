"""The lines of a tax: added up, shared out to parts of a purchase, and as documents keep them."""

from collections.abc import Iterable, Sequence

from gateway.money import divide_half_even, format_amount, from_minor_units, minor_digits
from gateway.store.taxes import PrintedTax, TaxLine


def added_up(lines: Iterable[TaxLine]) -> list[TaxLine]:
    """Return one line for each name and percentage, in the order of the first of each."""
    sums: dict[tuple[str | None, str | None], int] = {}
    for name, percentage, nanos in lines:
        sums[name, percentage] = sums.get((name, percentage), 0) + nanos
    return [TaxLine(*key, nanos) for key, nanos in sums.items()]


def share_of(lines: Sequence[TaxLine], tax: int, currency: str) -> list[TaxLine]:
    """Return the lines of a part of a purchase's tax, such as that of a refund, in nanos: each has
    its share, and together they are `tax`. Without lines, or with lines of 0 only, there is one
    without a name; of no tax there is none.

    Shares are rounded to the currency's minor unit where `tax` is a multiple of it: they are the
    differences between the rounded shares of running totals.
    """
    whole = sum(line.nanos for line in lines)
    if whole == tax and lines:
        return [*lines]
    if whole == 0:
        return [TaxLine(None, None, tax)] if tax else []
    unit = from_minor_units(1, minor_digits(currency))
    if tax % unit:
        unit = 1
    shares: list[TaxLine] = []
    total = given = 0
    for line in lines:
        total += line.nanos
        reached = divide_half_even(tax * total, whole * unit) * unit
        shares.append(line._replace(nanos=reached - given))
        given = reached
    return shares


def printed_taxes(lines: Iterable[TaxLine], currency: str) -> list[PrintedTax]:
    """Return lines as a document keeps them."""
    return [_printed(line, currency) for line in lines]


def _printed(line: TaxLine, currency: str) -> PrintedTax:
    tax = PrintedTax(amount=format_amount(line.nanos, currency))
    if line.name is not None:
        tax["name"] = line.name
    if line.percentage is not None:
        tax["percentage"] = line.percentage
    return tax
