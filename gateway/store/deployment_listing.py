"""Deployments with their account's currency: by key, and page by page."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import FromClause, select

from gateway.models import Account, Deployment, table_of
from gateway.store.engine.sql import Expression
from gateway.store.listing import Listing
from gateway.store.relation import Keyed
from gateway.store.rows import Counted, VisibleDeployment
from gateway.store.tenancy import Visible

_ACCOUNT = table_of(Account)
_DEPLOYMENT = table_of(Deployment)


def _columns(_: Visible, deployments: FromClause) -> Sequence[Expression]:
    currency = select(_ACCOUNT.c.currency).where(_ACCOUNT.c.account_id == deployments.c.account_id)
    return [*deployments.c, currency.scalar_subquery().label("currency")]


DEPLOYMENT_BY_ID: Final = Keyed[VisibleDeployment](
    _DEPLOYMENT, "account_id", "id", columns=_columns
)
DEPLOYMENTS: Final = Listing[VisibleDeployment, Counted](
    _DEPLOYMENT,
    scope=("account_id",),
    order=("started_at", "id"),
    columns=_columns,
    conditions={
        "running": lambda deployments: deployments.c.closed_at.is_(None),
        "closed": lambda deployments: deployments.c.closed_at.is_not(None),
    },
)
