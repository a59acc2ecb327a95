"""The event sources of the subscription fields."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.errors import NotFound
from gateway.live.source import EventSource, SubscriptionEvent
from gateway.principal import Principal, Role, view_of
from gateway.store.account_changes import account_with_last_entry, purchases_since
from gateway.store.rows import VisibleAccount, WatchedAccount
from resolvers.context import Context
from resolvers.enums import BalanceCause
from resolvers.nodes import load_account
from resolvers.types.balance_update import PushedBalance

NO_ACCOUNT: Final = "Account not found, or you don't have access."


async def find_account(context: Context, arguments: Mapping[str, Any]) -> VisibleAccount:
    """Return the account that a subscription names. Raises NotFound."""
    account = await load_account(context, arguments["accountId"])
    if account is None:
        raise NotFound(NO_ACCOUNT)
    return account


def open_balance(account: VisibleAccount) -> EventSource:
    """Return the events of `balanceUpdated`."""
    return BalanceSource(account["account_id"], _viewer(account))


def open_purchases(account: VisibleAccount) -> EventSource:
    """Return the events of `creditPurchaseUpdated`."""
    return PurchaseSource(account["account_id"], _viewer(account))


def _viewer(account: VisibleAccount) -> Principal:
    return view_of(account["account_id"], Role(account["role"]))


class _State(NamedTuple):
    version: int
    low_balance: str | None


class BalanceSource:
    """The current balance; then each new version, and each change of the low-balance state."""

    def __init__(self, account_id: int, viewer: Principal) -> None:
        self.account_id = account_id
        self.viewer = viewer
        # The state at each revision from which the hub may read on.
        self._states: dict[int, _State] = {}

    async def first(self, context: Context) -> tuple[int, SubscriptionEvent]:
        account = await self._read(context)
        return account["revision"], _event(account, BalanceCause.SNAPSHOT)

    async def since(
        self, context: Context, revision: int
    ) -> tuple[int, Sequence[SubscriptionEvent]]:
        known = self._states.get(revision, _State(0, None))
        account = await self._read(context)
        for passed in [each for each in self._states if each < revision]:
            del self._states[passed]
        events = []
        cause = account["last_cause"]
        if cause is not None and account["ledger_version"] > known.version:
            events.append(_event(account, BalanceCause(cause), account["last_amount_nanos"]))
        if account["low_balance"] != known.low_balance:
            events.append(_event(account, BalanceCause.THRESHOLD))
        return account["revision"], events

    async def _read(self, context: Context) -> WatchedAccount:
        account = await _read_account(context, self.account_id)
        self._states[account["revision"]] = _State(
            account["ledger_version"], account["low_balance"]
        )
        return account


class PurchaseSource:
    """Each purchase that starts or changes from now on."""

    def __init__(self, account_id: int, viewer: Principal) -> None:
        self.account_id = account_id
        self.viewer = viewer

    async def first(self, context: Context) -> tuple[int, None]:
        return (await _read_account(context, self.account_id))["revision"], None

    async def since(
        self, context: Context, revision: int
    ) -> tuple[int, Sequence[SubscriptionEvent]]:
        account = await _read_account(context, self.account_id)
        rows = await purchases_since(context.snapshot, context.principal, self.account_id, revision)
        return account["revision"], [
            SubscriptionEvent(revision=row["revision"], key=row["id"], root=row) for row in rows
        ]


def _event(
    account: WatchedAccount, cause: BalanceCause, nanos: int | None = None
) -> SubscriptionEvent:
    root = PushedBalance(
        account=account,
        version=account["ledger_version"],
        cause=cause,
        change_nanos=nanos,
        currency=account["currency"],
    )
    return SubscriptionEvent(revision=account["revision"], key=0, root=root)


async def _read_account(context: Context, account_id: int) -> WatchedAccount:
    account = await account_with_last_entry(context.snapshot, context.principal, account_id)
    if account is None:
        raise NotFound(NO_ACCOUNT)
    return account
