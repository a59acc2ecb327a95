"""Waves: coroutines of one operation that run together, in one task.

A wave runs its coroutines in turn until each has ended or waits for work that was put off. Only
then does the work that was put off begin: by then it knows everything that was requested of it. So
loads are batched as well as they can be, without a task, a future or a turn of the event loop for
each. Haxl runs its fetches in the same way: Marlow and others, "There is no Fork: an Abstraction
for Efficient, Concurrent, and Concise Data Access", ICFP 2014.

Code that a wave runs puts its work off; `Wave.running` tells such code. A coroutine may await
anything else too: the rest of the coroutine is then a task of its own. Before that a coroutine has
no current task, so that `asyncio.timeout` is an error in it, and not a limit of the whole wave.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from functools import partial
from types import CoroutineType
from typing import Any, Final, Generic, NamedTuple, TypeAlias, TypeVar

V = TypeVar("V")

Work: TypeAlias = Callable[[], Coroutine[Any, Any, V]]
Pause: TypeAlias = Callable[[], Awaitable[None]]

_STRETCH: Final = 64
"""Coroutines that run between two calls of `pause`."""


class Promise(Generic[V]):
    """The later outcome of a coroutine, or of work that was put off.

    Coroutines of the wave await a promise without a future; a task may await the promise too.
    """

    __slots__ = ("_calls", "_error", "_value", "_wave", "done")

    def __init__(self, wave: "Wave") -> None:
        self.done = False
        self._wave = wave
        self._value: Any = None
        self._error: BaseException | None = None
        self._calls: list[Callable[[], None]] = []

    def __await__(self) -> Generator[Any, None, V]:
        if not self.done:
            if self._wave.running:
                yield self
            else:
                yield from _future_of(self)
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]  # `cast` is a call

    @property
    def outcome(self) -> V | BaseException:
        """The value, or the exception that was raised; to be read once it is `done`."""
        return self._value if self._error is None else self._error

    def call_when_done(self, call: Callable[[], None]) -> None:
        """Call a function without arguments when the outcome is known."""
        self._calls.append(call)

    def keep(self, value: V) -> None:
        """Set the value."""
        self._value = value
        self._end()

    def fail(self, error: BaseException) -> None:
        """Set the exception."""
        self._error = error
        self._end()

    def _end(self) -> None:
        self.done = True
        calls, self._calls = self._calls, []
        for call in calls:
            call()


class Wave:
    """The coroutines of one operation."""

    __slots__ = ("_last", "_later", "_live", "_ready", "_tasks", "running")

    def __init__(self) -> None:
        self.running = False
        """Whether the code that runs now belongs to the wave."""
        self._ready: deque[_Running] = deque()
        self._live: set[_Running] = set()
        self._later: list[tuple[Work[Any], Promise[Any]]] = []
        self._last: list[tuple[Work[Any], Promise[Any]]] = []
        self._tasks: dict[asyncio.Task[Any], Promise[Any]] = {}

    def put_off(self, work: Work[V], *, last: bool = False) -> Promise[V]:
        """Begin work when no coroutine can go on without it; return the promise of its outcome.

        Work that waits for a server is `last`: it begins when no other work is left, and runs in
        the caller's task.
        """
        promise: Promise[V] = Promise(self)
        (self._last if last else self._later).append((work, promise))
        return promise

    async def outcomes(
        self, awaitables: Sequence[Awaitable[Any]], pause: Pause | None = None
    ) -> list[Any]:
        """Run awaitables, and all work that was put off, to their ends. Return each awaitable's
        value, or the exception that was raised.

        `pause` is awaited between stretches. Where the caller is cancelled, whatever has not ended
        is closed.
        """
        promises = [self._start(awaitable, Promise(self)) for awaitable in awaitables]
        caller = _caller()  # to find the loop takes a system call
        try:
            while await self._went_on(caller, pause):
                pass
        finally:
            await self._close()
        return [promise.outcome for promise in promises]

    def _start(self, awaitable: Awaitable[V], promise: Promise[V]) -> Promise[V]:
        coroutine = awaitable if isinstance(awaitable, CoroutineType) else _wait_for(awaitable)
        each = _Running(coroutine, promise)
        self._ready.append(each)
        self._live.add(each)
        return promise

    async def _went_on(self, caller: "_Caller", pause: Pause | None) -> bool:
        """Do the next thing that can be done; return False if nothing is left."""
        if self._ready:
            self._run_stretch(*caller)
            if self._ready and pause is not None:
                await pause()
        elif self._later:
            later, self._later = self._later, []
            for work, promise in later:
                self._start(work(), promise)
        elif self._last:
            last, self._last = self._last, []
            for work, promise in last:
                await _settle(work(), promise)
        elif self._tasks:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in self._tasks if task.done()]:
                _take(task, self._tasks.pop(task))
        else:
            return False
        return True

    def _run_stretch(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        # See https://docs.python.org/3/library/asyncio-extending.html.
        asyncio.tasks._leave_task(loop, task)  # noqa: SLF001 - public for event loops
        self.running = True
        try:
            for _ in range(min(_STRETCH, len(self._ready))):
                self._run(self._ready.popleft())
        finally:
            self.running = False
            asyncio.tasks._enter_task(loop, task)  # noqa: SLF001

    def _run(self, each: "_Running") -> None:
        """Run a coroutine until it ends or waits."""
        try:
            awaited = each.coroutine.send(None)
        except StopIteration as end:
            self._live.discard(each)
            each.promise.keep(end.value)
        except (Exception, asyncio.CancelledError) as error:
            self._live.discard(each)
            each.promise.fail(error)
        else:
            if isinstance(awaited, Promise):
                awaited.call_when_done(partial(self._ready.append, each))
            else:
                self._live.discard(each)
                rest = _Rest(each.coroutine, awaited)
                self._tasks[asyncio.create_task(_wait_for(rest))] = each.promise

    async def _close(self) -> None:
        for each in self._live:
            each.coroutine.close()
        tasks = list(self._tasks)
        for held in (self._ready, self._live, self._later, self._last, self._tasks):
            held.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)


class _Caller(NamedTuple):
    """The loop and the task in which a wave runs."""

    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[Any]


def _caller() -> _Caller:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    assert task is not None  # noqa: S101  # a coroutine runs in a task
    return _Caller(loop, task)


class _Running:
    """A coroutine that a wave runs, and the promise of its outcome."""

    __slots__ = ("coroutine", "promise")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], promise: Promise[Any]) -> None:
        self.coroutine = coroutine
        self.promise = promise


class _Rest:
    """The rest of a coroutine that has begun and waits for `awaited`."""

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], awaited: object) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        awaited, coroutine = self._awaited, self._coroutine
        while True:
            try:
                yield awaited
            except BaseException as error:
                go_on = partial(coroutine.throw, error)
            else:
                go_on = partial(coroutine.send, None)
            try:
                awaited = go_on()
            except StopIteration as end:
                return end.value


def _future_of(promise: Promise[Any]) -> asyncio.Future[None]:
    """Return a future that is done when a promise is."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def finish() -> None:
        if not future.done():
            future.set_result(None)

    promise.call_when_done(finish)
    return future


async def _wait_for(awaitable: Awaitable[V]) -> V:
    return await awaitable


async def _settle(awaitable: Awaitable[Any], promise: Promise[Any]) -> None:
    """Await, and keep the outcome. Raises CancelledError."""
    try:
        value = await awaitable
    except Exception as error:
        promise.fail(error)
    else:
        promise.keep(value)


def _take(task: asyncio.Task[Any], promise: Promise[Any]) -> None:
    """Keep the outcome of a task that is done."""
    if task.cancelled():
        promise.fail(asyncio.CancelledError())
    elif error := task.exception():
        promise.fail(error)
    else:
        promise.keep(task.result())
