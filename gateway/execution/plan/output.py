"""Completed values by column, and how they become the objects and lists of the response."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol


class OutputColumn(Protocol):
    """The completed values of one field, one for each object of a batch."""

    def build(self) -> Sequence[Any]:
        """Return the values in their form in the response. Called once."""
        ...


class Complete:
    """Complete values."""

    __slots__ = ("values",)

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values

    def build(self) -> Sequence[Any]:
        return self.values


class Sparse:
    """Values at some positions; null at all others."""

    __slots__ = ("_inner", "_length", "_positions")

    def __init__(self, inner: OutputColumn, positions: Sequence[int], length: int) -> None:
        self._inner = inner
        self._positions = positions
        self._length = length

    def build(self) -> Sequence[Any]:
        values: list[Any] = [None] * self._length
        for position, value in zip(self._positions, self._inner.build(), strict=True):
            values[position] = value
        return values


class Lists:
    """Lists with all items in one column, list after list."""

    __slots__ = ("_inner", "_lengths")

    def __init__(self, inner: OutputColumn, lengths: Sequence[int]) -> None:
        self._inner = inner
        self._lengths = lengths

    def build(self) -> Sequence[Any]:
        items = iter(self._inner.build())
        return [list(islice(items, length)) for length in self._lengths]


class Mixed:
    """Values of several columns, each with its own positions."""

    __slots__ = ("_length", "_parts")

    def __init__(self, parts: Sequence[tuple[OutputColumn, Sequence[int]]], length: int) -> None:
        self._parts = parts
        self._length = length

    def build(self) -> Sequence[Any]:
        values: list[Any] = [None] * self._length
        for column, positions in self._parts:
            for position, value in zip(positions, column.build(), strict=True):
                values[position] = value
        return values


class Awaited:
    """Values to await; `inner` is set when they have arrived."""

    __slots__ = ("inner",)

    inner: OutputColumn

    def build(self) -> Sequence[Any]:
        return self.inner.build()
