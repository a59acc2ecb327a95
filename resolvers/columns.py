"""Fields that are columns of a row, or attributes of an object: a field says what it reads of its
type's source value.

The mapping is in the field's `metadata[SOURCE]`, for everything that executes a document. A field
of one row that another table holds is `related` by a key of the row. A field with arguments is
`resolved` by a function.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from gateway.execution.fields import (
    BY_KEY,
    COST,
    EVENTS,
    GUESS,
    POLICY,
    SOURCE,
    Attributes,
    ByKey,
    Columns,
    ColumnSource,
    Computed,
    Cost,
    Events,
    Guess,
    Itself,
    Related,
    Source,
)
from gateway.ids import encode_global_id, encode_global_ids
from resolvers.costs import ONE_ROW
from resolvers.permissions import Policy


class RowField(StrawberryField):
    """A field that is read off its source value: no resolver, no `info`, no arguments."""

    def get_result(
        self, source: Any, info: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        return self.metadata[SOURCE].read(source)


class ContextField(StrawberryField):
    """A field that is made of its source value and the context: no resolver, no arguments."""

    @property
    def is_basic_field(self) -> bool:
        """False: Strawberry passes no `info` to a basic field."""
        return False

    def get_result(
        self, source: Any, info: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        field_source = self.metadata[SOURCE]
        if isinstance(field_source, Related):
            return field_source.load(source, info.context)
        return field_source.read(source, info.context)


def column(
    *names: str | int,
    description: str,
    policy: Policy | None = None,
    cost: Cost | None = None,
) -> Any:
    """Return the field of one column's value, or of several columns' values as a tuple."""
    return _row_field(Columns(names=names), description, policy, cost)


def converted(
    convert: Callable[..., Any],
    *names: str | int,
    description: str,
    policy: Policy | None = None,
    cost: Cost | None = None,
    all_: Callable[..., list[Any]] | None = None,
) -> Any:
    """Return the field of `convert(*values)` of the columns; null reaches `convert` too. `all_`
    does the same with whole columns.
    """
    source = Columns(names=names, convert=convert, convert_all=all_)
    return _row_field(source, description, policy, cost)


def money(name: str, *, description: str, policy: Policy | None = None) -> Any:
    """Return the `Money` field of a column of nanos, in the row's `currency`."""
    return _row_field(Columns(names=(name, "currency")), description, policy)


def attribute(
    *names: str, description: str, policy: Policy | None = None, cost: Cost | None = None
) -> Any:
    """Return the field of one attribute of an object, or of several attributes as a tuple."""
    return _row_field(Attributes(names=names), description, policy, cost)


def converted_attributes(
    convert: Callable[..., Any],
    *names: str,
    description: str,
    policy: Policy | None = None,
    cost: Cost | None = None,
) -> Any:
    """Return the field of `convert(*values)` of attributes; null reaches `convert` too."""
    return _row_field(Attributes(names=names, convert=convert), description, policy, cost)


def itself(*, when: str | None = None, description: str, policy: Policy | None = None) -> Any:
    """Return the field of an object that is made of the same row; see `Itself`."""
    return _row_field(Itself(when=when), description, policy)


def global_id(typename: str, *names: str, description: str) -> Any:
    """Return the `id` field: the account's key and, but for an account, the row's own."""

    def encode(account_id: int, key: int = 0) -> str:
        return encode_global_id(typename, account_id, key)

    encode_all = partial(encode_global_ids, typename)
    source = Columns(names=names, convert=encode, convert_all=encode_all)
    return _row_field(source, description, None)


def computed(
    compute: Callable[..., Any],
    first: str,
    /,
    *others: str,
    description: str,
    policy: Policy | None = None,
    cost: Cost | None = None,
    all_: Callable[..., list[Any]] | None = None,
) -> Any:
    """Return the field of `compute(context, *values)` of one or more columns. `all_` does the same
    with whole columns.
    """
    source = Computed(names=(first, *others), compute=compute, compute_all=all_)
    return ContextField(description=description, metadata=_metadata(source, policy, cost))


def related(
    loader: str,
    *names: str,
    key: Callable[..., Any] | None = None,
    description: str,
    policy: Policy | None = None,
    cost: Cost = ONE_ROW,
) -> Any:
    """Return the field of an object, or of objects, loaded by a key of the row; see `Related`."""
    source = Related(names=names, relation=loader, loader=attrgetter(f"loaders.{loader}"), key=key)
    return ContextField(description=description, metadata=_metadata(source, policy, cost))


def resolved(
    resolver: Callable[..., Any],
    *,
    description: str,
    policy: Policy | None = None,
    cost: Cost | None = None,
    name: str | None = None,
    deprecated: str | None = None,
    events: Events | None = None,
    guess: Guess | None = None,
    by_key: ByKey | None = None,
) -> Any:
    """Return a field that a function resolves; the attribute's annotation is its GraphQL type.

    `deprecated` names the replacement. The field of a subscription has `events`. `guess` guesses
    the row that the function loads; `by_key` says when the parent's key is enough to load.
    """
    return strawberry.field(
        resolver=resolver,
        name=name,
        description=description,
        deprecation_reason=deprecated,
        metadata=_metadata(None, policy, cost)
        | _given({EVENTS: events, GUESS: guess, BY_KEY: by_key}),
    )


def _row_field(
    source: ColumnSource, description: str, policy: Policy | None, cost: Cost | None = None
) -> RowField:
    return RowField(description=description, metadata=_metadata(source, policy, cost))


def _metadata(source: Source | None, policy: Policy | None, cost: Cost | None) -> dict[str, Any]:
    return _given({SOURCE: source, POLICY: policy, COST: cost})


def _given(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if part is not None}
