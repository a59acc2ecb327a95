"""Statements that are not keyed batches, and the databases that they run on."""

from gateway.store.connect import connect
from gateway.store.database import Database, Reader, Snapshot, Transaction
from gateway.store.statement import Row, Statement, any_of, keys

__all__ = [
    "Database",
    "Reader",
    "Row",
    "Snapshot",
    "Statement",
    "Transaction",
    "any_of",
    "connect",
    "keys",
]
