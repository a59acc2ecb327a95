"""Usage, balance history and runway as clients ask for them. It is noon UTC on 2026-11-20."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.billing.usage.breakdown import checked_size
from gateway.errors import BadUserInput
from gateway.ids import encode_global_id
from gateway.money import MAX_NANOS, format_amount
from gateway.store import Database
from tests.support import graph
from tests.support.graph import ADA, BOB, PLATFORM, ask, data_of
from tests.support.usage_rows import Event, Facts, deployment_id, insert_facts

UNIT = 10**9
HOUR = 3600 * UNIT


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def facts(account_id: int = 1, time_zone: str = "Europe/Berlin") -> Facts:
    """Two deployments: one in the week before, both in the week of Monday the 16th."""
    return Facts(
        account_id=account_id,
        time_zone=time_zone,
        balance_nanos=70 * UNIT,
        members={"ada": "OWNER", "bob": "VIEWER"},
        events=[
            Event(at=at(10), nanos=5 * UNIT, deployment=0),
            # Half past eleven in the evening: Tuesday in Berlin, Wednesday in Kathmandu.
            Event(
                at=datetime(2026, 11, 17, 22, 30, tzinfo=UTC),
                nanos=8 * UNIT,
                deployment=1,
                provider="akash",
                gpu_model="h100",
                quantity_nanos=3 * UNIT // 2,
            ),
            Event(at=at(18), nanos=2 * UNIT, deployment=0, resource="CPU", unit="hour"),
            Event(at=at(18), nanos=-1 * UNIT, correction=True),
            Event(at=at(19), nanos=UNIT // 2 + 1, resource="IP", unit="hour"),
        ],
        flows=[
            (at(1), "purchased_nanos", 80 * UNIT),
            (at(17), "bonus_nanos", 10 * UNIT),
            (at(18), "refunded_nanos", 3 * UNIT),
            (at(18), "adjusted_nanos", -2 * UNIT),
        ],
    )


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


ACCOUNT = encode_global_id("Account", 1)
NAMED_0, NAMED_1 = (encode_global_id("Deployment", 1, deployment_id(n)) for n in (0, 1))


async def test_a_week_by_day_in_the_accounts_own_zone(database: Database) -> None:
    await insert_facts(database, facts())
    answer = await data_of(
        database,
        ADA,
        """query ($id: ID!) { account(id: $id) { usage(
            interval: DAY, from: "2026-11-16", to: "2026-11-22"
        ) {
            interval from to timeZone completeUntil
            summary { ...Summary }
            previous { ...Summary }
            buckets { start end partial deployments spend { amount currency }
                      cumulativeSpend { amount currency } }
        } } }
        fragment Summary on UsageSummary {
            totalSpend { amount currency } averageDailySpend { amount currency }
            totalDeployments averageDailyDeployments
        }""",
        {"id": ACCOUNT},
    )
    rows = [
        ("16", False, 0, "0.00", "0.00"),
        ("17", False, 1, "8.00", "8.00"),
        ("18", False, 1, "1.00", "9.00"),
        ("19", False, 0, "0.500000001", "9.500000001"),
        ("20", True, 0, "0.00", "9.500000001"),
        ("21", True, 0, "0.00", "9.500000001"),
        ("22", True, 0, "0.00", "9.500000001"),
    ]
    assert answer["account"]["usage"] == {
        "interval": "DAY",
        "from": "2026-11-16",
        "to": "2026-11-22",
        "timeZone": "Europe/Berlin",
        "completeUntil": "2026-11-20T11:00:00Z",
        # Four complete days; 2 deployments on 2 of them.
        "summary": {
            "totalSpend": usd("9.500000001"),
            "averageDailySpend": usd("2.375"),
            "totalDeployments": 2,
            "averageDailyDeployments": "0.50",
        },
        # As many days up to today, before the 16th: from the 11th, so without the 10th.
        "previous": {
            "totalSpend": usd("0.00"),
            "averageDailySpend": usd("0.00"),
            "totalDeployments": 0,
            "averageDailyDeployments": "0.00",
        },
        "buckets": [
            {
                "start": f"2026-11-{int(day) - 1}T23:00:00Z",
                "end": f"2026-11-{day}T23:00:00Z",
                "partial": partial,
                "deployments": deployments,
                "spend": usd(spend),
                "cumulativeSpend": usd(cumulative),
            }
            for day, partial, deployments, spend, cumulative in rows
        ],
    }


async def test_another_zone_counts_by_its_own_days(database: Database) -> None:
    await insert_facts(database, facts())
    answer = await data_of(
        database,
        ADA,
        """query ($id: ID!) { account(id: $id) { usage(
            interval: DAY, from: "2026-11-17", to: "2026-11-18", timeZone: "Asia/Kathmandu"
        ) {
            timeZone
            summary { totalDeployments averageDailyDeployments }
            buckets {
                start spend { amount currency } deployments resources { resource quantity unit }
            }
            breakdown(by: PROVIDER) { key label share deployments spend { amount currency } }
        } } }""",
        {"id": ACCOUNT},
    )
    assert answer["account"]["usage"] == {
        "timeZone": "Asia/Kathmandu",
        "summary": {"totalDeployments": 2, "averageDailyDeployments": "1.00"},
        "buckets": [
            {
                "start": "2026-11-16T18:15:00Z",
                "spend": usd("0.00"),
                "deployments": 0,
                "resources": [],
            },
            {
                "start": "2026-11-17T18:15:00Z",
                "spend": usd("9.00"),
                "deployments": 2,
                "resources": [
                    {"resource": "CPU", "quantity": "0", "unit": "hour"},
                    {"resource": "GPU", "quantity": "1.5", "unit": "gpu-hour"},
                ],
            },
        ],
        "breakdown": [
            {
                "key": "akash",
                "label": "akash",
                "share": "0.888889",
                "deployments": 1,
                "spend": usd("8.00"),
            },
            {
                "key": None,
                "label": "Unknown provider",
                "share": "0.111111",
                "deployments": 1,
                "spend": usd("1.00"),
            },
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            "by: DEPLOYMENT",
            [
                (NAMED_1, "name-1", "8.00", 1),
                (NAMED_0, "external-0", "7.00", 1),
                (None, "No deployment", "-0.499999999", 0),
            ],
        ),
        (
            "by: DEPLOYMENT, first: 1",
            [(NAMED_1, "name-1", "8.00", 1), (None, "Other", "6.500000001", 1)],
        ),
        (
            "by: GPU_MODEL",
            [("h100", "h100", "8.00", 1), (None, "No GPU model", "6.500000001", 1)],
        ),
        (
            "by: RESOURCE",
            [
                ("GPU", "GPU", "12.00", 2),
                ("CPU", "CPU", "2.00", 1),
                ("IP", "IP addresses", "0.500000001", 0),
            ],
        ),
    ],
)
async def test_a_breakdown_names_what_it_cannot_tell(
    database: Database, arguments: str, expected: list[tuple[str | None, str, str, int]]
) -> None:
    await insert_facts(database, facts())
    answer = await data_of(
        database,
        ADA,
        f"""query ($id: ID!) {{ account(id: $id) {{ usage(interval: MONTH) {{
            breakdown({arguments}) {{ key label spend {{ amount }} deployments }}
        }} }} }}""",
        {"id": ACCOUNT},
    )
    assert [
        (row["key"], row["label"], row["spend"]["amount"], row["deployments"])
        for row in answer["account"]["usage"]["breakdown"]
    ] == expected


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_breakdown_has_1_to_100_rows(first: int) -> None:
    with pytest.raises(BadUserInput) as caught:
        checked_size(first)
    assert caught.value.argument == "first"


async def test_a_window_that_has_not_begun_has_no_means_and_nothing_before(
    database: Database,
) -> None:
    await insert_facts(database, facts())
    answer = await data_of(
        database,
        ADA,
        """query ($id: ID!) { account(id: $id) { usage(interval: DAY, from: "2026-11-21",
            to: "2026-11-21") {
            completeUntil
            summary { totalSpend { amount } averageDailySpend { amount } averageDailyDeployments }
            previous { totalSpend { amount } }
            breakdown(by: PROVIDER) { label }
        } } }""",
        {"id": ACCOUNT},
    )
    assert answer["account"]["usage"] == {
        "completeUntil": "2026-11-20T11:00:00Z",
        "summary": {
            "totalSpend": {"amount": "0.00"},
            "averageDailySpend": None,
            "averageDailyDeployments": None,
        },
        "previous": None,
        "breakdown": [],
    }


HISTORY = """query ($id: ID!) { account(id: $id) { name balanceHistory(
    interval: WEEK, from: "2026-11-09", to: "2026-11-20"
) {
    start end partial opening { amount } purchased { amount } bonus { amount } refunded { amount }
    spent { amount } adjusted { amount } closing { amount }
} } }"""


async def test_balance_history_moves_from_opening_to_closing(database: Database) -> None:
    await insert_facts(database, facts())
    answer = await data_of(database, ADA, HISTORY, {"id": ACCOUNT})
    flows = ("opening", "purchased", "bonus", "refunded", "spent", "adjusted", "closing")
    assert answer["account"]["balanceHistory"] == [
        {"start": start, "end": end, "partial": partial}
        | {name: {"amount": amount} for name, amount in zip(flows, amounts.split(), strict=True)}
        for start, end, partial, amounts in (
            (
                "2026-11-08T23:00:00Z",
                "2026-11-15T23:00:00Z",
                False,
                "80.00 0.00 0.00 0.00 5.00 0.00 75.00",
            ),
            (
                "2026-11-15T23:00:00Z",
                "2026-11-20T23:00:00Z",
                True,
                "75.00 0.00 10.00 3.00 9.500000001 -2.00 70.499999999",
            ),
        )
    ]


async def test_a_balance_history_beyond_64_bits_is_exact(database: Database) -> None:
    flows = [(at(1), name, MAX_NANOS) for name in ("purchased_nanos", "bonus_nanos")]
    await insert_facts(database, replace(facts(), flows=flows))
    answer = await data_of(database, ADA, HISTORY, {"id": ACCOUNT})
    first, last = answer["account"]["balanceHistory"]
    assert first["opening"] == {"amount": format_amount(2 * MAX_NANOS, "USD")}
    spent = 14 * UNIT + UNIT // 2 + 1
    assert last["closing"] == {"amount": format_amount(2 * MAX_NANOS - spent, "USD")}


async def test_a_viewer_gets_usage_but_no_balance_history(database: Database) -> None:
    await insert_facts(database, facts())
    reply = await ask(database, BOB, HISTORY, {"id": ACCOUNT})
    assert reply.data == {"account": {"name": "Ada", "balanceHistory": None}}
    assert [(path, code) for path, code, _ in reply.errors] == [
        (["account", "balanceHistory"], "FORBIDDEN")
    ]
    answer = await data_of(
        database,
        BOB,
        """query ($id: ID!) { account(id: $id) {
            usage(interval: YEAR) { summary { totalSpend { amount } } }
            balance { burnRate { amount } }
        } }""",
        {"id": ACCOUNT},
    )
    assert answer["account"] == {
        "usage": {"summary": {"totalSpend": {"amount": "14.500000001"}}},
        "balance": {"burnRate": {"amount": "1.357142857"}},
    }


async def test_burn_and_runway_are_of_the_last_seven_days_and_the_last_day(
    database: Database,
) -> None:
    await insert_facts(database, facts())
    answer = await data_of(
        database,
        ADA,
        """query ($id: ID!) { account(id: $id) { balance {
            burnRate { amount currency } runway { status earliest latest }
        } } }""",
        {"id": ACCOUNT},
    )
    # 9.500000001 in 7 days; 0.500000001 in 24 hours, at which 70 last for 140 days.
    assert answer["account"]["balance"] == {
        "burnRate": usd("1.357142857"),
        "runway": {"status": "ESTIMATED", "earliest": "2027-01-11", "latest": "2027-04-09"},
    }


async def test_an_account_without_a_complete_day_has_no_burn_rate(database: Database) -> None:
    new = Facts(account_id=1, created_at=at(20, 1), balance_nanos=1, members={"ada": "OWNER"})
    await insert_facts(database, new)
    answer = await data_of(
        database,
        ADA,
        """query ($id: ID!) { account(id: $id) { balance {
            burnRate { amount } runway { status earliest latest }
        } } }""",
        {"id": ACCOUNT},
    )
    assert answer["account"]["balance"] == {
        "burnRate": None,
        "runway": {"status": "INSUFFICIENT_HISTORY", "earliest": None, "latest": None},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            'from: "2026-11-02", to: "2026-11-01"',
            "`from` (2026-11-02) must not be after `to` (2026-11-01).",
        ),
        (
            'from: "2020-01-01", to: "2026-01-01"',
            (
                "2020-01-01 to 2026-01-01 has 2,193 buckets of one DAY; at most 1,100 are allowed. "
                "Request fewer days or a longer interval."
            ),
        ),
    ],
)
@pytest.mark.parametrize("field", ["usage", "balanceHistory"])
async def test_a_window_that_is_not_allowed_is_refused_before_anything_is_read(
    database: Database, field: str, arguments: str, message: str
) -> None:
    await insert_facts(database, facts())
    query = f"query ($id: ID!) {{ account(id: $id) {{ {field}(interval: DAY, {arguments}) "
    reply = await ask(database, ADA, query + "{ __typename } } }", {"id": ACCOUNT})
    assert [error[1:] for error in reply.errors] == [("BAD_USER_INPUT", message)]
    assert reply.statements == 1


@pytest.mark.parametrize(
    ("selection", "own", "other"),
    [
        ("interval from to timeZone completeUntil", 0, 0),
        ("summary { totalDeployments } buckets { start } previous { totalDeployments }", 1, 2),
        ("comparison { from }", 2, 2),
        (
            "summary { averageDailySpend { amount } } comparison { to } previous { __typename }",
            *(2, 4),
        ),
        ("buckets { deployments resources { quantity } }", 2, 3),
        ("breakdown(by: PROVIDER) { key }", 1, 1),
        ("a: breakdown(by: PROVIDER) { key } b: breakdown(by: PROVIDER, first: 1) { key }", 1, 1),
        ("a: breakdown(by: PROVIDER) { key } b: breakdown(by: RESOURCE) { key }", 2, 2),
    ],
)
@pytest.mark.parametrize("time_zone", ["Europe/Berlin", "Asia/Kolkata"])
async def test_only_what_is_selected_is_read(
    database: Database, selection: str, own: int, other: int, time_zone: str
) -> None:
    # In another zone than the account's, totals are read of whole days and of quarter hours.
    statements = own if time_zone == "Europe/Berlin" else other
    await insert_facts(database, facts())
    reply = await ask(
        database,
        ADA,
        f"""query ($id: ID!, $zone: TimeZone) {{ account(id: $id) {{
            usage(interval: WEEK, timeZone: $zone) {{ {selection} }}
        }} }}""",
        {"id": ACCOUNT, "zone": time_zone},
    )
    assert reply.errors == []
    assert reply.statements == 1 + statements


MANY = """query ($first: Int!) { viewer { accounts(first: $first) { nodes {
    firstDay
    balance { burnRate { amount } runway { status } }
    balanceHistory(interval: MONTH) { closing { amount } }
    usage(interval: MONTH, from: "2026-05-01", to: "2026-11-20", timeZone: "Asia/Kolkata") {
        summary { averageDailySpend { amount } averageDailyDeployments }
        comparison { current { amount } previous { amount } }
        previous { totalSpend { amount } averageDailyDeployments }
        buckets { spend { amount } resources { quantity } }
        breakdown(by: DEPLOYMENT) { label }
    }
} } } }"""


async def test_statements_are_as_many_for_1_account_as_for_100(database: Database) -> None:
    await insert_facts(database, *(facts(n, "America/St_Johns") for n in range(1, 101)))
    replies = {
        first: await ask(database, PLATFORM, MANY, {"first": first}) for first in (1, 50, 100)
    }
    for first, reply in replies.items():
        nodes = reply.data["viewer"]["accounts"]["nodes"]
        assert len(nodes) == first
        assert all(node == nodes[0] for node in nodes)
    # Accounts, first facts, burn, opening, flows, sums of usage by days and by quarter hours, usage
    # for comparisons and then for means, resources, breakdown, names of deployments.
    assert {reply.statements for reply in replies.values()} == {12}


class MovingClock:
    """A clock that is a day later each time."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        self.instant += timedelta(days=1)
        return self.instant


async def test_all_fields_of_an_operation_have_the_same_day(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insert_facts(database, facts())
    monkeypatch.setattr(graph, "FixedClock", MovingClock)
    account = await data_of(
        database,
        ADA,
        "query ($id: ID!) { account(id: $id) { day: usage { to } week: usage(interval: WEEK) { to }"
        " month: balanceHistory(interval: MONTH) { end } } }",
        {"id": encode_global_id("Account", 1)},
    )
    last = account["account"]
    assert last["day"] == last["week"] == {"to": "2026-11-21"}
    assert last["month"][-1] == {"end": "2026-11-21T23:00:00Z"}
