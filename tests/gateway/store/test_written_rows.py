"""Rows as they are written: the columns of their tables, of the types that are read."""

from typing import Any, get_type_hints

import pytest
from sqlalchemy import Table

from gateway.store.accounts import ACCOUNT, MEMBER, MemberCells, NewAccount
from gateway.store.deployments import DEPLOYMENT, DeploymentRow
from gateway.store.imported_charges import ImportedEventRow
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
from gateway.store.rows import (
    AccountRow,
    CreditPurchaseRow,
    DisputeMovementRow,
    DisputeRow,
    LedgerDayRow,
    LedgerEntryRow,
    MemberRow,
    ReceiptRow,
    RefundRow,
    StoredDeployment,
)
from gateway.store.usage_events import EVENT, UsageEventCells

# `Any`: a NamedTuple and a TypedDict have no base in common.
ROWS: dict[str, tuple[Table, Any, Any]] = {
    "deployment": (DEPLOYMENT, DeploymentRow, StoredDeployment),
    "ledger entry": (ENTRY, Posting, LedgerEntryRow),
    "receipt": (RECEIPT, IssuedReceipt, ReceiptRow),
    "account": (ACCOUNT, NewAccount, AccountRow),
    "member": (MEMBER, MemberCells, MemberRow),
    "ledger day": (DAY, Day, LedgerDayRow),
    "purchase": (PURCHASE, CreditPurchaseCells, CreditPurchaseRow),
    "refund": (REFUND, RefundCells, RefundRow),
    "dispute": (DISPUTE, DisputeCells, DisputeRow),
    "movement": (MOVEMENT, MovementRow, DisputeMovementRow),
    "usage event": (EVENT, UsageEventCells, ImportedEventRow),
}
NOT_READ = {"receipt": {"data"}}
"""Columns that a row is read without."""


@pytest.mark.parametrize("name", ROWS)
def test_a_written_row_has_every_column_of_its_table(name: str) -> None:
    table, written, _ = ROWS[name]
    assert {*written._fields} == {column.name for column in table.columns}


@pytest.mark.parametrize("name", ROWS)
def test_a_column_is_written_and_read_with_one_type(name: str) -> None:
    _, written, read = ROWS[name]
    differing = get_type_hints(written).items() - get_type_hints(read).items()
    assert {column for column, _ in differing} == NOT_READ.get(name, set())
