"""Rows as they are written, and the columns of their tables."""

import pytest
from sqlalchemy import Table

from gateway.store.deployments import DEPLOYMENT, DeploymentRow
from gateway.store.ledger import ENTRY, Posting
from gateway.store.receipts import COLUMNS, RECEIPT

ROWS: dict[str, tuple[Table, tuple[str, ...]]] = {
    "deployment": (DEPLOYMENT, DeploymentRow._fields),
    "ledger entry": (ENTRY, Posting._fields),
    "receipt": (RECEIPT, COLUMNS),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_written_row_has_every_column_of_its_table(name: str) -> None:
    table, fields = ROWS[name]
    assert {*fields} == {column.name for column in table.columns}
