"""The ledger's sums: the flows of a transaction, and an account's first day."""
