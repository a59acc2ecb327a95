"""Zones, days and windows to test with, and a calendar that only walks instants by ZoneInfo."""

from datetime import UTC, date, datetime, timedelta
from functools import cache

from hypothesis import strategies as st

from gateway.windows import FIRST_DAY, LAST_DAY, SLOT, Interval, Window, zone

DAY = timedelta(days=1)
ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns", "America/Sao_Paulo"),
    "Africa/Cairo",
)
# Days around which these zones changed their clocks, or their place in the world.
TURNS = {
    "UTC": ["2024-02-29"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "Asia/Kolkata": ["2027-01-01"],
    "Asia/Kathmandu": ["2028-02-29"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
    "Pacific/Apia": ["2011-12-30", "2012-04-01", "2020-04-05"],
    "America/St_Johns": ["2006-10-29", "2010-11-07", "2011-03-13", "2011-11-06"],
    "America/Sao_Paulo": ["2018-02-18", "2018-11-04"],
    "Africa/Cairo": ["2010-08-11", "2010-09-10", "2026-04-24", "2026-10-30"],
}
NEAR_TURNS = [
    (name, date.fromisoformat(text) + n * DAY)
    for name, texts in TURNS.items()
    for text in texts
    for n in range(-2, 3)
]
zones = st.sampled_from(ZONES).map(zone)
days = st.dates(FIRST_DAY, LAST_DAY)
intervals = st.sampled_from(Interval)
instants = st.timedeltas(timedelta(0), LAST_DAY - FIRST_DAY).map(
    lambda since: datetime(2000, 1, 1, tzinfo=UTC) + since
)


@st.composite
def windows(draw: st.DrawFn, max_days: int = 500) -> Window:
    """Windows in the ten zones, half of them around a clock change."""
    near = draw(st.sampled_from(NEAR_TURNS) | st.tuples(st.sampled_from(ZONES), days))
    from_ = max(FIRST_DAY, near[1] - draw(st.integers(0, max_days // 2)) * DAY)
    to = min(LAST_DAY, from_ + draw(st.integers(0, max_days)) * DAY)
    return Window(from_=from_, to=to, zone=zone(near[0]))


@cache
def walked_days(name: str, around: date) -> dict[datetime, date]:
    """Give the local day of each quarter hour near a date: the latest date shown so far."""
    instant = datetime(around.year, around.month, around.day, tzinfo=UTC) - 4 * DAY
    shown, by_slot = date.min, {}
    for n in range(8 * 96):
        slot = instant + n * SLOT
        shown = max(shown, slot.astimezone(zone(name)).date())
        by_slot[slot] = shown
    return by_slot


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(from_: str, to: str, name: str = "UTC") -> Window:
    return Window(from_=date.fromisoformat(from_), to=date.fromisoformat(to), zone=zone(name))
