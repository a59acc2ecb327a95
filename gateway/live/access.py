"""Checks again, at intervals, that connections and subscriptions still have access."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from gateway.errors import Forbidden, GatewayError, NotFound, Unauthenticated
from gateway.principal import Principal, Role
from gateway.work.loops import Loops

Membership: TypeAlias = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentAccess:
    """Members' roles by (account, subject), and the ids of active API keys, as of one read."""

    roles: Mapping[Membership, Role]
    keys: Collection[str]


ReadAccess: TypeAlias = Callable[
    [Collection[Membership], Collection[str]], Awaitable[CurrentAccess]
]
"""Reads the roles of memberships, and which of the API keys are active."""
End: TypeAlias = Callable[[GatewayError], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Holder:
    """A connection, or with `view` a subscription, which reads as that principal."""

    principal: Principal
    view: Principal | None
    end: End

    @property
    def membership(self) -> Membership | None:
        """The membership that a person's subscription depends on."""
        if self.view is None or self.view.account_id is None or not self.principal.is_person:
            return None
        return self.view.account_id, self.principal.subject

    def refusal(self, access: CurrentAccess) -> GatewayError | None:
        if self.principal.key_id is not None and self.principal.key_id not in access.keys:
            return Unauthenticated("The API key was revoked or has expired.")
        if self.membership is None or self.view is None:
            return None
        role = access.roles.get(self.membership)
        if role is None:
            return NotFound("Account not found, or you no longer have access.")
        if role is not self.view.role:
            return Forbidden("Your role in this account has changed; subscribe again.")
        return None


class AccessCheck:
    """Ends connections and subscriptions at most `seconds` after they lost access.

    Each check reads the access of all of them in two statements.
    """

    def __init__(self, read: ReadAccess, seconds: float, loops: Loops) -> None:
        self._read = read
        self._loop = loops.make(
            "live.check_access", self.check, seconds=seconds, at_once=False, stop_seconds=0
        )
        self._holders: dict[_Holder, None] = {}

    def add(
        self, principal: Principal, end: End, view: Principal | None = None
    ) -> Callable[[], None]:
        """Check a connection, or a subscription that reads as `view`, until the returned function
        is called.

        `end` is called at most once, with the reason.
        """
        holder = _Holder(principal, view, end)
        self._holders[holder] = None
        return lambda: self._holders.pop(holder, None)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Check beside the caller's block."""
        return self._loop.running()

    async def check(self) -> None:
        """Check every connection and subscription now."""
        everything = list(self._holders)
        memberships = {each.membership for each in everything} - {None}
        keys = {each.principal.key_id for each in everything} - {None}
        if not memberships and not keys:
            return
        access = await self._read(
            [each for each in memberships if each], [each for each in keys if each]
        )
        for each in everything:
            error = each.refusal(access)
            if error and self._holders.pop(each, self) is None:
                each.end(error)
