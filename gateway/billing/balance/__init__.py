"""Balances: their history, how long they last, and when they are low."""
