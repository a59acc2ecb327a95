"""`/v1/accounts` and below: the platform's accounts, and who may read them.

A key reads no more than it may in GraphQL, and what it may not write stays hidden from it: the
Stripe customer is for keys of the platform that write accounts, members are for those that write
members. What a key may not read is answered like what does not exist.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.audit.deeds import Deed
from gateway.billing.accounts import AccountFacts, put_account
from gateway.errors import BadCursor, Forbidden, NotFound
from gateway.http.json_models import read_wire
from gateway.http.query import parse_query, read_limit, refuse_unknown
from gateway.http.request_log import record_of
from gateway.http.responses import json_response
from gateway.ids import MAX_KEY, encode_global_id, parse_global_id
from gateway.instants import serialize_instant
from gateway.money import format_amount
from gateway.principal import Actor, Permission, Principal, Role
from gateway.routes.bodies.accounts import (
    AccountAnswer,
    AccountBody,
    AccountsAnswer,
    Billing,
    BillingAnswer,
    LowBalance,
    LowBalanceAnswer,
    MemberAnswer,
    MembersAnswer,
)
from gateway.routes.descriptions.accounts import (
    GET_ACCOUNT,
    LIST_ACCOUNTS,
    LIST_MEMBERS,
    PUT_ACCOUNT,
)
from gateway.routes.openapi.operation import Operation
from gateway.routes.platform_endpoint import PlatformEndpoint, read_object
from gateway.store import Page, Selection, Snapshot, accounts
from gateway.store.account_listing import ACCOUNTS, accounts_by_external_id
from gateway.store.buyers import BillingDetails, dump_billing, parse_billing
from gateway.store.rows import AccountRow, VisibleAccount
from gateway.text import checked_identifier, is_identifier

DEFAULT_LIMIT: Final = 100
MOST: Final = 1_000
_MISSING: Final = "Account not found, or this API key has no access to it."
PLATFORM_FIELDS: Final = frozenset({"members", "stripeCustomerId"})
"""Fields that a key of one account may not change."""


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
        async with Snapshot(self.platform.database, principal) as snapshot:
            (rows,) = await ACCOUNTS.fetch_pages(snapshot, principal, [page])
        record_of(scope).accounts = [row["account_id"] for row in rows[:limit]]
        listed = [_answer_of(row, principal) for row in rows[:limit]]
        answer = AccountsAnswer(accounts=listed, next=listed[-1].id if rows[limit:] else None)
        return json_response(answer.payload())


class AccountEndpoint(PlatformEndpoint):
    """Reads one account."""

    OPERATION: ClassVar[Operation] = GET_ACCOUNT

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        async with Snapshot(self.platform.database, principal) as snapshot:
            row = await _find(snapshot, principal, scope)
        record_of(scope).accounts = [row["account_id"]]
        return json_response(_answer_of(row, principal).payload())


class PutAccountEndpoint(PlatformEndpoint):
    """Makes an account or changes it. Again: the same answer.

    `members` replaces the whole list, and needs a scope of its own; without it the list stays. A
    key of one account changes neither members nor the Stripe customer, by which payments find
    their account: without both, both stay.
    """

    OPERATION: ClassVar[Operation] = PUT_ACCOUNT
    DEED: ClassVar = Deed.ACCOUNT_CHANGED

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        value = read_object(body)
        _check_allowed(principal, value)
        facts = replace(
            _read_account(scope["path_params"]["external_id"], value),
            keeps_customer=principal.account_id is not None,
        )
        async with self.platform.database.writing(Actor.of(principal)) as transaction:
            account_id = await put_account(
                transaction,
                facts,
                actor=Actor.of(principal, record_of(scope).request_id),
                clock=self.platform.clock,
                keys=self.platform.keys,
                usage_delay_seconds=self.platform.usage_delay_seconds,
            )
            (row,) = await accounts.by_external_id(transaction, [facts.external_id])
        details["put_account_id"] = account_id
        if facts.members is not None:
            details["members"] = len(facts.members)
        return json_response(_written(row, facts).payload())


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
        async with Snapshot(self.platform.database, principal) as snapshot:
            account_id = (await _find(snapshot, principal, scope))["account_id"]
            rows = await accounts.member_page(snapshot, account_id, after=after, limit=limit + 1)
        record_of(scope).accounts = [account_id]
        listed = [
            MemberAnswer(subject=row["subject"], role=Role(row["role"])) for row in rows[:limit]
        ]
        answer = MembersAnswer(members=listed, next=listed[-1].subject if rows[limit:] else None)
        return json_response(answer.payload())


def _check_allowed(principal: Principal, value: Mapping[str, object]) -> None:
    """Raise Forbidden where an account has fields that the key may not change."""
    if principal.account_id is not None and value.keys() & PLATFORM_FIELDS:
        raise Forbidden("An account key may not change `members` or `stripeCustomerId`; omit them.")
    if "members" in value and not principal.scopes & {Permission.MEMBERS_WRITE, Permission.ADMIN}:
        raise Forbidden(
            f"`members` requires an API key with the scope {Permission.MEMBERS_WRITE}. Omit "
            "`members` to keep the list."
        )


def _read_account(external_id: str, value: Mapping[str, object]) -> AccountFacts:
    """Return the facts of an account in a body. Raises InvalidFields."""
    external_id = checked_identifier(external_id, "externalId", limit=200)
    body = read_wire(AccountBody, value, "An account")
    low = body.low_balance or LowBalance()
    members = [(member.subject, member.role) for member in body.members]
    return AccountFacts(
        external_id=external_id,
        name=body.name,
        currency=body.currency,
        time_zone=body.time_zone,
        members=members if "members" in body.model_fields_set else None,
        stripe_customer_id=body.stripe_customer_id,
        low_balance_nanos=low.amount,
        low_balance_days=low.days,
        billing=_billing(body.billing) if body.billing else None,
        keeps_billing="billing" not in body.model_fields_set,
    )


def _billing(body: Billing) -> BillingDetails:
    return {"name": body.name, "address": body.address, "taxId": body.tax_id}


def _billing_answer(details: BillingDetails | None) -> BillingAnswer | None:
    if details is None:
        return None
    return BillingAnswer(name=details["name"], address=details["address"], tax_id=details["taxId"])


def _written(row: AccountRow, facts: AccountFacts) -> AccountAnswer:
    """Return the account as it was written, without what stayed as it was."""
    amount = facts.low_balance_nanos
    account = AccountAnswer(
        id=encode_global_id("Account", row["account_id"]),
        external_id=facts.external_id,
        name=facts.name,
        currency=facts.currency,
        time_zone=row["time_zone"],
        low_balance=LowBalanceAnswer(
            amount=None if amount is None else format_amount(amount, facts.currency),
            days=facts.low_balance_days,
        ),
    )
    named = _pending(row)
    if not facts.keeps_customer:
        named["stripe_customer_id"] = facts.stripe_customer_id
    if not facts.keeps_billing:
        named["billing"] = _billing_answer(parse_billing(dump_billing(facts.billing)))
    if facts.members is not None:
        named["members"] = [MemberAnswer(subject=each, role=role) for each, role in facts.members]
    return account.model_copy(update=named)


def _pending(row: AccountRow) -> dict[str, object]:
    """Return the fields that an account has while another time zone is pending."""
    pending = row["pending_time_zone"]
    return {} if pending is None else {"pending_time_zone": pending}


async def _find(snapshot: Snapshot, principal: Principal, scope: Scope) -> VisibleAccount:
    """Return the account of the path. Raises NotFound, also where the key may not read it."""
    name = scope["path_params"]["external_id"]
    (row,) = await accounts_by_external_id(snapshot, principal, [name])
    if row is None:
        raise NotFound(_MISSING)
    return row


def _answer_of(row: VisibleAccount, principal: Principal) -> AccountAnswer:
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
        billing=_billing_answer(parse_billing(row["billing"])),
        created_at=serialize_instant(row["created_at"]),
    ).model_copy(update=_pending(row))
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
