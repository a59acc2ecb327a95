"""Who may read a field. Every field has a policy: its own, or its type's `POLICY`.

A policy is held where data is loaded, never by a wrapper around a field that another way of
executing could leave out: each read has the principal in its statement, and what a role may not see
is refused by `require_purchases` before anything of it is loaded.
"""

from enum import Enum

from gateway.principal import Role
from gateway.store import Row


class Policy(Enum):
    """Who gets a field's value."""

    OPEN = "Everyone who is signed in: it tells nothing of an account."
    ACCOUNT = "Whoever may read the account: the row was loaded through the principal's filter."
    PURCHASES = "Of those, OWNER and BILLING members and keys; a VIEWER is refused."


def require_purchases(account: Row) -> None:
    """Raise Forbidden where the principal's role in the account does not see purchases."""
    Role(account["role"]).require_purchases()
