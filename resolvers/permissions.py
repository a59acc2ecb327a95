"""Policies: the rules about who may read a field. Every field has its own, or its type's `POLICY`.

The engine enforces policies on every path, before a resolver runs (`gateway.execution.policies`);
a resolver never checks one itself. Tenancy is in each statement: it has the principal in it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from gateway.execution.policies import Check
from gateway.principal import Role
from gateway.store.rows import VisibleAccount
from resolvers.context import Context


class Policy(Enum):
    """The principals that may read a field."""

    OPEN = "Every principal: the field tells nothing of an account."
    ACCOUNT = "Members and keys of the account: the statement of the row has the principal in it."
    PURCHASES = "Members with the role OWNER or BILLING, and keys; a VIEWER gets FORBIDDEN."
    OWNERS = "Members with the role OWNER, and keys with the scope admin; others get FORBIDDEN."
    PEOPLE = "People; an API key gets FORBIDDEN."

    @property
    def check(self) -> Check | None:
        """The check that the engine runs before the field, or None."""
        return _CHECKS.get(self)


def require_purchases(row: VisibleAccount, context: Context) -> None:
    """Raise Forbidden if the principal's role does not see purchases.

    The role of a person is that in an account's row; a key's is its own, in every account.
    """
    principal = context.principal
    role = Role(row["role"]) if principal.is_person else principal.role
    role.require_purchases()


def require_owner(row: VisibleAccount, context: Context) -> None:
    """Raise Forbidden for a person who is no OWNER, and for a key without the scope `admin`."""
    principal = context.principal
    if principal.is_person:
        Role(row["role"]).require_owner()
    principal.require_admin()


def require_person(_: object, context: Context) -> None:
    """Raise Forbidden for an API key."""
    context.principal.require_person()


_CHECKS: Final[Mapping[Policy, Check]] = {
    Policy.PURCHASES: require_purchases,
    Policy.OWNERS: require_owner,
    Policy.PEOPLE: require_person,
}
