"""Tasks, and the jobs that are calls of them."""

import random
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from gateway.errors import BadUserInput, GatewayError

DEFAULT_QUEUE: Final = "default"
PAYLOAD_BYTES: Final = 65_536
"""Longest payload of a job, as JSON."""

P = TypeVar("P")


class Unrecoverable(GatewayError):
    """Raised by a task: no later attempt can succeed, so the job is dead. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPayload:
    """The payload of a task that needs none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The schedule of retries: `delays` after each failed attempt, in seconds, each up to `jitter`
    (a share) shorter or longer. After as many retries the job is dead.
    """

    delays: tuple[float, ...] = (5, 30, 120, 600, 3_600, 21_600)
    jitter: float = 0.2

    @property
    def attempts(self) -> int:
        """How often a job is tried before it is dead."""
        return len(self.delays) + 1

    def delay_seconds(self, attempt: int) -> float | None:
        """Return the pause after a failed attempt (counted from 1), or None after the last."""
        if attempt >= self.attempts:
            return None
        return spread(self.delays[attempt - 1], self.jitter)


def spread(seconds: float, share: float) -> float:
    """Return a time up to a share shorter or longer, so that not all is due at once."""
    return seconds * random.uniform(1 - share, 1 + share)  # noqa: S311  # only spreads load


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[P]):
    """A kind of job: its stable name, the frozen dataclass of its payload, and how it is run.

    An attempt is cancelled after `timeout_seconds`. The tasks of a queue share its places in each
    process, so that slow ones keep no others waiting.
    """

    name: str
    payload: type[P]
    queue: str = DEFAULT_QUEUE
    retry: Retry = Retry()
    timeout_seconds: float = 60

    def dump(self, payload: P) -> str:
        """Return a payload as JSON. Raises BadUserInput for one of more than PAYLOAD_BYTES."""
        text = TypeAdapter(self.payload).dump_json(payload)
        if len(text) > PAYLOAD_BYTES:
            raise BadUserInput(
                f"The payload of {self.name} has {len(text):,} bytes; at most {PAYLOAD_BYTES:,} "
                "are allowed."
            )
        return text.decode("utf-8")

    def load(self, text: str) -> P:
        """Return the payload of a stored job. Raises Unrecoverable, which quotes no value."""
        try:
            return TypeAdapter(self.payload).validate_json(text, strict=True, extra="forbid")
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "JSON"
            raise Unrecoverable(
                f"The payload does not fit the task: {place}: {first['msg']}."
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Generic[P]):
    """The argument of a task's function. `attempt` counts from 1. The same job may run more than
    once, also after it took effect.
    """

    id: int
    attempt: int
    account_id: int | None
    payload: P
