"""Writers of tables into a file."""

from abc import ABC, abstractmethod
from typing import IO, ClassVar

from gateway.exports.tables.columns import Table
from gateway.store.engine.stream import ColumnChunk


class TableWriter(ABC):
    """Writes one table into one file: `open`, `write` for each slice of its rows, `finish`; and
    `release` in any case. Runs in a thread, never in two at once.
    """

    media_type: ClassVar[str]
    extension: ClassVar[str]
    slice_rows: ClassVar[int]
    """Most rows of a call: as many as are written in some 5 ms."""

    def __init__(self, table: Table) -> None:
        self.table = table

    @abstractmethod
    def open(self, file: IO[bytes]) -> None:
        """Begin the file."""

    @abstractmethod
    def write(self, rows: ColumnChunk) -> None:
        """Write rows."""

    @abstractmethod
    def finish(self) -> None:
        """Write the rest; the file is whole."""

    @abstractmethod
    def release(self) -> None:
        """Free all that is not the file; called while it is open, whole or not."""
