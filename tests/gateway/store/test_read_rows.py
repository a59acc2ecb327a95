"""Rows as they are read: each has exactly the columns of its statement."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any, get_args, is_typeddict

import pytest

from gateway import store
from gateway.store.engine.sql import DIALECTS, DialectName
from gateway.store.engine.statement import Statement
from gateway.store.listing import Listing
from gateway.store.relation import Keyed
from gateway.store.rollup_spans import RollupSpans
from gateway.store.tenancy import Batched, Scoped

POSITION = "n"
"""The column that says to which key of a batch a row belongs; readers do not see it."""
HIGH = "_high"
"""The column of a sum's upper half on SQLite, which is put together with the lower one."""


def statements_of(value: object) -> Iterator[tuple[Statement[Any], Any]]:
    """Yield the statements that a module's value is or holds, each with its row."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from statements_of(each)
        return
    rows = get_args(getattr(value, "__orig_class__", None))
    if isinstance(value, Statement):
        yield value, rows[0]
    elif isinstance(value, Scoped):
        yield from ((each, rows[0]) for each in value._statements.values())
    elif isinstance(value, Keyed):
        yield from forms_of(value._make_statement(None), rows[0])
    elif isinstance(value, Listing):
        yield from forms_of(value._make_total_statement((), value._totals.keys()), rows[1])
        yield from forms_of(value._make_page_statement(True, (), None, ()), rows[0])
        whole: Scoped[Any] = value._make_whole_statement(())
        yield from ((each, rows[0]) for each in whole._statements.values())
    elif isinstance(value, RollupSpans):
        for found in value._statements.values():
            yield from forms_of(found, rows[0])


def forms_of(batched: Batched[Any], row: Any) -> Iterator[tuple[Statement[Any], Any]]:
    """Yield the statements for one key and for many, each with its row."""
    for form in (batched._of_one, batched._of_many):
        yield from ((each, row) for each in form._statements.values())


def found_statements() -> dict[str, list[tuple[Statement[Any], Any]]]:
    """Return the statements of every module of `store` that return rows, by their names."""
    found = {}
    for each in pkgutil.walk_packages(store.__path__, f"{store.__name__}."):
        for name, value in vars(importlib.import_module(each.name)).items():
            read = [pair for pair in statements_of(value) if is_typeddict(pair[1])]
            if read:
                found[f"{each.name}.{name}".removeprefix(f"{store.__name__}.")] = read
    return found


STATEMENTS = found_statements()


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_row_has_exactly_its_statements_columns(name: str, dialect: DialectName) -> None:
    for statement, row in STATEMENTS[name]:
        columns = statement.compiled(dialect).columns
        assert len(set(columns)) == len(columns)
        names = row.__annotations__.keys() - {POSITION}
        halves = {f"{name}{HIGH}" for name in names}
        found = {*columns} - {POSITION} - halves
        assert names - found <= row.__optional_keys__
        assert found <= names
