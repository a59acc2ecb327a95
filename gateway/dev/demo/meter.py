"""A meter that runs while dev mode serves, so that balances change on the page.

The demo's services scale out beyond what they lease, and that is sent every few seconds through the
public endpoint, as any platform's meter would. The story charges the lease alone, and looks for
its own source where it goes on: so neither repeats or misses what the other says.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import httpx
import structlog

from gateway.auth.api_keys import ApiKeyText
from gateway.auth.key_store import issue_key, revoke_key, revoke_named
from gateway.clock import Clock
from gateway.dev.demo.cast import PLAYERS, Rhythm
from gateway.dev.demo.chance import jitter
from gateway.dev.demo.fill import open_story
from gateway.dev.demo.metering import ResourceLease, leases
from gateway.dev.demo.story import Run, Story, load, runs
from gateway.errors import ConfigurationError, GatewayError
from gateway.money import NANOS, divide_half_even, format_quantity
from gateway.principal import Actor, Permission
from gateway.server.drain import Drain
from gateway.settings import Settings
from gateway.store import Database
from gateway.work.loops import LoopOver, Loops

SOURCE: Final = "demo-scale-out"
PATH: Final = "/v1/usage-events"
KEY_NAME: Final = "demo meter"
ACTOR: Final = Actor.job(KEY_NAME)
KEY_LIFE: Final = timedelta(hours=24)
"""How long a key outlives a server that was killed; a server that lives longer takes another."""
PERIOD_SECONDS: Final = 4
ANSWER_SECONDS: Final = 30
LONGEST: Final = timedelta(minutes=1)
"""The longest time that one charge is for: what comes after a pause is not all of it."""
SCALE_OUT: Final = 2
"""GPUs at full load beyond each one that is leased."""

_MILLISECOND: Final = timedelta(milliseconds=1)
_HOUR_MILLISECONDS: Final = 3_600_000

Item: TypeAlias = dict[str, Any]
"""A usage event, as the endpoint takes it."""

log = structlog.get_logger(__name__)


class _KeyEnded(Exception):
    """The key is refused: another server has taken over, or somebody has revoked it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The parts of the meter: the gateway's address and host name, and `quiet_keys`, to which the
    meter adds its key, so that its requests are not logged.
    """

    address: str
    host: str
    clock: Clock
    pepper: bytes | None
    drain: Drain
    loops: Loops
    quiet_keys: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator[None]:
        """Meter while entered. Begins and ends at once."""
        async with httpx.AsyncClient(
            base_url=self.address,
            headers={"host": self.host},
            timeout=ANSWER_SECONDS,
            trust_env=False,
        ) as client:
            metering = _Metering(self, database, client)
            loop = self.loops.make(
                "demo.meter", metering.step, seconds=PERIOD_SECONDS, stop_seconds=0
            )
            try:
                async with loop.running():
                    yield
            finally:
                with suppress(GatewayError):  # the key ends by itself, or with the next meter
                    await metering.revoke_key()


class _Metering:
    """A run of the meter: its key, and the charges that were not accepted yet."""

    def __init__(self, meter: Meter, database: Database, client: httpx.AsyncClient) -> None:
        self._meter = meter
        self._database = database
        self._client = client
        self._story: Story | None = None
        self._key: ApiKeyText | None = None
        self._issued_at = self._since = meter.clock.now()
        self._items: list[Item] = []
        self._is_failing = False

    async def step(self) -> None:
        """Send what was used since the last step. What was not answered is sent again: it counts
        once.
        """
        if self._meter.drain.stopping:
            raise LoopOver
        key = await self._current_key()
        until = self._meter.clock.now()
        if not self._items and self._story is not None:
            since = max(self._since, until - LONGEST)
            self._items = list(charges(self._story, since, until))
            self._since = until
        if self._items:
            await self._send(key)

    async def _send(self, key: ApiKeyText) -> None:
        try:
            failure = await _send(self._client, key, self._items)
        except _KeyEnded:
            await self.revoke_key()
            log.info("demo.meter_ended", reason="its key is refused")
            raise LoopOver from None
        if failure is None:
            self._items = []
        elif not self._is_failing and not self._meter.drain.stopping:
            log.warning("demo.meter_fails", reason=failure)
        self._is_failing = failure is not None

    async def _current_key(self) -> ApiKeyText:
        """Return a key of the meter's own, the only one. Without a demo there is nothing to do."""
        now = self._meter.clock.now()
        if self._story is None:
            self._story = await open_story(self._database)
            self._since = now
        if self._story is None:
            raise LoopOver
        if self._key is None or now - self._issued_at > KEY_LIFE / 2:
            async with self._database.writing(ACTOR) as transaction:
                clock = self._meter.clock
                await revoke_named(transaction, KEY_NAME, actor=ACTOR, clock=clock)
                key = await issue_key(
                    transaction,
                    environment="dev",
                    name=KEY_NAME,
                    scopes=frozenset({Permission.USAGE_WRITE}),
                    actor=ACTOR,
                    clock=clock,
                    expires_at=now + KEY_LIFE,
                    pepper=self._meter.pepper,
                )
            self._meter.quiet_keys.add(key.id)
            self._key, self._issued_at = key, now
        return self._key

    async def revoke_key(self) -> None:
        """End the key, if there is one."""
        if self._key is not None:
            async with self._database.writing(ACTOR) as transaction:
                key_id, clock = self._key.id, self._meter.clock
                await revoke_key(transaction, key_id, actor=ACTOR, clock=clock)


def build_meter(settings: Settings, clock: Clock, drain: Drain, loops: Loops) -> Meter:
    """Return the meter of the gateway that the settings describe. Raises ConfigurationError."""
    if settings.environment != "dev" or not settings.port:
        raise ConfigurationError("The demo's meter runs in dev only, and needs a fixed port.")
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing listens there
    host = everywhere.get(settings.host, settings.host)
    pepper = settings.auth.api_key_pepper
    return Meter(
        address=f"http://[{host}]:{settings.port}"
        if ":" in host
        else f"http://{host}:{settings.port}",
        host=settings.hosts[0].replace("*", "meter"),
        clock=clock,
        pepper=pepper.get_secret_value().encode() if pepper else None,
        drain=drain,
        loops=loops,
    )


async def _send(client: httpx.AsyncClient, key: ApiKeyText, items: list[Item]) -> str | None:
    """Send a batch; return why it did not arrive. Raises _KeyEnded."""
    headers = {"authorization": f"Bearer {key.text}"}
    try:
        answer = await client.post(PATH, json=items, headers=headers)
    except httpx.HTTPError as error:
        return type(error).__name__
    if answer.status_code in {401, 403}:
        raise _KeyEnded
    return None if answer.status_code == 200 else f"HTTP {answer.status_code}"


def charges(story: Story, since: datetime, until: datetime) -> Iterator[Item]:
    """Yield the usage of the demo's services beyond their leases."""
    for player in PLAYERS:
        for run in runs(story, player, since):
            ended = run.closed_at is not None and run.closed_at <= since
            if run.fleet.rhythm is Rhythm.SERVICE and not ended:
                lease = next(each for each in leases(run.fleet) if each.resource == "GPU")
                yield _charge(story, run, lease, since, until)


def _charge(story: Story, run: Run, lease: ResourceLease, since: datetime, until: datetime) -> Item:
    lasted = (until - since) // _MILLISECOND
    level = load(story, run, since) * (950 + jitter(run.key, lasted & 0xFFFF) // 10) // 1_000
    units, fleet = SCALE_OUT * lease.units, run.fleet
    quantity = units * level * lasted * NANOS // (1_000 * _HOUR_MILLISECONDS)
    amount = divide_half_even(quantity * lease.price * run.player.rate, NANOS * 1_000)
    return {
        "account": run.player.external_id,
        "source": SOURCE,
        "id": f"{run.external_id}-{until:%Y%m%dT%H%M%S%f}",
        "deployment": {
            "externalId": run.external_id,
            "name": run.name,
            "provider": fleet.provider,
            "gpuModel": fleet.gpu_model,
            "region": fleet.region,
            "service": "compute",
        },
        "project": fleet.project,
        "resource": lease.resource,
        "quantity": format_quantity(quantity),
        "unit": lease.unit,
        "amount": format_quantity(amount),
        "currency": run.player.currency,
        "start": f"{since:%Y-%m-%dT%H:%M:%S.%fZ}",
        "end": f"{until:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
