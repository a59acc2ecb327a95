"""Compares an account's monthly statements with each other and with the ledger."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import and_, func, select

from gateway.models import LedgerEntry, MonthlyStatement, table_of
from gateway.store.engine.sql import Expression, Query
from gateway.store.engine.statement import Statement
from gateway.store.reconciliation.shapes import KEY, DifferenceRow, difference

_ENTRY: Final = table_of(LedgerEntry)
_STATEMENT: Final = table_of(MonthlyStatement)


def _follows(column: str, before: Expression) -> Query:
    """Return the statements where a column does not follow from the statement before."""
    expected = before.over(order_by=_STATEMENT.c.month).label("expected")
    statements = (
        select(_STATEMENT.c.month, _STATEMENT.c[column].label("found"), expected)
        .where(_STATEMENT.c.account_id == KEY)
        .subquery()
    )
    return difference(statements.c.month, statements.c.expected, statements.c.found)


def _closings() -> Query:
    same = and_(
        _ENTRY.c.account_id == _STATEMENT.c.account_id,
        _ENTRY.c.version == _STATEMENT.c.last_version,
    )
    closing = _STATEMENT.c.closing_nanos
    return (
        difference(_STATEMENT.c.month, _ENTRY.c.balance_nanos, closing)
        .select_from(_STATEMENT.join(_ENTRY, same))
        .where(_STATEMENT.c.account_id == KEY)
    )


STATEMENT_CHECKS: Final[Mapping[str, Statement[DifferenceRow]]] = {
    "statement's opening balance": Statement[DifferenceRow](
        _follows("opening_nanos", func.lag(_STATEMENT.c.closing_nanos, 1, 0))
    ),
    "statement's versions": Statement[DifferenceRow](
        _follows("first_version", func.lag(_STATEMENT.c.last_version + 1, 1, 1))
    ),
    "statement's closing balance": Statement[DifferenceRow](_closings()),
}
