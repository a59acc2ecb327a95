"""Roll-up rows of accounts' windows: a batch takes one statement for each kind of row."""

from collections import defaultdict
from collections.abc import Sequence
from enum import Enum
from functools import partial
from itertools import product
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Select, and_, literal_column, select, true
from strawberry.dataloader import DataLoader

from gateway.billing.balance.history import FLOWS
from gateway.billing.usage.series import Grain, Span
from gateway.models import RollupDay, RollupSlot, table_of
from gateway.principal import Principal
from gateway.store import Row, Scoped, Snapshot, Visible, batch
from loaders.batch import MAX_KEYS, by_position


class Content(Enum):
    """Which columns are read: a chart needs no quantities, and usage no purchases."""

    USAGE = ("spent_nanos", "deployments")
    RESOURCES = ("resources",)
    FLOWS = FLOWS


class RollupKey(NamedTuple):
    """Requests some columns of the rows in a span."""

    content: Content
    span: Span


_MOMENTS: Final = {
    Grain.DAY: table_of(RollupDay).c.day,
    Grain.SLOT: table_of(RollupSlot).c.slot_at,
}


def _statement(content: Content, grain: Grain, visible: Visible) -> Select[Any]:
    at = _MOMENTS[grain]
    table = at.table
    keys = batch(visible.dialect, account_id=BigInteger(), lower=at.type, upper=at.type)
    spans = visible.of(keys)
    inside = and_(table.c.account_id == spans.c.account_id, at >= spans.c.lower, at < spans.c.upper)
    columns = (at.label("at"), *(table.c[name] for name in content.value))
    if visible.dialect == "sqlite":
        found = select(spans.c.n, *columns).join_from(spans, table, inside)
    else:
        # The offset keeps the range in the index's condition. Joined, Postgres reads all of an
        # account's rows and then drops those outside the span.
        rows = select(*columns).where(inside).offset(0).lateral("rows")
        found = select(spans.c.n, rows).select_from(spans.join(rows, true()))
    return found.order_by(spans.c.n, literal_column("at"))


_STATEMENTS: Final = {
    (content, grain): Scoped(partial(_statement, content, grain))
    for content, grain in product(Content, Grain)
}


def rollup_by_span(snapshot: Snapshot, principal: Principal) -> DataLoader[RollupKey, list[Row]]:
    """Return a loader of roll-up rows, in order of time (`at`); none where the account is not the
    principal's. One statement for each content and grain of a batch.
    """
    return DataLoader(load_fn=partial(_load, snapshot, principal), max_batch_size=MAX_KEYS)


async def _load(
    snapshot: Snapshot, principal: Principal, keys: Sequence[RollupKey]
) -> list[list[Row]]:
    places: dict[tuple[Content, Grain], list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        places[key.content, key.span.grain].append(place)
    found: list[list[Row]] = [[]] * len(keys)
    for kind, mine in places.items():
        spans = [keys[place].span for place in mine]
        rows = await _STATEMENTS[kind].fetch(
            snapshot,
            principal,
            account_id=[span.account_id for span in spans],
            lower=[span.lower for span in spans],
            upper=[span.upper for span in spans],
        )
        for place, part in zip(mine, by_position(rows, len(mine)), strict=True):
            found[place] = part
    return found
