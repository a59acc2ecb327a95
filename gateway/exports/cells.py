"""Formats the cells of CSV and JSONL files: exact decimals, timestamps, buckets. Repeated values
are formatted once and cached.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from gateway.exports.request import UsageExportRequest
from gateway.ids import encode_global_id
from gateway.models import RefundStatus, charged_nanos
from gateway.models.base import instant_from_microseconds, microseconds_from_instant
from gateway.money import format_column
from gateway.store.engine.stream import ColumnChunk
from gateway.store.exports import ExportedRefund
from gateway.windows import Bucket

MEMO_SIZE: Final = 10_000
METHOD_COLUMNS: Final = tuple(
    f"payment_method_{name}" for name in ("type", "name", "brand", "last4", "label")
)
"""The columns of a `Method`."""
Method: TypeAlias = tuple[str, str | None, str | None, str | None, str | None]
"""A purchase's payment method: the arguments of `display_name`."""
_SAMPLE: Final = 40
_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_QUARTER: Final = 15 * _MINUTE
_OF_HOUR: Final = {
    second * _SECOND: f"{second // 60:02}:{second % 60:02}" for second in range(3600)
}


K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K | None, V]):
    """Caches the results of values on first use; a full cache is emptied. None has the result
    `none`, or is a KeyError without that.
    """

    def __init__(self, convert: Callable[[K], V], none: V | None = None) -> None:
        super().__init__({} if none is None else {None: none})
        self._convert = convert
        self._none = none

    def __missing__(self, value: K | None) -> V:
        if value is None:
            if self._none is None:
                raise KeyError(value)
            result = self._none
        else:
            result = self._convert(value)
        if len(self) >= MEMO_SIZE:
            self.clear()
        self[value] = result
        return result

    def of(self, values: Iterable[K | None]) -> list[V]:
        """Return each value's result."""
        return [*map(self.__getitem__, values)]

    def of_column(self, values: Sequence[K | None]) -> list[V] | V:
        """Return each value's result, or the one of all values (at least one) if they are equal."""
        first = values[0]
        if first == values[-1] and values.count(first) == len(values):
            return self[first]
        return self.of(values)


def id_text(typename: str, account_id: int) -> Callable[[int], str]:
    """Return a function that writes the global id of an account's row by its key."""
    return lambda key: encode_global_id(typename, account_id, key)


def numbers(values: Sequence[int], digits: int) -> list[str]:
    """Return each amount's text; if many are equal, each distinct amount is formatted once."""
    first = values[:_SAMPLE]
    if 2 * len(set(first)) > len(first):
        return format_column(values, digits)
    distinct = [*set(values)]
    made = dict(zip(distinct, format_column(distinct, digits), strict=True))
    return [*map(made.__getitem__, values)]


def local_text(zone: ZoneInfo) -> Callable[[datetime], str]:
    """Return a function that writes an instant with the zone's offset, such as
    `2026-11-01T01:00:00+01:00`.
    """
    return lambda instant: instant.astimezone(zone).isoformat()


def utc_text(instant: datetime) -> str:
    """Return an instant in UTC with `Z`, as the API writes it."""
    return f"{instant.astimezone(UTC).isoformat()[:-6]}Z"


def of_microseconds(text: Callable[[datetime], str]) -> Callable[[int], str]:
    """Return a function that writes microseconds since 1970 with `text`: date, time and offset. The
    common part of a quarter hour's instants is cached.
    """

    def write(at: int) -> str:
        return text(instant_from_microseconds(at))

    def common_parts(quarter: int) -> tuple[str, str, int] | None:
        # Offsets are whole quarter hours, and change between two of them. Once they had seconds.
        start = quarter * _QUARTER
        first, last = write(start), write(start + _QUARTER - 1)
        before, minute, after = first[:14], int(first[14:16]), first[19:]
        whole = (f"{before}{minute:02}:00{after}", f"{before}{minute + 14:02}:59.999999{after}")
        return (before, after, start - minute * _MINUTE) if whole == (first, last) else None

    quarters = Memo(common_parts)

    def write_quickly(at: int) -> str:
        parts = quarters[at // _QUARTER]
        if parts is None:
            return write(at)
        before, after, hour = parts
        time = _OF_HOUR.get(at - hour)
        return write(at) if time is None else f"{before}{time}{after}"

    return write_quickly


def bucket_values(
    request: UsageExportRequest, value: Callable[[Bucket], V]
) -> Callable[[Sequence[int]], list[V]]:
    """Return a function from ordered microseconds since 1970 to the `value` of each's bucket."""
    series = request.window.series(request.interval)
    starts = [*map(microseconds_from_instant, series.starts)]
    values = [value(bucket) for bucket in series.buckets]

    def index_at(microseconds: int) -> int:
        return bisect_right(starts, microseconds) - 1

    def of(instants: Sequence[int]) -> list[V]:
        first, last = index_at(instants[0]), index_at(instants[-1])
        if first == last:
            return [values[first]] * len(instants)
        return [values[index_at(instant)] for instant in instants]

    return of


def charged_column(chunk: ColumnChunk) -> list[int]:
    """Return the payments of purchases; see `charged_nanos`."""
    columns = ("kind", "amount_nanos", "tax_nanos")
    return [charged_nanos(*each) for each in chunk.zip(*columns)]


def refunded_tax(chunk: ColumnChunk) -> list[int]:
    """Return the tax of the refunds that succeeded of each settled purchase."""
    return [sum(tax for _, tax in refunds) for refunds in _succeeded(chunk)]


def refunded_total(chunk: ColumnChunk) -> list[int]:
    """Return the amounts and the taxes of the refunds that succeeded of each settled purchase."""
    return [sum(amount + tax for amount, tax in refunds) for refunds in _succeeded(chunk)]


def _succeeded(chunk: ColumnChunk) -> Iterator[list[tuple[int, int]]]:
    for at, refunds in chunk.zip("settled_at", "refunds"):
        yield [] if at is None else [*map(_sums, filter(_has_succeeded, refunds))]


def _has_succeeded(refund: ExportedRefund) -> bool:
    return refund["status"] == RefundStatus.SUCCEEDED


def _sums(refund: ExportedRefund) -> tuple[int, int]:
    return refund["amount_nanos"], refund["tax_nanos"]


def credited_nanos(chunk: ColumnChunk) -> list[int]:
    """Return the net credit that purchases added to the balance: 0 until they settle."""
    columns = ("amount_nanos", "bonus_nanos", "bonus_reversed_nanos", "refunded_nanos")
    cells = chunk.zip("settled_at", *columns)
    return [
        0 if at is None else amount + bonus - reversed_ - refunded
        for at, amount, bonus, reversed_, refunded in cells
    ]
