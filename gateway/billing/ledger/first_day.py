"""The day on which an account's history begins. Pure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.windows import local_day


def first_day(created_at: datetime, first_fact_at: datetime | None, zone: ZoneInfo) -> date:
    """Return the date, in a zone, of an account's creation or of its first fact: the earlier one.

    `first_fact_at` may be the beginning of its UTC quarter hour, in which no day begins.
    """
    return local_day(min(created_at, first_fact_at or created_at), zone)
