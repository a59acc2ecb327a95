import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.billing.usage.ingestion import ItemCode
from gateway.errors import BadRequest
from gateway.principal import Permission
from gateway.routes.bodies.usage_batch import PIECE, read_batch
from gateway.routes.bodies.usage_events import faults_of_event
from gateway.routes.bodies.usage_items import ItemReader
from gateway.store import Database
from gateway.store.engine.bitset import MAX_MEMBER, decode
from gateway.store.usage_units import MOST_UNITS
from tests.support.books import Books
from tests.support.cpu import cpu_below
from tests.support.facts import rows_of
from tests.support.invariants import check_books
from tests.support.raw import execute
from tests.support.served import Served, serving

PATH = "/v1/usage-events"
TABLES = ("usage_event", "ledger_entry", "deployment", "rollup_day", "rollup_slot", "account")
DAY = timedelta(days=1)
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)


@pytest.fixture
async def served(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database, database_url, tmp_path) as served:
        yield served


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def event(**changes: Any) -> dict[str, Any]:
    """Return the event of the contract's example, an hour of a GPU."""
    said = {
        "account": "acme",
        "source": "provider-7",
        "id": "evt-1",
        "deployment": {
            "externalId": "18446744073709551615",
            "name": "llm",
            "provider": "provider-7",
            "gpuModel": "H100",
            "resources": {"cpu": "8", "memoryBytes": "68719476736", "gpu": "1"},
        },
        "resource": "GPU",
        "quantity": "1.5",
        "unit": "gpu-hour",
        "amount": "0.000432000",
        "currency": "USD",
        "start": written(HOUR),
        "end": written(HOUR + timedelta(hours=1)),
    }
    return {name: value for name, value in (said | changes).items() if value is not ...}


async def send(served: Served, headers: dict[str, str], *events: Any) -> dict[str, Any]:
    answer = await served.client.post(PATH, json=list(events), headers=headers)
    assert answer.status_code == 200, answer.text
    outcome: dict[str, Any] = answer.json()
    return outcome


async def image(database: Database, account_id: int) -> dict[str, Any]:
    return {table: await rows_of(database, table, account_id) for table in TABLES}


async def test_an_event_is_booked_once_and_sent_again_is_a_duplicate(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)

    first = await send(served, key, event(), event(id="evt-2"))
    before = await image(served.database, account_id)
    again = await send(served, key, event(), event(id="evt-2"))

    assert first == {"accepted": 2, "duplicates": 0, "rejected": []}
    assert again == {"accepted": 0, "duplicates": 2, "rejected": []}
    assert await image(served.database, account_id) == before
    assert before["account"][0]["balance_nanos"] == -864_000
    assert before["deployment"][0]["memory_bytes"] == 68_719_476_736
    await check_books(served.database, account_id)


async def test_an_events_project_is_kept(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    later = written(HOUR + timedelta(minutes=1))
    bare = event(id="c", start=later, deployment=...)
    sent = [event(id="a", project="search"), event(id="b", start=later), bare | {"project": "maps"}]
    assert (await send(served, key, *sent))["accepted"] == 3
    found = await image(served.database, account_id)
    assert {row["event_id"]: row["project"] for row in found["usage_event"]} == {
        "a": "search",
        "b": None,
        "c": "maps",
    }
    assert [row["project"] for row in found["deployment"]] == ["search"]
    await check_books(served.database, account_id)
    outcome = await send(served, key, event(id="d", project="x" * 201))
    assert [each["message"] for each in outcome["rejected"]] == [
        "`project` must have 1 to 200 characters."
    ]


async def test_ndjson_is_the_same_events(served: Served) -> None:
    await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    body = b"\n".join(orjson.dumps(event(id=f"e{number}")) for number in range(3)) + b"\n"
    headers = key | {"content-type": "application/x-ndjson"}
    answer = await served.client.post(PATH, content=body, headers=headers)
    assert answer.json() == {"accepted": 3, "duplicates": 0, "rejected": []}


async def test_a_line_that_is_no_json_is_refused_by_itself(served: Served) -> None:
    await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    lines = [orjson.dumps(event(id="a")), b"", b"{", b'"\xff"', b" \r", orjson.dumps(event(id="b"))]
    headers = key | {"content-type": "application/x-ndjson"}
    answer = await served.client.post(PATH, content=b"\n".join(lines), headers=headers)
    rejected = answer.json().pop("rejected")
    assert (answer.json()["accepted"], answer.json()["duplicates"]) == (2, 0)
    for index, (item, line) in enumerate(zip(rejected, (3, 4), strict=True), start=1):
        message = item["message"]
        assert message.startswith(f"Line {line} is not valid JSON in UTF-8. Lone surrogates")
        known = {"index": index, "id": None, "code": "INVALID", "message": message}
        assert item == known | {"errors": [{"path": "", "message": message}]}


UNREADABLE = {
    "a lone surrogate": rb'{"id":"bad","sku":"\ud83d"}',
    "a number beyond a double": b'{"id":"bad","quantity":1e400}',
    "a thousand levels": b'{"id":"bad","sku":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    "more levels than are read": b'{"id":"bad","sku":' + b'{"a":[' * 5_000 + b"]}" * 5_000 + b"}",
    "not a number": b'{"quantity":NaN}',
    "not UTF-8": b'{"sku":"\xff"}',
    "no value": b'{"sku":}',
}


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson"])
async def test_an_unreadable_event_is_refused_by_itself(served: Served, media_type: str) -> None:
    account_id = await Books(served.database).account("acme")
    headers = await served.key(Permission.USAGE_WRITE) | {"content-type": media_type}
    good = [orjson.dumps(event(id=f"{each}", sku='],"[{\\')) for each in range(len(UNREADABLE) + 1)]
    texts = [good[0], *chain(*zip([*UNREADABLE.values()], good[1:], strict=True)), TWICE]
    is_array = media_type == "application/json"
    body = b"[" + b" ,\n".join(texts) + b"]" if is_array else b"\n".join(texts)
    answer = (await served.client.post(PATH, content=body, headers=headers)).json()
    assert answer["accepted"] == len(good)
    *rejected, twice = answer["rejected"]
    assert [each["index"] for each in rejected] == [*range(1, 2 * len(UNREADABLE), 2)]
    for each in [*rejected, twice]:
        assert (each["code"], each["id"]) == ("INVALID", None)
        assert each["errors"] == [{"path": "", "message": each["message"]}]
    for each in rejected:
        assert each["message"].endswith(
            " is not valid JSON in UTF-8. Lone surrogates, numbers above 1.8e308 and deeper "
            "nesting than a few hundred levels are not allowed."
        )
    assert twice["message"].endswith('A JSON object has the key "amount" twice.')
    await check_books(served.database, account_id)


async def test_many_unreadable_events_are_read_in_time() -> None:
    bad = orjson.dumps(event(deployment=..., sku="?", end=...)).replace(b'"?"', rb'"\ud83d"')
    body = b"[" + b",".join([bad] * 25_000) + b"]"
    assert len(body) < 5_242_880
    with cpu_below(2):
        assert len(await read_batch(body, "application/json", limit=25_000)) == 25_000


TWICE = orjson.dumps(event(id="b"))[:-1] + b', "amount": "5"}'


@pytest.mark.parametrize("media_type", ["application/json", "application/x-ndjson"])
async def test_an_event_with_a_key_twice_is_refused_by_itself(
    served: Served, media_type: str
) -> None:
    await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    inner = orjson.dumps(event(id="d", deployment={"externalId": "1"})).replace(
        b'{"externalId"', b'{"name":"x","name":"y","externalId"'
    )
    events = [orjson.dumps(event(id="a")), TWICE, orjson.dumps(event(id="c")), inner]
    lines = b"\n".join(events)
    body = b"[" + b",".join(events) + b"]" if media_type == "application/json" else lines
    headers = key | {"content-type": media_type}
    answer = (await served.client.post(PATH, content=body, headers=headers)).json()
    assert answer["accepted"] == 2
    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [
        (1, "INVALID"),
        (3, "INVALID"),
    ]
    second, fourth = (each["message"] for each in answer["rejected"])
    assert second.endswith('A JSON object has the key "amount" twice.')
    assert fourth.endswith('A JSON object has the key "name" twice.')


async def test_the_same_id_twice_in_a_batch_is_a_duplicate_or_a_conflict(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    answer = await send(served, key, event(), event(), event(amount="5"))
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    assert [(item["index"], item["code"]) for item in answer["rejected"]] == [(2, "CONFLICT")]
    (account,) = await rows_of(served.database, "account", account_id)
    assert account["balance_nanos"] == -432_000


async def test_the_same_id_with_other_content_is_a_conflict(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    await send(served, key, event())
    before = await image(served.database, account_id)

    answer = await send(served, key, event(amount="5"), event(id="evt-2", amount="bad"))

    assert [(item["index"], item["id"], item["code"]) for item in answer["rejected"]] == [
        (0, "evt-1", "CONFLICT"),
        (1, "evt-2", "INVALID"),
    ]
    assert await image(served.database, account_id) == before


BAD_ITEMS: dict[str, Any] = {
    "not an object": 7,
    "an unknown account": event(account="nobody"),
    "another currency": event(currency="EUR"),
    "no such currency": event(currency="XXX"),
    "a number": event(amount=0.5),
    "an exponent": event(amount="1E3"),
    "a negative charge": event(amount="-1"),
    "a quantity that is a number": event(quantity=1),
    "no source": event(source=...),
    "an empty id": event(id=""),
    "a long id": event(id="x" * 201),
    "NUL": event(id="a\u0000b"),
    "another resource": event(resource="gpu"),
    "another resource, unhashable": event(resource=["GPU"]),
    "an account with a control": event(account="acme\u202e"),
    "a source with a control": event(source="provider-7\u2066"),
    "an id with a control": event(id="evt-1\u202e"),
    "a deployment with a control": event(deployment={"externalId": "1\u200e"}),
    "an id that was lost": event(id="\ufffd"),
    "an unknown field": event(price="1"),
    "a naive instant": event(start="2026-11-01T00:00:00"),
    "an unhashable instant": event(start=[]),
    "an end before the start": event(end=written(HOUR - timedelta(hours=1))),
    "a deployment without an id": event(deployment={"name": "x"}),
    "negative memory": event(deployment={"externalId": "1", "resources": {"memoryBytes": -1}}),
    "a correction that is no boolean": event(correction="yes"),
}


NAMED: list[tuple[dict[str, Any], str]] = [
    *((event(**{name: ...}), f"`{name}` is missing.") for name in ("source", "id", "unit")),
    *((event(**{name: None}), f"`{name}` is missing.") for name in ("account", "amount", "start")),
    (event(resource=...), "`resource` is missing."),
    (event(quantity="1e3"), "`quantity`: A decimal must be"),
    (event(amount="9223372036.854775808"), "`amount`: "),
    (event(currency="EURO"), "`currency` must have"),
    (event(currency="XXX"), "`currency`: "),
    (event(currency="EUR"), "`currency`: the account"),
    (event(account="nobody"), "`account`: not found"),
    (event(end="2026"), "`end`: "),
    (event(region=7), "`region` must be"),
    (event(deployment={"name": "x"}), "`deployment.externalId` is missing."),
    (event(deployment={"externalId": "1", "region": 7}), "`deployment.region` must be"),
    (event(deployment={"externalId": "1", "startedAt": "x"}), "`deployment.startedAt`: "),
    (
        event(deployment={"externalId": "1", "resources": {"cpu": "x"}}),
        "`deployment.resources.cpu`: A decimal must be",
    ),
    (
        event(deployment={"externalId": "1", "resources": {"memoryBytes": -1}}),
        "`deployment.resources.memoryBytes` must be a whole number",
    ),
]


async def test_errors_say_which_field_by_its_name(served: Served) -> None:
    await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    answer = await send(served, key, *(item for item, _ in NAMED))
    messages = [item["message"] for item in answer["rejected"]]
    assert len(messages) == len(NAMED)
    for message, (_, begin) in zip(messages, NAMED, strict=True):
        assert message.startswith(begin)


FAULTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    (event(correction=None), {"correction": "`correction` must be true or false."}),
    (
        event(
            account=...,
            amount=0.5,
            quantity="1e3",
            price="1",
            deployment={
                "name": 7,
                "resources": {"cpu": "-1", "memoryBytes": 0.5, "disks": 1},
                "gpu": "H100",
            },
        ),
        {
            "account": "`account` is missing.",
            "deployment.externalId": "`deployment.externalId` is missing.",
            "deployment.name": "`deployment.name` must be a string.",
            "deployment.resources.cpu": "`deployment.resources.cpu` must not be negative.",
            "deployment.resources.memoryBytes": "`deployment.resources.memoryBytes` must be a",
            "deployment.resources.disks": "`deployment.resources` has no field disks.",
            "deployment.gpu": "`deployment` has no field gpu.",
            "quantity": "`quantity`: A decimal must be",
            "amount": "`amount` must be a decimal string",
            "price": "A usage event has no field price.",
        },
    ),
    (event(amount="-1"), {"amount": "A negative `amount` is a correction"}),
    (event(end="2026-01-01T00:00:00Z"), {"end": "`end` must not be before `start`."}),
    (
        event(
            deployment={
                "externalId": "1",
                "startedAt": "2026-11-02T00:00:00Z",
                "closedAt": "2026-11-01T00:00:00Z",
            }
        ),
        {"deployment.closedAt": "`deployment.closedAt` must not be before"},
    ),
    (event(deployment=7), {"deployment": "`deployment` must be a JSON object."}),
    (event(deployment={"externalId": "1", "resources": [1]}), {"deployment.resources": "`"}),
    (event(account="nobody"), {"account": "`account`: not found"}),
    (event(currency="EUR"), {"currency": "`currency`: the account"}),
    (
        event(id="ahead", end=written(HOUR + timedelta(days=2))),
        {"end": "`end` lies in the future."},
    ),
    (
        event(id="late", start=written(HOUR - timedelta(days=50))),
        {"start": "`start`: usage may be sent until 35 days after it starts."},
    ),
    (event(id="back", amount="-1", correction=True), {"amount": "This correction exceeds"}),
]


async def test_all_faults_of_an_item_are_listed_by_path(served: Served) -> None:
    await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    answer = await send(served, key, *(item for item, _ in FAULTS), event(), event(amount="2"))
    rejected = answer["rejected"]
    *listed, conflict = [
        {error["path"]: error["message"] for error in item["errors"]} for item in rejected
    ]
    assert len(listed) == len(FAULTS)
    for found, (_, expected) in zip(listed, FAULTS, strict=True):
        assert found.keys() == expected.keys()
        for path, begin in expected.items():
            assert found[path].startswith(begin)
    assert conflict.keys() == {"id"}
    for item in rejected:
        assert item["message"] == item["errors"][0]["message"]


async def test_faults_are_listed_within_limits(served: Served) -> None:
    await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    unknown = {f"field-{number}": number for number in range(2_000)}
    many = event(amount=1, **unknown)
    answer = await send(served, key, many, *[event(price="1", id=7)] * 600)
    first, *others = [len(item["errors"]) for item in answer["rejected"]]
    assert first == 20
    assert answer["rejected"][0]["errors"][0]["path"] == "amount"
    assert first + sum(others) == 1_000
    assert others[:490] == [2] * 490
    assert all(item["message"] for item in answer["rejected"])
    assert "pydantic" not in str(answer).lower()


TOO_LARGE: dict[str, Any] = {
    "an amount": event(amount="9223372036.854775808"),
    "a negative amount": event(amount="-9223372036.854775808", correction=True),
    "a quantity": event(quantity="1" + "0" * 29),
    "leased CPUs": event(deployment={"externalId": "1", "resources": {"cpu": "9223372037"}}),
}


@pytest.mark.parametrize("name", TOO_LARGE)
async def test_a_number_that_does_not_fit_is_refused_by_itself(served: Served, name: str) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    answer = await send(served, key, TOO_LARGE[name], event(id="neighbour"))
    assert answer["accepted"] == 1
    [item] = answer["rejected"]
    assert (item["index"], item["id"], item["code"]) == (0, "evt-1", "OUT_OF_RANGE")
    assert "must be from" in item["message"]
    await check_books(served.database, account_id)


async def test_a_sum_that_would_not_fit_refuses_its_event_alone(served: Served) -> None:
    books = Books(served.database)
    ids = [await books.account(name) for name in ("acme", "other")]
    key = await served.key(Permission.USAGE_WRITE, Permission.CREDITS_WRITE)
    most = "9223372036.854775807"
    batch = [
        event(id="1", amount=most),
        event(id="2", amount="0.2"),
        event(id="3", account="other", amount=most),
        event(id="4", amount="-0.1", correction=True),
        event(id="5", amount="0.05"),
    ]
    answer = await send(served, key, *batch)
    assert answer["accepted"] == 4
    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [(1, "OUT_OF_RANGE")]
    again = await send(served, key, *batch[:1], *batch[2:])
    assert (again["duplicates"], again["rejected"]) == (4, [])
    await check_books(served.database, *ids)


async def test_a_quantity_of_38_digits_is_kept_to_the_last(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    large = "12345678901234567890123456789.123456789"
    answer = await send(served, key, event(quantity=large), event(id="2", quantity="10737418240"))
    assert (answer["accepted"], answer["rejected"]) == (2, [])
    answer = await send(served, key, event(quantity=large), event(id="2", quantity="10737418241"))
    assert (answer["duplicates"], [each["code"] for each in answer["rejected"]]) == (
        1,
        ["CONFLICT"],
    )
    found = {
        row["quantity_nanos"] for row in await rows_of(served.database, "usage_event", account_id)
    }
    assert found == {12345678901234567890123456789123456789, 10737418240 * 10**9}
    await check_books(served.database, account_id)


@pytest.mark.parametrize("name", BAD_ITEMS)
async def test_a_bad_item_is_refused_by_itself_and_leaves_nothing(
    served: Served, name: str
) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    before = await image(served.database, account_id)

    answer = await send(served, key, BAD_ITEMS[name])

    assert (answer["accepted"], answer["duplicates"]) == (0, 0)
    assert [item["code"] for item in answer["rejected"]] == ["INVALID"]
    assert answer["rejected"][0]["message"]
    assert await image(served.database, account_id) == before


@pytest.mark.parametrize(
    ("shift", "code"),
    [(timedelta(days=-36), ItemCode.TOO_LATE), (timedelta(hours=4), ItemCode.IN_FUTURE)],
)
async def test_what_is_too_late_or_to_come_is_told(
    served: Served, shift: timedelta, code: ItemCode
) -> None:
    await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    at = HOUR + shift
    late = event(start=written(at), end=written(at + timedelta(hours=1)))
    answer = await send(served, key, late, event(id="evt-2"))
    assert answer["accepted"] == 1
    assert [(item["index"], item["code"]) for item in answer["rejected"]] == [(0, code)]


async def test_identifiers_that_only_look_alike_are_two(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    names = ["caf\u00e9", "cafe\u0301"]
    batch = [event(id=name, deployment={"externalId": name, "name": name}) for name in names]
    answer = await send(served, key, *batch)
    assert answer == {"accepted": 2, "duplicates": 0, "rejected": []}
    rows = await rows_of(served.database, "deployment", account_id)
    assert sorted(row["external_id"] for row in rows) == sorted(names)
    assert {row["name"] for row in rows} == {"caf\u00e9"}


async def test_a_correction_gives_back(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    await send(served, key, event(), event(id="back", amount="-0.000432", correction=True))
    (account,) = await rows_of(served.database, "account", account_id)
    assert account["balance_nanos"] == 0
    await check_books(served.database, account_id)


def back(amount: str, **changes: Any) -> dict[str, Any]:
    return event(id=f"back-{amount}", amount=amount, correction=True) | changes


UNCHARGED: dict[str, dict[str, Any]] = {
    "more than was charged": back("-3.000000001"),
    "of another source": back("-1", source="provider-8"),
    "of another resource": back("-1", resource="CPU"),
    "of another deployment": back("-1", deployment={"externalId": "1"}),
    "of no deployment": back("-1", deployment=None),
    "of another account": back("-1", account="other"),
    "of another day": back(
        "-1", start=written(HOUR - timedelta(days=1)), end=written(HOUR - timedelta(days=1))
    ),
}


@pytest.mark.parametrize("name", UNCHARGED)
async def test_a_meter_gives_back_no_more_than_it_charged(served: Served, name: str) -> None:
    books = Books(served.database)
    ids = [await books.account(each) for each in ("acme", "other")]
    meter = await served.key(Permission.USAGE_WRITE)
    await send(served, meter, event(amount="3"))
    before = [await image(served.database, each) for each in ids]
    answer = await send(served, meter, UNCHARGED[name])
    assert answer["accepted"] == 0
    (item,) = answer["rejected"]
    assert (item["index"], item["code"]) == (0, ItemCode.FORBIDDEN)
    assert "credits:write" in item["message"]
    assert [await image(served.database, each) for each in ids] == before
    for scopes in ((Permission.USAGE_WRITE, Permission.CREDITS_WRITE), (Permission.ADMIN,)):
        key = await served.key(*scopes)
        again = await send(served, key, UNCHARGED[name] | {"id": f"by-{len(scopes)}"})
        assert again["accepted"] == 1
    await check_books(served.database, *ids)


async def test_corrections_share_what_was_charged(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    batch = [
        back("-1"),
        event(id="1", amount="2"),
        back("-1.5"),
        back("-0.6"),
        event(id="2", amount="1"),
        back("-1.4"),
        event(id="3", amount="0.1", deployment=None),
        back("-0.1", deployment=None),
    ]
    answer = await send(served, key, *batch)
    assert answer["accepted"] == 6
    assert [(each["index"], each["code"]) for each in answer["rejected"]] == [
        (0, "FORBIDDEN"),
        (3, "FORBIDDEN"),
    ]
    again = await send(served, key, *batch)
    assert (again["accepted"], again["duplicates"]) == (0, 6)
    more = await send(served, key, event(id="4", amount="1"), back("-0.2"), back("-0.91"))
    assert (more["accepted"], [each["index"] for each in more["rejected"]]) == (2, [2])
    (account,) = await rows_of(served.database, "account", account_id)
    assert account["balance_nanos"] == -900_000_000
    await check_books(served.database, account_id)


async def test_one_charge_is_given_back_once(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    await send(served, key, event(amount="5"))
    answers = await asyncio.gather(
        *(send(served, key, back("-5", id=f"back-{number}")) for number in range(8))
    )
    assert sum(answer["accepted"] for answer in answers) == 1
    (account,) = await rows_of(served.database, "account", account_id)
    assert account["balance_nanos"] == 0


async def test_charges_at_the_edge_of_64_bits_are_given_back(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    most = "9223372036.854775807"
    for number in range(3):
        batch = [event(id=f"{number}", amount=most), back(f"-{most}", id=f"back-{number}")]
        assert (await send(served, key, *batch[:1]))["accepted"] == 1
        assert (await send(served, key, *batch[1:]))["accepted"] == 1
    await check_books(served.database, account_id)


async def test_a_key_of_an_account_sees_no_other(served: Served) -> None:
    acme = await Books(served.database).account("acme")
    await Books(served.database, seed=2).account("other")
    key = await served.key(Permission.USAGE_WRITE, account_id=acme)
    answer = await send(served, key, event(), event(account="other"), event(account="nobody"))
    assert answer["accepted"] == 1
    messages = {item["message"] for item in answer["rejected"]}
    assert len(messages) == 1


async def test_one_batch_from_many_meters_at_once_is_booked_once(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    batch = [event(id=f"evt-{number}", amount="0.01") for number in range(50)]
    answers = await asyncio.gather(*(send(served, key, *batch) for _ in range(8)))
    assert sum(answer["accepted"] for answer in answers) == 50
    assert sum(answer["duplicates"] for answer in answers) == 350
    (account,) = await rows_of(served.database, "account", account_id)
    assert account["balance_nanos"] == -500_000_000


BAD_REQUESTS: dict[str, tuple[bytes, dict[str, str], int]] = {
    "not JSON": (b"[", {}, 400),
    "not a list": (b"{}", {}, 400),
    "not UTF-8": (b"[]\xff", {}, 400),
    "another media type": (b"[]", {"content-type": "text/plain"}, 415),
    "compressed": (b"[]", {"content-encoding": "gzip"}, 415),
    "too long": (b" " * 5_242_881, {}, 413),
    "too many": (b"[" + b"0," * 25_000 + b"0]", {}, 400),
    "too many lines": (b"0\n" * 25_001, {"content-type": "application/x-ndjson"}, 400),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
async def test_a_bad_request_is_refused_whole(served: Served, name: str) -> None:
    body, headers, status = BAD_REQUESTS[name]
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    before = await image(served.database, account_id)
    headers = {"content-type": "application/json"} | key | headers
    answer = await served.client.post(PATH, content=body, headers=headers)
    assert answer.status_code == status
    assert await image(served.database, account_id) == before
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_only_a_key_with_the_scope_may_write(served: Served) -> None:
    json = {"content-type": "application/json"}
    reader = await served.key(Permission.BILLING_READ)
    without = await served.client.post(PATH, content=b"[]", headers=json)
    wrong = await served.client.post(PATH, content=b"[]", headers=json | reader)
    unknown = await served.client.post(
        PATH, content=b"[]", headers=json | {"authorization": "Bearer gw_dev_nothing"}
    )
    get = await served.client.get(PATH, headers=reader)
    assert (without.status_code, wrong.status_code, unknown.status_code) == (401, 403, 401)
    assert "usage:write" in wrong.json()["errors"][0]["message"]
    assert (get.status_code, get.headers["allow"]) == (405, "POST")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(
    value=JSON
    | st.fixed_dictionaries({name: JSON | st.just(value) for name, value in event().items()}),
)
async def test_whatever_is_sent_is_read_or_refused(value: Any) -> None:
    reader = ItemReader()
    items = await reader.read([value])
    assert len(items) + len(reader.rejected) == 1
    faults = faults_of_event(value)
    assert bool(faults) == bool(reader.rejected)
    listed = {fault.message for fault in faults}
    for item in reader.rejected:
        assert item.message == item.faults[0].message
        assert not faults or item.message in listed


@given(body=st.binary())
async def test_whatever_bytes_are_sent_are_read_or_refused(body: bytes) -> None:
    for media_type in ("application/json", "application/x-ndjson"):
        with suppress(BadRequest):
            await ItemReader().read(await read_batch(body, media_type, limit=10))


async def test_others_have_their_turn_while_many_items_are_read() -> None:
    values = [event(id=f"{number}") for number in range(10 * PIECE)]
    reading = asyncio.create_task(ItemReader().read([*values, None]))
    turns = 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 10
    assert [item.position for item in reading.result()] == [*range(len(values))]


async def test_a_deployment_beyond_the_most_is_out_of_range(
    served: Served, database_url: str
) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    await execute(
        database_url,
        f"UPDATE account SET deployment_count = {MAX_MEMBER} WHERE account_id = {account_id}",
        "SELECT 1",
    )
    events = [event(id=name, deployment={"externalId": name}) for name in ("last", "beyond")]
    answer = await send(served, key, *events, event(id="again", deployment={"externalId": "last"}))
    assert answer["accepted"] == 2
    (rejected,) = answer["rejected"]
    assert (rejected["id"], rejected["code"]) == ("beyond", "OUT_OF_RANGE")
    assert "at most 16,777,216 deployments" in rejected["message"]
    (day,) = await rows_of(served.database, "rollup_day", account_id)
    assert decode(day["deployments"]) == 1 << MAX_MEMBER


async def test_a_unit_beyond_the_most_is_out_of_range(served: Served) -> None:
    account_id = await Books(served.database).account("acme")
    key = await served.key(Permission.USAGE_WRITE)
    units = [event(id=f"{number}", unit=f"unit {number}") for number in range(MOST_UNITS + 2)]
    first = await send(served, key, *units[:15])
    assert first["accepted"] == 15
    answer = await send(served, key, *units[15:], event(id="cpu", resource="CPU", unit="unit 30"))
    assert answer["accepted"] == MOST_UNITS - 15 + 1
    assert [(each["id"], each["code"]) for each in answer["rejected"]] == [
        ("20", "OUT_OF_RANGE"),
        ("21", "OUT_OF_RANGE"),
    ]
    assert "for a resource, 20 units" in answer["rejected"][0]["message"]
    later = {"start": written(HOUR - DAY), "end": written(HOUR - DAY)}
    answer = await send(
        served, key, event(id="a", unit="unit 3", **later), event(id="b", unit="unit 99", **later)
    )
    assert (answer["accepted"], answer["rejected"][0]["id"]) == (1, "b")
    await check_books(served.database, account_id)
