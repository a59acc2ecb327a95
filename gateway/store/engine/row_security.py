"""Row-level security: how a transaction on Postgres says who reads or writes.

The policies of the tables (`gateway.migrations.row_security`) read two settings of the transaction:
`app.accounts`, the accounts of the caller (`{1,2}`, or `*` for all of them), and `app.principal`, a
person's subject. Where neither is set, no row with account data is visible or written.
"""

from typing import Final

from gateway.principal import ActorKind, Caller, Principal

EVERY_ACCOUNT: Final = "SET LOCAL app.accounts = '*'"
_NO_ACCOUNT: Final = "SET LOCAL app.accounts = ''"


def admission(caller: Caller) -> str:
    """Return the statement with which a transaction of the caller begins. It needs no parameters:
    it is sent in one message with BEGIN.
    """
    if isinstance(caller, Principal):
        if caller.is_person:
            return _person(caller.subject)
        if not caller.reads_accounts:
            return _NO_ACCOUNT
        return EVERY_ACCOUNT if caller.account_id is None else _accounts(caller.account_id)
    if caller.kind is ActorKind.PERSON:
        return _person(caller.name)
    return EVERY_ACCOUNT if caller.accounts is None else _accounts(*sorted(caller.accounts))


def _person(subject: str) -> str:
    # Hexadecimal digits need no quoting, whatever the issuer of tokens calls a person.
    return f"SELECT gateway_enter('{subject.encode().hex()}')"


def _accounts(*account_ids: int) -> str:
    return f"SET LOCAL app.accounts = '{{{','.join(map(str, account_ids))}}}'"
