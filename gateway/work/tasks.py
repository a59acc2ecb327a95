"""The tasks that a process knows, each with the function that does it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.work.jobs import Job, NoPayload, P, Task
from gateway.work.periodic import Periodic

Run: TypeAlias = Callable[[Job[P]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A task with the function that does it. `Any`: each task has a payload of its own."""

    task: Task[Any]
    run: Run[Any]
    periodic: Periodic | None = None


class Tasks:
    """The tasks of this process. It takes no jobs of others, which may be those of a newer version:
    they wait for a process that knows them.
    """

    def __init__(self) -> None:
        self._registered: dict[str, Registered] = {}

    def add(self, task: Task[P], run: Run[P]) -> None:
        """Have a task's jobs done by a function."""
        self._add(Registered(task=task, run=run))

    def add_periodic(self, periodic: Periodic, run: Callable[[], Awaitable[object]]) -> None:
        """Have a function called about every so often."""

        async def call(_: Job[NoPayload]) -> None:
            await run()

        self._add(Registered(task=periodic.task, run=call, periodic=periodic))

    def _add(self, registered: Registered) -> None:
        name = registered.task.name
        if name in self._registered:
            raise ValueError(f"There are two tasks called {name}.")
        self._registered[name] = registered

    def __getitem__(self, name: str) -> Registered:
        return self._registered[name]

    @property
    def by_queue(self) -> Mapping[str, Collection[str]]:
        """The tasks' names by queue."""
        found: dict[str, list[str]] = {}
        for name, registered in self._registered.items():
            found.setdefault(registered.task.queue, []).append(name)
        return found

    @property
    def periodic(self) -> Collection[Periodic]:
        return [each.periodic for each in self._registered.values() if each.periodic]
