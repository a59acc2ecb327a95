"""Principals and actors. `gateway.auth` makes a `Principal` of a checked credential, and every read
has one; every write of account data has an `Actor`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Self, TypeAlias

from gateway.errors import Forbidden


class Role(StrEnum):
    """A member's role in an account."""

    OWNER = "OWNER"
    BILLING = "BILLING"
    VIEWER = "VIEWER"

    @property
    def sees_purchases(self) -> bool:
        """Whether purchases, refunds, disputes, receipts and the ledger are visible to the role."""
        return self is not Role.VIEWER

    def require_owner(self) -> None:
        """Raise Forbidden for another role than OWNER."""
        if self is not Role.OWNER:
            raise Forbidden("Your role in this account does not include its audit events.")

    def require_purchases(self) -> None:
        """Raise Forbidden where the role does not see purchases."""
        if not self.sees_purchases:
            raise Forbidden(
                "Your role in this account does not include purchases, receipts, statements and "
                "the ledger."
            )


class Permission(StrEnum):
    """The permissions of API keys."""

    BILLING_READ = "billing:read"
    ACCOUNTS_WRITE = "accounts:write"
    MEMBERS_WRITE = "members:write"
    USAGE_WRITE = "usage:write"
    CREDITS_WRITE = "credits:write"
    ADMIN = "admin"


_READING: Final = frozenset({Permission.BILLING_READ, Permission.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A person (`subject` of a token) or an API key (`key_id`), never both.

    A person sees the accounts that they are a member of. A key with `billing:read` sees
    `account_id`, or every account where that is None (a key of the platform), as one who has the
    `role` in it.
    """

    subject: str
    key_id: str | None = None
    account_id: int | None = None
    scopes: frozenset[Permission] = frozenset()
    role: Role = Role.OWNER
    expires_at: datetime | None = None
    quota_key: str = field(init=False, repr=False, compare=False)
    """The key that its quotas count by. That of a person is never that of an API key, whatever the
    subject; those of signed links are one for each account.
    """

    def __post_init__(self) -> None:
        if self.key_id is None:
            key = f"person:{self.subject}"
        else:
            key = f"key:{self.key_id}:{self.account_id or ''}"
        object.__setattr__(self, "quota_key", key)  # which each request reads several times

    @property
    def is_person(self) -> bool:
        return self.key_id is None

    def require_admin(self) -> None:
        """Raise Forbidden for an API key without the scope `admin`."""
        if not self.is_person and Permission.ADMIN not in self.scopes:
            raise Forbidden(f"This requires an API key with the scope {Permission.ADMIN}.")

    def require_person(self) -> None:
        """Raise Forbidden for an API key."""
        if not self.is_person:
            raise Forbidden("An API key cannot do this: it is for people.")

    @property
    def reads_accounts(self) -> bool:
        """Whether the principal may read accounts at all: people, and keys with a scope for it."""
        return self.is_person or bool(self.scopes & _READING)

    @property
    def is_platform(self) -> bool:
        """Whether this is a key that belongs to no single account."""
        return self.key_id is not None and self.account_id is None


class ActorKind(StrEnum):
    """The kinds of actors."""

    PERSON = "PERSON"
    API_KEY = "API_KEY"
    OPERATOR = "OPERATOR"
    PROVIDER = "PROVIDER"
    JOB = "JOB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The author of a write: a person by subject, an API key by id, or a part of the system by
    name. `accounts` are those that it may write to; None is every account, and new ones too.
    `request_id` is that of the HTTP request, None without one.
    """

    kind: ActorKind
    name: str
    accounts: frozenset[int] | None = None
    request_id: str | None = None

    @classmethod
    def of(cls, principal: Principal, request_id: str | None = None) -> Self:
        """Return a principal as an actor. A person may write to no account."""
        account_id = principal.account_id
        kind, name = ActorKind.API_KEY, principal.key_id
        accounts = None if account_id is None else frozenset({account_id})
        if name is None:
            kind, name, accounts = ActorKind.PERSON, principal.subject, frozenset()
        return cls(kind=kind, name=name, accounts=accounts, request_id=request_id)

    @classmethod
    def operator(cls, name: str) -> Self:
        """Return the operator who runs a command of `gateway`."""
        return cls(kind=ActorKind.OPERATOR, name=name)

    @classmethod
    def provider(cls, name: str) -> Self:
        """Return a payment provider."""
        return cls(kind=ActorKind.PROVIDER, name=name)

    @classmethod
    def job(cls, name: str) -> Self:
        """Return a job of the gateway itself."""
        return cls(kind=ActorKind.JOB, name=name)

    @property
    def own_account(self) -> int | None:
        """The account of an account's own API key; None for every other actor."""
        if self.kind is not ActorKind.API_KEY or self.accounts is None:
            return None
        (account_id,) = self.accounts
        return account_id

    def may_write(self, account_id: int | None) -> bool:
        """Whether the actor may write to an account; None is a new account."""
        return self.accounts is None or account_id in self.accounts


Caller: TypeAlias = Principal | Actor
"""The author of a transaction: a principal who reads, or the actor of a write or of work of the
gateway itself.
"""


def view_of(account_id: int, role: Role) -> Principal:
    """Return a principal with only this role in this account. A push for all such principals is
    read once, as this one.
    """
    return Principal(
        subject=f"view:{role}",
        key_id="view",
        account_id=account_id,
        scopes=frozenset({Permission.BILLING_READ}),
        role=role,
    )
