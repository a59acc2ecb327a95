"""Finds charges of earlier files that a new file of the same scope lacks."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from gateway.exports.focus.imports.reader import FocusFile
from gateway.store import Reader, imported_charges
from gateway.store.imported_charges import ChargeSpan, ImportedChargeRow, Place

PAGE: Final = 5_000
NAMES: Final = 3
"""Most accounts, providers or billing accounts that a message names."""

OnMissing: TypeAlias = Callable[[int, Sequence[ImportedChargeRow]], Awaitable[None]]
"""The corrections of an account's charges that the file lacks."""


@dataclass(slots=True)
class Comparison:
    """The stored charges of a file's scope that the file lacks: their number, period and
    accounts.
    """

    missing: int = 0
    first: datetime | None = None
    last: datetime | None = None
    accounts: dict[str, None] = field(default_factory=dict)

    def add(self, account: str, charges: Sequence[ImportedChargeRow]) -> None:
        """Count charges that the file lacks, in the order of their time."""
        if charges:
            start, end = charges[0]["started_at"], charges[-1]["started_at"]
            self.missing += len(charges)
            self.first = min(self.first or start, start)
            self.last = max(self.last or end, end)
            self.accounts[account] = None

    def refusal(self, file: FocusFile) -> str:
        """Return the reason for refusing a file that lacks charges of its scope."""
        coverage, name = file.coverage, file.path.name
        rows = "1 row" if self.missing == 1 else f"{self.missing:,} rows"
        scopes = sorted(each for each in coverage.scopes if each.account in self.accounts)
        issuers = dict.fromkeys(each.issuer for each in scopes)
        bills = dict.fromkeys(each.billing_account for each in scopes)
        return (
            f"{name} lacks {rows} imported before for {_named('account', self.accounts)}, "
            f"{_named('provider', issuers)}, {_named('billing account', bills)}, from "
            f"{_instant(coverage.first)} to {_instant(coverage.end)}; the first of them starts at "
            f"{_instant(self.first)}, the last at {_instant(self.last)}. Nothing was imported. If "
            "they were changed or taken back (a month that is not closed, another cost column), "
            "import the file with --restate, which corrects them and books what is new. If the "
            "file is only a part of that time, import the whole."
        )


async def compare(
    reader: Reader,
    file: FocusFile,
    accounts: Mapping[str, int],
    on_missing: OnMissing | None = None,
) -> Comparison:
    """Compare a file with what is stored of its scope, some charges at a time; `file.charges` is
    used up. `accounts` are the keys of existing accounts.
    """
    comparison = Comparison()
    for name, account_id in accounts.items():
        after: Place | None = None
        while page := await _page(reader, file, account_id, after):
            missing = [charge for charge in page if _is_missing(file, name, charge)]
            comparison.add(name, missing)
            if missing and on_missing:
                await on_missing(account_id, missing)
            after = Place(page[-1]["started_at"], page[-1]["event_id"])
            if len(page) < PAGE:
                break
    return comparison


async def _page(
    reader: Reader, file: FocusFile, account_id: int, after: Place | None
) -> Sequence[ImportedChargeRow]:
    first, last = file.coverage.first, file.coverage.last
    if first is None or last is None:
        return []
    return await imported_charges.page(reader, account_id, ChargeSpan(first, last), after, PAGE)


def _is_missing(file: FocusFile, account: str, charge: ImportedChargeRow) -> bool:
    belongs = file.coverage.has(account, charge)
    if belongs is False or file.charges.take(bytes.fromhex(charge["digest"])):
        return False
    return belongs is True


def _named(kind: str, names: Mapping[str, None]) -> str:
    """Return names in a sentence, the first ones and how many there are beside them."""
    shown = [name or "(none)" for name in names]
    more = len(shown) - NAMES
    listed = ", ".join(shown[:NAMES]) + (f" and {more} more" if more > 0 else "")
    return f"{kind}{'s' if len(shown) > 1 else ''} {listed}"


def _instant(at: datetime | None) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "no time"
