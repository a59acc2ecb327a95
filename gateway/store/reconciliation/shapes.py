"""The shapes of the statements that reconcile an account."""

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, Table, bindparam, func, select

KEY: Final = bindparam("account_id", type_=BigInteger())


def difference(
    place: ColumnElement[Any], expected: ColumnElement[Any], found: ColumnElement[Any]
) -> Select[Any]:
    """Return the rows with two different non-null columns."""
    columns = (place.label("place"), expected.label("expected"), found.label("found"))
    return select(*columns).where(expected != found)


def sums(table: Table, key: str, total: ColumnElement[Any], *where: Any) -> Subquery:
    """Return `total` by a column of an account's rows."""
    by = table.c[key]
    return (
        select(by.label("key"), func.sum(total).label("total"))
        .where(table.c.account_id == KEY, by.is_not(None), *where)
        .group_by(by)
        .subquery()
    )


def total(sums: Subquery) -> ColumnElement[Any]:
    return func.coalesce(sums.c.total, 0)


def numbered(table: Table, order: str, *partition: str) -> Subquery:
    """Return an account's rows with `n`, each one's place in an order from 1."""
    by = [table.c[name] for name in partition]
    n = func.row_number().over(partition_by=by or None, order_by=table.c[order]).label("n")
    return select(*table.c, n).where(table.c.account_id == KEY).subquery()
