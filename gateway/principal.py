"""Who is asking. Made by `gateway.auth` from a checked credential, and asked for by every read."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.errors import Forbidden


class Role(StrEnum):
    """What a member may see of an account."""

    OWNER = "OWNER"
    BILLING = "BILLING"
    VIEWER = "VIEWER"

    @property
    def sees_purchases(self) -> bool:
        """Whether purchases, refunds, disputes, receipts and the ledger are visible to the role."""
        return self is not Role.VIEWER

    def require_purchases(self) -> None:
        """Raise Forbidden where the role does not see purchases."""
        if not self.sees_purchases:
            raise Forbidden("Your role in this account does not include purchases and receipts.")


class Scope(StrEnum):
    """What an API key may do."""

    BILLING_READ = "billing:read"
    ACCOUNTS_WRITE = "accounts:write"
    MEMBERS_WRITE = "members:write"
    USAGE_WRITE = "usage:write"
    CREDITS_WRITE = "credits:write"
    ADMIN = "admin"


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
    scopes: frozenset[Scope] = frozenset()
    role: Role = Role.OWNER
    expires_at: datetime | None = None

    @property
    def is_person(self) -> bool:
        return self.key_id is None


def view_of(account_id: int, role: Role) -> Principal:
    """Return whoever has the role in the account and sees no other: what is pushed to all of them
    is read once, in this one's place.
    """
    return Principal(
        subject=f"view:{role}",
        key_id="view",
        account_id=account_id,
        scopes=frozenset({Scope.BILLING_READ}),
        role=role,
    )
