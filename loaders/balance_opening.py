"""Accounts' balances at an instant, added up from all that happened before it."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Date, Select, Table, cast, func, select
from strawberry.dataloader import DataLoader

from gateway.billing.balance_history import OpeningKey
from gateway.models import Instant, RollupDay, RollupSlot, table_of
from gateway.principal import Principal
from gateway.store import Scoped, Snapshot, Visible, batch
from loaders.batch import MAX_KEYS

_DAY: Final = table_of(RollupDay)
_SLOT: Final = table_of(RollupSlot)


def _statement(visible: Visible) -> Select[Any]:
    keys = batch(
        visible.dialect,
        account_id=BigInteger(),
        day=Date(),
        day_start=Instant(),
        instant=Instant(),
    )
    days = _net(_DAY, visible, keys.c.account_id, _DAY.c.day < keys.c.day)
    slots = _net(
        _SLOT,
        visible,
        keys.c.account_id,
        (_SLOT.c.slot_at >= keys.c.day_start) & (_SLOT.c.slot_at < keys.c.instant),
    )
    return select(keys.c.n, (days + slots).label("opening_nanos"))


def _net(
    table: Table, visible: Visible, account_id: ColumnElement[Any], inside: ColumnElement[bool]
) -> ColumnElement[int]:
    flows = table.c
    credits_ = flows.purchased_nanos + flows.bonus_nanos - flows.refunded_nanos
    net = func.sum(credits_ - flows.spent_nanos + flows.adjusted_nanos)
    return (
        select(func.coalesce(cast(net, BigInteger()), 0))
        .where(flows.account_id == account_id, inside, visible(flows.account_id))
        .scalar_subquery()
    )


_OPENING: Final = Scoped(_statement)


def balance_by_instant(snapshot: Snapshot, principal: Principal) -> DataLoader[OpeningKey, int]:
    """Return a loader of balances in nanos; 0 where the account is not the principal's."""
    return DataLoader(load_fn=partial(_load, snapshot, principal), max_batch_size=MAX_KEYS)


async def _load(snapshot: Snapshot, principal: Principal, keys: Sequence[OpeningKey]) -> list[int]:
    account_id, day, day_start, instant = map(list, zip(*keys, strict=True))
    rows = await _OPENING.fetch(
        snapshot, principal, account_id=account_id, day=day, day_start=day_start, instant=instant
    )
    found = [0] * len(keys)
    for row in rows:
        found[row["n"] - 1] = row["opening_nanos"]
    return found
