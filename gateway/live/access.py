"""Looks again, every so often, whether those who are connected may still have what they get."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from gateway.errors import Forbidden, GatewayError, NotFound, Unauthenticated
from gateway.principal import Principal, Role

log = structlog.get_logger(__name__)

Membership: TypeAlias = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What holds now: members' roles by (account, subject), and the API keys that are active."""

    roles: Mapping[Membership, Role]
    keys: Collection[str]


ReadStanding: TypeAlias = Callable[[Collection[Membership], Collection[str]], Awaitable[Standing]]
End: TypeAlias = Callable[[GatewayError], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    principal: Principal
    view: Principal | None
    end: End

    @property
    def membership(self) -> Membership | None:
        """What it hangs on, beside the key of one who is not a person."""
        if self.view is None or self.view.account_id is None or not self.principal.is_person:
            return None
        return self.view.account_id, self.principal.subject

    def verdict(self, standing: Standing) -> GatewayError | None:
        if self.principal.key_id is not None and self.principal.key_id not in standing.keys:
            return Unauthenticated("The API key was revoked or has expired.")
        if self.membership is None or self.view is None:
            return None
        role = standing.roles.get(self.membership)
        if role is None:
            return NotFound("There is no such account any more, or it is not yours.")
        if role is not self.view.role:
            return Forbidden("Your role in this account has changed; subscribe again.")
        return None


class Watch:
    """Ends what may not go on, `seconds` after that at the latest, by one look at all of it."""

    def __init__(self, read: ReadStanding, seconds: float) -> None:
        self._read = read
        self._seconds = seconds
        self._watched: dict[_Watched, None] = {}

    def add(
        self, principal: Principal, end: End, view: Principal | None = None
    ) -> Callable[[], None]:
        """Watch over a connection, or a subscription that reads as `view`; return what stops it.

        `end` is called once, with the reason.
        """
        watched = _Watched(principal, view, end)
        self._watched[watched] = None
        return lambda: self._watched.pop(watched, None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def look(self) -> None:
        """Look at everything that is watched, now."""
        everything = list(self._watched)
        memberships = {each.membership for each in everything} - {None}
        keys = {each.principal.key_id for each in everything} - {None}
        if not memberships and not keys:
            return
        standing = await self._read(
            [each for each in memberships if each], [each for each in keys if each]
        )
        for each in everything:
            error = each.verdict(standing)
            if error and self._watched.pop(each, self) is None:
                each.end(error)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            try:
                await self.look()
            except GatewayError as error:
                log.warning("live.standing_unknown", reason=error.message)
            except Exception:
                log.exception("unexpected")
