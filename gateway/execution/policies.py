"""Policies: who may read a field. The engine enforces them before a resolver runs.

A policy stands on a field's descriptor or on its type (`gateway.execution.fields`). A field is
checked where a reader crosses to a new policy: its own, and that of the type it returns, unless
the parent's type has it already. So every way into a type passes the type's policy, and the fields
inside cost nothing.

The check wraps the field's resolver in the schema itself, once, so that the compiled plan and
graphql-core run the same one. A compiled plan reads columns without a resolver only for fields
without a check.

A field of an interface or a union returns `Reference`s: the policy of an object's type is checked
before the object is loaded.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import isawaitable
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from graphql import (
    GraphQLAbstractType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
)

from gateway.execution.fields import own_policy, type_policies

Check: TypeAlias = Callable[[Any, Any], None]
"""`check(row, context)` raises a GatewayError if the context's principal may not read the row's
field.
"""
Resolve: TypeAlias = Callable[..., Any]

_CHECKS: Final = "gateway-checks"


@runtime_checkable
class FieldPolicy(Protocol):
    """A rule about who may read a field. `check` is None if the parent's statement enforces it."""

    @property
    def check(self) -> Check | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An object that is found and not loaded: the policies of its type are checked on `owner`."""

    typename: str
    owner: Any
    load: Callable[[], Awaitable[Any]]


def enforce_policies(schema: GraphQLSchema) -> None:
    """Wrap the resolvers of a schema with their checks; a second call changes nothing."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for field in type_.fields.values():
                if _CHECKS not in field.extensions:
                    _enforce(schema, type_, field)


def checks_of(field: GraphQLField) -> Sequence[Check]:
    """Return the checks that precede a field's resolver."""
    checks: Sequence[Check] = field.extensions.get(_CHECKS, ())
    return checks


def _enforce(schema: GraphQLSchema, parent: GraphQLObjectType, field: GraphQLField) -> None:
    result = get_named_type(field.type)
    resolve = field.resolve
    if resolve is not None and is_abstract_type(result) and (types := _types(schema, result)):
        resolve = partial(_resolve_references, resolve, types)
    policies = {own_policy(field), *type_policies(result)} - type_policies(parent)
    checks = _checks(policies)
    if resolve is not None and checks:
        resolve = partial(_resolve_checked, resolve, checks)
    field.resolve = resolve
    field.extensions[_CHECKS] = checks


def _types(schema: GraphQLSchema, type_: GraphQLAbstractType) -> Mapping[str, Sequence[Check]]:
    """Return the checks of each possible type, by name; empty if the schema has no policies."""
    policies = {each.name: type_policies(each) for each in schema.get_possible_types(type_)}
    return {name: _checks(of_type) for name, of_type in policies.items() if of_type}


def _checks(policies: set[Any] | frozenset[Any]) -> tuple[Check, ...]:
    found = {policy.check: None for policy in policies if isinstance(policy, FieldPolicy)}
    return tuple(check for check in found if check is not None)


def _resolve_checked(
    resolve: Resolve,
    checks: Sequence[Check],
    parent: Any,
    info: GraphQLResolveInfo[Any],
    **arguments: Any,
) -> Any:
    for check in checks:
        check(parent, info.context)
    return resolve(parent, info, **arguments)


def _resolve_references(
    resolve: Resolve,
    types: Mapping[str, Sequence[Check]],
    parent: Any,
    info: GraphQLResolveInfo[Any],
    **arguments: Any,
) -> Any:
    found = resolve(parent, info, **arguments)
    if isinstance(found, list):
        return [_load(each, types, info.context) for each in found]
    return _load(found, types, info.context)


async def _load(found: Any, types: Mapping[str, Sequence[Check]], context: Any) -> Any:
    reference = await found if isawaitable(found) else found
    if reference is None:
        return None
    if not isinstance(reference, Reference):
        raise TypeError(f"A field of an abstract type returns References, not {type(reference)}.")
    for check in types[reference.typename]:
        check(reference.owner, context)
    return await reference.load()
