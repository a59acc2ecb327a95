"""What the cells of CSV and JSONL say: exact decimals, instants, buckets. What repeats is written
once for a while and then looked up.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gateway.documents.export_request import UsageAsked
from gateway.money import format_nanos, minor_digits
from gateway.store.stream import Chunk
from gateway.windows import Bucket

MEMO_SIZE: Final = 10_000


class Memo(dict[Any, Any]):
    """Texts by value, made when first asked for, and `none` for None. It forgets all when full."""

    def __init__(self, convert: Callable[[Any], Any], none: Any = None) -> None:
        super().__init__({None: none})
        self._convert = convert
        self._none = none

    def __missing__(self, value: Any) -> Any:
        if len(self) >= MEMO_SIZE:
            self.clear()
            self[None] = self._none
        text = self[value] = self._convert(value)
        return text

    def of(self, values: Iterable[Any]) -> list[Any]:
        """Return each value's text."""
        return [*map(self.__getitem__, values)]


def numbers(values: Sequence[int], text: Callable[[int], str]) -> list[str]:
    """Return each number's text: of a few distinct ones, each is made once."""
    distinct = set(values)
    if 2 * len(distinct) > len(values):
        return [text(value) for value in values]
    made = {value: text(value) for value in distinct}
    return [made[value] for value in values]


def amount_text(currency: str) -> Callable[[int], str]:
    """Return what writes nanos of a currency, as the API does."""
    digits = minor_digits(currency)
    return lambda nanos: format_nanos(nanos, digits)


def local_text(zone: ZoneInfo) -> Callable[[datetime], str]:
    """Return what writes an instant with the zone's offset, as `2026-11-01T01:00:00+01:00`."""
    return lambda instant: instant.astimezone(zone).isoformat()


def utc_text(instant: datetime) -> str:
    """Return an instant in UTC with `Z`, as the API writes it."""
    return f"{instant.astimezone(UTC).isoformat()[:-6]}Z"


def bucket_texts(
    asked: UsageAsked, text: Callable[[Bucket], str]
) -> Callable[[Sequence[datetime]], list[str]]:
    """Return what gives, for instants in their order, what `text` says of the bucket of each."""
    series = asked.window.series(asked.interval)
    texts = [text(bucket) for bucket in series.buckets]

    def of(instants: Sequence[datetime]) -> list[str]:
        first, last = series.index_at(instants[0]), series.index_at(instants[-1])
        if first == last:
            return [texts[first]] * len(instants)
        return [texts[series.index_at(instant)] for instant in instants]

    return of


def credited_nanos(chunk: Chunk) -> list[int]:
    """Return what purchases added to the balance and left there: 0 until they have settled."""
    columns = ("amount_nanos", "bonus_nanos", "bonus_reversed_nanos", "refunded_nanos")
    cells = zip(chunk["settled_at"], *(chunk[name] for name in columns), strict=True)
    return [
        0 if at is None else amount + bonus - reversed_ - refunded
        for at, amount, bonus, reversed_, refunded in cells
    ]
