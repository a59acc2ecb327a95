"""Statements that are not keyed batches, and the databases that they run on."""

from gateway.store.connect import connect
from gateway.store.database import Database, Reader, Snapshot, Transaction
from gateway.store.statement import Row, Statement, any_of, batch, keys
from gateway.store.tenancy import Scoped, Visible

__all__ = [
    "Database",
    "Reader",
    "Row",
    "Scoped",
    "Snapshot",
    "Statement",
    "Transaction",
    "Visible",
    "any_of",
    "batch",
    "connect",
    "keys",
]
