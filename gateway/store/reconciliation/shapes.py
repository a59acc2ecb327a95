"""The shapes of the statements that reconcile an account."""

from typing import Final, TypedDict

from sqlalchemy import BigInteger, ColumnElement, Subquery, Table, bindparam, func, select

from gateway.store.engine.sql import Expression, Query


class DifferenceRow(TypedDict):
    """A place where a stored figure differs from the facts: null where it is the one
    or the other that is missing.
    """

    place: int | str | None
    expected: int | None
    found: int | None


KEY: Final = bindparam("account_id", type_=BigInteger())


def difference(place: Expression, expected: Expression, found: Expression) -> Query:
    """Return the rows with two different non-null columns."""
    columns = (place.label("place"), expected.label("expected"), found.label("found"))
    return select(*columns).where(expected != found)


def sums(table: Table, key: str, total: Expression, *where: ColumnElement[bool]) -> Subquery:
    """Return `total` by a column of an account's rows."""
    by = table.c[key]
    return (
        select(by.label("key"), func.sum(total).label("total"))
        .where(table.c.account_id == KEY, by.is_not(None), *where)
        .group_by(by)
        .subquery()
    )


def total(sums: Subquery) -> Expression:
    return func.coalesce(sums.c.total, 0)


def numbered(table: Table, order: str, *partition: str) -> Subquery:
    """Return an account's rows with `n`, each one's place in an order from 1."""
    by = [table.c[name] for name in partition]
    n = func.row_number().over(partition_by=by or None, order_by=table.c[order]).label("n")
    return select(*table.c, n).where(table.c.account_id == KEY).subquery()
