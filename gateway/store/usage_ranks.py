"""Ranks values of a dimension by their spend, in the statement."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Subquery,
    and_,
    collate,
    func,
    or_,
    select,
)

from gateway.models import Deployment, table_of
from gateway.store.engine.sql import Query
from gateway.store.halves import HALF
from gateway.store.tenancy import Visible
from gateway.store.usage_activity import queries_of, spend
from gateway.store.usage_filter import NO_VALUE, UsageDimension

_DEPLOYMENT: Final = table_of(Deployment)


def placed(
    rows: FromClause, within: Sequence[str], key: str, dimension: UsageDimension, visible: Visible
) -> Subquery:
    """Add the `place` of each row's value within others, from 1: by spend, descending, then by key;
    none comes last of equals. Values without spend and without events are left out.

    By window functions: a join of ranks with what was ranked would be planned for few rows, and
    read thousands of deployments for each of thousands.
    """
    group = [rows.c[name] for name in within]
    same_key = (*group, rows.c[key])
    names = [*(name for name, _ in spend(visible.dialect)), "events"]
    of_key = (
        func.sum(rows.c[name]).over(partition_by=same_key).label(f"{name}_of_key") for name in names
    )
    sums = select(*rows.c, *of_key).subquery("sums")
    spent: list[ColumnElement[int]] = [sums.c[f"{name}_of_key"] for name in names[:-1]]
    if len(spent) > 1:
        low, high = spent
        spent = [high + low.bitwise_rshift(HALF), low.bitwise_and(2**HALF - 1)]
    is_text = dimension is not UsageDimension.DEPLOYMENT
    value = sums.c[key]
    by_bytes = collate(value, "C") if is_text and visible.dialect == "postgresql" else value
    order = (*(part.desc() for part in spent), value == NO_VALUE[dimension], by_bytes)
    place = func.dense_rank().over(partition_by=[sums.c[name] for name in within], order_by=order)
    is_any = or_(*(part != 0 for part in spent), sums.c.events_of_key > 0)
    return (
        select(*(sums.c[column.name] for column in rows.c), place.label("place"))
        .where(is_any)
        .subquery("placed")
    )


def named(
    rows: FromClause, spans: CTE, labels: Sequence[tuple[str, str]], visible: Visible
) -> Query:
    """Add deployments' names, or their external ids, to the few rows that are left: `labels` are
    the columns of their keys and those of their names.
    """
    if not labels:
        return select(*rows.c)
    queries = queries_of(spans)
    joined: FromClause = rows.join(queries, queries.c.query == rows.c.n)
    columns = []
    for key, label in labels:
        deployment = _DEPLOYMENT.alias(f"deployment_{key}")
        same = and_(
            deployment.c.account_id == queries.c.account_id,
            deployment.c.id == rows.c[key],
            visible(deployment.c.account_id),
        )
        joined = joined.outerjoin(deployment, same)
        columns.append(func.coalesce(deployment.c.name, deployment.c.external_id).label(label))
    return select(*rows.c, *columns).select_from(joined)
