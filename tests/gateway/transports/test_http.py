import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import NoReturn

import httpx
import pytest
import structlog

from gateway.errors import ServiceUnavailable
from gateway.settings import load_settings
from tests.support import application
from tests.support.edge import Listen, connect, eventually
from tests.support.patience import PATIENCE_SECONDS

GRAPHQL = "application/graphql-response+json"
HONEST = {"accept": GRAPHQL}


def errors(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(e["extensions"]["code"], e["message"]) for e in answer.json()["errors"]]


async def post(client: httpx.AsyncClient, query: str, **variables: object) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return await client.post("/graphql", json=body, headers=HONEST)


async def test_a_query_answers_by_post_and_by_get(client: httpx.AsyncClient) -> None:
    posted = await client.post("/graphql", json={"query": "{ who }"})
    got = await client.get("/graphql", params={"query": "{ who }"})
    for answer in (posted, got):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["data"] == {"who": "ada"}


async def test_get_takes_variables_and_an_operation_name(client: httpx.AsyncClient) -> None:
    params = {
        "query": "query A { who } query B($n: Int!) { items(first: $n) { number } }",
        "operationName": "B",
        "variables": '{"n": 1}',
        "extensions": "",
    }
    answer = await client.get("/graphql", params=params)
    assert answer.json()["data"] == {"items": [{"number": 0}]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ who", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { who } query B { who }", "OPERATION_RESOLUTION_FAILURE"),
        ("{ on }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ on(day: "x") }', "BAD_USER_INPUT"),
        ("query ($d: Day!) { on(day: $d) }", "BAD_USER_INPUT"),
        ("{ " + " ".join(f"a{n}: who" for n in range(31)) + " }", "QUERY_TOO_COMPLEX"),
    ],
)
async def test_a_refusal_is_400_in_the_honest_media_type_and_200_in_the_other(
    client: httpx.AsyncClient, query: str, code: str
) -> None:
    for accept, status in ((GRAPHQL, 400), ("application/json", 200)):
        answer = await client.post("/graphql", json={"query": query}, headers={"accept": accept})
        assert answer.status_code == status
        assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
        assert "data" not in answer.json()
        assert errors(answer)[0][0] == code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"1",
        b'"x"',
        b"null",
        b"true",
        b"{",
        b"[]",
        b'[{"query": "{ who }"}]',
        b"{}",
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": null}',
        b'{"query": ["{ who }"]}',
        b'{"query": "{ who }", "documentId": "a"}',
        b'{"documentId": ""}',
        b'{"documentId": 1}',
        b'{"documentId": "%s"}' % (b"a" * 101),
        b'{"documentId": "a", "extensions": {"persistedQuery": {"sha256Hash": "a"}}}',
        b'{"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "a"}}}',
        b'{"extensions": {"persistedQuery": {"version": 1}}}',
        b'{"extensions": {"persistedQuery": "a"}}',
        b'{"query": "{ who }", "operationName": 1}',
        b'{"query": "{ who }", "variables": "x"}',
        b'{"query": "{ who }", "variables": []}',
        b'{"query": "{ who }", "extensions": 0}',
        b'{"query": "{ who }", "variables": {"a": NaN}}',
        b'{"query": "{ who }", "variables": {"a": -Infinity}}',
        b'{"query": "{ who }", "variables": {"a": "\\ud800"}}',
        b'{"query": "{ who }", "variables": {"a": "\xff"}}',
        b'{"query": "{ who }", "query": "{ who }"}',
        b'{"query": "{ who }", "variables": {"a": {"b": 1, "b": 2}}}',
        b'{"query": "{ who }", "extensions": {"a": 1, "\\u0061": 1}}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"query": "{ who }", "variables": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    ],
)
async def test_a_malformed_body_is_a_bad_request(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post("/graphql", content=body, headers=headers)
    assert answer.status_code == 400
    assert [code for code, _ in errors(answer)] == ["BAD_REQUEST"]


async def test_a_number_of_5000_digits_is_refused(client: httpx.AsyncClient) -> None:
    body = '{"query": "query ($n: Int!) { items(first: $n) { number } }", "variables": {"n": %s}}'
    headers = {"content-type": "application/json"} | HONEST
    answer = await client.post("/graphql", content=body % ("9" * 5_000), headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "query=%FF",
        "query=%7Bwho%7D&query=%7Bwho%7D",
        "query=%7Bwho%7D&documentId=a",
        "query=%7Bwho%7D&variables=x",
        "query=%7Bwho%7D&variables=%5B%5D",
        "query=%7Bwho%7D&variables=%7B%22a%22%3ANaN%7D",
        "query=%7Bwho%7D&variables=%7B%22a%22%3A1%2C%22a%22%3A1%7D",
        "query=%7Bwho%7D&" + "&".join(f"p{n}=1" for n in range(30)),
    ],
)
async def test_a_malformed_query_string_is_a_bad_request(
    client: httpx.AsyncClient, query_string: str
) -> None:
    answer = await client.get(f"/graphql?{query_string}")
    assert answer.status_code == 400
    assert [code for code, _ in errors(answer)] == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
async def test_another_kind_of_body_is_not_read(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post("/graphql", content=b'{"query": "{ who }"}', headers=headers)
    assert answer.status_code == 415
    assert errors(answer)[0][0] == "BAD_REQUEST"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_another_method_gets_the_allowed_ones(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/graphql")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("method", "query", "allow"),
    [
        ("GET", "mutation { touch }", "POST"),
        ("GET", "subscription { ticks }", "GET, POST"),
        ("POST", "subscription { ticks }", "GET, POST"),
    ],
)
async def test_an_operation_of_the_wrong_kind_is_refused(
    client: httpx.AsyncClient, method: str, query: str, allow: str
) -> None:
    document = {"query": query}
    if method == "GET":
        answer = await client.get("/graphql", params=document)
    else:
        answer = await client.post("/graphql", json=document)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow
    assert errors(answer)[0][0] == "BAD_REQUEST"


async def test_a_mutation_runs_by_post(client: httpx.AsyncClient) -> None:
    assert (await post(client, "mutation { touch }")).json()["data"] == {"touch": True}


async def test_an_unsupported_media_type_is_406(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql?query={who}", headers={"accept": "text/html"})
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_no_credential_and_a_bad_one_are_401(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    none = await client.get("/graphql?query={who}", headers=HONEST)
    bad = await client.get("/graphql?query={who}", headers={"authorization": "Bearer eve"})
    assert (none.status_code, none.headers["www-authenticate"]) == (401, "Bearer")
    assert none.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert bad.status_code == 401
    assert bad.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "data" not in none.json()
    assert errors(none)[0][0] == errors(bad)[0][0] == "UNAUTHENTICATED"


async def test_two_credentials_are_400(client: httpx.AsyncClient) -> None:
    twice = [("authorization", "Bearer ada"), ("authorization", "Bearer admin")]
    del client.headers["authorization"]
    answer = await client.get("/graphql?query={who}", headers=twice)
    assert answer.status_code == 400


async def test_a_cookie_is_no_credential(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    for cookie in ("authorization=Bearer ada", "access_token=ada", "token=ada"):
        answer = await client.get("/graphql?query={who}", headers={"cookie": cookie})
        assert answer.status_code == 401


async def test_a_failure_outside_any_field_is_masked_too(client: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer broken", "x-request-id": "trace-7"}
    with structlog.testing.capture_logs() as lines:
        answer = await client.get("/graphql?query={who}", headers=headers)
    assert answer.status_code == 500
    assert answer.json()["errors"] == [
        {
            "message": "Internal error; see the server's log for request id trace-7.",
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "trace-7"},
        }
    ]
    assert [line["event"] for line in lines] == ["unexpected", "request"]


async def test_a_failed_field_leaves_the_rest_and_tells_nothing(client: httpx.AsyncClient) -> None:
    answer = await post(client, "{ who crash missing overflow }")
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "who": "ada",
        "crash": None,
        "missing": None,
        "overflow": None,
    }
    codes = {error["path"][0]: error["extensions"]["code"] for error in answer.json()["errors"]}
    assert codes == {
        "crash": "INTERNAL_SERVER_ERROR",
        "missing": "NOT_FOUND",
        "overflow": "INTERNAL_SERVER_ERROR",
    }
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_an_absent_database_is_503_with_retry_after(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/graphql", json={"query": "{ away }"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert errors(answer) == [("SERVICE_UNAVAILABLE", "The database is away.")]


async def test_a_context_that_cannot_be_made_is_503() -> None:
    def context_for(*_: object) -> NoReturn:
        raise ServiceUnavailable("No connection was free.")

    async with connect(application.make_app(context_for=context_for)) as client:
        answer = await post(client, "{ who }")
    assert answer.status_code == 503
    assert errors(answer) == [("SERVICE_UNAVAILABLE", "No connection was free.")]


async def test_an_operation_beyond_its_deadline_is_504() -> None:
    settings = load_settings(environment="dev", operation_seconds=0.05)
    async with connect(application.make_app(settings)) as client:
        with structlog.testing.capture_logs() as lines:
            answer = await client.post("/graphql", json={"query": "{ sleep(seconds: 30) }"})
    assert answer.status_code == 504
    assert errors(answer)[0][0] == "TIMEOUT"
    (line,) = [line for line in lines if line["event"] == "operation.stopped"]
    assert (line["code"], line["seconds"]) == ("TIMEOUT", 0.05)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert application.journal.cancelled == 1


async def test_each_operation_has_a_context_of_its_own(client: httpx.AsyncClient) -> None:
    await post(client, "{ who }")
    await post(client, "{ who }")
    assert [context.statements for context in application.journal.contexts] == [1, 1]


async def test_the_log_knows_who_did_what_and_no_value(client: httpx.AsyncClient) -> None:
    headers = {"x-request-id": "abc", "authorization": "Bearer admin"}
    body = {"query": "query Mine($n: Int) { who items(first: $n) { number } }"}
    with structlog.testing.capture_logs() as lines:
        await client.post("/graphql", json=body | {"variables": {"n": 77}}, headers=headers)
    (line,) = lines
    line.pop("milliseconds")
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "path": "/graphql",
        "client": "127.0.0.1",
        "status": 200,
        "operation": "query",
        "operation_name": "Mine",
        "key_id": "1",
        "statements": 1,
    }


async def test_introspection_is_for_admins_in_production(production: httpx.AsyncClient) -> None:
    query = "{ __schema { queryType { name } } }"
    closed = await post(production, query)
    production.headers["authorization"] = "Bearer admin"
    is_open = await post(production, query)
    assert errors(closed) == [
        ("GRAPHQL_VALIDATION_FAILED", "Introspection is not open to you here.")
    ]
    assert is_open.json()["data"] == {"__schema": {"queryType": {"name": "Query"}}}


async def test_near_misses_teach_nothing_in_production(production: httpx.AsyncClient) -> None:
    for query in ("{ whoo }", "{ items { numbr } }", "{ items(frst: 1) { number } }"):
        assert "Did you mean" not in (await post(production, query)).text


@pytest.mark.parametrize(
    ("length", "read"), [({}, 1_048_576 + 65_536), ({"content-length": "50000000"}, 0)]
)
async def test_a_body_beyond_the_limit_is_413(
    client: httpx.AsyncClient, length: dict[str, str], read: int
) -> None:
    parts = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal parts
        while True:
            parts += 1
            yield b" " * 65_536

    headers = {"content-type": "application/json"} | length
    answer = await client.post("/graphql", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert parts * 65_536 <= read
    assert answer.headers["connection"] == "close"
    assert errors(answer) == [("BAD_REQUEST", "The body may have at most 1048576 bytes.")]


async def test_a_body_of_the_limit_is_read(client: httpx.AsyncClient) -> None:
    body = json.dumps({"query": "{ who }"}).encode().ljust(1_048_576)
    headers = {"content-type": "application/json"}
    answer = await client.post("/graphql", content=body, headers=headers)
    assert answer.json()["data"] == {"who": "ada"}


async def test_a_body_that_dawdles_is_408(listen: Listen) -> None:
    settings = load_settings(environment="dev", http_body_seconds=0.2)
    port = await listen(application.make_app(settings))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ada\r\n"
        b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    )
    answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"The body must arrive within 0.2 s." in answer


async def test_a_client_that_leaves_ends_its_operation(listen: Listen) -> None:
    port = await listen(
        application.make_app(load_settings(environment="dev", operation_seconds=60))
    )
    body = b'{"query": "{ sleep(seconds: 60) }"}'
    head = (
        b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ada\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    with structlog.testing.capture_logs() as lines:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + body)
        await asyncio.wait_for(application.journal.running.wait(), PATIENCE_SECONDS)
        writer.close()
        began = time.monotonic()
        await eventually(lambda: lines)
    assert time.monotonic() - began < 30
    assert application.journal.cancelled == 1
    assert [(line["event"], line["status"]) for line in lines] == [("request", 499)]
