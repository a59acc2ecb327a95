"""Spans of an account's local days among rows in the order of an instant and a key."""

from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gateway.errors import BadUserInput
from gateway.instants import EARLIEST, LATEST
from gateway.store.cursor import Position
from gateway.windows import checked_day, day_start

_BEFORE_ALL: Final = -1
"""Below every key: with an instant, the position just before whatever happened at it."""


def day_span(from_: date | None, to: date | None, zone: ZoneInfo) -> tuple[Position, Position]:
    """Return the positions around the local days `from_` to `to`, both inclusive; None is open.

    Raises BadUserInput, naming the argument.
    """
    if from_ is not None and to is not None and from_ > to:
        raise BadUserInput(f"`from` ({from_}) must not be after `to` ({to}).", argument="from")
    start, end = EARLIEST, LATEST
    if from_ is not None:
        start = day_start(checked_day(from_, argument="from"), zone)
    if to is not None:
        end = day_start(checked_day(to, argument="to") + timedelta(days=1), zone)
    return (start, _BEFORE_ALL), (end, _BEFORE_ALL)
