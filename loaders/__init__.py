"""Batched reads of one operation: DataLoaders that bind the store's statements to it."""
