"""Monthly statements: the ledger month by month, as documents that never change."""
