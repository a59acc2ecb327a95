"""FOCUS cost files of any provider, read into the books."""
