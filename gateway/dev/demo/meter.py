"""A meter that runs while dev mode serves, so that balances move under whoever watches.

The demo's services scale out beyond what they lease, and that is sent every few seconds through the
public endpoint, as any platform's meter would. The story charges the lease alone, and looks for
its own source where it goes on: so neither repeats or misses what the other says.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import httpx
import structlog

from gateway.auth.api_keys import ApiKeyText
from gateway.auth.key_store import issue_key
from gateway.clock import Clock
from gateway.dev.demo.cast import PLAYERS, Rhythm
from gateway.dev.demo.chance import jitter
from gateway.dev.demo.fill import open_story
from gateway.dev.demo.metering import Lease, leases
from gateway.dev.demo.story import Run, Story, load, runs
from gateway.errors import ConfigurationError, GatewayError
from gateway.money import NANOS, divide_half_even, format_quantity
from gateway.principal import Scope
from gateway.server.drain import Drain
from gateway.settings import Settings
from gateway.store import Database, api_keys

SOURCE: Final = "demo-scale-out"
PATH: Final = "/v1/usage-events"
KEY_NAME: Final = "demo meter"
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
    """What the meter needs: where the gateway listens and by which host name, and `quiet_keys`,
    to which it adds the key whose requests need no line in the log.
    """

    address: str
    host: str
    clock: Clock
    pepper: bytes | None
    drain: Drain
    quiet_keys: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def running(self, database: Database) -> AsyncIterator[None]:
        """Meter while entered. Begins and ends at once, and nothing that fails is anybody's."""
        task = asyncio.create_task(self._run(database))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, database: Database) -> None:
        try:
            story = await open_story(database)
            while story is not None:
                async with self._key(database) as key:
                    try:
                        async with asyncio.timeout(KEY_LIFE.total_seconds() / 2):
                            await self._meter(story, key)
                    except TimeoutError:
                        continue
                    return
        except _KeyEnded:
            log.info("demo.meter_ended", reason="its key is refused")
        except GatewayError as error:
            log.warning("demo.meter_ended", reason=error.message)
        except Exception:
            log.exception("demo.meter_ended")

    @asynccontextmanager
    async def _key(self, database: Database) -> AsyncIterator[ApiKeyText]:
        """Lend a key of the meter's own, the only one: revoked at the end, or by the next."""
        now = self.clock.now()
        async with database.writing() as transaction:
            await api_keys.revoke_named(transaction, KEY_NAME, now)
            key = await issue_key(
                transaction,
                environment="dev",
                name=KEY_NAME,
                scopes=frozenset({Scope.USAGE_WRITE}),
                now=now,
                expires_at=now + KEY_LIFE,
                pepper=self.pepper,
            )
        self.quiet_keys.add(key.id)
        try:
            yield key
        finally:
            async with database.writing() as transaction:
                await api_keys.revoke(transaction, key.id, self.clock.now())

    async def _meter(self, story: Story, key: ApiKeyText) -> None:
        """Send until the gateway stops. What was not answered is sent again: it counts once."""
        headers = {"authorization": f"Bearer {key.text}", "host": self.host}
        failing = False
        async with httpx.AsyncClient(
            base_url=self.address, headers=headers, timeout=ANSWER_SECONDS, trust_env=False
        ) as client:
            since, items = self.clock.now(), list[Item]()
            while not self.drain.stopping:
                await asyncio.sleep(PERIOD_SECONDS)
                until = self.clock.now()
                if not items:
                    items = list(charges(story, max(since, until - LONGEST), until))
                    since = until
                failure = await _send(client, items) if items else None
                if failure and not failing and not self.drain.stopping:
                    log.warning("demo.meter_fails", reason=failure)
                failing = failure is not None
                items = items if failing else []


def build_meter(settings: Settings, clock: Clock, drain: Drain) -> Meter:
    """Return the meter of the gateway that the settings describe. Raises ConfigurationError."""
    if settings.environment != "dev" or not settings.port:
        raise ConfigurationError("The demo's meter runs in dev, and where the port is known.")
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
    )


async def _send(client: httpx.AsyncClient, items: list[Item]) -> str | None:
    """Send a batch; return why it did not arrive. Raises _KeyEnded."""
    try:
        answer = await client.post(PATH, json=items)
    except httpx.HTTPError as error:
        return type(error).__name__
    if answer.status_code in {401, 403}:
        raise _KeyEnded
    return None if answer.status_code == 200 else f"HTTP {answer.status_code}"


def charges(story: Story, since: datetime, until: datetime) -> Iterator[Item]:
    """Yield what the demo's services use beyond their leases."""
    for player in PLAYERS:
        for run in runs(story, player, since):
            ended = run.closed_at is not None and run.closed_at <= since
            if run.fleet.rhythm is Rhythm.SERVICE and not ended:
                lease = next(each for each in leases(run.fleet) if each.resource == "GPU")
                yield _charge(story, run, lease, since, until)


def _charge(story: Story, run: Run, lease: Lease, since: datetime, until: datetime) -> Item:
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
        "resource": lease.resource,
        "quantity": format_quantity(quantity),
        "unit": lease.unit,
        "amount": format_quantity(amount),
        "currency": run.player.currency,
        "start": f"{since:%Y-%m-%dT%H:%M:%S.%fZ}",
        "end": f"{until:%Y-%m-%dT%H:%M:%S.%fZ}",
    }
