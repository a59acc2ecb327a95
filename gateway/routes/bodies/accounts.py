"""The bodies of `/v1/accounts`."""

from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict

from gateway.billing.accounts import MAX_DAYS, SUBJECT_LIMIT
from gateway.errors import BadUserInput
from gateway.http.json_fields import Currency, Name, Nanos, TimeZone, text_schema
from gateway.http.json_models import Wire, WireAnswer, check, fault_at, limited, one_of
from gateway.principal import Role
from gateway.text import checked_identifier, checked_name

MOST_MEMBERS: Final = 1_000
MOST_LINES: Final = 6
"""Lines of a buyer's address."""
_AT: Final[JsonDict] = {"format": "date-time"}


def _read_days(value: object, argument: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_DAYS:
        raise BadUserInput(f"`{argument}` must be a whole number from 1 to {MAX_DAYS}.")
    return value


def _check_list(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MOST_MEMBERS:
        raise fault_at(sentence=f"`members` must be a list of at most {MOST_MEMBERS:,} members.")
    return value


def _check_lines(value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MOST_LINES:
        raise fault_at(sentence=f"`billing.address` must be a list of at most {MOST_LINES} lines.")
    return value


def _check_subjects(members: "list[Member]") -> "list[Member]":
    subjects = set()
    for index, member in enumerate(members):
        if member.subject in subjects:
            sentence = "Each subject may appear only once in `members`."
            raise fault_at(str(index), "subject", sentence=sentence)
        subjects.add(member.subject)
    return members


Subject: TypeAlias = Annotated[
    str, limited(checked_identifier, SUBJECT_LIMIT), text_schema(SUBJECT_LIMIT)
]
Line: TypeAlias = Annotated[str, limited(checked_name, 200), text_schema(200)]
TaxId: TypeAlias = Annotated[str, limited(checked_name, 100), text_schema(100)]
Days: TypeAlias = Annotated[
    int,
    check(_read_days),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_DAYS}),
]


class Member(Wire):
    """A person who may read the account."""

    subject: Subject = Field(description="The `sub` claim of the person's token.")
    role: Annotated[Role, one_of(Role), WithJsonSchema({"enum": [*Role]})] = Field(
        description="`OWNER` sees everything, `BILLING` all but audit events; `VIEWER` sees "
        "balance, usage and deployments."
    )


class LowBalance(Wire):
    """Thresholds of the low-balance warning; without both, no warning."""

    amount: Nanos | None = Field(
        None, description="The balance is low at or below this amount, in the account's currency."
    )
    days: Days | None = Field(
        None, description="The balance is low when it lasts at most this many days."
    )


class Billing(Wire):
    """The buyer on receipts and statements that are issued from now on."""

    name: Name | None = Field(None, description="The buyer's name. Default: the account's.")
    address: Annotated[list[Line], BeforeValidator(_check_lines)] = Field(
        default=[], description=f"Lines of the address, at most {MOST_LINES}."
    )
    tax_id: TaxId | None = Field(None, description="The buyer's tax id, such as a VAT number.")


class AccountBody(Wire):
    """The account's new details."""

    name: Name = Field(description="Display name, with at least one visible character.")
    currency: Currency = Field(
        description="ISO 4217 code. Cannot change after the first ledger entry or purchase."
    )
    time_zone: TimeZone = Field(
        "UTC",
        description="IANA name of the time zone of the account's days. Another one takes effect "
        "at once, or for an account with much usage within minutes.",
    )
    stripe_customer_id: Subject | None = Field(
        None,
        description="Payments of this Stripe customer go to the account. Removed if omitted or "
        "null. An account key may not send this field; then the customer stays.",
    )
    low_balance: LowBalance | None = Field(
        None, description="Thresholds of the low-balance warning; removed if omitted."
    )
    billing: Billing | None = Field(
        None,
        description="The buyer's details on documents. If omitted, they stay; null removes them. "
        "Documents that were issued keep theirs.",
    )
    members: Annotated[
        list[Member],
        AfterValidator(_check_subjects),
        BeforeValidator(_check_list),
        Field(max_length=MOST_MEMBERS),
    ] = Field(
        default=[],
        description="Replaces the whole list; `[]` removes everyone. If omitted, the list "
        "stays. Needs the scope `members:write`.",
    )


class LowBalanceAnswer(WireAnswer):
    """Thresholds of the low-balance warning; null if not set."""

    amount: str | None = Field(description="Decimal string, in the account's currency.")
    days: int | None


class BillingAnswer(WireAnswer):
    """The buyer's details on documents."""

    name: str | None
    address: list[str]
    tax_id: str | None


class MemberAnswer(WireAnswer):
    """A person who may read the account."""

    subject: str
    role: Role


class AccountAnswer(WireAnswer):
    """An account."""

    id: str = Field(description="The account's id in GraphQL, such as `acct_…`; opaque.")
    external_id: str = Field(description="The platform's id, unchanged.")
    name: str
    currency: str = Field(description="ISO 4217.")
    time_zone: str = Field(description="IANA name of the zone in effect.")
    pending_time_zone: str | None = Field(
        None,
        description="The zone that takes effect as soon as the account's days are computed in it; "
        "only while there is one.",
    )
    low_balance: LowBalanceAnswer
    billing: BillingAnswer | None = Field(
        None, description="The buyer's details; in an answer to a PUT only if it had them."
    )
    created_at: str = Field(
        "",
        description="When the account was created, UTC. Only in answers to GET.",
        json_schema_extra=_AT,
    )
    stripe_customer_id: str | None = Field(
        None, description="Only for platform keys with the scope `accounts:write`."
    )
    members: list[MemberAnswer] = Field(
        default=[], description="Only in answers to a PUT with `members`."
    )


class AccountsAnswer(WireAnswer):
    """A page of accounts, oldest first."""

    accounts: list[AccountAnswer]
    next: str | None = Field(
        description="Value of `after` for the next page; null on the last page."
    )


class MembersAnswer(WireAnswer):
    """A page of an account's members, in the order of their subjects."""

    members: list[MemberAnswer]
    next: str | None = Field(
        description="Value of `after` for the next page; null on the last page."
    )
