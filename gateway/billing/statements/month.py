"""Calendar months of a zone, and which of them an account's next statement is about."""

from datetime import date, datetime, timedelta
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from gateway.store.statement_facts import Span
from gateway.store.statements import LastStatement
from gateway.windows import Interval, day_start, local_day, shift

_DAY = timedelta(days=1)


class Month(NamedTuple):
    """A calendar month."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Self:
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the month of a text such as `2026-11`."""
        year, number = map(int, text.split("-"))
        return cls(year, number)

    @property
    def text(self) -> str:
        """The month as `2026-11`."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    def after(self, count: int = 1) -> "Month":
        return Month.of(shift(self.first_day, Interval.MONTH, count))

    def span(self, zone: ZoneInfo) -> Span:
        """Return the month's time in a zone."""
        following = self.after().first_day
        return Span(
            start=day_start(self.first_day, zone),
            end=day_start(following, zone),
            first_day=self.first_day,
            last_day=following - _DAY,
        )


def latest_ended(now: datetime, zone: ZoneInfo) -> Month:
    """Return the last month that has ended in a zone."""
    return Month.of(local_day(now, zone)).after(-1)


def next_month(
    last: LastStatement | None, moved_at: datetime | None, zone: ZoneInfo
) -> Month | None:
    """Return the month of the statement that follows the last one; `moved_at` is when the ledger
    moved next. Months without movement and with a balance of 0 are left out. None where none is to
    come before the ledger moves.
    """
    following = Month.parse(last["month"]).after() if last else None
    if following and last and last["closing_nanos"]:
        return following
    if moved_at is None:
        return None
    # The zone may have changed since, or a clock: no month has two statements.
    moved = Month.of(local_day(moved_at, zone))
    return max(moved, following) if following else moved
