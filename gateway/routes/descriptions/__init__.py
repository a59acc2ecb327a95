"""What the REST operations say of themselves, a module for each group of paths."""
