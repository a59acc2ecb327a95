"""Row-level security: how a transaction on Postgres says who reads or writes.

The policies of the tables (`gateway.migrations.row_security`) read two settings of the transaction:
`app.accounts`, the accounts of the caller (`{1,2}`, or `*` for all of them), and `app.principal`, a
person's subject. Where neither is set, no row with account data is visible or written.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from gateway.principal import ActorKind, Caller, Principal

_EVERY: Final = "*"
_NONE: Final = ""

EVERY_ACCOUNT: Final = f"SET LOCAL app.accounts = '{_EVERY}'"


class Entrance(NamedTuple):
    """A condition with which one statement is of a caller, and the value of its parameter $1. It is
    true, and must be evaluated before any table is read: without it no row is visible.
    """

    condition: str
    value: str


def admission(caller: Caller) -> str:
    """Return the statement with which a transaction of the caller begins. It needs no parameters:
    it is sent in one message with BEGIN.
    """
    person, accounts = _admitted(caller)
    if person is not None:
        return f"SELECT gateway_enter('{person}')"
    return f"SET LOCAL app.accounts = '{accounts}'"


def entrance(caller: Caller) -> Entrance:
    """Return the condition of a statement that is a transaction of its own."""
    person, accounts = _admitted(caller)
    if person is not None:
        return Entrance("gateway_enter($1)::text IS NOT NULL", person)
    return Entrance("set_config('app.accounts', $1, true) IS NOT NULL", accounts)


class _Admitted(NamedTuple):
    """A person, or the accounts of any other caller. Neither text needs quoting."""

    person: str | None
    accounts: str = _NONE


def _admitted(caller: Caller) -> _Admitted:
    if isinstance(caller, Principal):
        if caller.is_person:
            return _person(caller.subject)
        if not caller.reads_accounts:
            return _Admitted(None)
        return _accounts(None if caller.account_id is None else [caller.account_id])
    if caller.kind is ActorKind.PERSON:
        return _person(caller.name)
    return _accounts(caller.accounts)


def _person(subject: str) -> _Admitted:
    # In hexadecimal digits, whatever the issuer of tokens calls a person.
    return _Admitted(subject.encode().hex())


def _accounts(account_ids: Collection[int] | None) -> _Admitted:
    if account_ids is None:
        return _Admitted(None, _EVERY)
    return _Admitted(None, f"{{{','.join(map(str, sorted(account_ids)))}}}")
