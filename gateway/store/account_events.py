"""An account's audit events as its owners read them: deeds that were done, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import ColumnElement, FromClause, String, and_, literal_column, select

from gateway.models import Account, AuditEvent, table_of
from gateway.store.engine.parameters import any_of
from gateway.store.engine.sql import Expression
from gateway.store.listing import Listing
from gateway.store.rows import Counted
from gateway.store.tenancy import Visible

_EVENT: Final = table_of(AuditEvent)
_ACCOUNT: Final = table_of(Account)
_NAMES: Final = (
    *("account_id", "id", "occurred_at", "actor_kind", "actor", "actor_account_id"),
    *("deed", "target", "details"),
)


class AccountEventRow(TypedDict):
    """An event of an account, with the account's currency."""

    account_id: int
    id: int
    occurred_at: datetime
    actor_kind: str
    actor: str
    actor_account_id: int | None
    deed: str
    target: str | None
    details: str | None
    currency: str


def _columns(_: Visible, events: FromClause) -> Sequence[Expression]:
    currency = select(_ACCOUNT.c.currency).where(_ACCOUNT.c.account_id == events.c.account_id)
    return [
        *(events.c[name] for name in _NAMES),
        currency.correlate(events).scalar_subquery().label("currency"),
    ]


def _is_done(events: FromClause) -> ColumnElement[bool]:
    """Return whether an event is a deed, of those in the parameter `deeds`, that was done. The
    literals are those of the index.
    """
    return and_(
        events.c.deed != literal_column("'data.read'", String()),
        any_of(events.c.deed, "deeds"),
        events.c.result == literal_column("'DONE'", String()),
    )


ACCOUNT_EVENTS: Final = Listing[AccountEventRow, Counted](
    _EVENT,
    scope=("account_id",),
    order=("id",),
    columns=_columns,
    conditions={"done": _is_done},
)
