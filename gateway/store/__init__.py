"""Every statement, a module for each noun, and the databases that run them."""

from gateway.store.cursor import Cursors, Position
from gateway.store.engine.database import Database, Reader, Transaction
from gateway.store.engine.databases import build_database, connect
from gateway.store.engine.parameters import any_of, batch, keys
from gateway.store.engine.snapshot import Snapshot
from gateway.store.engine.statement import Statement
from gateway.store.listing import Listing
from gateway.store.selection import Page, Selection
from gateway.store.tenancy import Scoped, Visible

__all__ = [
    "Cursors",
    "Database",
    "Listing",
    "Page",
    "Position",
    "Reader",
    "Scoped",
    "Selection",
    "Snapshot",
    "Statement",
    "Transaction",
    "Visible",
    "any_of",
    "batch",
    "build_database",
    "connect",
    "keys",
]
