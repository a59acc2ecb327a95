"""Reports an import to a person."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Final

from gateway.exports.focus.imports.rows import FocusRow

_EXACT: Final = Context(prec=100)


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """The result of an import. Counts are rows; `known` ones were imported before, `corrected` ones
    were and are no more in the file.

    An adjustment of nothing is counted as free and makes no ledger entry. The two sums are those of
    all the file's usage by currency: in nanos, each row rounded, and before that.
    """

    accounts_added: int = 0
    usage_added: int = 0
    usage_known: int = 0
    adjustments_added: int = 0
    adjustments_known: int = 0
    adjustments_free: int = 0
    usage_corrected: int = 0
    adjustments_corrected: int = 0
    usage_nanos: dict[str, int] = field(default_factory=dict)
    usage_unrounded: dict[str, Decimal] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        yield (
            f"Accounts: {self.accounts_added} new. Usage: {self.usage_added} rows new, "
            f"{self.usage_known} known. Adjustments: {self.adjustments_added} new, "
            f"{self.adjustments_known} known, {self.adjustments_free} of nothing."
        )
        if self.usage_corrected or self.adjustments_corrected:
            yield (
                f"Restated: {self.usage_corrected} rows of usage and "
                f"{self.adjustments_corrected} adjustments that the file no longer has are "
                "corrected."
            )
        for currency, nanos in self.usage_nanos.items():
            booked, exact = Decimal(nanos).scaleb(-9), self.usage_unrounded[currency]
            yield (
                f"The file's usage is {booked:f} {currency}, each row rounded to the nano; "
                f"unrounded {exact:f}, a difference of {booked - exact:f}."
            )

    def add_sums(self, rows: Iterable[FocusRow]) -> None:
        """Add rows of usage to the file's sums."""
        for row in rows:
            nanos, unrounded = self.usage_nanos, self.usage_unrounded
            nanos[row.currency] = nanos.get(row.currency, 0) + row.cost_nanos
            unrounded[row.currency] = _EXACT.add(
                unrounded.get(row.currency, Decimal(0)), Decimal(row.cost_text)
            )
