"""`GET /v1/accounts` and below: accounts and their members, for keys that may read them.

A key reads no more than it may in GraphQL, and what it may not write stays hidden from it: the
Stripe customer is for keys of the platform that write accounts, members are for those that write
members. What a key may not read is answered like what does not exist.
"""

from typing import ClassVar, Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.errors import BadCursor, NotFound
from gateway.http.query import parse_query, read_limit, refuse_unknown
from gateway.http.responses import json_response
from gateway.ids import MAX_KEY, encode_global_id, parse_global_id
from gateway.instants import serialize_instant
from gateway.money import format_amount
from gateway.principal import Permission, Principal, Role
from gateway.routes.bodies.accounts import (
    AccountAnswer,
    AccountsAnswer,
    LowBalanceAnswer,
    MemberAnswer,
    MembersAnswer,
)
from gateway.routes.descriptions.accounts import GET_ACCOUNT, LIST_ACCOUNTS, LIST_MEMBERS
from gateway.routes.openapi.operation import Operation
from gateway.routes.platform_endpoint import PlatformEndpoint
from gateway.store import Page, Selection, Snapshot, accounts
from gateway.store.account_listing import ACCOUNTS, accounts_by_external_id
from gateway.store.rows import VisibleAccount
from gateway.text import is_identifier

DEFAULT_LIMIT: Final = 100
MOST: Final = 1_000
_MISSING: Final = "Account not found, or this API key has no access to it."


class AccountEndpoint(PlatformEndpoint):
    """Reads one account."""

    OPERATION: ClassVar[Operation] = GET_ACCOUNT

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        async with Snapshot(self.platform.database) as snapshot:
            row = await _find(snapshot, principal, scope)
        return json_response(_account(row, principal).payload())


class AccountsEndpoint(PlatformEndpoint):
    """Lists the accounts that the key may read, page by page."""

    OPERATION: ClassVar[Operation] = LIST_ACCOUNTS

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        parameters = _parameters(scope)
        limit = read_limit(parameters, default=DEFAULT_LIMIT, most=MOST)
        after = parameters.get("after")
        # One more row than is listed: it says whether there is a next page.
        page = Page(
            selection=Selection(scope=(), lower=(_key(after) if after else -1,), upper=(MAX_KEY,)),
            ascending=True,
            limit=limit + 1,
        )
        async with Snapshot(self.platform.database) as snapshot:
            (rows,) = await ACCOUNTS.fetch_pages(snapshot, principal, [page])
        listed = [_account(row, principal) for row in rows[:limit]]
        answer = AccountsAnswer(accounts=listed, next=listed[-1].id if rows[limit:] else None)
        return json_response(answer.payload())


class MembersEndpoint(PlatformEndpoint):
    """Lists the members of an account, page by page."""

    OPERATION: ClassVar[Operation] = LIST_MEMBERS

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        parameters = _parameters(scope)
        limit = read_limit(parameters, default=DEFAULT_LIMIT, most=MOST)
        after = parameters.get("after", "")
        if after and not is_identifier(after):
            raise _bad_cursor()
        async with Snapshot(self.platform.database) as snapshot:
            account_id = (await _find(snapshot, principal, scope))["account_id"]
            rows = await accounts.member_page(snapshot, account_id, after=after, limit=limit + 1)
        listed = [
            MemberAnswer(subject=row["subject"], role=Role(row["role"])) for row in rows[:limit]
        ]
        answer = MembersAnswer(members=listed, next=listed[-1].subject if rows[limit:] else None)
        return json_response(answer.payload())


async def _find(snapshot: Snapshot, principal: Principal, scope: Scope) -> VisibleAccount:
    """Return the account of the path. Raises NotFound, also where the key may not read it."""
    name = scope["path_params"]["external_id"]
    (row,) = await accounts_by_external_id(snapshot, principal, [name])
    if row is None:
        raise NotFound(_MISSING)
    return row


def _account(row: VisibleAccount, principal: Principal) -> AccountAnswer:
    nanos, currency = row["low_balance_nanos"], row["currency"]
    account = AccountAnswer(
        id=encode_global_id("Account", row["account_id"]),
        external_id=row["external_id"],
        name=row["name"],
        currency=currency,
        time_zone=row["time_zone"],
        low_balance=LowBalanceAnswer(
            amount=None if nanos is None else format_amount(nanos, currency),
            days=row["low_balance_days"],
        ),
        created_at=serialize_instant(row["created_at"]),
    )
    writes = principal.scopes & {Permission.ACCOUNTS_WRITE, Permission.ADMIN}
    if principal.account_id is None and writes:
        return account.model_copy(update={"stripe_customer_id": row["stripe_customer_id"]})
    return account


def _parameters(scope: Scope) -> dict[str, str]:
    parameters = parse_query(scope["query_string"].decode("latin-1"))
    refuse_unknown(parameters, ("after", "limit"))
    return parameters


def _key(after: str) -> int:
    try:
        parsed = parse_global_id(after)
    except NotFound:
        raise _bad_cursor() from None
    if parsed.typename != "Account":
        raise _bad_cursor()
    return parsed.account_id


def _bad_cursor() -> BadCursor:
    return BadCursor("`after` is the `next` of the page before.", argument="after")
