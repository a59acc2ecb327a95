"""Stored figures against the facts that they are derived from: a row for each difference."""

from gateway.store.reconciliation import accounts, ledger, purchases

__all__ = ["accounts", "ledger", "purchases"]
