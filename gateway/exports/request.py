"""Requests for exports: the filter or window of the GraphQL field, as URL parameters.

`parameters` writes it down so that nothing depends on when it is read: the zone by its name, and a
window's dates. `read` reads that again, or what a script wrote.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Self, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from gateway import strict_json
from gateway.billing.usage.breakdown import checked_dimensions
from gateway.billing.usage.filters import stated_values, usage_filter
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus, LedgerCause
from gateway.store import Selection
from gateway.store.day_span import day_span
from gateway.store.purchase_search import search_condition
from gateway.store.rows import AccountRow
from gateway.store.usage_filter import EVERYTHING, UsageDimension, UsageFilter
from gateway.text import checked_text
from gateway.windows import (
    Interval,
    Window,
    checked_day,
    finest_interval,
    local_day,
    resolve_window,
    zone,
)

Parameters: TypeAlias = Mapping[str, str]
Choice = TypeVar("Choice", bound=StrEnum)

MAX_SEARCH: Final = 100
"""Longest text of a search, characters."""
FILTERS: Final = ("deployments", "providers", "gpuModels", "projects", "resources")
"""The lists of a usage filter."""

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseExportRequest:
    """Purchases begun on local days, both inclusive, of any of some statuses and of some kinds,
    that have a text (checked; see `store.purchase_search`).

    None selects all, an empty set nothing.
    """

    zone: ZoneInfo
    from_: date | None = None
    to: date | None = None
    status: frozenset[CreditPurchaseStatus] | None = None
    kind: frozenset[CreditPurchaseKind] | None = None
    search: str | None = None

    @classmethod
    def read(cls, parameters: Parameters, account: AccountRow) -> Self:
        """Return the request of `from`, `to`, `timeZone`, `status`, `kind` (both separated by
        commas) and `search`; raises BadUserInput.
        """
        _refuse_others(parameters, {"from", "to", "timeZone", "status", "kind", "search"})
        return cls(
            zone=zone(parameters.get("timeZone", account["time_zone"])),
            from_=_read_day(parameters, "from"),
            to=_read_day(parameters, "to"),
            status=_read_choices(parameters, "status", CreditPurchaseStatus),
            kind=_read_choices(parameters, "kind", CreditPurchaseKind),
            search=checked_search(parameters.get("search")),
        )

    def parameters(self) -> dict[str, str]:
        given = {
            "from": self.from_,
            "to": self.to,
            "timeZone": self.zone.key,
            "search": self.search,
        }
        lists = {"status": self.status, "kind": self.kind}
        return {
            **{name: str(value) for name, value in given.items() if value is not None},
            **{name: ",".join(sorted(each)) for name, each in lists.items() if each is not None},
        }

    def selection(self, account_id: int) -> Selection:
        """Return the selection of the account's requested rows; raises BadUserInput."""
        lower, upper = day_span(self.from_, self.to, self.zone)
        lists = (("status", self.status), ("kind", self.kind))
        conditions: list[tuple[str, tuple[str, ...]]] = [
            (name, tuple(sorted(each))) for name, each in lists if each is not None
        ]
        parameters: tuple[tuple[str, object], ...] = ()
        if self.search is not None:
            name, parameters = search_condition(self.search, account_id)
            conditions.append((name, (self.search,)))
        return Selection(
            scope=(account_id,),
            lower=lower,
            upper=upper,
            conditions=tuple(conditions),
            parameters=parameters,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerExportRequest:
    """Rows of the ledger recorded on local days, both inclusive, of any of some causes.

    None selects all, an empty set nothing.
    """

    zone: ZoneInfo
    from_: date | None = None
    to: date | None = None
    cause: frozenset[LedgerCause] | None = None

    @classmethod
    def read(cls, parameters: Parameters, account: AccountRow) -> Self:
        """Return the request of `from`, `to`, `timeZone` and `cause` (separated by commas); raises
        BadUserInput.
        """
        _refuse_others(parameters, {"from", "to", "timeZone", "cause"})
        return cls(
            zone=zone(parameters.get("timeZone", account["time_zone"])),
            from_=_read_day(parameters, "from"),
            to=_read_day(parameters, "to"),
            cause=_read_choices(parameters, "cause", LedgerCause),
        )

    def parameters(self) -> dict[str, str]:
        given = {"from": self.from_, "to": self.to, "timeZone": self.zone.key}
        causes = {} if self.cause is None else {"cause": ",".join(sorted(self.cause))}
        return {name: str(value) for name, value in given.items() if value is not None} | causes

    def selection(self, account_id: int) -> Selection:
        """Return the selection of the account's requested rows; raises BadUserInput."""
        lower, upper = day_span(self.from_, self.to, self.zone)
        conditions = () if self.cause is None else (("cause", tuple(sorted(self.cause))),)
        return Selection(scope=(account_id,), lower=lower, upper=upper, conditions=conditions)


class UsageRows(StrEnum):
    """The rows of an export of usage."""

    CHARGES = "CHARGES"
    BUCKETS = "BUCKETS"
    SERIES = "SERIES"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageExportRequest:
    """Usage that starts in a window and passes a filter, in buckets of an interval: its charges,
    the buckets, or series by a dimension and, maybe, a second one. A filter of deployments is one
    of an account.
    """

    window: Window
    interval: Interval
    filter: UsageFilter = EVERYTHING
    account_id: int = 0
    rows: UsageRows = UsageRows.CHARGES
    by: UsageDimension | None = None
    then: UsageDimension | None = None

    def __post_init__(self) -> None:
        """Raise BadUserInput for dimensions that do not go with the rows."""
        if self.rows is UsageRows.SERIES:
            if self.by is None:
                raise BadUserInput("`by` is required for the rows SERIES.", argument="by")
            checked_dimensions(self.by, self.then)
            return
        for name, value in (("by", self.by), ("then", self.then)):
            if value is not None:
                raise BadUserInput(f"`{name}` requires the rows SERIES.", argument=name)

    @classmethod
    def read(cls, parameters: Parameters, account: AccountRow, now: datetime) -> Self:
        """Return the request of `interval`, `from`, `to`, `timeZone`, the filter's lists (JSON,
        such as `["search",null]`), `rows`, `by` and `then`, by the rules of the field `usage`;
        raises BadUserInput.
        """
        windows = {"interval", "from", "to", "timeZone"}
        _refuse_others(parameters, {*windows, *FILTERS, "rows", "by", "then"})
        from_, to = _read_day(parameters, "from"), _read_day(parameters, "to")
        named = parameters.get("interval")
        interval = (
            finest_interval(from_, to)
            if named is None
            else read_choice(named, "interval", Interval)
        )
        local = zone(parameters.get("timeZone", account["time_zone"]))
        window = resolve_window(interval, from_, to, local, local_day(now, local))
        lists = {name: _read_values(parameters, name) for name in FILTERS}
        account_id = account["account_id"]
        selected = usage_filter(
            account_id,
            deployments=lists["deployments"],
            providers=lists["providers"],
            gpu_models=lists["gpuModels"],
            projects=lists["projects"],
            resources=lists["resources"],
        )
        by, then = (
            read_choice(parameters[name], name, UsageDimension) if name in parameters else None
            for name in ("by", "then")
        )
        rows = read_choice(parameters.get("rows", UsageRows.CHARGES), "rows", UsageRows)
        return cls(
            window=window,
            interval=interval,
            filter=selected,
            account_id=account_id,
            rows=rows,
            by=by,
            then=then,
        )

    def parameters(self) -> dict[str, str]:
        window = self.window
        stated = stated_values(self.filter, self.account_id)
        lists = {name: values for name, values in stated.items() if values is not None}
        rows = {} if self.rows is UsageRows.CHARGES else {"rows": self.rows}
        dimensions = {"by": self.by, "then": self.then}
        return {
            **rows,
            **{name: each for name, each in dimensions.items() if each is not None},
            "interval": self.interval,
            "from": str(window.from_),
            "to": str(window.to),
            "timeZone": window.time_zone,
            **{name: json.dumps(values, separators=(",", ":")) for name, values in lists.items()},
        }


ExportRequest: TypeAlias = PurchaseExportRequest | LedgerExportRequest | UsageExportRequest


def _read_values(parameters: Parameters, name: str) -> list[str | None] | None:
    """Return a list of a usage filter; raises BadUserInput for anything but JSON of texts."""
    text = parameters.get(name)
    if text is None:
        return None
    try:
        found = strict_json.loads(text)
    except ValueError:
        found = None
    if isinstance(found, list) and all(each is None or isinstance(each, str) for each in found):
        return [each if isinstance(each, str) else None for each in found]
    raise BadUserInput(f'`{name}` must be a JSON array such as ["a",null].', argument=name)


def read_choice(text: str, name: str, choices: type[Choice]) -> Choice:
    """Return one of an enumeration's values; raises BadUserInput, naming the argument."""
    try:
        return choices(text)
    except ValueError:
        allowed = ", ".join(choices)
        raise BadUserInput(f"`{name}` must be one of {allowed}.", argument=name) from None


def checked_search(text: str | None) -> str | None:
    """Return a text to search for, without the spaces around it; raises BadUserInput for an empty
    or a long one.
    """
    return None if text is None else checked_text(text.strip(), "search", limit=MAX_SEARCH)


def _refuse_others(parameters: Parameters, known: Collection[str]) -> None:
    for name in parameters:
        if name not in known:
            sentence = (
                f"`{name}` is not a parameter of this export; allowed are "
                f"{', '.join(sorted(known))}."
            )
            raise BadUserInput(sentence, argument=name)


def _read_day(parameters: Parameters, name: str) -> date | None:
    text = parameters.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return checked_day(date.fromisoformat(text), argument=name)
    except ValueError:
        pass
    raise BadUserInput(
        "A date must be a day of the calendar, YYYY-MM-DD, such as 2026-11-01.", argument=name
    )


def _read_choices(
    parameters: Parameters, name: str, choices: type[Choice]
) -> frozenset[Choice] | None:
    text = parameters.get(name)
    if text is None:
        return None
    return frozenset(read_choice(each, name, choices) for each in _items(text))


def _items(text: str) -> Iterable[str]:
    return text.split(",") if text else ()
