"""Logs and metrics, below every layer that writes them."""
