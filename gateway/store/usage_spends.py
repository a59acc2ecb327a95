"""The spend of pieces of an account's time, such as days, of all usage or of a filter's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.usage_filter import EVERYTHING, UsageFilter
from gateway.store.usage_plan import UsageSpan
from gateway.store.usage_sums import Spans, usage_sums
from gateway.store.usage_totals import TotalsKey, usage_totals

_SPEND: Final = frozenset({"spent_nanos"})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SpendsKey:
    """Pieces of time, each made of spans of roll-ups; for a filter, of `selected` spans instead.

    A key is the same only as itself: it is made once for all that read it.
    """

    pieces: Sequence[Spans] = ()
    selected: Sequence[UsageSpan] = ()
    filter: UsageFilter = EVERYTHING


async def usage_spends(
    reader: Reader, principal: Principal, keys: Sequence[SpendsKey]
) -> list[list[int]]:
    """Return the nanos, of any size, that were spent in each piece of each key."""
    found: list[list[int]] = [[]] * len(keys)
    whole = [place for place, key in enumerate(keys) if key.filter == EVERYTHING]
    others = [place for place, key in enumerate(keys) if key.filter != EVERYTHING]
    if whole:
        pieces = [piece for place in whole for piece in keys[place].pieces]
        sums = iter(await usage_sums(reader, principal, pieces, _SPEND))
        for place in whole:
            found[place] = [
                sum(each["spent_nanos"] for rows in next(sums) for each in rows)
                for _ in keys[place].pieces
            ]
    if others:
        wanted = [TotalsKey(tuple(keys[place].selected), keys[place].filter) for place in others]
        totals = await usage_totals(reader, principal, wanted)
        for place, each_span in zip(others, totals, strict=True):
            found[place] = [total["spent_nanos"] for total in each_span]
    return found
