"""Accounts' balances at an instant, added up from all that happened before it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, TypedDict

from sqlalchemy import BigInteger, ColumnElement, Date, Table, func, select

from gateway.models import Instant, RollupDay, RollupSlot, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import Expression, Query
from gateway.store.engine.write import columns_of
from gateway.store.halves import Part, parts, whole
from gateway.store.relation import position
from gateway.store.tenancy import Scoped, Visible

_DAY: Final = table_of(RollupDay)
_SLOT: Final = table_of(RollupSlot)


class OpeningKey(NamedTuple):
    """The instant up to which a balance is added up: the account's whole days before `day`, which
    begins at `day_start`, and from then on the quarter hours before `instant`.
    """

    account_id: int
    day: date
    day_start: datetime
    instant: datetime


class _Opening(TypedDict):
    opening_nanos: int


def _statement(visible: Visible) -> Query:
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
            for name, part in parts(visible.dialect, "opening_nanos").items()
        ),
    )


def _net(
    table: Table,
    visible: Visible,
    account_id: Expression,
    inside: ColumnElement[bool],
    part: Part,
) -> ColumnElement[int]:
    flows = table.c

    def total(name: str) -> Expression:
        return func.coalesce(func.sum(part(flows[name])), 0)

    credited = total("purchased_nanos") + total("bonus_nanos") - total("refunded_nanos")
    net = credited - total("spent_nanos") + total("adjusted_nanos")
    return (
        select(net)
        .where(flows.account_id == account_id, inside, visible(flows.account_id))
        .scalar_subquery()
    )


_OPENING: Final = Scoped[_Opening](_statement)


async def balance_openings(
    reader: Reader, principal: Principal, keys: Sequence[OpeningKey]
) -> list[int]:
    """Return the balance of each key in nanos; 0 where the account is not the principal's."""
    found = [0] * len(keys)
    for row in await _OPENING.fetch(reader, principal, **columns_of(keys)):
        found[position(row)] = whole(row, "opening_nanos")["opening_nanos"]
    return found
