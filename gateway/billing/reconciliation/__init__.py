"""Reconciliation: stored figures compared with the facts they derive from."""
