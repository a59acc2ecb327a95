"""Loads accounts' balances at an instant, summed from all earlier entries."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Date, Select, Table, func, select
from strawberry.dataloader import DataLoader

from gateway.billing.balance.history import OpeningKey
from gateway.models import Instant, RollupDay, RollupSlot, table_of
from gateway.principal import Principal
from gateway.store import Scoped, Snapshot, Visible, batch
from gateway.store.engine.statement import DialectName
from loaders.batch import MAX_KEYS

_DAY: Final = table_of(RollupDay)
_SLOT: Final = table_of(RollupSlot)


_HALF: Final = 32
_HIGH: Final = "opening_high"
_Part: TypeAlias = Callable[[ColumnElement[int]], ColumnElement[int]]
# SQLite's sums end at 64 bits; those of the halves do not come near.
_PARTS: Final[dict[DialectName, dict[str, _Part]]] = {
    "postgresql": {"opening_nanos": lambda nanos: nanos},
    "sqlite": {
        "opening_nanos": lambda nanos: nanos.bitwise_and(2**_HALF - 1),
        _HIGH: lambda nanos: nanos.bitwise_rshift(_HALF),
    },
}


def _statement(visible: Visible) -> Select[Any]:
    keys = batch(
        visible.dialect,
        account_id=BigInteger(),
        day=Date(),
        day_start=Instant(),
        instant=Instant(),
    )
    before = _DAY.c.day < keys.c.day
    on_day = (_SLOT.c.slot_at >= keys.c.day_start) & (_SLOT.c.slot_at < keys.c.instant)
    account_id = keys.c.account_id
    return select(
        keys.c.n,
        *(
            (
                _net(_DAY, visible, account_id, before, part)
                + _net(_SLOT, visible, account_id, on_day, part)
            ).label(name)
            for name, part in _PARTS[visible.dialect].items()
        ),
    )


def _net(
    table: Table,
    visible: Visible,
    account_id: ColumnElement[Any],
    inside: ColumnElement[bool],
    part: _Part,
) -> ColumnElement[int]:
    flows = table.c

    def total(name: str) -> ColumnElement[Any]:
        return func.coalesce(func.sum(part(flows[name])), 0)

    credited = total("purchased_nanos") + total("bonus_nanos") - total("refunded_nanos")
    net = credited - total("spent_nanos") + total("adjusted_nanos")
    return (
        select(net)
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
        found[row["n"] - 1] = row["opening_nanos"] + (row.get(_HIGH, 0) << _HALF)
    return found
