"""Names of deployments, or their external ids, for the values of a dimension."""

from collections.abc import Collection, Mapping
from typing import Final, TypeAlias, TypedDict

from sqlalchemy import BigInteger, and_, func, select

from gateway.models import Deployment, table_of
from gateway.principal import Principal
from gateway.store.engine.database import Reader
from gateway.store.engine.parameters import batch
from gateway.store.engine.sql import Query
from gateway.store.tenancy import Scoped, Visible

_DEPLOYMENT: Final = table_of(Deployment)

DeploymentKey: TypeAlias = tuple[int, int]
"""An account, and the deployment's key in it."""


class _Name(TypedDict):
    account_id: int
    id: int
    label: str


def _statement(visible: Visible) -> Query:
    wanted = visible.of(batch(visible.dialect, account_id=BigInteger(), id=BigInteger()))
    same = and_(*(_DEPLOYMENT.c[name] == wanted.c[name] for name in ("account_id", "id")))
    label = func.coalesce(_DEPLOYMENT.c.name, _DEPLOYMENT.c.external_id).label("label")
    return select(wanted.c.account_id, wanted.c.id, label).join_from(wanted, _DEPLOYMENT, same)


_NAMES: Final = Scoped[_Name](_statement)


async def deployment_names(
    reader: Reader, principal: Principal, keys: Collection[DeploymentKey]
) -> Mapping[DeploymentKey, str]:
    """Return the names of the deployments that there are."""
    if not keys:
        return {}
    accounts, ids = (list(each) for each in zip(*keys, strict=True))
    rows = await _NAMES.fetch(reader, principal, account_id=accounts, id=ids)
    return {(row["account_id"], row["id"]): row["label"] for row in rows}
