"""Indexes of large tables, made while the gateway serves: on Postgres, before the migrations."""

from typing import Any, Final

from sqlalchemy import Connection, Index, inspect, text
from sqlalchemy.schema import CreateIndex, DropIndex

from gateway.models import metadata

LARGE_BYTES: Final = 32 * 2**20
"""Of a smaller table, an index takes some tenths of a second in which writers wait."""

_IS_LARGE: Final = text("SELECT pg_relation_size(to_regclass(:table)) >= :least")
_IS_WHOLE: Final = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def create_large_indexes(connection: Connection) -> None:
    """Create the models' indexes that large tables do not have yet, CONCURRENTLY: nobody waits but
    the migration. It creates the others itself, those on columns that it adds too.

    The connection must be in no transaction. An index that an earlier attempt left unfinished is
    made again.
    """
    for table in metadata.sorted_tables:
        if not connection.scalar(_IS_LARGE, {"table": table.name, "least": LARGE_BYTES}):
            continue
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if there.issuperset(_columns(index)):
                _create(connection, index)


def _columns(index: Index) -> set[str]:
    included: Any = index.dialect_options["postgresql"]["include"] or ()
    return {*index.columns.keys(), *included}


def _create(connection: Connection, index: Index) -> None:
    is_whole = connection.scalar(_IS_WHOLE, {"name": index.name})
    if is_whole:
        return
    how = index.dialect_options["postgresql"]
    how["concurrently"] = True
    try:
        if is_whole is False:
            connection.execute(DropIndex(index))
        connection.execute(CreateIndex(index))
    finally:
        how["concurrently"] = False
