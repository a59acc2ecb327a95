"""A deadline for a block: `asyncio.timeout` that cannot be moved, at a third of its cost."""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """Cancels its block after some seconds and then raises TimeoutError; `has_passed` says so.

    A cancellation from elsewhere passes through unchanged.
    """

    __slots__ = ("_cancelling", "_seconds", "_task", "_timer", "has_passed")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.has_passed = False

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101  # a block that awaits runs in a task
        self._task, self._cancelling = task, task.cancelling()
        self._timer = loop.call_later(self._seconds, self._pass)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if (
            self.has_passed
            and self._task.uncancel() <= self._cancelling
            and isinstance(error, asyncio.CancelledError)
        ):
            raise TimeoutError from error

    def _pass(self) -> None:
        self.has_passed = True
        self._task.cancel()
