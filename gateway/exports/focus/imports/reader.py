"""FOCUS 1.0-preview to 1.2 cost files, of any provider: CSV in UTF-8, as it is or gzipped.

A file is read twice: `read_focus` checks every row and keeps none, `FocusFile.rows` yields them. So
a file is refused before anything of it is written, and its size hardly matters: a row takes 16
bytes. An empty cell and `NULL` are null. A column of 1.0-preview that has another name since 1.0 is
read by its old name where the file does not have the new one.
"""

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, Self, TextIO

from gateway.errors import BadUserInput
from gateway.exports.focus.imports.identity import ChargeDigests, Coverage, digest_of
from gateway.exports.focus.imports.rows import (
    IDENTIFIERS,
    MANDATORY,
    NEEDED,
    RENAMED,
    SOLD,
    FocusAccount,
    FocusColumns,
    FocusCost,
    FocusRow,
    read_row,
)
from gateway.money import MAX_NANOS

MAX_ERRORS: Final = 100
MAX_LINE: Final = 1_048_576
"""Characters; a text in quotes may go on over many lines, up to the 131,072 that `csv` allows."""

_ZERO: Final = re.compile(r"-?(?:0+(?:\.0+)?|\.0+)(?:[eE].*)?", re.ASCII)
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """The fault of the row that begins at `line`; the header is line 1."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class FocusRejected(BadUserInput):
    """A file that cannot be imported. `errors` are its first bad rows, at most MAX_ERRORS; there
    are none where it is the file as a whole.
    """

    def __init__(self, message: str, errors: Sequence[RowError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)

    @classmethod
    def of_rows(cls, path: Path, errors: Sequence[RowError]) -> Self:
        """Return the error of a file with bad rows."""
        count = len(errors)
        rows = {1: "One row"}.get(count, f"{count} rows")
        more = "At least " if count >= MAX_ERRORS else ""
        message = f"{more}{rows} of {path.name} cannot be imported, so none was."
        return cls(message, errors[:MAX_ERRORS])


@dataclass(slots=True, kw_only=True)
class AccountSeen:
    """A file's data of an account: its name in the first row, its earliest charge, and the sum of
    its absolute costs.
    """

    name: str
    currency: str
    first_at: datetime
    moved_nanos: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusFile:
    """A file with only valid rows. `accounts` are those that it names, by external id; `charges`
    are its rows by what they charge, but for adjustments of nothing; `repeated` are those that more
    than one row has.
    """

    path: Path
    columns: FocusColumns
    usage_count: int
    adjustment_count: int
    accounts: Mapping[str, AccountSeen]
    coverage: Coverage
    charges: ChargeDigests = field(repr=False)
    repeated: frozenset[bytes] = field(repr=False)

    @property
    def row_count(self) -> int:
        return self.usage_count + self.adjustment_count

    @property
    def may_not_fit(self) -> bool:
        """Whether a balance, a day or a deployment's life could be beyond 64 bits midway."""
        return any(seen.moved_nanos > MAX_NANOS // 2 for seen in self.accounts.values())

    def rows(self) -> Iterator[FocusRow]:
        """Yield the rows in the file's order.

        Raises FocusRejected where the file was changed and can no longer be read.
        """
        for record in _records(self.path, _mandatory(self.columns)):
            try:
                yield record.read(self.columns)
            except BadUserInput as error:
                raise FocusRejected.of_rows(self.path, [_row_error(record.line, error)]) from None


def read_focus(
    path: Path,
    *,
    cost: FocusCost | None = None,
    account_by: FocusAccount = FocusAccount.BILLING,
    project_tag: str | None = None,
    now: datetime | None = None,
) -> FocusFile:
    """Check a file whole and return it; without a `cost` to count, BilledCost does. Without a
    `project_tag`, sub-accounts are projects. Usage that starts after `now`, where that is given, is
    a bad row.

    Raises FocusRejected with the invalid rows, for another kind of file, for missing columns, and
    for credit sold by a gateway. So does a file of prepaid usage, none of which is billed, where no
    cost was chosen: it would be read as free, and no second reading could mend that.
    """
    columns = FocusColumns(cost or FocusCost.BILLED, account_by, project_tag)
    prepaid = billed = False
    usage: Counter[bool] = Counter()
    accounts: dict[str, AccountSeen] = {}
    coverage, charges = Coverage(), ChargeDigests()
    repeated: set[bytes] = set()
    errors: list[RowError] = []
    for record in _records(path, _mandatory(columns)):
        try:
            row = record.read(columns)
            _check_not_future(row, now)
            _see_account(row, accounts)
        except BadUserInput as error:
            errors.append(_row_error(record.line, error))
            if len(errors) == MAX_ERRORS:
                break
            continue
        if row.is_usage:
            billed = billed or not _ZERO.fullmatch(row.cost_text)
            prepaid = prepaid or not _ZERO.fullmatch(record.cells.get(FocusCost.EFFECTIVE, "0"))
        usage[row.is_usage] += 1
        coverage.add(row)
        if (row.is_usage or row.cost_nanos) and charges.add(digest := digest_of(row)):
            repeated.add(digest)
    if errors:
        raise FocusRejected.of_rows(path, errors)
    if prepaid and not billed and cost is None:
        raise FocusRejected(
            f"{path.name} has no billed usage, as with prepaid credit, but has costs in "
            "EffectiveCost. Choose a column: EffectiveCost, or BilledCost to import the usage "
            "as free."
        )
    return FocusFile(
        path=path,
        columns=columns,
        usage_count=usage[True],
        adjustment_count=usage[False],
        accounts=accounts,
        coverage=coverage,
        charges=charges,
        repeated=frozenset(repeated),
    )


class _Record(NamedTuple):
    """A row's cells by column, or the fault of the file at this row."""

    line: int
    cells: dict[str, str]
    problem: str | None = None

    def read(self, columns: FocusColumns) -> FocusRow:
        if self.problem:
            raise BadUserInput(self.problem)
        return read_row(self.cells, line=self.line, columns=columns)


def _mandatory(columns: FocusColumns) -> tuple[str, ...]:
    sub = ("SubAccountId",) if columns.account_by is FocusAccount.SUB else ()
    tags = () if columns.project_tag is None else ("Tags",)
    return (columns.cost, *MANDATORY, *sub, *tags)


def _records(path: Path, mandatory: Sequence[str]) -> Iterator[_Record]:
    """Yield the records below the header; the first malformed record is the last."""
    with _open_text(path) as file:
        reader = csv.reader(_lines(file), strict=True)
        line = 1
        try:
            header = _renamed([name.strip() for name in next(reader, [])])
            _check_header(path, header, mandatory)
            order = sorted(
                (index for index, name in enumerate(header) if name), key=header.__getitem__
            )
            names, pick = [header[index] for index in order], itemgetter(*order)
            line = reader.line_num + 1
            for row in reader:
                if len(row) == len(header):
                    record = _record(line, names, pick(row))
                    _check_not_sold(path, record)
                    yield record
                elif row:
                    problem = f"The row has {len(row)} cells, the header {len(header)}."
                    yield _Record(line, {}, problem)
                line = reader.line_num + 1
        except csv.Error as error:
            yield _Record(line, {}, f"This is no CSV ({error}); nothing after it was read.")


def _record(line: int, names: Sequence[str], row: Sequence[str]) -> _Record:
    cells = {
        name: text
        for name, cell in zip(names, row, strict=True)
        if (text := cell.strip(" \t" if name in IDENTIFIERS else None)) and text != "NULL"
    }
    whole = "".join(cells.values())
    if "\0" in whole:
        return _Record(line, {}, "The row contains a NUL character.")
    try:
        whole.encode()
    except UnicodeEncodeError:
        return _Record(line, {}, "The row is not in UTF-8.")
    return _Record(line, cells)


def _renamed(header: Sequence[str]) -> list[str]:
    """Return a header with the names of 1.0, but for columns that are there by both names."""
    there = frozenset(header)
    return [new if (new := RENAMED.get(name)) and new not in there else name for name in header]


def _check_header(path: Path, header: Sequence[str], mandatory: Sequence[str]) -> None:
    if missing := [name for name in mandatory if name not in header]:
        raise FocusRejected(f"{path.name} has no column {', '.join(missing)} in the first line.")
    old = {new: name for name, new in RENAMED.items()}
    for names in NEEDED:
        if not any(name in header for name in names):
            known = [*names, *(old[name] for name in names if name in old)]
            raise FocusRejected(
                f"{path.name} has no column {' or '.join(known)} in the first line."
            )
    if twice := [name for name, count in Counter(header).items() if name and count > 1]:
        raise FocusRejected(f"{path.name} has more than one column {', '.join(twice)}.")


def _check_not_sold(path: Path, record: _Record) -> None:
    if SOLD in record.cells:
        raise FocusRejected(
            f"{path.name} has credit purchases of a gateway export ({SOLD}, first in line "
            f"{record.line}). Purchases are not charges. Nothing was imported; remove these "
            "rows."
        )


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    """Open a file that may be gzipped; bytes that are no UTF-8 come as lone surrogates."""
    try:
        with path.open("rb") as peeked:
            opened = gzip.open if peeked.read(2) == _GZIP else open
        with opened(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield file
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "its compressed data are damaged"
        raise FocusRejected(f"{path.name} cannot be read: {reason}.") from None


def _lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise csv.Error(f"a line is longer than {MAX_LINE} characters")
        yield line


def _see_account(row: FocusRow, accounts: dict[str, AccountSeen]) -> None:
    seen = accounts.get(row.account_external_id)
    if seen is None:
        accounts[row.account_external_id] = AccountSeen(
            name=row.account_name,
            currency=row.currency,
            first_at=row.started_at,
            moved_nanos=abs(row.cost_nanos),
        )
    elif seen.currency != row.currency:
        raise BadUserInput(
            f"Earlier rows of account {row.account_external_id} are in {seen.currency}, this row "
            f"in {row.currency}; an account has one currency.",
            argument="BillingCurrency",
        )
    else:
        seen.first_at = min(seen.first_at, row.started_at)
        seen.moved_nanos += abs(row.cost_nanos)


def _check_not_future(row: FocusRow, now: datetime | None) -> None:
    if now is not None and row.is_usage and row.started_at > now:
        raise BadUserInput("Usage must not start in the future.", argument="ChargePeriodStart")


def _row_error(line: int, error: BadUserInput) -> RowError:
    column = f"{error.argument}: " if error.argument else ""
    return RowError(line=line, reason=f"{column}{error.message}")
