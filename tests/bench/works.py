"""The operations that are measured, and the servers that are measured with each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gateway.ids import encode_global_id
from tests.bench.answers import operation

Request = dict[str, Any]
"""The body of a request: `query`, `operationName` and `variables`."""

DAYS = 364
ACCOUNTS = 50
"""Accounts that requests name in turn."""
UNSEEN = 20_000
"""Different documents of `unseen-page`."""

_GRAPH = ("gateway", "sqlite", "mercurius", "yoga", "postgraphile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """An operation. `requests(accounts, last_day)` returns the bodies that are sent in turn.

    Ratios are against the first of `against` that runs. `fresh` means that no measurement sends a
    document that another sent to the same server.
    """

    title: str
    requests: Callable[[int, date], Sequence[Request]]
    servers: Sequence[str] = _GRAPH
    against: Sequence[str] = ("mercurius", "plain")
    connections: Sequence[int] = (16,)
    fresh: bool = False


def _request(name: str, text: str, variables: Mapping[str, object]) -> Request:
    return {"query": text, "operationName": name, "variables": dict(variables)}


def window(last_day: date) -> dict[str, str]:
    first_day = last_day - timedelta(days=DAYS - 1)
    return {"from": first_day.isoformat(), "to": last_day.isoformat()}


def _ids(accounts: int) -> Sequence[str]:
    return [encode_global_id("Account", n) for n in range(1, min(accounts, ACCOUNTS) + 1)]


def console_page(accounts: int, last_day: date) -> Sequence[Request]:
    text = operation("ConsolePage")
    return [
        _request("ConsolePage", text, {"account": each} | window(last_day))
        for each in _ids(accounts)
    ]


def unseen_page(accounts: int, last_day: date) -> Sequence[Request]:
    """Return documents that differ in an alias, which no cache of documents has seen."""
    text, ids = operation("ConsolePage"), _ids(accounts)
    return [
        _request(
            "ConsolePage",
            text.replace("    name\n", f"    name{n}: name\n", 1),
            {"account": ids[n % len(ids)]} | window(last_day),
        )
        for n in range(UNSEEN)
    ]


def many_accounts(accounts: int, last_day: date) -> Sequence[Request]:
    variables = {"first": min(accounts, 100)} | window(last_day)
    return [_request("ManyAccounts", operation("ManyAccounts"), variables)]


def _each(name: str, selection: str) -> Callable[[int, date], Sequence[Request]]:
    text = f"query {name}($account: ID!) {{ account(id: $account) {selection} }}"

    def requests(accounts: int, _: date) -> Sequence[Request]:
        return [_request(name, text, {"account": each}) for each in _ids(accounts)]

    return requests


def typename(_: int, __: date) -> Sequence[Request]:
    return [_request("Typename", "query Typename { __typename }", {})]


WORKS: Mapping[str, Work] = {
    "page": Work(
        title="ConsolePage",
        requests=console_page,
        servers=("plain", "gateway", "unbound", "compressing", *_GRAPH[1:]),
        connections=(1, 16, 64),
    ),
    "unseen-page": Work(
        title="ConsolePage that was never seen before",
        requests=unseen_page,
        servers=(*_GRAPH, "plain"),
        fresh=True,
    ),
    "many": Work(title="ManyAccounts, 100 accounts", requests=many_accounts, connections=(1, 16)),
    "name": Work(
        title="account { id name }",
        requests=_each("AccountName", "{ id name }"),
        servers=("bare", *_GRAPH),
        against=("bare",),
    ),
    "balance": Work(
        title="balance of an account",
        requests=_each("AccountBalance", "{ balance { available { amount currency } } }"),
        servers=("bare", *_GRAPH),
        against=("bare",),
    ),
    "typename": Work(title="{ __typename }", requests=typename),
}
