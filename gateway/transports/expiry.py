"""The end of a credential that a connection was opened with."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from gateway.clock import Clock
from gateway.principal import Principal

CHECK_SECONDS: Final = 20
"""Longest time until a jump of the clock past the end of a credential is seen."""


class Expiry:
    """Calls `expired` when the clock passes an instant, also where the clock jumps."""

    __slots__ = ("_at", "_clock", "_expired", "_timer")

    def __init__(self, clock: Clock, at: datetime, expired: Callable[[], None]) -> None:
        self._clock = clock
        self._at = at
        self._expired = expired
        self._wait()

    def _wait(self) -> None:
        left = (self._at - self._clock.now()).total_seconds()
        self._timer = asyncio.get_running_loop().call_later(
            min(max(left, 0), CHECK_SECONDS), self._check
        )

    def _check(self) -> None:
        if self._clock.now() < self._at:
            self._wait()
        else:
            self._expired()

    def cancel(self) -> None:
        self._timer.cancel()


def expires_at(principal: Principal, leeway_seconds: int) -> datetime | None:
    """Return the instant at which the principal's connections end."""
    if principal.expires_at is None:
        return None
    return principal.expires_at + timedelta(seconds=leeway_seconds)
