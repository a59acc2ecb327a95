"""The audit log: who did what to accounts, members, keys and credit, and who read them."""
