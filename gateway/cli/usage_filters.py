"""The options that filter usage, as parameters of an export."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeAlias

import typer

from gateway.errors import NotFound
from gateway.exports.request import FILTERS
from gateway.ids import encode_global_id
from gateway.store import deployments
from gateway.store.engine.database import Reader
from gateway.store.engine.stored_json import dumps

_AGAIN: Final = "may be repeated; an empty text is usage without one."

Deployments: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--deployment", help=f"External id of a deployment; {_AGAIN}"),
]
Providers: TypeAlias = Annotated[
    list[str] | None, typer.Option("--provider", help=f"Provider; {_AGAIN}")
]
GpuModels: TypeAlias = Annotated[
    list[str] | None, typer.Option("--gpu-model", help=f"GPU model; {_AGAIN}")
]
Projects: TypeAlias = Annotated[
    list[str] | None, typer.Option("--project", help=f"Project; {_AGAIN}")
]
Resources: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--resource",
        help="CPU, MEMORY, STORAGE, GPU, NETWORK, IP or OTHER; may be repeated.",
    ),
]


class UsageFilters:
    """The values of the options, in the order of FILTERS."""

    def __init__(self, *values: Sequence[str] | None) -> None:
        self._values = dict(zip(FILTERS, values, strict=True))

    async def parameters(self, reader: Reader, account_id: int) -> Mapping[str, str]:
        """Return the lists as parameters. Raises NotFound for an unknown deployment."""
        lists = dict(self._values)
        if named := lists["deployments"]:
            lists["deployments"] = await _global_ids(reader, account_id, named)
        return {
            name: dumps([value or None for value in values])
            for name, values in lists.items()
            if values
        }


async def _global_ids(reader: Reader, account_id: int, names: Sequence[str]) -> Sequence[str]:
    wanted = [(account_id, name) for name in names if name]
    rows = await deployments.by_external_id(reader, wanted)
    keys = {row["external_id"]: row["id"] for row in rows}
    if missing := [name for name in names if name and name not in keys]:
        raise NotFound(f"No deployment of the account has the external id {missing[0]}.")
    return [
        encode_global_id("Deployment", account_id, keys[name]) if name else "" for name in names
    ]
