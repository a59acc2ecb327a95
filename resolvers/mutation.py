"""The root of all mutations.

Each has one `input` and returns a payload: the object, or null and the errors that the person can
correct. Other errors are those of a query.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, NamedTuple

import strawberry

from gateway.billing.usage.saved_views import (
    MAX_FILTER,
    MAX_NAME,
    MAX_VIEWS,
    NO_VIEW,
    StatedFilter,
    UsageQuery,
    WantedView,
)
from gateway.errors import Fault, InvalidFields, NotFound
from gateway.execution.fields import Cost
from gateway.ids import GlobalId
from gateway.store.saved_views import SavedViewRow
from resolvers.columns import attribute, converted_attributes, resolved
from resolvers.context import Info
from resolvers.enums import Interval, UsageDimension, UsageRange, UserErrorCode
from resolvers.filters import UsageFilter
from resolvers.nodes import parse_id
from resolvers.permissions import Policy
from resolvers.scalars import TimeZone
from resolvers.types.saved_view import SavedView


class Outcome(NamedTuple):
    """A mutation's object, or the faults of its input."""

    view: SavedViewRow | None
    faults: Sequence[Fault] = ()


def _path(path: str) -> list[str]:
    return ["input", *path.split(".")]


@strawberry.type(description="An error in a mutation's input that the person can correct.")
class UserError:
    POLICY: ClassVar = Policy.OPEN
    POINTS: ClassVar = 0

    code: UserErrorCode = converted_attributes(
        UserErrorCode, "code", description="Its kind, as in `extensions.code` of other errors."
    )
    path: list[str] = converted_attributes(
        _path,
        "path",
        cost=Cost(items=5),
        description="The field of the input, such as `input`, `query`, `from`.",
    )
    message: str = attribute("message", description="What is wrong, and what is allowed.")


@strawberry.input(
    description="A usage query to save. A part that is omitted is at its default whenever the "
    "query is opened. The days are those of `range`, or from `from` to `to`."
)
class UsageQueryInput:
    interval: Interval | None = strawberry.field(
        default=None, description="The length of a bucket."
    )
    range_: UsageRange | None = strawberry.field(
        name="range", default=None, description="Days that move with the calendar."
    )
    from_: date | None = strawberry.field(
        name="from", default=None, description="First day (inclusive)."
    )
    to: date | None = strawberry.field(default=None, description="Last day (inclusive).")
    time_zone: TimeZone | None = strawberry.field(
        default=None, description="Time zone of all dates. Default: the account's."
    )
    filter_: UsageFilter | None = strawberry.field(
        name="filter",
        default=None,
        description=f"The usage to count: at most {MAX_FILTER:,} characters in all.",
    )
    by: UsageDimension | None = strawberry.field(
        default=None, description="The dimension to group by."
    )
    then: UsageDimension | None = strawberry.field(
        default=None, description="A second dimension, other than `by`."
    )


@strawberry.input(description="A view to save.")
class SaveViewInput:
    account_id: strawberry.ID = strawberry.field(description="The account's global id.")
    id: strawberry.ID | None = strawberry.field(
        default=None,
        description="The view to change or rename. Default: the viewer's view of the account with "
        "this name, or a new one.",
    )
    name: str = strawberry.field(
        description=f"The name: 1 to {MAX_NAME} characters; surrounding spaces are dropped."
    )
    query: UsageQueryInput = strawberry.field(description="The usage query.")


@strawberry.input(description="A view to delete.")
class DeleteViewInput:
    id: strawberry.ID = strawberry.field(description="The saved view's global id.")


class _Payload:
    POLICY: ClassVar = Policy.ACCOUNT
    POINTS: ClassVar = 10


@strawberry.type(description="The result of `saveView`.")
class SaveViewPayload(_Payload):
    view: SavedView | None = attribute(
        "view", description="The view as it was saved; null if there are `userErrors`."
    )
    user_errors: list[UserError] = attribute(
        "faults", cost=Cost(items=5), description="What to correct; empty if the view was saved."
    )


@strawberry.type(description="The result of `deleteView`.")
class DeleteViewPayload(_Payload):
    view: SavedView | None = attribute(
        "view", description="The view that was deleted; null if there are `userErrors`."
    )
    user_errors: list[UserError] = attribute(
        "faults",
        cost=Cost(items=5),
        description="Empty if the view was deleted; NOT_FOUND if there is no such view of the "
        "viewer, also because it was deleted before.",
    )


async def save_view(
    info: Info,
    input_: Annotated[
        SaveViewInput, strawberry.argument(name="input", description="The view to save.")
    ],
) -> Outcome:
    account = parse_id(input_.account_id, "Account")
    if account is None:
        raise NotFound("Account not found, or you don't have access.")
    given = input_.query
    wanted = WantedView(
        account_id=account.account_id,
        key=_key_of(input_.id, account),
        name=input_.name,
        query=UsageQuery(
            interval=given.interval,
            range=given.range_,
            from_=given.from_,
            to=given.to,
            time_zone=given.time_zone,
            filter=_stated(given.filter_),
            by=given.by,
            then=given.then,
        ),
    )
    try:
        return Outcome(await info.context.saved_views.save(wanted, info.context.principal))
    except InvalidFields as error:
        return Outcome(None, error.faults)


async def delete_view(
    info: Info,
    input_: Annotated[
        DeleteViewInput, strawberry.argument(name="input", description="The view to delete.")
    ],
) -> Outcome:
    view = parse_id(input_.id, "SavedView")
    if view is None:
        return Outcome(None, [Fault("id", NO_VIEW, NotFound.code)])
    try:
        deleted = await info.context.saved_views.delete(
            view.account_id, view.key, info.context.principal
        )
    except InvalidFields as error:
        return Outcome(None, error.faults)
    return Outcome(deleted)


def _key_of(text: str | None, account: GlobalId) -> int | None:
    """Return the key of a view of the account; 0, which none has, for any other id."""
    if text is None:
        return None
    view = parse_id(text, "SavedView")
    return view.key if view is not None and view.account_id == account.account_id else 0


def _stated(filter_: UsageFilter | None) -> StatedFilter | None:
    if filter_ is None:
        return None
    return StatedFilter(
        deployments=filter_.deployments,
        providers=filter_.providers,
        gpu_models=filter_.gpu_models,
        projects=filter_.projects,
        resources=filter_.resources,
    )


@strawberry.type(
    description="The root of all mutations, which run by POST and over a WebSocket. They may be "
    "sent again: the second time changes nothing."
)
class Mutation:
    POLICY: ClassVar = Policy.ACCOUNT

    save_view: SaveViewPayload | None = resolved(
        save_view,
        policy=Policy.PEOPLE,
        cost=Cost(rows=MAX_VIEWS),
        description="Save a usage query with a name. A view of the viewer with the name, or with "
        f"`id`, is replaced; at most {MAX_VIEWS} in each account. Null with a NOT_FOUND error if "
        "the account does not exist or the caller has no access, with a FORBIDDEN error for an API "
        "key.",
    )
    delete_view: DeleteViewPayload | None = resolved(
        delete_view,
        policy=Policy.PEOPLE,
        cost=Cost(rows=1),
        description="Delete a saved view of the viewer. Null with a FORBIDDEN error for an API "
        "key.",
    )
