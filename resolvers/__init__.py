"""The graph: types, fields and their policies, and a resolver where a field has a rule."""
