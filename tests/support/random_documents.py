"""Random documents over any schema: aliases, fragments, directives with variables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import strategies as st

Values: TypeAlias = Callable[[str, str, GraphQLArgument], st.SearchStrategy[str]]
"""Literals of an argument, by the names of its field and itself."""

CONDITIONS = ("a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomDocument:
    """A document that is valid but for rare conflicts, and values for its variables."""

    text: str
    variables: dict[str, bool]


@dataclass(slots=True, kw_only=True)
class _Writer:
    draw: st.DrawFn
    schema: GraphQLSchema
    values: Values
    fragments: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    names: int = 0

    def selections(self, type_: GraphQLNamedType, depth: int) -> str:
        count = self.draw(st.integers(1, 3 + depth))
        return "{ " + " ".join(self.selection(type_, depth) for _ in range(count)) + " }"

    def selection(self, type_: GraphQLNamedType, depth: int) -> str:
        kind = self.draw(st.sampled_from(["field"] * 6 + ["inline", "spread", "__typename"]))
        if kind == "field" and not isinstance(type_, GraphQLUnionType):
            return self.field(type_, depth)
        if kind == "inline" and depth:
            inner = self.narrowed(type_)
            condition = f"on {inner.name} " if self.draw(st.booleans()) else ""
            within = inner if condition else type_
            return f"... {condition}{self.directive()} {self.selections(within, depth - 1)}"
        if kind == "spread" and depth:
            return f"...{self.fragment(self.narrowed(type_), depth - 1)} {self.directive()}"
        return f"__typename {self.directive()}"

    def narrowed(self, type_: GraphQLNamedType) -> GraphQLNamedType:
        if not is_abstract_type(type_):
            return type_
        return self.draw(st.sampled_from([type_, *self.schema.get_possible_types(type_)]))

    def fragment(self, type_: GraphQLNamedType, depth: int) -> str:
        name = f"F{len(self.fragments)}"
        self.fragments[name] = ""  # its place, before those that it spreads
        self.fragments[name] = f"fragment {name} on {type_.name} {self.selections(type_, depth)}"
        return name

    def field(self, type_: GraphQLNamedType, depth: int) -> str:
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        names = [
            name
            for name, each in type_.fields.items()
            if depth or is_leaf_type(get_named_type(each.type))
        ]
        if not names:
            return "__typename"
        name = self.draw(st.sampled_from(names))
        chosen = type_.fields[name]
        arguments = self.arguments(name, chosen)
        # Fields with arguments have names of their own: equal ones would have to be equal.
        alias = f"{self.new_name()}: " if arguments or self.draw(st.booleans()) else ""
        inner = get_named_type(chosen.type)
        rest = self.selections(inner, depth - 1) if is_composite_type(inner) else ""
        return f"{alias}{name}{arguments} {self.directive()} {rest}"

    def new_name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def arguments(self, name: str, chosen: GraphQLField) -> str:
        given = [
            f"{key}: {self.draw(self.values(name, key, argument))}"
            for key, argument in chosen.args.items()
            if is_required_argument(argument) or self.draw(st.booleans())
        ]
        return f"({', '.join(given)})" if given else ""

    def directive(self) -> str:
        if self.draw(st.integers(0, 5)):
            return ""
        name = self.draw(st.sampled_from(["skip", "include"]))
        value = self.draw(st.sampled_from(["true", "false", *(f"${each}" for each in CONDITIONS)]))
        if value.startswith("$"):
            self.used.add(value[1:])
        return f"@{name}(if: {value})"


def random_documents(
    schema: GraphQLSchema, values: Values, *, depth: int = 4
) -> st.SearchStrategy[RandomDocument]:
    """Return documents of one query, of fields nested at most `depth` + 1 deep."""

    @st.composite
    def documents(draw: st.DrawFn) -> RandomDocument:
        writer = _Writer(draw=draw, schema=schema, values=values)
        assert schema.query_type is not None
        selections = writer.selections(schema.query_type, depth)
        declared = ", ".join(f"${name}: Boolean!" for name in sorted(writer.used))
        head = f"query ({declared})" if declared else "query"
        text = "\n".join([f"{head} {selections}", *writer.fragments.values()])
        variables: dict[str, Any] = {name: draw(st.booleans()) for name in writer.used}
        return RandomDocument(text=text, variables=variables)

    return documents()
