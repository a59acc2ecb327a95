"""Random accounts with usage in and around random windows."""

from datetime import datetime, timedelta
from itertools import count

from hypothesis import strategies as st

from gateway.windows import Window
from tests.support.calendars import ZONES, windows
from tests.support.usage_rows import CREATED_AT, FLOWS, Event, Facts

account_ids = count(1)
amounts = st.sampled_from([0, 1, 800, 10**9]) | st.integers(0, 10**13)
quantities = amounts | st.integers(-(10**36), 10**36)


@st.composite
def instants_near(draw: st.DrawFn, window: Window) -> datetime:
    """Instants in the window and around its edges, on and beside quarter hours."""
    edge = draw(st.sampled_from([window.start, window.end]))
    inside = st.timedeltas(timedelta(0), window.end - window.start).map(window.start.__add__)
    around = st.integers(-200, 200).map(lambda n: edge + n * timedelta(minutes=15))
    instant = draw(inside | around)
    return instant + draw(st.sampled_from([timedelta(0), timedelta(microseconds=-1)]))


@st.composite
def events_near(draw: st.DrawFn, window: Window) -> Event:
    correction = draw(st.booleans())
    nanos = draw(amounts)
    return Event(
        at=draw(instants_near(window)),
        nanos=-nanos if correction else nanos,
        correction=correction,
        deployment=draw(st.sampled_from([None, 0, 1, 7, 8, 300])),
        resource=draw(st.sampled_from(["GPU", "CPU", "OTHER"])),
        unit=draw(st.sampled_from(["hour", "GB-hour"])),
        quantity_nanos=draw(quantities),
        provider=draw(st.sampled_from([None, "akash", "Zürich", "a b"])),
        gpu_model=draw(st.sampled_from([None, "H100", "a100"])),
        project=draw(st.sampled_from([None, "search", "ümlaut"])),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Window, Facts]:
    """A window and an account, every second time in the window's own zone."""
    window = draw(windows(max_days=draw(st.sampled_from([1, 20, 400]))))
    own = draw(st.booleans())
    flows = st.tuples(instants_near(window), st.sampled_from(FLOWS[1:]), st.integers(-99, 10**12))
    facts = Facts(
        account_id=next(account_ids),
        created_at=draw(st.just(CREATED_AT) | instants_near(window)),
        time_zone=window.time_zone if own else draw(st.sampled_from(ZONES)),
        events=draw(st.lists(events_near(window), max_size=25)),
        flows=draw(st.lists(flows, max_size=8)),
    )
    return window, facts
