import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.principal import Permission
from gateway.store import Database
from tests.support.books import Books
from tests.support.facts import rows_of
from tests.support.invariants import check_books
from tests.support.served import Served, serving

PATH = "/v1/credits"
TABLES = ("credit_purchase", "ledger_entry", "receipt", "rollup_day", "account", "idempotency_key")


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database, database_url, tmp_path) as served:
        yield served


def credit(**changes: Any) -> dict[str, Any]:
    said = {"account": "acme", "kind": "COUPON", "amount": "10.00", "currency": "USD"}
    return {name: value for name, value in (said | changes).items() if value is not ...}


async def image(database: Database, account_id: int) -> dict[str, Any]:
    return {table: await rows_of(database, table, account_id) for table in TABLES}


async def test_a_credit_is_given_once_and_its_answer_repeated(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    headers = await served.key(Permission.CREDITS_WRITE) | {"idempotency-key": "k1"}

    first = await served.client.post(PATH, json=credit(), headers=headers)
    other = headers | {"idempotency-key": "k2"}
    await served.client.post(PATH, json=credit(amount="1"), headers=other)
    before = await image(served.database, account_id)
    again = await served.client.post(PATH, json=credit(amount="10"), headers=headers)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["balance"] == {"amount": "10.00", "currency": "USD"}
    assert first.json()["creditPurchaseId"].startswith("purchase_")
    assert await image(served.database, account_id) == before
    await check_books(served.database, account_id)


async def test_an_adjustment_is_signed_and_answers_its_ledger_version(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    headers = await served.key(Permission.ADMIN) | {"idempotency-key": "a/1"}
    body = credit(kind="ADJUSTMENT", amount="-0.5", description="Outage, October")
    answer = await served.client.post(PATH, json=body, headers=headers)
    assert answer.status_code == 201
    assert answer.json() == {
        "ledgerVersion": 1,
        "balance": {"amount": "-0.50", "currency": "USD"},
    }
    await check_books(served.database, account_id)


async def test_the_same_key_for_another_credit_is_a_conflict(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    headers = await served.key(Permission.CREDITS_WRITE) | {"idempotency-key": "k1"}
    await served.client.post(PATH, json=credit(), headers=headers)
    before = await image(served.database, account_id)

    answer = await served.client.post(PATH, json=credit(amount="11"), headers=headers)

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["extensions"]["code"] == "CONFLICT"
    assert await image(served.database, account_id) == before


async def test_the_same_key_sent_many_times_at_once_has_one_effect(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    headers = await served.key(Permission.CREDITS_WRITE) | {"idempotency-key": "k1"}
    answers = await asyncio.gather(
        *(served.client.post(PATH, json=credit(), headers=headers) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await rows_of(served.database, "ledger_entry", account_id)) == 1


async def test_a_hundred_credits_at_once_are_all_there(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.CREDITS_WRITE)

    async def give(number: int) -> int:
        headers = key | {"idempotency-key": f"k{number}"}
        body = credit(amount=f"0.{number:09}")
        return (await served.client.post(PATH, json=body, headers=headers)).status_code

    assert set(await asyncio.gather(*(give(number) for number in range(1, 101)))) == {201}
    (account,) = await rows_of(served.database, "account", account_id)
    assert account["balance_nanos"] == sum(range(1, 101))
    await check_books(served.database, account_id)


BAD_CREDITS: dict[str, tuple[dict[str, Any], dict[str, str], int]] = {
    "no key": (credit(), {"idempotency-key": ""}, 400),
    "a key with a space": (credit(), {"idempotency-key": "a b"}, 400),
    "a long key": (credit(), {"idempotency-key": "x" * 256}, 400),
    "an unknown account": (credit(account="nobody"), {}, 404),
    "a card": (credit(kind="CARD"), {}, 400),
    "a number": (credit(amount=10), {}, 400),
    "an exponent": (credit(amount="1E3"), {}, 400),
    "ten decimals": (credit(amount="0.0000000001"), {}, 400),
    "zero": (credit(amount="0"), {}, 400),
    "less than nothing": (credit(amount="-1"), {}, 400),
    "another currency": (credit(currency="EUR"), {}, 400),
    "no currency": (credit(currency=...), {}, 400),
    "NUL": (credit(description="a\u0000b"), {}, 400),
    "a long description": (credit(description="x" * 2001), {}, 400),
    "a naive instant": (credit(occurredAt="2026-11-01T00:00:00"), {}, 400),
    "an instant to come": (credit(occurredAt="2099-01-01T00:00:00Z"), {}, 400),
    "an unknown field": (credit(ammount="1"), {}, 400),
}


async def test_a_credit_that_would_not_fit_is_out_of_range(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    headers = await served.key(Permission.CREDITS_WRITE)
    most = credit(amount="9223372036.854775807")
    first = await served.client.post(PATH, json=most, headers=headers | {"idempotency-key": "a"})
    assert first.status_code == 201
    before = await image(served.database, account_id)
    balance = "With this `amount` the balance would leave the range of -9223372036.854775807 to "
    for kind, amount, message in (
        ("COUPON", "0.000000001", balance),
        ("ADJUSTMENT", "0.000000001", balance),
        ("COUPON", "9223372036.854775808", "`amount`: A decimal must be from "),
    ):
        body = credit(kind=kind, amount=amount)
        answer = await served.client.post(
            PATH,
            json=body,
            headers=headers | {"idempotency-key": f"{kind} {amount}".replace(" ", "-")},
        )
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["message"].startswith(message)
        assert error["extensions"] == {"code": "OUT_OF_RANGE", "argument": "amount"}
        assert await image(served.database, account_id) == before


@pytest.mark.parametrize("name", BAD_CREDITS)
async def test_a_bad_credit_is_refused_and_leaves_nothing(served: Served, name: str) -> None:
    body, headers, status = BAD_CREDITS[name]
    account_id = await Books(served.database).account("acme")
    before = await image(served.database, account_id)
    headers = await served.key(Permission.CREDITS_WRITE) | {"idempotency-key": "k1"} | headers

    answer = await served.client.post(PATH, json=body, headers=headers)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["message"]
    assert await image(served.database, account_id) == before


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"kind": "\xff"}', "application/json", 400),
        (b'{"members": [{"role": "OWNER", "role": "VIEWER"}]}', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 1_048_577, "application/json", 413),
    ],
)
async def test_a_bad_body_is_refused_and_leaves_nothing(
    served: Served, body: bytes, media_type: str, status: int
) -> None:
    account_id = await Books(served.database).account("acme")
    before = await image(served.database, account_id)
    headers = await served.key(Permission.ADMIN)
    headers |= {"idempotency-key": "k1", "content-type": media_type}
    given = await served.client.post(PATH, content=body, headers=headers)
    put = await served.client.put("/v1/accounts/acme", content=body, headers=headers)
    assert (given.status_code, put.status_code) == (status, status)
    assert given.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert await image(served.database, account_id) == before


async def test_a_key_of_an_account_gives_nothing_to_another(served: Served) -> None:
    acme = await Books(served.database).account("acme")
    await Books(served.database, seed=2).account("other")
    headers = await served.key(Permission.CREDITS_WRITE, account_id=acme) | {"idempotency-key": "k"}
    answers = [
        await served.client.post(PATH, json=credit(account=name), headers=headers)
        for name in ("other", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


async def test_all_faults_of_a_credit_are_listed_by_path(served: Served) -> None:
    headers = await served.key(Permission.CREDITS_WRITE) | {"idempotency-key": "k"}
    body = {
        "kind": "GIFT",
        "amount": "9223372036.854775808",
        "currency": "XXX",
        "occurredAt": "now",
    }
    answer = await served.client.post(PATH, json=body, headers=headers)
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert [(error["path"], error["extensions"]["code"]) for error in errors] == [
        ("account", "BAD_USER_INPUT"),
        ("kind", "BAD_USER_INPUT"),
        ("amount", "OUT_OF_RANGE"),
        ("currency", "BAD_USER_INPUT"),
        ("occurredAt", "BAD_USER_INPUT"),
    ]
    assert errors[0]["message"] == "`account` is missing."
    assert all(f"`{error['path']}`" in error["message"] for error in errors)
    assert "pydantic" not in answer.text.lower()
