"""Completed values by column: from columns of many objects to the answer's objects and lists."""

from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol


class Column(Protocol):
    """The completed values of one field, one for each object of a batch."""

    def build(self) -> list[Any]:
        """Return the values as they stand in the answer. Called once."""
        ...


class Ready:
    """Values that are complete."""

    __slots__ = ("_values",)

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def build(self) -> list[Any]:
        return self._values


class Sparse:
    """The values of some positions; null at all others."""

    __slots__ = ("_inner", "_length", "_positions")

    def __init__(self, inner: Column, positions: Sequence[int], length: int) -> None:
        self._inner = inner
        self._positions = positions
        self._length = length

    def build(self) -> list[Any]:
        values: list[Any] = [None] * self._length
        for position, value in zip(self._positions, self._inner.build(), strict=True):
            values[position] = value
        return values


class Lists:
    """Lists, their items one after the other in one column."""

    __slots__ = ("_inner", "_lengths")

    def __init__(self, inner: Column, lengths: Sequence[int]) -> None:
        self._inner = inner
        self._lengths = lengths

    def build(self) -> list[Any]:
        items = iter(self._inner.build())
        return [list(islice(items, length)) for length in self._lengths]


class Mixed:
    """Values of several columns, each of which has those of its positions."""

    __slots__ = ("_length", "_parts")

    def __init__(self, parts: Sequence[tuple[Column, Sequence[int]]], length: int) -> None:
        self._parts = parts
        self._length = length

    def build(self) -> list[Any]:
        values: list[Any] = [None] * self._length
        for column, positions in self._parts:
            for position, value in zip(positions, column.build(), strict=True):
                values[position] = value
        return values


class Later:
    """Values that are awaited; `inner` is set when they are there."""

    __slots__ = ("inner",)

    inner: Column

    def build(self) -> list[Any]:
        return self.inner.build()
