"""`/v1/accounts` and below."""

from typing import Final

from gateway.principal import Permission
from gateway.routes.bodies.accounts import AccountAnswer, AccountBody, AccountsAnswer, MembersAnswer
from gateway.routes.descriptions.refusals import (
    BODY_LIMITS,
    CREDENTIAL_LIMITS,
    NOT_FOUND,
    PAGE,
    READ,
    WRITE,
)
from gateway.routes.openapi.operation import (
    JSON,
    Answer,
    Body,
    Example,
    Operation,
    Parameter,
    Refusal,
)

TAG: Final = "Accounts"
EXTERNAL_ID: Final = Parameter(
    name="externalId",
    place="path",
    text="The platform's id of the account: 1 to 200 characters, stored unchanged. "
    "Percent-encode every character except letters, digits and `-._~`; a slash is `%2F`.",
    schema={"type": "string", "minLength": 1, "maxLength": 200},
    required=True,
)
_PATH: Final = {"externalId": "acme"}
_LIMIT: Final = Parameter(
    name="limit",
    place="query",
    text="Most items per page.",
    schema={"type": "integer", "minimum": 1, "maximum": 1_000, "default": 100},
)
_AFTER: Final = Parameter(name="after", place="query", text="`next` of the previous page.")
_ACCOUNT: Final[dict[str, object]] = {
    "id": "acct_0d0b9a5f3d8c41e7",
    "externalId": "acme",
    "name": "Acme GmbH",
    "currency": "USD",
    "timeZone": "Europe/Berlin",
    "lowBalance": {"amount": "50.00", "days": 7},
}
_BILLING: Final = {
    "name": "Acme GmbH",
    "address": ["Hafenstraße 12", "20457 Hamburg"],
    "taxId": "DE 299 123 456",
}
_MEMBERS: Final = [{"subject": "auth0|42", "role": "OWNER"}]
_READ: Final = _ACCOUNT | {
    "billing": _BILLING,
    "createdAt": "2026-11-01T08:30:00.123456Z",
    "stripeCustomerId": "cus_PqT1x2",
}

PUT_ACCOUNT: Final = Operation(
    id="putAccount",
    method="PUT",
    tag=TAG,
    summary="Create or replace an account",
    text="Creates the account, or replaces its details. The same request again gives the same "
    "answer. `members` replaces the whole list and also needs the scope `members:write`; "
    "without `members` the list stays. Another `timeZone` of an account with much usage is "
    "`pendingTimeZone` for some minutes: until its days are computed, every figure keeps the zone "
    "in effect. Another PUT replaces a pending zone. An account key may change its own account "
    "only, and may not send `members` or `stripeCustomerId` (403); without them, both stay.",
    scopes=(Permission.ACCOUNTS_WRITE,),
    parameters=(EXTERNAL_ID,),
    body=Body(content={JSON: AccountBody}, text="The account."),
    answers=(
        Answer(
            status=200,
            text="The account as written, without fields that stayed unchanged.",
            content={JSON: AccountAnswer},
        ),
    ),
    refusals=(
        *WRITE,
        NOT_FOUND,
        Refusal(
            status=409,
            codes=("CONFLICT",),
            text="The account has entries in another currency, or the Stripe customer belongs to "
            "another account.",
        ),
    ),
    limits=BODY_LIMITS,
    examples=(
        Example(
            name="account",
            text="An account with an owner",
            status=200,
            parameters=_PATH,
            body={
                "name": "Acme GmbH",
                "currency": "USD",
                "timeZone": "Europe/Berlin",
                "stripeCustomerId": "cus_PqT1x2",
                "lowBalance": {"amount": "50.00", "days": 7},
                "billing": _BILLING,
                "members": _MEMBERS,
            },
            answer=_ACCOUNT
            | {"billing": _BILLING, "stripeCustomerId": "cus_PqT1x2", "members": _MEMBERS},
        ),
        Example(
            name="faults",
            text="Faults of a body, each with its path",
            status=400,
            parameters=_PATH,
            body={"name": "Acme GmbH", "lowBalance": {"amount": 50}},
            answer={
                "errors": [
                    {
                        "message": "`currency` is missing.",
                        "path": "currency",
                        "extensions": {"code": "BAD_USER_INPUT", "argument": "currency"},
                    },
                    {
                        "message": "`lowBalance.amount` must be a decimal string such as "
                        '"10.00"; a JSON number may have lost digits.',
                        "path": "lowBalance.amount",
                        "extensions": {"code": "BAD_USER_INPUT", "argument": "lowBalance"},
                    },
                ]
            },
        ),
    ),
)

GET_ACCOUNT: Final = Operation(
    id="getAccount",
    method="GET",
    tag=TAG,
    summary="Read an account",
    text="Returns the account's details. An account key may read its own account only. "
    "`stripeCustomerId` is returned to platform keys that also have `accounts:write`. "
    "Balance, purchases and usage are in the GraphQL schema.",
    scopes=(Permission.BILLING_READ,),
    parameters=(EXTERNAL_ID,),
    answers=(Answer(status=200, text="The account.", content={JSON: AccountAnswer}),),
    refusals=(*READ, NOT_FOUND),
    limits=CREDENTIAL_LIMITS,
    examples=(
        Example(name="account", text="An account", status=200, parameters=_PATH, answer=_READ),
        Example(
            name="unknown",
            text="An account that does not exist, or without access",
            status=404,
            parameters={"externalId": "nobody"},
            answer={
                "errors": [
                    {
                        "message": "Account not found, or this API key has no access to it.",
                        "extensions": {"code": "NOT_FOUND"},
                    }
                ]
            },
        ),
    ),
)

LIST_ACCOUNTS: Final = Operation(
    id="listAccounts",
    method="GET",
    tag=TAG,
    summary="List accounts",
    text="Returns the accounts that the key may read, oldest first: every account for a "
    "platform key, its own for an account key.",
    scopes=(Permission.BILLING_READ,),
    parameters=(_LIMIT, _AFTER),
    answers=(Answer(status=200, text="A page.", content={JSON: AccountsAnswer}),),
    refusals=PAGE,
    limits=CREDENTIAL_LIMITS,
    examples=(
        Example(
            name="page",
            text="The first page",
            status=200,
            parameters={"limit": "50"},
            answer={"accounts": [_READ], "next": None},
        ),
    ),
)

LIST_MEMBERS: Final = Operation(
    id="listMembers",
    method="GET",
    tag=TAG,
    summary="List an account's members",
    text="Returns the account's members, ordered by subject. An account key may read the "
    "members of its own account only.",
    scopes=(Permission.BILLING_READ, Permission.MEMBERS_WRITE),
    parameters=(EXTERNAL_ID, _LIMIT, _AFTER),
    answers=(Answer(status=200, text="A page.", content={JSON: MembersAnswer}),),
    refusals=(*PAGE, NOT_FOUND),
    limits=CREDENTIAL_LIMITS,
    examples=(
        Example(
            name="members",
            text="The first page",
            status=200,
            parameters=_PATH,
            answer={"members": _MEMBERS, "next": None},
        ),
    ),
)
