"""A schema with every feature of the language, and resolvers that fail in every way.

A value depends on the object's number and the field's arguments alone, so that two executions of
one document see the same.
"""

import asyncio
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, NewType

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry.schema.config import StrawberryConfig

from gateway.errors import Forbidden

Odd = NewType("Odd", int)


def serialize_odd(value: int) -> int | None:
    """Return twice the number; 4 fails, and 5 has no serialized form."""
    if value == 4:
        raise ValueError("4 is even")
    return None if value == 5 else 2 * value


@strawberry.enum
class Colour(Enum):
    RED = "r"
    BLUE = "b"


@strawberry.input
class Shift:
    by: int = 1
    tags: list[str] | None = None


@strawberry.interface
class Named:
    number: int

    @classmethod
    def resolve_type(
        cls, value: Any, _: GraphQLResolveInfo[Any], __: GraphQLAbstractType
    ) -> str | None:
        return None if value.number == 13 else type(value).__name__

    def spelled(self) -> str:
        return f"{type(self).__name__} {self.number}"

    @strawberry.field
    def name(self) -> str:
        return self.spelled()

    @strawberry.field
    async def maybe(self) -> str | None:
        await asyncio.sleep(0)
        return None if self.number % 3 == 0 else self.spelled()

    @strawberry.field
    def place(self, info: strawberry.Info) -> str:
        """Return everything of `info` that depends on the place in the document."""
        raw = info._raw_info
        path = ".".join(map(str, raw.path.as_list()))
        return f"{path} {raw.field_name} {raw.parent_type} {raw.return_type} {len(raw.field_nodes)}"

    @strawberry.field
    def colour(self) -> Colour:
        return (Colour.RED, Colour.BLUE)[self.number % 2]

    @strawberry.field
    def odd(self) -> Odd | None:
        return Odd(self.number)

    @strawberry.field
    def wide(self) -> int | None:
        return self.number * 200_000_000

    @strawberry.field
    def ratio(self) -> float | None:
        return float("nan") if self.number == 7 else self.number / 4

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.number))

    @strawberry.field
    def shifted(self, shift: Shift, twice: bool = False) -> int:
        (shift.tags or []).append("changed")
        return self.number + shift.by * (2 if twice else 1) + len(shift.tags or ())

    @strawberry.field
    def refused(self) -> str | None:
        if self.number % 5 == 2:
            raise Forbidden(f"{self.number} is refused.")
        return None

    @strawberry.field
    async def sometimes(self) -> str:
        await asyncio.sleep(0)
        if self.number == 3:
            raise Forbidden(f"{self.number} is refused late.")
        return "always"

    @strawberry.field
    def returned(self) -> str | None:
        return ValueError("returned") if self.number == 4 else "well"  # type: ignore[return-value]

    @strawberry.field
    def missing(self) -> str:
        return None if self.number == 6 else "there"  # type: ignore[return-value]

    @strawberry.field
    def grid(self) -> list[list[int | None]]:
        return [[row * column or None for column in range(3)] for row in range(self.number % 4)]

    @strawberry.field
    def strict(self) -> list[list[int] | None] | None:
        return [[1, self.number], None if self.number % 2 else [None if self.number == 10 else 4]]  # type: ignore[list-item]

    @strawberry.field
    def unusual(self) -> list[int]:
        def generate() -> Iterator[int]:
            yield self.number

        return generate() if self.number == 11 else (1, 2)  # type: ignore[return-value]

    @strawberry.field
    def no_list(self) -> list[int] | None:
        return 5 if self.number == 8 else []  # type: ignore[return-value]


@strawberry.type
class Cat(Named):
    @classmethod
    def is_type_of(cls, value: Any, _: GraphQLResolveInfo[Any]) -> bool:
        return isinstance(value, cls)

    @strawberry.field
    def mouse(self) -> Annotated["Mouse", strawberry.lazy(__name__)] | None:
        return Mouse(number=self.number + 1) if self.number % 3 else None


@strawberry.type
class Mouse(Named):
    @strawberry.field
    async def cats(self, first: int = 2) -> list[Cat]:
        await asyncio.sleep(0)
        return [Cat(number=self.number + each) for each in range(first)]

    @strawberry.field
    def late_cats(self) -> list[Cat | None]:
        async def late(number: int) -> Cat | None:
            await asyncio.sleep(0)
            if number == 9:
                raise Forbidden("No ninth cat.")
            return Cat(number=number) if number % 2 else None

        return [late(number) for number in range(self.number % 4)]  # type: ignore[misc]


Animal = Annotated[Cat | Mouse, strawberry.union("Animal")]


def find_all(first: int = 3) -> list[Any]:
    return [(Cat, Mouse)[number % 2](number=number) for number in range(first)]


@strawberry.type
class Query:
    @strawberry.field
    def cat(self, number: int = 1) -> Cat | None:
        return Cat(number=number)

    @strawberry.field
    async def mouse(self, number: int = 2) -> Mouse:
        await asyncio.sleep(0)
        return Mouse(number=number)

    @strawberry.field
    def named(self, first: int = 3) -> list[Named]:
        return find_all(first)

    @strawberry.field
    def animals(self, first: int = 4) -> list[Animal | None] | None:
        return [None, *find_all(first)]

    @strawberry.field
    def one(self, number: int = 3) -> Named | None:
        async def find() -> Named:
            return (Cat, Mouse)[number % 2](number=number)

        return find()  # type: ignore[return-value]

    @strawberry.field
    def wrong(self, number: int = 1) -> Cat | None:
        return (Cat if number % 3 else Mouse)(number=number)  # type: ignore[return-value]


ODD = strawberry.scalar(name="Odd", serialize=serialize_odd, parse_value=int)
SCHEMA = strawberry.Schema(
    Query, types=[Cat, Mouse], config=StrawberryConfig(scalar_map={Odd: ODD})
)
