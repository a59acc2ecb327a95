"""Waves: coroutines of one operation that run together, in one task.

A wave runs its coroutines in turn until each has ended or waits for work that was put off. Only
then does the work that was put off begin: by then it knows everything that was requested of it. So
loads are batched as well as they can be, without a task, a future or a turn of the event loop for
each. Haxl runs its fetches in the same way: Marlow and others, "There is no Fork: an Abstraction
for Efficient, Concurrent, and Concise Data Access", ICFP 2014.

Code that a wave runs puts its work off; `Wave.running` tells such code. A coroutine may await
anything else too: the rest of the coroutine is then a task of its own. Before that a coroutine has
no current task, so that `asyncio.timeout` is an error in it, and not a limit of the whole wave.

A wave of one coroutine has nothing to gather: it may run without the wave, in the caller's task.
Then `Wave.is_alone`, and work begins at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from functools import partial
from types import CoroutineType
from typing import Any, Final, Generic, TypeAlias, TypeVar

V = TypeVar("V")

Work: TypeAlias = Callable[[], Coroutine[Any, Any, V]]
Pause: TypeAlias = Callable[[], Awaitable[None]]

_STRETCH: Final = 64
"""Coroutines that run between two calls of `pause`."""


class Promise(Generic[V]):
    """The later outcome of a coroutine, or of work that was put off.

    Coroutines of the wave await a promise without a future; a task may await the promise too.
    `coroutine` and `waiting`, the promises of the wave that go on after this one, are the wave's.
    """

    __slots__ = ("_error", "_futures", "_value", "_wave", "coroutine", "done", "waiting")

    def __init__(self, wave: "Wave", coroutine: Coroutine[Any, Any, V] | None = None) -> None:
        self.done = False
        self.coroutine = coroutine
        self.waiting: list[Promise[Any]] | None = None
        self._wave = wave
        self._value: Any = None
        self._error: BaseException | None = None
        self._futures: list[asyncio.Future[None]] | None = None

    def __await__(self) -> Generator[Any, None, V]:
        if not self.done:
            if self._wave.running:
                yield self
            else:
                yield from self._future()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]  # `cast` is a call

    @property
    def outcome(self) -> V | BaseException:
        """The value, or the exception that was raised; to be read once it is `done`."""
        return self._value if self._error is None else self._error

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
        if self.waiting is not None:
            self._wave.ready.extend(self.waiting)
            self.waiting = None
        if self._futures is not None:
            for future in self._futures:
                if not future.done():
                    future.set_result(None)

    def _future(self) -> asyncio.Future[None]:
        """Return a future that is done when the promise is."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures = [*(self._futures or ()), future]
        return future


class Wave:
    """The coroutines of one operation. `ready` are the promises of those that can go on."""

    __slots__ = ("_last", "_later", "_live", "_tasks", "is_alone", "ready", "running")

    def __init__(self) -> None:
        self.running = False
        """Whether the code that runs now belongs to the wave."""
        self.is_alone = False
        """Whether one coroutine runs in the place of a wave, and puts nothing off."""
        self.ready: deque[Promise[Any]] = deque()
        self._live: set[Promise[Any]] = set()
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

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run."""
        return not (self.ready or self._later or self._last)

    async def outcome_alone(self, awaitable: Awaitable[V]) -> V | BaseException:
        """Run the only awaitable of an empty wave to its end, in the caller's task. Return its
        value, or the exception that was raised.
        """
        self.is_alone = True
        try:
            return await awaitable
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return error
        except Exception as error:
            return error
        finally:
            self.is_alone = False

    async def outcomes(
        self, awaitables: Sequence[Awaitable[Any]], pause: Pause | None = None
    ) -> list[Any]:
        """Run awaitables, and all work that was put off, to their ends. Return each awaitable's
        value, or the exception that was raised.

        `pause` is awaited between stretches. Where the caller is cancelled, whatever has not ended
        is closed.
        """
        promises: list[Promise[Any]] = [
            Promise(self, each if isinstance(each, CoroutineType) else _wait_for(each))
            for each in awaitables
        ]
        self.ready.extend(promises)
        self._live.update(promises)
        loop = asyncio.get_running_loop()  # to find the loop takes a system call
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101  # a coroutine runs in a task
        try:
            while True:
                if self.ready or self._later:
                    self._run_stretch(loop, task)
                    if self.ready and pause is not None:
                        await pause()
                elif self._last:
                    last, self._last = self._last, []
                    for work, promise in last:
                        try:
                            promise.keep(await work())
                        except Exception as error:
                            promise.fail(error)
                elif self._tasks:
                    await self._next_task()
                else:
                    break
        finally:
            if self._live or self._later or self._last:
                await self._close()
        return [promise.outcome for promise in promises]

    def _run_stretch(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Run what is ready, and work that was put off until nothing is."""
        ready = self.ready
        # See https://docs.python.org/3/library/asyncio-extending.html.
        asyncio.tasks._leave_task(loop, task)  # noqa: SLF001 - public for event loops
        self.running = True
        try:
            for _ in range(_STRETCH):
                if not ready:
                    if not self._later:
                        break
                    self._begin_later()
                self._run(ready.popleft())
        finally:
            self.running = False
            asyncio.tasks._enter_task(loop, task)  # noqa: SLF001

    def _begin_later(self) -> None:
        """Begin work that was put off."""
        later, self._later = self._later, []
        for work, promise in later:
            promise.coroutine = work()
            self.ready.append(promise)
            self._live.add(promise)

    def _run(self, promise: Promise[Any]) -> None:
        """Run a coroutine until it ends or waits."""
        coroutine = promise.coroutine
        assert coroutine is not None  # noqa: S101  # it has begun
        try:
            awaited = coroutine.send(None)
        except StopIteration as end:
            self._live.discard(promise)
            promise.keep(end.value)
        except (Exception, asyncio.CancelledError) as error:
            self._live.discard(promise)
            promise.fail(error)
        else:
            if not isinstance(awaited, Promise):
                rest = _wait_for(_Rest(coroutine, awaited))
                self._tasks[asyncio.create_task(rest)] = promise
            elif awaited.waiting is None:
                awaited.waiting = [promise]
            else:
                awaited.waiting.append(promise)

    async def _next_task(self) -> None:
        """Wait until a coroutine that became a task has ended."""
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in [task for task in self._tasks if task.done()]:
            promise = self._tasks.pop(task)
            self._live.discard(promise)
            _take(task, promise)

    async def _close(self) -> None:
        tasks = list(self._tasks)
        for promise in self._live.difference(self._tasks.values()):
            if promise.coroutine is not None:
                promise.coroutine.close()
        for held in (self.ready, self._live, self._later, self._last, self._tasks):
            held.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.gather(*tasks, return_exceptions=True)


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


async def _wait_for(awaitable: Awaitable[V]) -> V:
    return await awaitable


def _take(task: asyncio.Task[Any], promise: Promise[Any]) -> None:
    """Keep the outcome of a task that is done."""
    if task.cancelled():
        promise.fail(asyncio.CancelledError())
    elif error := task.exception():
        promise.fail(error)
    else:
        promise.keep(task.result())
