import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock import FixedClock
from gateway.transports import expiry
from gateway.transports.expiry import Expiry
from tests.support.patience import PATIENCE_SECONDS

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_a_jump_of_the_clock_is_seen_within_half_a_minute() -> None:
    assert expiry.CHECK_SECONDS <= 30


async def test_a_clock_that_jumps_past_the_end_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "CHECK_SECONDS", 0.01)
    clock, expired = FixedClock(NOW), asyncio.Event()
    Expiry(clock, NOW + timedelta(hours=1), expired.set)
    await asyncio.sleep(0.05)
    assert not expired.is_set()
    clock.instant += timedelta(hours=2)
    await asyncio.wait_for(expired.wait(), PATIENCE_SECONDS)


async def test_a_clock_that_jumps_back_ends_nothing_early() -> None:
    clock, expired = FixedClock(NOW), asyncio.Event()
    waiting = Expiry(clock, NOW + timedelta(seconds=0.05), expired.set)
    clock.instant -= timedelta(hours=1)
    await asyncio.sleep(0.2)
    assert not expired.is_set()
    waiting.cancel()
