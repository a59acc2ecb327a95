"""The bodies of `/v1/accounts`."""

from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from gateway.billing.accounts import MAX_DAYS, SUBJECT_LIMIT
from gateway.errors import BadUserInput
from gateway.http.json_fields import Currency, Name, Nanos, TimeZone, text_schema
from gateway.http.json_models import Wire, WireAnswer, check, fault_at, limited, one_of
from gateway.principal import Role
from gateway.text import checked_identifier

MOST_MEMBERS: Final = 1_000
_AT: Final[dict[str, Any]] = {"format": "date-time"}


def _read_days(value: Any, argument: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_DAYS:
        raise BadUserInput(f"`{argument}` must be a whole number from 1 to {MAX_DAYS}.")
    return value


def _check_list(value: Any) -> Any:
    if not isinstance(value, list) or len(value) > MOST_MEMBERS:
        raise fault_at(sentence=f"`members` must be a list of at most {MOST_MEMBERS:,} members.")
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
Days: TypeAlias = Annotated[
    int,
    check(_read_days),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_DAYS}),
]


class Member(Wire):
    """A person who may read the account."""

    subject: Subject = Field(description="The `sub` of the person's token.")
    role: Annotated[Role, one_of(Role), WithJsonSchema({"enum": [*Role]})] = Field(
        description="`OWNER` and `BILLING` see everything; `VIEWER` sees balance, usage and "
        "deployments."
    )


class LowBalance(Wire):
    """When the balance counts as low; without both, never."""

    amount: Nanos | None = Field(
        None, description="Low at or below this balance, in the account's currency."
    )
    days: Days | None = Field(
        None, description="Low where the balance lasts no longer than this many days."
    )


class AccountBody(Wire):
    """An account as `PUT` replaces it."""

    name: Name = Field(description="Shown to people; with at least one visible character.")
    currency: Currency = Field(
        description="ISO 4217. Cannot change once there is a ledger entry or a purchase."
    )
    time_zone: TimeZone = Field(
        "UTC", description="IANA name; in this zone the account's days begin."
    )
    stripe_customer_id: Subject | None = Field(
        None,
        description="Payments of this Stripe customer go to the account. Removed where it is left "
        "out or null, but by a key of one account: such a key may not send it, and it stays.",
    )
    low_balance: LowBalance | None = Field(
        None, description="Thresholds of the low-balance warning; removed where it is left out."
    )
    members: Annotated[
        list[Member],
        AfterValidator(_check_subjects),
        BeforeValidator(_check_list),
        Field(max_length=MOST_MEMBERS),
    ] = Field(
        default=[],
        description="Replaces the whole list; `[]` removes everyone. Left out, the list stays. "
        "Needs the scope `members:write`.",
    )


class LowBalanceAnswer(WireAnswer):
    """The thresholds of the low-balance warning; null where there is none."""

    amount: str | None = Field(description="Decimal string, in the account's currency.")
    days: int | None


class MemberAnswer(WireAnswer):
    """A person who may read the account."""

    subject: str
    role: Role


class AccountAnswer(WireAnswer):
    """An account."""

    id: str = Field(description="The account's id in GraphQL, such as `acct_…`; opaque.")
    external_id: str = Field(description="The platform's id, exactly as it was sent.")
    name: str
    currency: str = Field(description="ISO 4217.")
    time_zone: str = Field(description="IANA name.")
    low_balance: LowBalanceAnswer
    created_at: str = Field(
        "", description="When the account was made, UTC. In answers to GET.", json_schema_extra=_AT
    )
    stripe_customer_id: str | None = Field(
        None, description="Only for keys of the platform with the scope `accounts:write`."
    )
    members: list[MemberAnswer] = Field(
        default=[], description="In answers to a PUT that names `members`."
    )


class AccountsAnswer(WireAnswer):
    """A page of accounts, the oldest first."""

    accounts: list[AccountAnswer]
    next: str | None = Field(
        description="The `after` of the next page; null where this page is the last."
    )


class MembersAnswer(WireAnswer):
    """A page of an account's members, in the order of their subjects."""

    members: list[MemberAnswer]
    next: str | None = Field(
        description="The `after` of the next page; null where this page is the last."
    )
