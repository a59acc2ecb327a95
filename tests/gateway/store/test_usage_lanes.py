"""Sums in lanes: exact for every value that a lane holds, whatever they add up to."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.usage_lanes import BIAS, DAYS, Cells, Chosen, Lanes, total

lanes = st.integers(0, DAYS - 1)
sums = st.integers(-BIAS, BIAS - 1) | st.sampled_from([-BIAS, BIAS - 1, -1, 0, 1])
rows = st.lists(st.dictionaries(lanes, sums, max_size=12), min_size=1, max_size=4)


@given(some=rows, chosen=st.sets(lanes))
def test_sums_of_lanes_are_exact(some: list[dict[int, int]], chosen: set[int]) -> None:
    apart = []
    for row in some:
        cells = Cells.of_days()
        for lane, nanos in row.items():
            cells.set_day(lane, nanos, active=nanos > 0)
        apart.append(Lanes(DAYS))
        apart[-1].add(bytes(cells.spent), bytes(cells.active))
    found = Lanes.together(apart)
    expected = [sum(row.get(lane, 0) for row in some) for lane in range(DAYS)]
    assert [*found.values()] == expected
    assert total([(found, Chosen.of(chosen))]) == sum(expected[lane] for lane in chosen)
    active = {lane for row in some for lane, nanos in row.items() if nanos > 0}
    assert found.marks == sum(1 << lane for lane in active)
