"""Deployments, with their account's currency."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, select

from gateway.models import Account, Deployment, table_of
from gateway.store import Listing, Visible
from loaders.batch import Keyed

_ACCOUNT = table_of(Account)
_DEPLOYMENT = table_of(Deployment)


def _columns(_: Visible, deployments: FromClause) -> Sequence[ColumnElement[Any]]:
    currency = select(_ACCOUNT.c.currency).where(_ACCOUNT.c.account_id == deployments.c.account_id)
    return [*deployments.c, currency.scalar_subquery().label("currency")]


DEPLOYMENT_BY_ID: Final = Keyed(_DEPLOYMENT, "account_id", "id", columns=_columns)
DEPLOYMENTS: Final = Listing(
    _DEPLOYMENT,
    scope=("account_id",),
    order=("started_at", "id"),
    columns=_columns,
    conditions={
        "running": lambda deployments: deployments.c.closed_at.is_(None),
        "closed": lambda deployments: deployments.c.closed_at.is_not(None),
    },
)
