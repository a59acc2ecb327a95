"""The result of a run of an operation."""

from typing import NamedTuple

from graphql import ExecutionResult


class Executed(NamedTuple):
    """The result of a run, and the points of the objects in it (`gateway.execution.cost`)."""

    result: ExecutionResult
    points: int
