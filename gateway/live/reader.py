"""The database reads of live updates."""

from collections.abc import Collection, Mapping
from typing import Final

from gateway.clock import Clock
from gateway.live.access import CurrentAccess, Membership
from gateway.principal import Actor
from gateway.store import Database, Snapshot, access
from gateway.store.accounts import revisions

ACTOR: Final = Actor.job("live")


class LiveReader:
    """Reads accounts' revisions and subscribers' access, each in a snapshot of its own."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def revisions(self, account_ids: Collection[int]) -> Mapping[int, int]:
        """Return the revision of each account."""
        async with Snapshot(self._database, ACTOR) as snapshot:
            return await revisions(snapshot, account_ids)

    async def access(
        self, memberships: Collection[Membership], keys: Collection[str]
    ) -> CurrentAccess:
        """Return the members' roles now, and which of the API keys are active."""
        async with Snapshot(self._database, ACTOR) as snapshot:
            return CurrentAccess(
                roles=await access.roles(snapshot, memberships),
                keys=await access.active_keys(snapshot, keys, self._clock.now()),
            )
