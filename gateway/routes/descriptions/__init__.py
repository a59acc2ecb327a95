"""Describes the REST operations, one module per group of paths."""
