"""Serves the schema as an Apollo Federation v2 subgraph.

The subgraph describes itself by the plain schema's text with keys on its entities, so the types
carry no directives and one set of them serves both schemas.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Final, NamedTuple

import strawberry
from graphql import DocumentNode, ObjectTypeDefinitionNode, parse, print_ast
from strawberry.types.scalar import ScalarDefinition

from gateway.errors import BadUserInput
from gateway.execution.policies import Reference
from resolvers.columns import column, resolved
from resolvers.context import Info
from resolvers.nodes import check_count, find_node, ids_cost
from resolvers.permissions import Policy
from resolvers.query import Query
from resolvers.types.account import Account
from resolvers.types.deployment import Deployment

TYPENAME: Final = "__typename"
ENTITIES: Final = ("Account", "Deployment")
LINK: Final = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])'
)


class Representation(NamedTuple):
    """An entity's type, and the field of its key."""

    typename: str
    id: str


Entity = Annotated[
    Account | Deployment,
    strawberry.union("_Entity", description="An entity that other subgraphs may reference."),
]


def parse_representation(value: object) -> Representation:
    """Return an entity's `__typename` and `id`; raises BadUserInput for anything else."""
    if isinstance(value, dict):
        typename, id_ = value.get(TYPENAME), value.get("id")
        if typename in ENTITIES and isinstance(id_, str):
            return Representation(typename, id_)
    raise BadUserInput(
        f"A representation must have `__typename` ({' or '.join(ENTITIES)}) and `id`.",
        argument="representations",
    )


REPRESENTATION: Final[Mapping[object, ScalarDefinition]] = {
    Representation: strawberry.scalar(
        name="_Any",
        description="An entity's `__typename` and the fields of its key.",
        parse_value=parse_representation,
    )
}


def with_keys(schema_text: str) -> str:
    """Return a plain schema's text as the text of a subgraph."""
    example = parse('type Keyed @key(fields: "id")').definitions[0]
    assert isinstance(example, ObjectTypeDefinitionNode)  # noqa: S101  # narrows for mypy
    definitions = tuple(
        replace(definition, directives=example.directives)
        if isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value in ENTITIES
        else definition
        for definition in parse(schema_text).definitions
    )
    return f"{LINK}\n\n{print_ast(DocumentNode(definitions=definitions))}\n"


def find_entities(
    info: Info,
    representations: Annotated[
        list[Representation], strawberry.argument(description="Entities, at most 100.")
    ],
) -> list[Awaitable[Reference | None]]:
    check_count(len(representations), argument="representations")
    return [_find_entity(info, each) for each in representations]


async def _find_entity(info: Info, representation: Representation) -> Reference | None:
    found = await find_node(info.context, representation.id)
    return found if found is not None and found.typename == representation.typename else None


@strawberry.type(name="_Service", description="The subgraph's description of itself.")
class Service:
    POLICY: ClassVar = Policy.OPEN

    sdl: str = column(0, description="The subgraph's schema in the schema definition language.")


def subgraph_query(sdl: str) -> type[Query]:
    """Return the query root of a subgraph that describes itself by `sdl`."""

    @strawberry.type(name="Query", description="The root of all queries.")
    class SubgraphQuery(Query):
        service: Service = resolved(
            lambda: (sdl,),
            name="_service",
            policy=Policy.OPEN,
            description="The subgraph's description of itself.",
        )
        entities: list[Entity | None] = resolved(
            find_entities,
            cost=ids_cost("representations"),
            name="_entities",
            description="The entities of the representations, in the same order; each as with "
            "`node`.",
        )

    return SubgraphQuery
