"""Exports: all rows of a filter or a window as a CSV, JSONL or FOCUS file."""
