"""Computes what an operation may cost, before it runs.

The fields of the schema say what one of their values costs (`gateway.execution.fields.Cost`). The
selections of an operation are walked once and kept as a tree of lists; the values of variables only
fill in the lengths of the lists. Selections are merged by their key in the response, as in
graphql-core, and a fragment counts wherever it is spread.
"""
