"""Rows as they are written, and the columns of their tables."""

import pytest
from sqlalchemy import Table

from gateway.store.accounts import ACCOUNT, MEMBER, MemberCells, NewAccount
from gateway.store.deployments import DEPLOYMENT, DeploymentRow
from gateway.store.ledger import ENTRY, Posting
from gateway.store.ledger_days import DAY, Day
from gateway.store.purchases import (
    DISPUTE,
    MOVEMENT,
    PURCHASE,
    REFUND,
    CreditPurchaseCells,
    DisputeCells,
    MovementRow,
    RefundCells,
)
from gateway.store.receipts import RECEIPT, IssuedReceipt
from gateway.store.usage_events import EVENT, UsageEventCells

ROWS: dict[str, tuple[Table, tuple[str, ...]]] = {
    "deployment": (DEPLOYMENT, DeploymentRow._fields),
    "ledger entry": (ENTRY, Posting._fields),
    "receipt": (RECEIPT, IssuedReceipt._fields),
    "account": (ACCOUNT, NewAccount._fields),
    "member": (MEMBER, MemberCells._fields),
    "ledger day": (DAY, Day._fields),
    "purchase": (PURCHASE, CreditPurchaseCells._fields),
    "refund": (REFUND, RefundCells._fields),
    "dispute": (DISPUTE, DisputeCells._fields),
    "movement": (MOVEMENT, MovementRow._fields),
    "usage event": (EVENT, UsageEventCells._fields),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_written_row_has_every_column_of_its_table(name: str) -> None:
    table, fields = ROWS[name]
    assert {*fields} == {column.name for column in table.columns}
