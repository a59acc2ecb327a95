"""Files of lines: a row is its cells' texts, joined. Each cell is a text that needs no more care.

Looking up a text that was made before and joining costs a fifth of what a writer does that looks at
every character of every cell again.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from gateway.store.engine.stream import ColumnChunk

Cells: TypeAlias = Callable[[ColumnChunk], Iterable[str]]
"""One column of a chunk, as it stands in the file."""

QUOTED: Final = re.compile('[",\r\n]')
"""Characters that require quotation marks around a CSV cell."""


def quoted(text: str) -> str:
    """Return a CSV's cell."""
    if QUOTED.search(text):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text


class LinesExport:
    """An `Export` with a line for each row: `begin`, its cells with commas between, `end`."""

    def __init__(
        self,
        cells: Sequence[Cells],
        *,
        media_type: str,
        extension: str,
        head: bytes = b"",
        begin: str = "",
        end: str = "\n",
    ) -> None:
        self.media_type = media_type
        self.extension = extension
        self._cells = cells
        self._head = head
        self._begin = begin
        self._between = f"{end}{begin}"
        self._end = end

    def begin(self) -> bytes:
        return self._head

    def write(self, chunk: ColumnChunk) -> bytes:
        # One list of all texts, filled by column: a list and a join for each row take half as long
        # again.
        size, width = len(chunk), 2 * len(self._cells)
        texts = [","] * (size * width)
        for index, cells in enumerate(self._cells):
            texts[2 * index :: width] = cells(chunk)
        texts[width - 1 :: width] = [self._between] * size
        texts[-1] = self._end
        return f"{self._begin}{''.join(texts)}".encode()

    def end(self) -> bytes:
        return b""
