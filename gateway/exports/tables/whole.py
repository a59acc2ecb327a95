"""Files that are made whole before they are sent.

The temporary file has no name, so nothing is left of it, whatever ends the process. Writers run in
one thread, slice by slice: between two slices others have their turn.
"""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import Final, ParamSpec, TypeVar

from gateway.errors import StorageFull
from gateway.exports.export import FilePart
from gateway.exports.tables.writer import TableWriter
from gateway.store.engine.statement import R
from gateway.store.engine.stream import Chunk, ColumnChunk

PIECE_BYTES: Final = 256 * 1024
_THREAD: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="export")
"""Writers of all files take turns, so that the event loop competes with one of them at most."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

P = ParamSpec("P")
T = TypeVar("T")


class WholeFile:
    """A file of a table. `size` is its bytes, None until it is whole."""

    def __init__(self, writer: TableWriter) -> None:
        self._writer = writer
        self.size: int | None = None

    async def parts(self, rows: AsyncGenerator[Chunk[R]]) -> AsyncGenerator[FilePart]:
        """Yield the rows as they are written, without content, then the content.

        Raises StorageFull where the folder of temporary files is full.
        """
        writer = self._writer
        with _full_disk(), TemporaryFile() as file:
            try:
                await _in_thread(writer.open, file)
                async with aclosing(rows) as chunks:
                    async for chunk in chunks:
                        for some in _slices(chunk, writer.slice_rows):
                            await _in_thread(writer.write, some)
                            yield FilePart(b"", len(some))
                await _in_thread(writer.finish)
            finally:
                await _in_thread(writer.release)
            self.size = file.seek(0, os.SEEK_END)
            file.seek(0)
            while content := await _in_thread(file.read, PIECE_BYTES):
                yield FilePart(content, 0)


def _slices(chunk: ColumnChunk, size: int) -> Iterator[ColumnChunk]:
    count = len(chunk)
    if count <= size:
        yield chunk
        return
    for first in range(0, count, size):
        yield ColumnChunk(
            {name: cells[first : first + size] for name, cells in chunk.columns.items()}
        )


async def _in_thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a call in the thread; a caller that is cancelled waits for its end, because the call uses
    what the caller frees.
    """
    work = partial(call, *args, **kwargs)
    running = asyncio.get_running_loop().run_in_executor(_THREAD, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            try:
                await asyncio.wait([running])
            except asyncio.CancelledError:
                continue
        if not running.cancelled():
            running.exception()  # so that nobody reports it
        raise


@contextmanager
def _full_disk() -> Iterator[None]:
    """Raise StorageFull for the system's error, also one that a library has wrapped."""
    try:
        yield
    except Exception as error:
        if any(getattr(each, "errno", None) in _FULL for each in _causes(error)):
            raise StorageFull(
                "There is no room for the temporary file of this export. Try CSV or JSONL, which "
                "need none."
            ) from error
        raise


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and those that it came from."""
    found: BaseException | None = error
    while found is not None:
        yield found
        yield from (each for each in found.args if isinstance(each, BaseException))
        found = found.__cause__ or found.__context__
