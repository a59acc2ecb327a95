"""`PUT /v1/accounts/{externalId}`: the platform's accounts, and who may read them."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.billing.accounts import SUBJECT_LIMIT, AccountFacts, put_account
from gateway.errors import BadUserInput, NotFound
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
MOST_MEMBERS: Final = 1_000


class AccountEndpoint(PlatformEndpoint):
    """Makes an account or changes it; its members are replaced whole. Again: the same answer."""

    METHOD: ClassVar = "PUT"
    SCOPE: ClassVar = Permission.ACCOUNTS_WRITE

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, Any]
    ) -> Response:
        facts = read_account(scope["path_params"]["external_id"], read_object(body))
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
        details |= {"put_account_id": account_id, "members": len(facts.members)}
        return json_answer(_written(account_id, facts))


def read_account(external_id: str, value: Mapping[str, Any]) -> AccountFacts:
    """Return what is said of an account. Raises BadUserInput."""
    if not value.keys() <= FIELDS:
        raise BadUserInput(f"An account has the fields {', '.join(sorted(FIELDS))}, and no others.")
    if "members" not in value:
        raise BadUserInput(
            "`members` must be there, because they are replaced whole; `[]` leaves none.",
            argument="members",
        )
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
        members=_members(value["members"]),
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
    amount = facts.low_balance_nanos
    return {
        "id": encode_global_id("Account", account_id),
        "externalId": facts.external_id,
        "name": facts.name,
        "currency": facts.currency,
        "timeZone": facts.time_zone,
        "stripeCustomerId": facts.stripe_customer_id,
        "lowBalance": {
            "amount": None if amount is None else format_amount(amount, facts.currency),
            "days": facts.low_balance_days,
        },
        "members": [{"subject": subject, "role": role} for subject, role in facts.members],
    }
