"""`PUT /v1/accounts/{externalId}`: the platform's accounts, and who may read them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.billing.accounts import AccountFacts, put_account
from gateway.errors import Forbidden
from gateway.http.json_models import read_wire
from gateway.http.responses import json_response
from gateway.ids import encode_global_id
from gateway.money import format_amount
from gateway.principal import Actor, Permission, Principal
from gateway.routes.bodies.accounts import (
    AccountAnswer,
    AccountBody,
    LowBalance,
    LowBalanceAnswer,
    MemberAnswer,
)
from gateway.routes.descriptions.accounts import PUT_ACCOUNT
from gateway.routes.platform_endpoint import PlatformEndpoint, read_object
from gateway.text import checked_identifier

PLATFORM_FIELDS: Final = frozenset({"members", "stripeCustomerId"})
"""Fields that a key of one account may not change."""


class PutAccountEndpoint(PlatformEndpoint):
    """Makes an account or changes it. Again: the same answer.

    `members` replaces the whole list, and needs a scope of its own; without it the list stays. A
    key of one account changes neither members nor the Stripe customer, by which payments find
    their account: without both, both stay.
    """

    OPERATION: ClassVar = PUT_ACCOUNT

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        value = read_object(body)
        check_allowed(principal, value)
        facts = replace(
            read_account(scope["path_params"]["external_id"], value),
            keeps_customer=principal.account_id is not None,
        )
        async with self.platform.database.writing() as transaction:
            account_id = await put_account(
                transaction,
                facts,
                actor=Actor.of(principal),
                clock=self.platform.clock,
                keys=self.platform.keys,
                usage_delay_seconds=self.platform.usage_delay_seconds,
            )
        details["put_account_id"] = account_id
        if facts.members is not None:
            details["members"] = len(facts.members)
        return json_response(_written(account_id, facts).payload())


def check_allowed(principal: Principal, value: Mapping[str, object]) -> None:
    """Raise Forbidden where an account has fields that the key may not change."""
    if principal.account_id is not None and value.keys() & PLATFORM_FIELDS:
        raise Forbidden("An account key may not change `members` or `stripeCustomerId`; omit them.")
    if "members" in value and not principal.scopes & {Permission.MEMBERS_WRITE, Permission.ADMIN}:
        raise Forbidden(
            f"`members` requires an API key with the scope {Permission.MEMBERS_WRITE}. Omit "
            "`members` to keep the list."
        )


def read_account(external_id: str, value: Mapping[str, object]) -> AccountFacts:
    """Return what a body says of an account. Raises InvalidFields."""
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
    )


def _written(account_id: int, facts: AccountFacts) -> AccountAnswer:
    """Return the account as it was written, without what stayed as it was."""
    amount = facts.low_balance_nanos
    account = AccountAnswer(
        id=encode_global_id("Account", account_id),
        external_id=facts.external_id,
        name=facts.name,
        currency=facts.currency,
        time_zone=facts.time_zone,
        low_balance=LowBalanceAnswer(
            amount=None if amount is None else format_amount(amount, facts.currency),
            days=facts.low_balance_days,
        ),
    )
    named: dict[str, Any] = {}
    if not facts.keeps_customer:
        named["stripe_customer_id"] = facts.stripe_customer_id
    if facts.members is not None:
        named["members"] = [MemberAnswer(subject=each, role=role) for each, role in facts.members]
    return account.model_copy(update=named)
