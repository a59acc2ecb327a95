"""Compiled operations: each field runs once for all objects of its column."""
