"""What the cells of CSV and JSONL say: exact decimals, instants, ids. Each distinct value is
written once for a while and then looked up: usage repeats its instants and prices.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.documents.export_request import UsageAsked
from gateway.ids import encode_global_id
from gateway.money import format_nanos, format_quantity, minor_digits
from gateway.store.stream import Chunk
from gateway.windows import Bucket

MEMO_SIZE: Final = 10_000


class Memo(dict[Any, Any]):
    """Texts, or what holds some, by value, made when first asked for; None stays None. It forgets
    all when full.
    """

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        super().__init__({None: None})
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        if len(self) >= MEMO_SIZE:
            self.clear()
            self[None] = None
        text = self[value] = self._convert(value)
        return text

    def of(self, values: Iterable[Any]) -> list[Any]:
        """Return each value's text."""
        return [*map(self.__getitem__, values)]


def amounts(currency: str) -> Memo:
    """Return the texts of nanos of a currency, as the API writes them."""
    digits = minor_digits(currency)
    return Memo(lambda nanos: format_nanos(nanos, digits))


def quantities() -> Memo:
    """Return the texts of nanos of a unit, as the API writes them."""
    return Memo(format_quantity)


def instants_in(zone: ZoneInfo) -> Memo:
    """Return the texts of instants with the zone's offset, such as `2026-11-01T01:00:00+01:00`."""
    return Memo(lambda instant: instant.astimezone(zone).isoformat())


def utc_instants() -> Memo:
    """Return the texts of instants in UTC, with `Z`, as the API writes them."""
    return Memo(utc_text)


def utc_text(instant: datetime) -> str:
    """Return an instant in UTC, with `Z`."""
    return f"{instant.astimezone(UTC).isoformat()[:-6]}Z"


def global_ids(typename: str, account_id: int) -> Memo:
    """Return the global ids of an account's rows."""
    return Memo(partial(encode_global_id, typename, account_id))


def buckets_of(asked: UsageAsked, text: Callable[[Bucket], str]) -> Memo:
    """Return what `text` says of the bucket that each instant of the window lies in."""
    series = asked.window.series(asked.interval)
    return Memo(lambda instant: text(series.buckets[series.index_at(instant)]))


def credited_nanos(chunk: Chunk) -> list[int]:
    """Return what purchases added to the balance and left there: 0 until they have settled."""
    columns = ("amount_nanos", "bonus_nanos", "bonus_reversed_nanos", "refunded_nanos")
    cells = zip(chunk["settled_at"], *(chunk[name] for name in columns), strict=True)
    return [
        0 if at is None else amount + bonus - reversed_ - refunded
        for at, amount, bonus, reversed_, refunded in cells
    ]
