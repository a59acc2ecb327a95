"""Usage added up by the database: few rows for a span of time, however many days or quarter hours
it has.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import Final, TypeAlias, TypedDict

from sqlalchemy import BigInteger, LargeBinary, func, literal, select, true

from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import DialectName, Expression, Query
from gateway.store.halves import parts, whole
from gateway.store.relation import Wanted
from gateway.store.rollup_spans import MOMENTS, Grain, RollupSpan, RollupSpans, inside, rows_inside
from gateway.store.tenancy import Visible


class UsageSum(TypedDict):
    """The spend, in nanos of any size, of those rows of a span that have the same set of active
    deployments (see `bitset`).
    """

    spent_nanos: int
    deployments: bytes


def _statement(by_set: bool, grain: Grain, visible: Visible) -> Query:
    """Return the sums of each span's rows: one for each set, or one with an empty set."""
    at = MOMENTS[grain]
    columns = [at.table.c[name] for name in (*("deployments",) * by_set, "spent_nanos")]
    kinds = {"account_id": BigInteger(), "lower": at.type, "upper": at.type}
    spans = visible.of(batch(visible.dialect, **kinds))
    rows: Sequence[Expression] = columns
    if visible.dialect == "sqlite":
        joined = spans.join(at.table, inside(at, spans))
    else:
        found = rows_inside(at, spans, columns).lateral("rows")
        joined, rows = spans.join(found, true()), list(found.c)
    *sets, spent = rows
    sums = _sums(sets, spent, visible.dialect)
    return select(spans.c.n, *sums).select_from(joined).group_by(spans.c.n, *sets)


def _sums(
    sets: Sequence[Expression], spent: Expression, dialect: DialectName
) -> Iterator[Expression]:
    yield from sets or [literal(b"", LargeBinary()).label("deployments")]
    for label, part in parts(dialect, "spent_nanos").items():
        yield func.coalesce(func.sum(part(spent)), 0).label(label)


_SPEND: Final = RollupSpans[UsageSum](partial(_statement, False))
_USAGE: Final = RollupSpans[UsageSum](partial(_statement, True))


Spans: TypeAlias = tuple[RollupSpan, ...]
"""The spans of one series, such as the buckets of a chart."""


async def usage_sums(
    reader: Reader, principal: Principal, series: Sequence[Spans], columns: Wanted = None
) -> list[list[list[UsageSum]]]:
    """Return the sums of each span of each series: the spend by set of active deployments. Sets
    repeat from quarter hour to quarter hour, so that there are fewer sums than rows. Where only the
    spend is wanted, it is one sum, and `deployments` is empty. A span without rows has no sums.
    """
    with_sets = columns is None or "deployments" in columns
    spans = [*chain.from_iterable(series)]
    found = await (_USAGE if with_sets else _SPEND).fetch(reader, principal, spans)
    sums = iter([[whole(row, "spent_nanos") for row in rows] for rows in found])
    return [[*islice(sums, len(each))] for each in series]
