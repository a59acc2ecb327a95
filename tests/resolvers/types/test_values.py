"""What the types' fields say of their rows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.ids import encode_global_id
from gateway.store import Database
from tests.support.graph import PLATFORM, ask, data_of
from tests.support.rows import T0, UNIT, account, deployment, purchase, put, receipt, refund

ONE = encode_global_id("Account", 1)


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


async def account_data(database: Database, selection: str, **variables: Any) -> Any:
    query = f'query($f: CreditPurchaseFilter) {{ account(id: "{ONE}") {{ {selection} }} }}'
    if "DeploymentFilter" in variables:
        variables.pop("DeploymentFilter")
        query = query.replace("CreditPurchaseFilter", "DeploymentFilter")
    elif "$f" not in selection:
        query = query.replace("query($f: CreditPurchaseFilter) ", "")
    return (await data_of(database, PLATFORM, query, variables))["account"]


async def test_an_account_and_its_balance(database: Database) -> None:
    await put(
        database,
        account(
            1,
            name="Ada <b>&</b>",
            time_zone="Asia/Kathmandu",
            balance_nanos=-12_345_678_901,
            ledger_version=7,
            balance_at=datetime(2026, 11, 2, 3, 4, 5, 60, tzinfo=UTC),
            low_balance="MONEY",
        ),
    )
    assert await account_data(
        database,
        """id externalId name currency timeZone createdAt
        balance { available { amount currency } version asOf low }""",
    ) == {
        "id": "acct_0000000000000001",
        "externalId": "customer-1",
        "name": "Ada <b>&</b>",
        "currency": "USD",
        "timeZone": "Asia/Kathmandu",
        "createdAt": "2026-11-01T00:00:00Z",
        "balance": {
            "available": usd("-12.345678901"),
            "version": 7,
            "asOf": "2026-11-02T03:04:05.000060Z",
            "low": "MONEY",
        },
    }


PURCHASE = """creditPurchases { nodes {
  id createdAt settledAt kind status description failureReason
  amount { amount currency } tax { amount currency } bonus { amount currency }
  bonusReversed { amount } refunded { amount currency } charged { amount currency }
  paymentMethod { type brand last4 label displayName }
  receipt { id number issuedAt total { amount currency } tax { amount } }
  refunds { id createdAt settledAt status reason failureReason amount { amount } tax { amount }
            total { amount currency } receipt { number total { amount } } }
  account { id }
} }"""


async def test_a_purchase_with_everything(database: Database) -> None:
    await put(
        database,
        account(1),
        purchase(
            1,
            2,
            status="PARTIALLY_REFUNDED",
            description="Top-up",
            tax_nanos=19 * UNIT // 10,
            bonus_nanos=UNIT,
            bonus_reversed_nanos=UNIT // 2,
            refunded_nanos=3 * UNIT,
            payment_method_type="CARD",
            payment_method_brand="visa",
            payment_method_last4="4242",
        ),
        refund(1, 3, 2, amount_nanos=3 * UNIT, tax_nanos=57, reason="too much", settled_at=T0),
        refund(1, 4, 2, amount_nanos=1, status="FAILED", failure_reason="closed"),
        receipt(1, 5, 2, total_nanos=119 * UNIT // 10, tax_nanos=19 * UNIT // 10),
        receipt(1, 6, 2, refund_id=3, total_nanos=-3 * UNIT),
    )
    (node,) = (await account_data(database, PURCHASE))["creditPurchases"]["nodes"]
    assert node == {
        "id": encode_global_id("CreditPurchase", 1, 2),
        "createdAt": "2026-11-01T00:02:00Z",
        "settledAt": "2026-11-01T00:02:00Z",
        "kind": "CARD",
        "status": "PARTIALLY_REFUNDED",
        "description": "Top-up",
        "failureReason": None,
        "amount": usd("10.00"),
        "tax": usd("1.90"),
        "bonus": usd("1.00"),
        "bonusReversed": {"amount": "0.50"},
        "refunded": usd("3.00"),
        "charged": usd("11.90"),
        "paymentMethod": {
            "type": "CARD",
            "brand": "visa",
            "last4": "4242",
            "label": None,
            "displayName": "Visa •••• 4242",
        },
        "receipt": {
            "id": encode_global_id("Receipt", 1, 5),
            "number": "00000001-2026-000005",
            "issuedAt": "2026-11-01T00:00:00Z",
            "total": usd("11.90"),
            "tax": {"amount": "1.90"},
        },
        "refunds": [
            {
                "id": encode_global_id("Refund", 1, 3),
                "createdAt": "2026-11-01T00:03:00Z",
                "settledAt": "2026-11-01T00:00:00Z",
                "status": "SUCCEEDED",
                "reason": "too much",
                "failureReason": None,
                "amount": {"amount": "3.00"},
                "tax": {"amount": "0.000000057"},
                "total": usd("3.000000057"),
                "receipt": {"number": "00000001-2026-000006", "total": {"amount": "-3.00"}},
            },
            {
                "id": encode_global_id("Refund", 1, 4),
                "createdAt": "2026-11-01T00:04:00Z",
                "settledAt": None,
                "status": "FAILED",
                "reason": None,
                "failureReason": "closed",
                "amount": {"amount": "0.000000001"},
                "tax": {"amount": "0.00"},
                "total": usd("0.000000001"),
                "receipt": None,
            },
        ],
        "account": {"id": ONE},
    }


async def test_what_a_purchase_may_lack_is_null(database: Database) -> None:
    await put(
        database,
        account(1),
        purchase(1, 1, kind="COUPON", status="PENDING", settled_at=None),
    )
    (node,) = (await account_data(database, PURCHASE))["creditPurchases"]["nodes"]
    absent = ("settledAt", "description", "failureReason", "paymentMethod", "receipt")
    assert {name: node[name] for name in (*absent, "refunds", "charged")} == {
        **dict.fromkeys(absent),
        "refunds": [],
        "charged": usd("0.00"),
    }


async def test_a_purchase_shows_100_refunds_at_most_the_oldest_first(database: Database) -> None:
    rows = [refund(1, id_, 1, amount_nanos=1) for id_ in range(1, 103)]
    await put(database, account(1), purchase(1, 1), *rows)
    (node,) = (await account_data(database, "creditPurchases { nodes { refunds { id } } }"))[
        "creditPurchases"
    ]["nodes"]
    expected = [{"id": encode_global_id("Refund", 1, id_)} for id_ in range(1, 101)]
    assert node["refunds"] == expected


async def test_a_deployment(database: Database) -> None:
    await put(
        database,
        account(1, currency="JPY"),
        deployment(
            1,
            1,
            name="llm",
            provider="acme",
            gpu_model="H100",
            region="eu",
            service="inference",
            cpu_nanos=UNIT // 2,
            gpu_nanos=8 * UNIT,
            memory_bytes=2**40,
            storage_bytes=None,
            spend_nanos=120 * UNIT,
            closed_at=T0 + timedelta(days=1),
        ),
    )
    (node,) = (
        await account_data(
            database,
            """deployments { nodes { id externalId name provider gpuModel region service
            startedAt closedAt spend { amount currency }
            resources { cpu gpu memoryBytes storageBytes } } }""",
        )
    )["deployments"]["nodes"]
    assert node == {
        "id": encode_global_id("Deployment", 1, 1),
        "externalId": "18446744073709551615",
        "name": "llm",
        "provider": "acme",
        "gpuModel": "H100",
        "region": "eu",
        "service": "inference",
        "startedAt": "2026-11-01T00:01:00Z",
        "closedAt": "2026-11-02T00:00:00Z",
        "spend": {"amount": "120", "currency": "JPY"},
        "resources": {
            "cpu": "0.5",
            "gpu": "8",
            "memoryBytes": "1099511627776",
            "storageBytes": None,
        },
    }


TOTALS = """creditPurchases(filter: $f) { totalCount totals {
  paid { amount currency } bonus { amount currency }
  refunded { amount currency } credited { amount currency }
} }"""


async def totals(database: Database, **filter_: Any) -> Any:
    found = (await account_data(database, TOTALS, f=filter_))["creditPurchases"]
    return found["totalCount"], *(value["amount"] for value in found["totals"].values())


async def test_totals_count_settled_purchases_with_their_refunds_to_date(
    database: Database,
) -> None:
    await put(
        database,
        account(1),
        purchase(1, 1, bonus_nanos=2 * UNIT),
        purchase(
            1,
            2,
            status="REFUNDED",
            bonus_nanos=UNIT,
            bonus_reversed_nanos=UNIT,
            refunded_nanos=10 * UNIT,
        ),
        purchase(1, 3, kind="COUPON", amount_nanos=5 * UNIT),
        purchase(1, 4, kind="TRIAL_GRANT", amount_nanos=UNIT, bonus_nanos=UNIT // 4),
        purchase(1, 5, kind="MANUAL_CREDIT", amount_nanos=1),
        purchase(1, 6, status="PENDING", settled_at=None, bonus_nanos=UNIT),
        purchase(1, 7, status="FAILED", settled_at=None),
    )
    assert await totals(database) == (7, "20.00", "8.250000001", "10.00", "18.250000001")
    assert await totals(database, kind=["CARD"]) == (4, "20.00", "2.00", "10.00", "12.00")
    assert await totals(database, status=["PENDING", "FAILED"]) == (
        *(2, "0.00", "0.00", "0.00", "0.00"),
    )
    assert await totals(database, status=[]) == (0, "0.00", "0.00", "0.00", "0.00")


async def test_totals_of_large_amounts_are_exact(database: Database) -> None:
    most = 2**63 - 1
    await put(database, account(1), *(purchase(1, id_, amount_nanos=most) for id_ in range(1, 4)))
    assert await totals(database) == (
        *(3, "27670116110.564327421", "0.00", "0.00", "27670116110.564327421"),
    )


async def test_amounts_and_taxes_may_be_larger_together_than_any_amount(
    database: Database,
) -> None:
    most = {"amount_nanos": 2**63 - 1, "tax_nanos": 2**63 - 1}
    taken = {"status": "REFUNDED", "refunded_nanos": 2**63 - 1}
    await put(
        database,
        account(1),
        *(purchase(1, id_, **most, **taken) for id_ in (1, 2)),
        *(refund(1, id_, id_, **most) for id_ in (1, 2)),
    )
    both, four = "18446744073.709551614", "36893488147.419103228"
    assert await charges(database) == [both, both, four, both, both, four]
    nodes = "creditPurchases { nodes { charged { amount } refunds { total { amount } } } }"
    node, _ = (await account_data(database, nodes))["creditPurchases"]["nodes"]
    assert node == {"charged": {"amount": both}, "refunds": [{"total": {"amount": both}}]}


CHARGED = """creditPurchases(filter: $f) { totals {
  paid { amount } tax { amount } charged { amount }
  refunded { amount } refundedTax { amount } refundedTotal { amount }
} }"""


async def charges(database: Database, **filter_: Any) -> list[str]:
    found = (await account_data(database, CHARGED, f=filter_))["creditPurchases"]["totals"]
    return [value["amount"] for value in found.values()]


async def test_totals_say_what_cards_paid_and_what_went_back(database: Database) -> None:
    """A refund that failed, and a dispute's funds, are no refund that succeeded."""
    later = T0 + timedelta(days=10)
    taken = {"status": "PARTIALLY_REFUNDED", "amount_nanos": 100 * UNIT, "tax_nanos": 19 * UNIT}
    await put(
        database,
        account(1),
        purchase(1, 1, **taken, refunded_nanos=30 * UNIT),
        purchase(1, 2, status="DISPUTED", tax_nanos=UNIT, refunded_nanos=10 * UNIT),
        purchase(1, 3, kind="COUPON", tax_nanos=7 * UNIT),
        purchase(1, 4, status="PENDING", settled_at=None, tax_nanos=UNIT),
        purchase(1, 5, status="FAILED", settled_at=None, tax_nanos=UNIT),
        purchase(1, 6, **taken, refunded_nanos=UNIT, created_at=later),
        refund(1, 1, 1, amount_nanos=20 * UNIT, tax_nanos=38 * UNIT // 10),
        refund(1, 2, 1, amount_nanos=10 * UNIT, tax_nanos=19 * UNIT // 10),
        refund(1, 3, 1, amount_nanos=5 * UNIT, status="FAILED"),
        refund(1, 4, 2, amount_nanos=UNIT, status="PENDING"),
        refund(1, 5, 4, amount_nanos=UNIT, tax_nanos=1),
        refund(1, 6, 6, tax_nanos=1, settled_at=T0),
    )
    assert await charges(database) == [
        *("210.00", "39.00", "249.00"),
        *("41.00", "5.700000001", "36.700000001"),
    ]
    assert await charges(database, to="2026-11-10") == [
        *("110.00", "20.00", "130.00"),
        *("40.00", "5.70", "35.70"),
    ]
    assert await charges(database, kind=["COUPON"]) == ["0.00"] * 6


async def ids(database: Database, field: str, **filter_: Any) -> list[int]:
    variables: dict[str, Any] = {"f": filter_}
    if field == "deployments":
        variables["DeploymentFilter"] = True
    found = await account_data(database, f"{field}(filter: $f) {{ nodes {{ id }} }}", **variables)
    return [int(node["id"][-16:], 16) for node in found[field]["nodes"]]


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"from": "2026-03-29", "to": "2026-03-29"}, [3, 2]),
        ({"from": "2026-03-29"}, [4, 3, 2]),
        ({"to": "2026-03-29"}, [3, 2, 1]),
        ({"from": "2026-03-28", "to": "2026-03-29", "timeZone": "UTC"}, [4, 3, 2, 1]),
        ({"to": "2026-03-28", "timeZone": "UTC"}, [2, 1]),
        ({"from": "2026-03-29", "to": "2026-03-29", "status": ["PENDING"]}, [3]),
        ({"status": ["PENDING", "FAILED"], "kind": ["CARD"]}, [3]),
        ({"kind": ["COUPON"]}, []),
        ({}, [4, 3, 2, 1]),
    ],
)
async def test_a_filter_has_days_of_the_zone_both_inclusive(
    database: Database, filter_: dict[str, Any], expected: list[int]
) -> None:
    # The 29th of March 2026 has 23 hours in Berlin.
    edges = [
        datetime(2026, 3, 28, 22, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 21, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    ]
    await put(
        database,
        account(1, time_zone="Europe/Berlin"),
        *(
            purchase(1, id_, created_at=at)
            if id_ != 3
            else purchase(1, id_, created_at=at, status="PENDING", settled_at=None)
            for id_, at in enumerate(edges, 1)
        ),
    )
    assert await ids(database, "creditPurchases", **filter_) == expected


async def test_deployments_by_whether_they_run_and_when_they_started(database: Database) -> None:
    await put(
        database,
        account(1),
        deployment(1, 1, started_at=T0),
        deployment(1, 2, started_at=T0, closed_at=T0),
        deployment(1, 3, started_at=T0 + timedelta(days=1)),
    )
    assert await ids(database, "deployments", running=True) == [3, 1]
    assert await ids(database, "deployments", running=False) == [2]
    assert await ids(database, "deployments", running=None) == [3, 2, 1]
    assert await ids(database, "deployments", to=date(2026, 11, 1).isoformat()) == [2, 1]


@pytest.mark.parametrize(
    ("filter_", "code", "message"),
    [
        (
            {"from": "2026-03-02", "to": "2026-03-01"},
            "BAD_USER_INPUT",
            "`from` (2026-03-02) must not be after `to` (2026-03-01).",
        ),
    ],
)
async def test_a_filter_that_makes_no_sense_is_refused(
    database: Database, filter_: dict[str, Any], code: str, message: str
) -> None:
    await put(database, account(1))
    query = f"""query($f: CreditPurchaseFilter) {{ account(id: "{ONE}") {{
      id creditPurchases(filter: $f) {{ totalCount }}
    }} }}"""
    reply = await ask(database, PLATFORM, query, {"f": filter_})
    assert reply.data == {"account": {"id": ONE, "creditPurchases": None}}
    assert reply.errors == [(["account", "creditPurchases"], code, message)]
