"""`PUT /v1/accounts/{externalId}`: the platform's accounts, and who may read them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.billing.accounts import SUBJECT_LIMIT, AccountFacts, put_account
from gateway.errors import BadUserInput, Forbidden, NotFound
from gateway.ids import encode_global_id
from gateway.money import format_amount, parse_exact_nanos
from gateway.principal import Principal, Role
from gateway.principal import Scope as Permission
from gateway.routes.answers import json_answer
from gateway.routes.platform import PlatformEndpoint, read_object
from gateway.store import accounts
from gateway.text import checked_identifier, checked_name, checked_text

FIELDS: Final = frozenset(
    {"name", "currency", "timeZone", "stripeCustomerId", "lowBalance", "members"}
)
PLATFORM_FIELDS: Final = frozenset({"members", "stripeCustomerId"})
"""Fields that a key of one account may not change."""
MOST_MEMBERS: Final = 1_000


class AccountEndpoint(PlatformEndpoint):
    """Makes an account or changes it. Again: the same answer.

    `members` replaces the whole list, and needs a scope of its own; without it the list stays. A
    key of one account changes neither members nor the Stripe customer, by which payments find
    their account: without both, both stay.
    """

    METHOD: ClassVar = "PUT"
    SCOPE: ClassVar = Permission.ACCOUNTS_WRITE

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, Any]
    ) -> Response:
        value = read_object(body)
        check_allowed(principal, value)
        facts = replace(
            read_account(scope["path_params"]["external_id"], value),
            keeps_customer=principal.account_id is not None,
        )
        async with self.platform.database().writing() as transaction:
            if principal.account_id is not None:
                found = await accounts.by_external_id(transaction, [facts.external_id])
                if not found or found[0]["account_id"] != principal.account_id:
                    raise NotFound("This key may write to its own account alone.")
            account_id = await put_account(
                transaction,
                facts,
                clock=self.platform.clock,
                keys=self.platform.keys,
                usage_delay_seconds=self.platform.usage_delay_seconds,
            )
        details["put_account_id"] = account_id
        if facts.members is not None:
            details["members"] = len(facts.members)
        return json_answer(_written(account_id, facts))


def check_allowed(principal: Principal, value: Mapping[str, Any]) -> None:
    """Raise Forbidden where an account has fields that the key may not change."""
    if principal.account_id is not None and value.keys() & PLATFORM_FIELDS:
        raise Forbidden(
            "A key of one account changes neither `members` nor `stripeCustomerId`: leave them out."
        )
    if "members" in value and not principal.scopes & {Permission.MEMBERS_WRITE, Permission.ADMIN}:
        raise Forbidden(
            f"`members` needs an API key with the scope {Permission.MEMBERS_WRITE}; without it "
            "the list stays."
        )


def read_account(external_id: str, value: Mapping[str, Any]) -> AccountFacts:
    """Return what is said of an account. Raises BadUserInput."""
    if not value.keys() <= FIELDS:
        raise BadUserInput(f"An account has the fields {', '.join(sorted(FIELDS))}, and no others.")
    customer = value.get("stripeCustomerId")
    low = _object(value.get("lowBalance"), "lowBalance", {"amount", "days"})
    amount, days = low.get("amount"), low.get("days")
    if days is not None and (isinstance(days, bool) or not isinstance(days, int)):
        raise BadUserInput("`lowBalance.days` is a whole number.", argument="lowBalance")
    if amount is not None and not isinstance(amount, str):
        raise BadUserInput(
            '`lowBalance.amount` is a decimal string such as "50.00".', argument="lowBalance"
        )
    return AccountFacts(
        external_id=checked_identifier(external_id, "externalId", limit=200),
        name=checked_name(value.get("name"), "name", limit=200),
        currency=checked_text(value.get("currency"), "currency", limit=3),
        time_zone=checked_text(value.get("timeZone", "UTC"), "timeZone", limit=64),
        members=_members(value["members"]) if "members" in value else None,
        stripe_customer_id=(
            None
            if customer is None
            else checked_identifier(customer, "stripeCustomerId", limit=SUBJECT_LIMIT)
        ),
        low_balance_nanos=(
            None if amount is None else parse_exact_nanos(amount, argument="lowBalance")
        ),
        low_balance_days=days,
    )


def _members(value: Any) -> Sequence[tuple[str, Role]]:
    if not isinstance(value, list) or len(value) > MOST_MEMBERS:
        raise BadUserInput(f"`members` is a list of at most {MOST_MEMBERS}.", argument="members")
    members = []
    for each in value:
        member = _object(each, "members", {"subject", "role"})
        role = member.get("role")
        if role not in list(Role):
            raise BadUserInput(f"A member's `role` is {', '.join(Role)}.", argument="members")
        subject = checked_identifier(member.get("subject"), "members", limit=SUBJECT_LIMIT)
        members.append((subject, Role(role)))
    return members


def _object(value: Any, argument: str, fields: set[str]) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= fields:
        raise BadUserInput(
            f"`{argument}` has the fields {', '.join(sorted(fields))}.", argument=argument
        )
    return value


def _written(account_id: int, facts: AccountFacts) -> dict[str, Any]:
    """Return the account as it was written, without what stayed as it was."""
    amount = facts.low_balance_nanos
    written: dict[str, Any] = {
        "id": encode_global_id("Account", account_id),
        "externalId": facts.external_id,
        "name": facts.name,
        "currency": facts.currency,
        "timeZone": facts.time_zone,
        "lowBalance": {
            "amount": None if amount is None else format_amount(amount, facts.currency),
            "days": facts.low_balance_days,
        },
    }
    if not facts.keeps_customer:
        written["stripeCustomerId"] = facts.stripe_customer_id
    if facts.members is not None:
        written["members"] = [{"subject": subject, "role": role} for subject, role in facts.members]
    return written
