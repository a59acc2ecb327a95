"""The root of all queries."""

from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, ClassVar

import strawberry

from gateway.errors import BadUserInput, NotFound
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
        strawberry.ID | None,
        strawberry.argument(name="id", description="The account's global id."),
    ] = None,
    external_id: Annotated[
        str | None,
        strawberry.argument(
            description="The platform's own id, such as a customer number. Exactly one of `id` and "
            "`externalId` is given."
        ),
    ] = None,
) -> Mapping[str, Any]:
    if id_ is not None and external_id is None:
        account = await load_account(info.context, id_)
    elif external_id is not None and id_ is None:
        account = await info.context.loaders.account_by_external_id.load(external_id)
    else:
        raise BadUserInput("Give exactly one of `id` and `externalId`.", argument="id")
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
        description="The account with a global id or an external id. Null with NOT_FOUND where it "
        "does not exist or the viewer may not read it: the answer is the same.",
    )
    node: Node | None = resolved(
        find_node,
        description="The object of a global id; null where there is none, or it is not the "
        "viewer's. FORBIDDEN for what the viewer's role in an account does not include.",
    )
    nodes: list[Node | None] = resolved(
        find_nodes, description="The objects of global ids, in their order; as `node` each."
    )
