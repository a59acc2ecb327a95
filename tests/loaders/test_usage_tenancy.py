"""Whoever may not read an account finds nothing of its usage, as if it did not exist."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.billing.balance.runway import burn_key
from gateway.billing.usage.series import period_of
from gateway.billing.usage.spans import usage_span
from gateway.principal import Permission, Principal
from gateway.store import Database, Snapshot
from gateway.store.balance_openings import OpeningKey
from gateway.store.breakdowns import BreakdownKey
from gateway.store.burn import BurnFacts
from gateway.store.usage_filter import UsageDimension
from gateway.windows import Window, zone
from loaders.operation import Loaders
from tests.support.row_security import remove_filter
from tests.support.usage_rows import Event, Facts, insert_facts

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = date(2026, 5, 1)
MINE = Facts(account_id=1, events=[Event(at=NOON, nanos=5, deployment=1)], members={"ada": "OWNER"})
THEIRS = Facts(account_id=2, members={"eve": "OWNER"})
READ = frozenset({Permission.BILLING_READ})


def key(account_id: int | None, scopes: frozenset[Permission] = READ) -> Principal:
    return Principal(subject="key:k", key_id="k", account_id=account_id, scopes=scopes)


PRINCIPALS = [
    (Principal(subject="ada"), True),
    (Principal(subject="eve"), False),
    (Principal(subject="nobody"), False),
    (key(None), True),
    (key(1), True),
    (key(2), False),
    (key(1, frozenset({Permission.USAGE_WRITE})), False),
]


@pytest.fixture(params=["sqlite", "postgresql", "postgresql-unfiltered"])
def database_url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The tenant filter keeps accounts apart, and on Postgres row-level security does by itself."""
    name, _, unfiltered = request.param.partition("-")
    if unfiltered:
        remove_filter(monkeypatch)
    fixture = "postgres_database_url" if name == "postgresql" else "sqlite_database_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.mark.parametrize("zone_name", ["UTC", "Asia/Kathmandu"])
async def test_usage_is_found_only_by_who_may_read_the_account(
    database: Database, zone_name: str
) -> None:
    await insert_facts(database, MINE, THEIRS)
    for principal, is_seen in PRINCIPALS:
        found = await everything(database, principal, zone(zone_name))
        assert found == (SEEN if is_seen else UNSEEN), principal


SEEN = ([1] * 3, [1] * 5, -5, BurnFacts({DAY: 5}, 5, DAY), NOON)
UNSEEN = ([0] * 3, [0] * 5, 0, BurnFacts({}, 0, None), None)


async def everything(database: Database, principal: Principal, local: ZoneInfo) -> object:
    """Load what there is of the first account on one day: counts of rows, balance and burn."""
    window = Window(from_=DAY, to=DAY, zone=local)
    span = period_of(MINE.account, window).span
    activity = usage_span(1, zone("UTC"), window.start, window.end)
    burn = burn_key(1, datetime(2026, 5, 2, 1, tzinfo=UTC), 3600, zone("UTC"))
    opening = OpeningKey(1, date(2026, 5, 2), window.end, window.end)
    async with Snapshot(database, principal) as snapshot:
        loaders = Loaders(snapshot, principal)
        return (
            [
                len(await loaders.usage_by_span.load(span)),
                len(await loaders.resources_by_span.load(span)),
                len(await loaders.flows_by_span.load(span)),
            ],
            [
                len(await loaders.breakdown_by_key.load(BreakdownKey(each, 10, activity)))
                for each in UsageDimension
            ],
            await loaders.balance_by_instant.load(opening),
            await loaders.burn_by_periods.load(burn),
            await loaders.first_fact_by_account.load(1),
        )
