"""The root of all queries."""

from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, ClassVar

import strawberry

from gateway.errors import NotFound
from gateway.principal import Principal
from resolvers.columns import resolved
from resolvers.context import Info
from resolvers.nodes import check_count, load_account, load_node
from resolvers.permissions import Policy
from resolvers.types.account import Account
from resolvers.types.node import Node
from resolvers.types.viewer import Viewer


def find_viewer(info: Info) -> Principal:
    return info.context.principal


async def find_account(
    info: Info,
    id_: Annotated[
        strawberry.ID, strawberry.argument(name="id", description="The account's global id.")
    ],
) -> Mapping[str, Any]:
    account = await load_account(info.context, id_)
    if account is None:
        raise NotFound("There is no such account, or it is not yours.")
    return account


def find_node(
    info: Info,
    id_: Annotated[strawberry.ID, strawberry.argument(name="id", description="A global id.")],
) -> Awaitable[Mapping[str, Any] | None]:
    return load_node(info.context, id_)


def find_nodes(
    info: Info,
    ids: Annotated[
        list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")
    ],
) -> list[Awaitable[Mapping[str, Any] | None]]:
    check_count(len(ids), argument="ids")
    return [load_node(info.context, text) for text in ids]


@strawberry.type(description="Everything that can be read.")
class Query:
    POLICY: ClassVar = Policy.ACCOUNT

    viewer: Viewer = resolved(
        find_viewer, policy=Policy.OPEN, description="Whoever asks, and what they may read."
    )
    account: Account | None = resolved(
        find_account,
        description="The account of a global id. Null with NOT_FOUND where there is none, or it is "
        "not the viewer's: the two cannot be told apart.",
    )
    node: Node | None = resolved(
        find_node,
        description="The object of a global id; null where there is none, or it is not the "
        "viewer's. FORBIDDEN for what the viewer's role in an account does not include.",
    )
    nodes: list[Node | None] = resolved(
        find_nodes, description="The objects of global ids, in their order; as `node` each."
    )
