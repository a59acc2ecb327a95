"""Token buckets in Redis, shared by all replicas.

While Redis is away each process counts in its memory, from what Redis said last: a limit that is
looser for a while costs less than a gateway that refuses everybody.
"""

import importlib
import time
from typing import TYPE_CHECKING, Any, Final

import structlog

from gateway.errors import ConfigurationError
from gateway.quotas.buckets import Allowance, MemoryBuckets

if TYPE_CHECKING:
    from redis.asyncio import Redis

TIMEOUT_SECONDS: Final = 0.25
"""Longest wait for a connection to Redis, and for an answer."""
RETRY_SECONDS: Final = 2
"""Pause between two attempts while Redis is away; one request makes each."""
CONNECTIONS: Final = 32
_MICROSECONDS: Final = 1_000_000

# The value of a key is the microsecond at which its bucket is full again. Arguments: the
# microseconds to add, and the most until a bucket is full, 0 for no limit. Returns the microseconds
# to wait, 0 for none, and those until the bucket is full.
_TAKE: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local most = tonumber(ARGV[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1])) or now, now)
local after = full_at + tonumber(ARGV[1])
if most > 0 and after - now > most then
  return {math.ceil(after - now - most), full_at - now}
end
if after <= now then
  redis.call('DEL', KEYS[1])
  return {0, 0}
end
local milliseconds = math.ceil((after - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', milliseconds)
return {0, math.ceil(after - now)}
"""

log = structlog.get_logger(__name__)


class RedisStore:
    """One Redis, for all buckets of a process. `failures` counts failed commands."""

    def __init__(self, url: str) -> None:
        """Raises ConfigurationError where the client library is not installed."""
        try:
            library: Any = importlib.import_module("redis.asyncio")
            retry: Any = importlib.import_module("redis.asyncio.retry")
            backoff: Any = importlib.import_module("redis.backoff")
        except ModuleNotFoundError:
            raise ConfigurationError(
                "GATEWAY_REDIS_URL: the package redis is missing; install the extra `redis`."
            ) from None
        pool = library.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            # Once, at once: a connection that was idle may be broken.
            retry=retry.Retry(backoff.NoBackoff(), 1, (library.ConnectionError,)),
        )
        self._client: Redis = library.Redis.from_pool(pool)
        self._script = self._client.register_script(_TAKE)
        self._errors: tuple[type[Exception], ...] = (library.RedisError, OSError)
        self._retry_at = 0.0
        self.is_away = False
        self.failures = 0

    async def take(self, key: str, microseconds: float, most: float) -> tuple[int, int] | None:
        """Add microseconds to a bucket, `most` until it is full unless that is 0. Return those to
        wait and those until it is full; None while Redis is away.
        """
        if self.is_away:
            now = time.monotonic()
            if now < self._retry_at:
                return None
            self._retry_at = now + RETRY_SECONDS
        try:
            wait, until_full = await self._script([key], [microseconds, most])
        except self._errors as error:
            self._lose(error)
            return None
        if self.is_away:
            self.is_away = False
            log.info("quotas.redis_back")
        return wait, until_full

    async def aclose(self) -> None:
        await self._client.aclose()

    def _lose(self, error: Exception) -> None:
        self.failures += 1
        self._retry_at = time.monotonic() + RETRY_SECONDS
        if not self.is_away:
            self.is_away = True
            # Its text may quote an address, never a password.
            log.warning("quotas.redis_away", error=type(error).__name__, text=str(error))


class SharedBuckets:
    """The buckets of one quota, in Redis by its name and their keys."""

    def __init__(self, name: str, allowance: Allowance, store: RedisStore) -> None:
        self.allowance = allowance
        self._prefix = f"gateway:{name}:"
        self._store = store
        self._memory = MemoryBuckets(allowance)
        """Each bucket as Redis had it last."""
        self._point = _MICROSECONDS / allowance.per_second
        self._most = allowance.seconds * _MICROSECONDS

    async def take(self, key: str, points: float) -> float:
        answer = await self._store.take(self._prefix + key, points * self._point, self._most)
        if answer is None:
            return await self._memory.take(key, points)
        wait, until_full = answer
        self._memory.put(key, until_full / _MICROSECONDS)
        return wait / _MICROSECONDS

    async def give(self, key: str, points: float) -> None:
        answer = await self._store.take(self._prefix + key, -points * self._point, 0)
        if answer is None:
            await self._memory.give(key, points)
        else:
            self._memory.put(key, answer[1] / _MICROSECONDS)

    def left(self, key: str) -> float:
        return self._memory.left(key)
