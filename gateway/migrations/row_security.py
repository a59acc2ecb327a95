"""Row-level security on Postgres: policies, and where they are in force.

A migration that makes a table with account data calls `protect`. A policy has no effect until
`enforce` puts it in force, on a new database at once, on an older one when its operator says so: a
version of the gateway before 0019 says nowhere who reads, and would see no row.
"""

from enum import Enum, auto
from typing import Final, NamedTuple

from alembic import op
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from gateway.errors import ServiceUnavailable

LOCK_SECONDS: Final = 5
"""How long `switch` waits for the transactions that use a table. Later ones wait meanwhile."""
_LOCK_NOT_AVAILABLE: Final = "55P03"

EVERY_ACCOUNT: Final = text("SELECT set_config('app.accounts', '*', true)")
"""Shows a transaction the rows of every account; migrations begin with it."""

_ACCOUNTS: Final = "(SELECT gateway_accounts())::bigint[]"
_NOBODY: Final = "coalesce(current_setting('app.principal', true), '') = ''"
# Of every account, the list is null. It is looked at once a statement, and rows are compared with
# it; the function is for people with more accounts than the list holds.
_LISTED: Final = f"account_id = ANY (coalesce({_ACCOUNTS}, ARRAY[account_id]))"
_OF_ACCOUNT: Final = f"{_LISTED} OR gateway_is_member(account_id)"
_FIRST: Final = "account_id = (SELECT (gateway_accounts())[1])"


class Rows(Enum):
    """The kinds of tables with account data."""

    OF_ACCOUNTS = auto()
    """Each row belongs to an account: `account_id`."""
    OF_MEMBERS = auto()
    """Members. A person sees their own memberships and changes none."""
    OF_PERSON = auto()
    """Each row belongs to an account and to a person in it: `subject`. Nobody else sees it."""
    OF_PLATFORM = auto()
    """A row may belong to an account, or to none. No person sees them."""
    OF_LOG = auto()
    """As of the platform, but everybody adds rows, and only callers of every account change any."""
    OF_NO_ACCOUNT = auto()
    """No row names its account. Only callers of every account see them."""


class _Policies(NamedTuple):
    seen: str
    added: str
    changed: str


_OF_PLATFORM: Final = (
    f"coalesce(account_id = ANY ({_ACCOUNTS}), (SELECT gateway_accounts()) IS NULL) AND {_NOBODY}"
)
_OF_PERSON: Final = (
    f"(subject = current_setting('app.principal', true) AND ({_OF_ACCOUNT})) "
    "OR (SELECT gateway_accounts()) IS NULL"
)
_OF_NO_ACCOUNT: Final = "(SELECT gateway_accounts()) IS NULL"

_POLICIES: Final = {
    Rows.OF_ACCOUNTS: _Policies(_OF_ACCOUNT, _OF_ACCOUNT, _OF_ACCOUNT),
    Rows.OF_MEMBERS: _Policies(
        seen=f"subject = current_setting('app.principal', true) OR {_LISTED}",
        added=f"{_LISTED} AND {_NOBODY}",
        changed=f"{_LISTED} AND {_NOBODY}",
    ),
    Rows.OF_PERSON: _Policies(_OF_PERSON, _OF_PERSON, _OF_PERSON),
    Rows.OF_PLATFORM: _Policies(_OF_PLATFORM, _OF_PLATFORM, _OF_PLATFORM),
    Rows.OF_LOG: _Policies(_OF_PLATFORM, "true", _OF_NO_ACCOUNT),
    Rows.OF_NO_ACCOUNT: _Policies(_OF_NO_ACCOUNT, _OF_NO_ACCOUNT, _OF_NO_ACCOUNT),
}


def protect(table: str, rows: Rows = Rows.OF_ACCOUNTS) -> None:
    """Give a table its policies; on SQLite nothing happens. Called by migrations."""
    if op.get_bind().dialect.name != "postgresql":
        return
    seen, added, changed = _POLICIES[rows]
    op.execute(f"CREATE POLICY rows_seen ON {table} FOR SELECT USING ({seen})")
    op.execute(f"CREATE POLICY rows_added ON {table} FOR INSERT WITH CHECK ({added})")
    op.execute(f"CREATE POLICY rows_changed ON {table} FOR UPDATE USING ({changed})")
    op.execute(f"CREATE POLICY rows_deleted ON {table} FOR DELETE USING ({changed})")


def compare_first_account(table: str) -> None:
    """Let a protected table of accounts compare the rows that are read with the first account of
    the caller before all others, which costs less; on SQLite nothing happens. Called by migrations.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER POLICY rows_seen ON {table} USING ({_FIRST} OR {_OF_ACCOUNT})")


class Protection(NamedTuple):
    """The state of a table with policies."""

    table: str
    is_enforced: bool


_STATES: Final = text(
    "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity "
    "FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace "
    "AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) ORDER BY c.relname"
)


def protections(connection: Connection) -> list[Protection]:
    """Return the tables with policies, by name."""
    return [Protection(*row) for row in connection.execute(_STATES)]


def enforce(connection: Connection, table: str, *, on: bool = True) -> None:
    """Put a table's policies in force, for its owner too (if that is no superuser), or out of
    force.
    """
    quoted = connection.dialect.identifier_preparer.quote(table)
    states = ("ENABLE", "FORCE") if on else ("DISABLE", "NO FORCE")
    changes = ", ".join(f"{each} ROW LEVEL SECURITY" for each in states)
    connection.exec_driver_sql(f"ALTER TABLE {quoted} {changes}")


def enforce_on_new_tables(connection: Connection, *, is_new_database: bool) -> None:
    """Put all policies in force in a new database, or where others are already: of tables that
    this migration made.
    """
    found = protections(connection)
    if is_new_database or any(each.is_enforced for each in found):
        for each in found:
            if not each.is_enforced:
                enforce(connection, each.table)


def switch(connection: Connection, *, on: bool) -> None:
    """Put all policies in or out of force, table by table, outside of a transaction."""
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    for each in protections(connection):
        if each.is_enforced != on:
            try:
                enforce(connection, each.table, on=on)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
                raise ServiceUnavailable(
                    f"Another transaction has used {each.table} for {LOCK_SECONDS} seconds. Run "
                    "the command again when it has ended."
                ) from error
