"""The root of all queries."""

from collections.abc import Awaitable
from typing import Annotated, ClassVar

import strawberry

from gateway.errors import BadUserInput, NotFound
from gateway.execution.fields import Cost
from gateway.execution.policies import Reference
from gateway.principal import Principal
from gateway.store.rows import VisibleAccount
from resolvers.columns import resolved
from resolvers.context import Info
from resolvers.costs import ONE_ROW
from resolvers.guesses import guess_account
from resolvers.nodes import check_count, find_node, ids_cost, load_account
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
            description="The platform's id of the account, such as a customer number. Exactly "
            "one of `id` and `externalId` is required."
        ),
    ] = None,
) -> VisibleAccount:
    if id_ is not None and external_id is None:
        account = await load_account(info.context, id_)
    elif external_id is not None and id_ is None:
        account = await info.context.loaders.account_by_external_id.load(external_id)
    else:
        raise BadUserInput("Exactly one of `id` and `externalId` is required.", argument="id")
    if account is None:
        raise NotFound("Account not found, or you don't have access.")
    return account


def resolve_node(
    info: Info,
    id_: Annotated[strawberry.ID, strawberry.argument(name="id", description="A global id.")],
) -> Awaitable[Reference | None]:
    return find_node(info.context, id_)


def resolve_nodes(
    info: Info,
    ids: Annotated[
        list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")
    ],
) -> list[Awaitable[Reference | None]]:
    check_count(len(ids), argument="ids")
    return [find_node(info.context, text) for text in ids]


@strawberry.type(description="The root of all queries.")
class Query:
    POLICY: ClassVar = Policy.ACCOUNT

    viewer: Viewer = resolved(
        find_viewer, policy=Policy.OPEN, description="The caller and the accounts they may read."
    )
    account: Account | None = resolved(
        find_account,
        cost=ONE_ROW,
        guess=guess_account,
        description="Find an account by global id or external id. Null with a NOT_FOUND error "
        "if the account does not exist or the caller has no access; both answers "
        "are the same.",
    )
    node: Node | None = resolved(
        resolve_node,
        cost=Cost(rows=2),
        description="Find an object by global id. Null if the object does not exist or the "
        "caller has no access; a FORBIDDEN error if the caller's role in the "
        "account does not include the object.",
    )
    nodes: list[Node | None] = resolved(
        resolve_nodes,
        cost=ids_cost("ids"),
        description="Find objects by global ids, in the order of the ids; each as with `node`.",
    )
