"""Row-level security: how a transaction on Postgres says who reads or writes.

The policies of the tables (`gateway.migrations.row_security`) read two settings of the transaction:
`app.accounts`, the accounts of the caller (`{1,2}`, or `*` for all of them), and `app.principal`, a
person's subject. Where neither is set, no row with account data is visible or written.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from gateway.principal import ActorKind, Caller, Principal

_ACCOUNTS: Final = "app.accounts"
_PRINCIPAL: Final = "app.principal"
_EVERY: Final = "*"
_NONE: Final = ""
_LISTED: Final = 100
"""Most accounts of a person that are listed, as in `gateway_enter`."""

EVERY_ACCOUNT: Final = f"SET LOCAL {_ACCOUNTS} = '{_EVERY}'"


class Entrance(NamedTuple):
    """How one statement is of a caller: it gives the value of its parameter $1 to a setting."""

    setting: str
    value: str

    def columns(self, named: Sequence[str]) -> str:
        """Return the expressions `accounts` and `person`. The first is never null, and must be
        evaluated before any table is read: without it no row is visible. `named` are arrays of the
        accounts that the statement reads, where it names them all.

        Of a person's accounts those are listed, and else the first ones: an array. The list saves
        the look-up of a membership for each row, and never shows more than that does.
        """
        entered = _set(self.setting, "$1")
        if not self.lists_accounts:
            return f"{entered}, NULL"
        which = (
            f"AND account_id = ANY ({' || '.join(named)})"
            if named
            else f"ORDER BY subject, account_id LIMIT {_LISTED}"
        )
        mine = f"SELECT account_id FROM account_member WHERE subject = $1 {which}"
        listed = _set(_ACCOUNTS, f"ARRAY({mine})::text")
        # In this order: who reads decides which memberships are seen.
        return f"CASE WHEN {entered} IS NOT NULL THEN {listed}::bigint[] END, $1"

    @property
    def lists_accounts(self) -> bool:
        """Whether the caller is a person: the accounts of people are looked up."""
        return self.setting == _PRINCIPAL


def _set(setting: str, value: str) -> str:
    return f"set_config('{setting}', {value}, true)"


def admission(caller: Caller) -> str:
    """Return the statement with which a transaction of the caller begins. It needs no parameters:
    it is sent in one message with BEGIN.
    """
    person, accounts = _admitted(caller)
    if person is not None:
        # In hexadecimal digits, whatever the issuer of tokens calls a person.
        return f"SELECT gateway_enter('{person.encode().hex()}')"
    return f"SET LOCAL {_ACCOUNTS} = '{accounts}'"


def entrance(caller: Caller) -> Entrance:
    """Return the entrance of a statement that is a transaction of its own."""
    if isinstance(caller, Principal) and caller.key_id is None:  # most callers, in one step
        return Entrance(_PRINCIPAL, caller.subject)
    person, accounts = _admitted(caller)
    if person is not None:
        return Entrance(_PRINCIPAL, person)
    return Entrance(_ACCOUNTS, accounts)


class _Admitted(NamedTuple):
    """A person's subject, or the accounts of any other caller, which need no quoting."""

    person: str | None
    accounts: str = _NONE


def _admitted(caller: Caller) -> _Admitted:
    if isinstance(caller, Principal):
        if caller.is_person:
            return _Admitted(caller.subject)
        if not caller.reads_accounts:
            return _Admitted(None)
        return _accounts(None if caller.account_id is None else [caller.account_id])
    if caller.kind is ActorKind.PERSON:
        return _Admitted(caller.name)
    return _accounts(caller.accounts)


def _accounts(account_ids: Collection[int] | None) -> _Admitted:
    if account_ids is None:
        return _Admitted(None, _EVERY)
    return _Admitted(None, f"{{{','.join(map(str, sorted(account_ids)))}}}")
