"""Saved views: usage queries with names, kept per person and account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from gateway.billing.usage.breakdown import checked_dimensions
from gateway.billing.usage.filters import Values, stated_values, usage_filter
from gateway.clock import Clock
from gateway.errors import BadUserInput, Conflict, Fault, InvalidFields, NotFound
from gateway.ids import KeyFactory
from gateway.models import UsageRange
from gateway.principal import Principal
from gateway.store import Database, Transaction, saved_views
from gateway.store.account_listing import ACCOUNT_BY_ID
from gateway.store.engine.stored_json import dumps, loads
from gateway.store.rows import VisibleAccount
from gateway.store.saved_views import SavedViewCells, SavedViewRow, cells_of
from gateway.store.usage_filter import UsageDimension
from gateway.text import checked_name
from gateway.windows import Interval, finest_interval, local_day, resolve_window, zone

MAX_VIEWS: Final = 50
"""Most views of one person in one account."""
MAX_NAME: Final = 100
MAX_FILTER: Final = 10_000
"""Most characters of a filter as JSON."""
NO_VIEW: Final = "Saved view not found."


class StatedFilter(NamedTuple):
    """The lists of a usage filter as clients state them; None for any value."""

    deployments: Values = None
    providers: Values = None
    gpu_models: Values = None
    projects: Values = None
    resources: Values = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageQuery:
    """A usage query as it is saved: its days are those of `range`, or from `from_` to `to`. A part
    that is None is at its default when the query is opened.
    """

    interval: Interval | None = None
    range: UsageRange | None = None
    from_: date | None = None
    to: date | None = None
    time_zone: str | None = None
    filter: StatedFilter | None = None
    by: UsageDimension | None = None
    then: UsageDimension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedView:
    """A view to save: the one with `key`, else the one with the name, else a new one."""

    account_id: int
    key: int | None
    name: str
    query: UsageQuery


def read_filter(text: str | None) -> StatedFilter | None:
    """Return the stored lists of a filter."""
    if text is None:
        return None
    lists = loads(text)
    return StatedFilter(**{name: lists.get(name) for name in StatedFilter._fields})


class SavedViews:
    """Saves and deletes views, each in a transaction of its own.

    Raises NotFound where the principal may not read the account, and InvalidFields for faults that
    the person can correct, each with its path in the mutation's input.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys = KeyFactory(clock)

    async def save(self, wanted: WantedView, principal: Principal) -> SavedViewRow:
        """Save a view; the same again changes nothing."""
        async with self._database.writing(principal) as transaction:
            account = await _account(transaction, principal, wanted.account_id)
            await saved_views.lock(transaction, wanted.account_id, principal.subject)
            (mine,) = await saved_views.views_by_account(
                transaction, principal, [wanted.account_id]
            )
            now = self._clock.now()
            checked = _checked(wanted, account, now)
            replaced = _replaced(mine, wanted.key, checked.name)
            cells = _cells(wanted, checked, principal.subject, now)
            if replaced is None:
                cells = cells._replace(id=self._keys.new())
            else:
                cells = cells._replace(id=replaced["id"], created_at=replaced["created_at"])
                if cells._replace(updated_at=replaced["updated_at"]) == cells_of(replaced):
                    return replaced
            await saved_views.save(transaction, cells)
            return cells.row

    async def delete(self, account_id: int, key: int, principal: Principal) -> SavedViewRow:
        """Delete a view and return it."""
        async with self._database.writing(principal) as transaction:
            removed = await saved_views.remove(transaction, principal, account_id, key)
        if removed is None:
            raise InvalidFields([Fault("id", NO_VIEW, NotFound.code)])
        return removed


class _Checked(NamedTuple):
    name: str
    filter: str | None


async def _account(
    transaction: Transaction, principal: Principal, account_id: int
) -> VisibleAccount:
    (account,) = await ACCOUNT_BY_ID.fetch(transaction, principal, [(account_id,)])
    if account is None:
        raise NotFound("Account not found, or you don't have access.")
    return account


def _checked(wanted: WantedView, account: VisibleAccount, now: datetime) -> _Checked:
    """Return the name and the filter as they are stored. Raises InvalidFields, with all faults."""
    query, faults = wanted.query, list[Fault]()
    name, filter_ = "", None
    try:
        name = checked_name(wanted.name.strip(), "name", limit=MAX_NAME)
    except BadUserInput as error:
        faults.append(Fault("name", error.message))
    try:
        filter_ = _stated(query.filter, wanted.account_id)
    except BadUserInput as error:
        faults.append(Fault(f"query.{error.argument}", error.message))
    for check in (_check_days, _check_dimensions):
        try:
            check(query, account, now)
        except BadUserInput as error:
            faults.append(Fault(f"query.{error.argument}", error.message))
    if faults:
        raise InvalidFields(faults)
    return _Checked(name, filter_)


def _stated(stated: StatedFilter | None, account_id: int) -> str | None:
    """Return a filter as JSON, with its values in order, without those that no usage can have."""
    if stated is None:
        return None
    try:
        selected = usage_filter(account_id, **stated._asdict())
    except BadUserInput as error:
        raise BadUserInput(error.message, argument=f"filter.{error.argument}") from None
    values = stated_values(selected, account_id)
    values["gpu_models"] = values.pop("gpuModels")
    text = dumps({name: each for name, each in values.items() if each is not None})
    if len(text) > MAX_FILTER:
        raise BadUserInput(
            f"The filter of a saved view may have at most {MAX_FILTER:,} characters in all.",
            argument="filter",
        )
    return None if text == "{}" else text


def _check_days(query: UsageQuery, account: VisibleAccount, now: datetime) -> None:
    from_, to = query.from_, query.to
    if query.range is not None:
        if from_ is not None or to is not None:
            raise BadUserInput("Use either `range` or `from` and `to`.", argument="range")
        return
    local = zone(query.time_zone or account["time_zone"])
    interval = query.interval or finest_interval(from_, to)
    resolve_window(interval, from_, to, local, local_day(now, local))


def _check_dimensions(query: UsageQuery, _account: VisibleAccount, _now: datetime) -> None:
    if query.by is not None:
        checked_dimensions(query.by, query.then)
    elif query.then is not None:
        raise BadUserInput("`then` requires `by`.", argument="then")


def _replaced(mine: Sequence[SavedViewRow], key: int | None, name: str) -> SavedViewRow | None:
    """Return the person's view that is replaced; None for a new one."""
    named = next((view for view in mine if view["name"] == name), None)
    if key is None:
        if named is None and len(mine) >= MAX_VIEWS:
            sentence = f"An account has at most {MAX_VIEWS} saved views of yours: delete one first."
            raise InvalidFields([Fault("name", sentence)])
        return named
    found = next((view for view in mine if view["id"] == key), None)
    if found is None:
        raise InvalidFields([Fault("id", NO_VIEW, NotFound.code)])
    if named is not None and named["id"] != key:
        sentence = "Another of your saved views has this name."
        raise InvalidFields([Fault("name", sentence, Conflict.code)])
    return found


def _cells(wanted: WantedView, checked: _Checked, subject: str, now: datetime) -> SavedViewCells:
    query = wanted.query
    return SavedViewCells(
        account_id=wanted.account_id,
        id=0,
        subject=subject,
        name=checked.name,
        interval=query.interval,
        range=query.range,
        from_on=query.from_,
        to_on=query.to,
        time_zone=query.time_zone,
        filter=checked.filter,
        group_by=query.by,
        then_by=query.then,
        created_at=now,
        updated_at=now,
    )
