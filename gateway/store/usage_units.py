"""The units of an account's usage: the quantities of each are kept by day and quarter hour, so that
their number has a limit.
"""

from collections import Counter
from collections.abc import Collection
from typing import Final, TypedDict

from sqlalchemy import Text, cast, column, func, select, true
from sqlalchemy.dialects.postgresql import JSONB

from gateway.errors import OutOfRange
from gateway.models import RollupDay, table_of
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import DialectName, Query
from gateway.store.engine.statement import Statement

DAY: Final = table_of(RollupDay)
MOST_UNITS: Final = 20
"""Units of an account's usage of one resource."""
RESOURCE_SEPARATOR: Final = "\x1f"
"""Between resource and unit in a measure, the key of `resources`."""
TOO_MANY: Final = f"An account has at most {MOST_UNITS} units for a resource."

AccountMeasure = tuple[int, str]
"""account, measure"""


class _Measure(TypedDict):
    account_id: int
    measure: str


def _measures(dialect: DialectName) -> Query:
    of_accounts = any_of(DAY.c.account_id, "account_ids")
    if dialect == "sqlite":
        each = func.json_each(DAY.c.resources).table_valued("key", name="each")
        measure = each.c.key
    else:
        keys = func.jsonb_object_keys(cast(DAY.c.resources, JSONB))
        each = keys.table_valued(column("key", Text())).render_derived(name="each")
        measure = each.c.key
    return (
        select(DAY.c.account_id, measure.label("measure"))
        .distinct()
        .select_from(DAY.join(each, true()))
        .where(of_accounts)
    )


_MEASURES: Final = Statement[_Measure](_measures)


async def measures_of(reader: Reader, account_ids: Collection[int]) -> set[AccountMeasure]:
    """Return the measures of the usage that accounts ever had."""
    rows = await reader.fetch(_MEASURES, account_ids=list(account_ids))
    return {(row["account_id"], row["measure"]) for row in rows}


async def check(reader: Reader, measures: Collection[AccountMeasure]) -> None:
    """Raise OutOfRange where accounts would have too many units with these measures."""
    known = await measures_of(reader, {account_id for account_id, _ in measures})
    new = set(measures) - known
    counts = units_by_resource(known | new)
    if any(counts[resource_of(each)] > MOST_UNITS for each in new):
        raise OutOfRange(TOO_MANY)


def units_by_resource(measures: Collection[AccountMeasure]) -> Counter[AccountMeasure]:
    """Return the number of units by account and resource."""
    return Counter(map(resource_of, measures))


def resource_of(measure: AccountMeasure) -> AccountMeasure:
    """Return the account and resource of a measure."""
    account_id, key = measure
    return account_id, key.partition(RESOURCE_SEPARATOR)[0]
