"""The OpenAPI document: it is valid, it describes what is served, and what is served is so."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from openapi_spec_validator import validate
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.app import create_app
from gateway.clock import SystemClock
from gateway.principal import Permission
from gateway.routes.console import ASSET_PATH, CONSOLE_PATHS, GRAPHIQL_PATH
from gateway.routes.openapi.document import build_document
from gateway.routes.openapi.route import DescribedRoute
from gateway.routes.openapi.surface import SURFACE
from gateway.settings import Settings, load_settings
from gateway.store import Database
from tests.support.books import Books
from tests.support.described import Document, Request
from tests.support.served import BASE_URL, Served
from tests.support.stripe import SECRET, signed
from tests.support.tables import table_rows

ELSEWHERE = {*CONSOLE_PATHS, GRAPHIQL_PATH, ASSET_PATH, "/graphql", "/graphql/stream"}
EVERY_SCOPE = [scope for scope in Permission if scope is not Permission.ADMIN]
UNLIKE = re.compile(
    r"(acct|purchase|audit)_[0-9a-f]+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    r'|(?<="API_KEY","name":")[^"]+|(?<="requestId":")[^"]+'
)


def settings_for(url: str, folder: Path, **changes: Any) -> Settings:
    return load_settings(
        environment="dev",
        database_url=SecretStr(url),
        data_dir=folder,
        database_pool_wait_seconds=60,
        **{"stripe_webhook_secrets": SecretStr(SECRET)} | changes,
    )


@pytest.fixture
async def app(database_url: str, tmp_path: Path) -> AsyncIterator[Starlette]:
    # The examples' days lie behind, however late the test runs.
    app = create_app(settings_for(database_url, tmp_path, usage_late_days=3_650))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def served(app: Starlette, database: Database) -> AsyncIterator[Served]:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield Served(client, database)


async def read_document(served: Served) -> Document:
    return Document((await served.client.get("/openapi.json")).json())


def test_the_document_is_valid() -> None:
    document = build_document(SURFACE, Settings.model_construct())
    validate(document)
    assert "pydantic" not in orjson.dumps(document).decode().lower()
    ids = [operation["operationId"] for _, _, operation in Document(document).operations()]
    assert len(ids) == len(set(ids)) == sum(map(len, SURFACE.values()))


async def test_what_is_served_is_described(app: Starlette, served: Served) -> None:
    routes = [route for route in app.routes if isinstance(route, Route)]
    others = {route.path for route in routes if not isinstance(route, DescribedRoute)}
    assert others <= ELSEWHERE
    described = [route for route in routes if isinstance(route, DescribedRoute)]
    document = await read_document(served)
    assert document.content["paths"].keys() == {route.described_path for route in described}
    assert document.content["paths"].keys() == SURFACE.keys()
    for route in described:
        methods = {method.upper() for method in document.content["paths"][route.described_path]}
        assert (route.methods or set()) - {"HEAD"} == methods


def test_what_is_not_served_is_not_described(database_url: str, tmp_path: Path) -> None:
    app = create_app(settings_for(database_url, tmp_path, stripe_webhook_secrets=None))
    paths = {route.described_path for route in app.routes if isinstance(route, DescribedRoute)}
    assert SURFACE.keys() - paths == {"/webhooks/stripe"}


async def test_limits_are_those_of_the_settings(served: Served) -> None:
    document = await read_document(served)
    limits = document.content["paths"]["/v1/usage-events"]["post"]["x-limits"]
    values = {each["setting"]: each["value"] for each in limits}
    assert values["GATEWAY_USAGE_LATE_DAYS"] == 3_650
    assert values["GATEWAY_USAGE_BODY_BYTES"] == 5_242_880


async def send(served: Served, request: Request, headers: dict[str, str]) -> httpx.Response:
    body = request.body
    content = body.encode() if isinstance(body, str) else orjson.dumps(body)
    headers = {**headers, **request.headers}
    if request.operation == "postStripeEvent":
        at = SystemClock().now().timestamp()
        headers["stripe-signature"] = signed(content, at=at)
    return await served.client.request(
        request.method,
        request.path,
        params=request.query or None,
        headers=headers,
        content=None if body is None else content,
    )


async def test_every_example_answers_as_it_is_described(served: Served) -> None:
    document = await read_document(served)
    key, admin = await served.key(*EVERY_SCOPE), await served.key(Permission.ADMIN)
    sent = 0
    for example, path in zip(document.examples(), paths_of(document), strict=True):
        request = example
        if (request.operation, request.name) == ("getReceipt", "receipt"):
            number = await only_receipt(served)
            request = replace(request, path=f"/receipts/{number}.pdf")
        elif (request.operation, request.name) == ("exportDocuments", "documents"):
            year = (await only_receipt(served)).split("-")[1]
            request = replace(request, query={**request.query, "year": year})
        headers = admin if request.operation == "listAuditEvents" else key
        answer = await send(served, request, headers)
        where = f"{request.operation} {request.name}: {answer.text[:2_000]}"
        assert answer.status_code == request.status, where
        assert document.faults(path, request.method, answer) == [], where
        if request.answer is not None:
            text = request.answer
            expected = text if isinstance(text, str) else orjson.dumps(text).decode()
            assert UNLIKE.sub("…", answer.text) == UNLIKE.sub("…", expected), where
        sent += 1
    assert sent >= sum(map(len, SURFACE.values()))


async def only_receipt(served: Served) -> str:
    """Return the number of the receipt that the examples make, which has the year of the run."""
    (receipt,) = await table_rows(served.database, "receipt")
    number: str = receipt["number"]
    return number


def paths_of(document: Document) -> list[str]:
    """Return the path, with its parameters' names, of each example."""
    names = {operation["operationId"]: path for path, _, operation in document.operations()}
    return [names[request.operation] for request in document.examples()]


async def refused(
    served: Served, path: str, method: str, operation: Any
) -> AsyncIterator[httpx.Response]:
    """Yield answers to requests that are refused, in every way that is the operation's."""
    request = next(Document({"paths": {path: {method.lower(): operation}}}).examples())
    every = await served.key(*EVERY_SCOPE)
    narrow = await served.key(
        Permission.USAGE_WRITE if "usage" not in path else Permission.BILLING_READ
    )
    yield await served.client.request("DELETE", request.path)
    yield await send(served, request, every | {"x-large": "x" * 40_000})
    yield await served.client.request(method, f"{request.path}?{'x' * 40_000}")
    if "apiKey" in str(operation["security"]):
        for headers in ({}, {"authorization": "Bearer gw_dev_nothing"}, narrow):
            yield await send(served, request, headers)
        yield await served.client.request(
            method, request.path, headers=[*every.items(), *every.items()]
        )
    if "requestBody" in operation:
        own = every | {"content-type": "application/json", "idempotency-key": "k"}
        bodies: list[tuple[dict[str, str], bytes]] = [
            ({}, b"{"),
            ({"content-type": "text/plain"}, b"{}"),
            ({"content-encoding": "gzip"}, b"{}"),
            ({}, b" " * 5_242_881),
        ]
        for changes, content in bodies:
            yield await served.client.request(
                method, request.path, headers=own | changes, content=content
            )


async def test_every_refusal_is_described(app: Starlette, served: Served) -> None:
    document = await read_document(served)
    seen: dict[str, set[int]] = {}
    for path, method, operation in document.operations():
        async for answer in refused(served, path, method, operation):
            faults = document.faults(path, method, answer)
            assert faults == [], (operation["operationId"], answer.status_code, answer.text[:300])
            seen.setdefault(operation["operationId"], set()).add(answer.status_code)
    assert all({405, 414, 431} <= statuses for statuses in seen.values())
    assert seen["putAccount"] >= {400, 401, 403, 413, 415}
    assert seen["postStripeEvent"] >= {400, 413}
    app.state.drain.expire()
    for path, method, operation in document.operations():
        answer = await served.client.request(method, path)
        assert answer.status_code == 503
        assert document.faults(path, method, answer) == [], operation["operationId"]


async def test_the_scopes_that_are_described_are_enough_and_needed(served: Served) -> None:
    document = await read_document(served)
    for request, (_, _, operation) in zip(
        first_examples(document), document.operations(), strict=True
    ):
        scopes = [each["apiKey"] for each in operation["security"] if "apiKey" in each]
        if not scopes:
            continue
        needed = {Permission(scope) for scope in scopes[0]}
        extra = {Permission.MEMBERS_WRITE} if operation["operationId"] == "putAccount" else set()
        enough = await send(served, request, await served.key(*needed, *extra))
        assert enough.status_code not in {401, 403}, operation["operationId"]
        for scope in needed:
            others = [each for each in EVERY_SCOPE if each is not scope]
            lacking = await send(served, request, await served.key(*others))
            assert lacking.status_code in {403, 404}, operation["operationId"]
            if request.path.startswith("/v1"):
                assert scope in lacking.json()["errors"][0]["message"]


def first_examples(document: Document) -> list[Request]:
    firsts: dict[str, Request] = {}
    for request in document.examples():
        firsts.setdefault(request.operation, request)
    return [*firsts.values()]


async def test_the_parameters_that_are_described_are_those_there_are(served: Served) -> None:
    document = await read_document(served)
    await Books(served.database).account("acme")
    key = await served.key(Permission.ADMIN)
    asked = 0
    for path, method, operation in document.operations():
        names = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
        if method != "GET" or not names:
            continue
        query = {"nothing": "1"} | ({"account": "acme"} if "account" in names else {})
        address = path.replace("{externalId}", "acme")
        answer = await served.client.get(address, params=query, headers=key)
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["extensions"]["argument"] == "nothing"
        named = set(re.findall(r"\w+", error["message"]))
        assert names - {"account", "format"} <= named, operation["operationId"]
        asked += 1
    assert asked == 7
