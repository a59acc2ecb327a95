"""The facts of deployments that usage events state. The newest statement of a fact counts, by the
events' own time, so that events in any order of arrival end in the same row.

A statement's key is its event's start and end; of two with the same key, the greater value counts.
A row keeps one key, that of the deployment's latest usage, and in `facts_at` the keys of those
facts that were stated at another time. While all its events state the same, there are none.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final, NamedTuple, Self, TypeAlias

from gateway.billing.usage.usage_record import DeploymentName, UsageRecord
from gateway.models.base import instant_from_microseconds, microseconds_from_instant
from gateway.money import checked
from gateway.store.deployments import DeploymentRow, DeploymentUsage
from gateway.store.rows import StoredDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFacts:
    """Facts of an event about its deployment; None where unknown. CPU and GPU in nanos."""

    name: str | None = None
    provider: str | None = None
    gpu_model: str | None = None
    region: str | None = None
    service: str | None = None
    project: str | None = None
    cpu_nanos: int | None = None
    gpu_nanos: int | None = None
    memory_bytes: int | None = None
    storage_bytes: int | None = None
    started_at: datetime | None = None
    closed_at: datetime | None = None


Key: TypeAlias = tuple[datetime, datetime]
"""An event's start and end."""

_PLAIN: Final = tuple(DeploymentFacts.__slots__[:-2])
_INSTANTS: Final = tuple(DeploymentFacts.__slots__[-2:])
_of_facts: Final[Callable[[DeploymentFacts], tuple[object, ...]]] = attrgetter(*_PLAIN)
_of_row: Final[Callable[[DeploymentRow], tuple[object, ...]]] = attrgetter(*_PLAIN)


class Description:
    """A batch's statements of one deployment: its facts with the newest key of each, its earliest
    start, and the key of its latest usage.
    """

    __slots__ = ("earliest", "latest", "newest", "others", "stated")

    def __init__(self, stated: DeploymentFacts, key: Key, *, correction: bool) -> None:
        self.stated = stated
        self.newest = key
        self.earliest = key[0]
        self.latest = None if correction else key
        self.others: dict[int, tuple[DeploymentFacts, Key]] = {}

    @property
    def facts(self) -> list[tuple[DeploymentFacts, Key]]:
        first = (self.stated, self.newest)
        return [first, *self.others.values()] if self.others else [first]

    def add(self, stated: DeploymentFacts, key: Key, *, correction: bool) -> None:
        """Take an event in. A correction is no usage, but says facts as others do."""
        if stated is self.stated:
            if self.newest < key:
                self.newest = key
        elif id(stated) not in self.others or self.others[id(stated)][1] < key:
            self.others[id(stated)] = (stated, key)
        if key[0] < self.earliest:
            self.earliest = key[0]
        if not correction and (self.latest is None or self.latest < key):
            self.latest = key


def descriptions_in(
    events: Iterable[tuple[UsageRecord, DeploymentFacts | None]],
) -> dict[DeploymentName, Description]:
    """Return the statements of events (records and facts), by deployment."""
    batch: dict[DeploymentName, Description] = {}
    own: dict[tuple[str | None, str | None, str | None], DeploymentFacts] = {}
    for record, facts in events:
        deployment, correction = record.deployment, record.correction
        if deployment is None:
            continue
        stated = facts
        if stated is None:
            own_facts = (record.provider, record.gpu_model, record.project)
            stated = own.get(own_facts)
            if stated is None:
                provider, gpu_model, project = own_facts
                stated = own[own_facts] = DeploymentFacts(
                    provider=provider, gpu_model=gpu_model, project=project
                )
        key = (record.started_at, record.ended_at)
        name = (record.account_id, deployment)
        description = batch.get(name)
        if description is None:
            batch[name] = Description(stated, key, correction=correction)
        elif (
            stated is not description.stated
            or correction
            or description.latest is not description.newest
        ):
            description.add(stated, key, correction=correction)
        # What nearly all are: usage of the same facts, of the latest period or of a later one.
        elif key != description.newest:
            if description.newest < key:
                description.newest = description.latest = key
            else:
                description.add(stated, key, correction=False)
    return batch


class DeploymentState:
    """A deployment of the batch: its key and ordinal, what the batch adds to its spend, its row.

    `changed`: the row is to be written; `used`: its latest usage alone.
    """

    __slots__ = ("changed", "id", "ordinal", "row", "spend", "used")

    def __init__(self, row: DeploymentRow, *, changed: bool) -> None:
        self.row = row
        self.id = row.id
        self.ordinal = row.ordinal
        self.changed = changed
        self.used = False
        self.spend = 0

    @classmethod
    def read(cls, row: StoredDeployment) -> Self:
        return cls(DeploymentRow.of(row), changed=False)

    def learn(self, description: Description) -> None:
        """Take over what a batch says."""
        row, latest = self.row, description.latest
        used = _latest(row)
        if latest is None or (used is not None and used > latest):
            latest = used
        if latest is not None and self._is_known(description, latest):
            if latest != used:
                self.used = True
                self.row = row._replace(last_used_at=latest[0], last_used_until=latest[1])
            return
        self.row = _KnownFacts.of_row(row).learn(description).described(row)
        self.changed = self.row != row

    def _is_known(self, description: Description, latest: Key) -> bool:
        """Return whether the row has all of the description, stated with the latest usage:
        then it stays so, be the events newer or older.
        """
        row = self.row
        if row.closed_at is not None or row.facts_at not in {None, _WITH_START}:
            return False
        started_at, plain = row.started_at, _of_row(row)
        is_stated = row.facts_at is not None
        if not is_stated and description.earliest < started_at:
            return False
        stated_start = started_at if is_stated else None
        for facts, key in description.facts:
            if (
                key > latest
                or facts.closed_at is not None
                or facts.started_at != stated_start
                or _of_facts(facts) != plain
            ):
                return False
        return True

    def usage(self) -> DeploymentUsage:
        """Return the cells that the batch adds to. Raises OutOfRange for a lifetime spend that does
        not fit.
        """
        row = self.row
        checked(row.spend_nanos + self.spend)
        return DeploymentUsage(
            row.account_id, row.id, self.spend, row.last_used_at, row.last_used_until
        )


def first_described(row: DeploymentRow, description: Description) -> DeploymentRow:
    """Return the row of a deployment of which nothing else is known."""
    start = _Stated(_UNSTATED, microseconds_from_instant(description.earliest))
    return _KnownFacts(facts={"started_at": start}, latest=None).learn(description).described(row)


_Micro: TypeAlias = tuple[int, int]
"""A key in microseconds since 1970."""

_UNSTATED: Final[_Micro] = (-1, -1)
"""The key of a start that no event states: it is the start of the earliest one."""

_WITH_START: Final = '{"started_at":0}'
"""`facts_at` where all is stated with the latest usage, the start too."""


class _Stated(NamedTuple):
    """A fact by its newest statement; an instant in microseconds since 1970."""

    key: _Micro
    value: str | int


@dataclass(slots=True, kw_only=True)
class _KnownFacts:
    """All known facts of a deployment. They do not depend on the order of statements."""

    facts: dict[str, _Stated]
    latest: _Micro | None

    @classmethod
    def of_row(cls, row: DeploymentRow) -> Self:
        latest = None if (key := _latest(row)) is None else _micro(key)
        marks = json.loads(row.facts_at or "{}")
        facts: dict[str, _Stated] = {}
        for name in (*_PLAIN, *_INSTANTS):
            value = getattr(row, name)
            if name in _INSTANTS and value is not None:
                value = microseconds_from_instant(value)
            mark = marks.get(name, _UNSTATED if name == "started_at" else 0)
            if mark:
                start, end, *hidden = mark
                facts[name] = _Stated((start, end), hidden[0] if hidden else value)
            elif value is not None:
                facts[name] = _Stated(latest or _UNSTATED, value)
        return cls(facts=facts, latest=latest)

    def learn(self, description: Description) -> Self:
        facts = self.facts
        start = facts["started_at"]
        if start.key == _UNSTATED:
            assert isinstance(start.value, int)  # noqa: S101  # an instant
            earliest = min(start.value, microseconds_from_instant(description.earliest))
            facts["started_at"] = _Stated(_UNSTATED, earliest)
        for each, key in description.facts:
            for name in DeploymentFacts.__slots__:
                value = getattr(each, name)
                if value is None:
                    continue
                stated = _Stated(
                    _micro(key), microseconds_from_instant(value) if name in _INSTANTS else value
                )
                if name not in facts or facts[name] < stated:
                    facts[name] = stated
        if description.latest is not None:
            self.latest = max(self.latest or _UNSTATED, _micro(description.latest))
        return self

    def described(self, row: DeploymentRow) -> DeploymentRow:
        """Return the row with all that is known. Usage after its closing opens a deployment again,
        and one that was closed before it started started then: hidden values are kept with their
        time.
        """
        latest = self.latest
        started_at, closed_at = self._number("started_at"), self._number("closed_at")
        assert started_at is not None  # noqa: S101  # each has one, if only its earliest usage's
        if closed_at is not None and latest is not None and latest > (closed_at, closed_at):
            closed_at = None
        if closed_at is not None:
            started_at = min(started_at, closed_at)
        marks = self._marks({"started_at": started_at, "closed_at": closed_at})
        text = json.dumps(marks, separators=(",", ":"), sort_keys=True)
        used_at, used_until = latest or (None, None)
        return row._replace(
            name=self._text("name"),
            provider=self._text("provider"),
            gpu_model=self._text("gpu_model"),
            region=self._text("region"),
            service=self._text("service"),
            project=self._text("project"),
            cpu_nanos=self._number("cpu_nanos"),
            gpu_nanos=self._number("gpu_nanos"),
            memory_bytes=self._number("memory_bytes"),
            storage_bytes=self._number("storage_bytes"),
            started_at=instant_from_microseconds(started_at),
            closed_at=_instant(closed_at),
            last_used_at=_instant(used_at),
            last_used_until=_instant(used_until),
            facts_at=text if marks else None,
        )

    def _marks(self, shown: Mapping[str, int | None]) -> dict[str, object]:
        """Return the keys of the facts that were not stated with the latest usage, with the values
        of those that are `shown` otherwise.
        """
        marks: dict[str, object] = {}
        for name, (key, value) in self.facts.items():
            if shown.get(name, value) != value:
                marks[name] = [*key, value]
            elif key == self.latest:
                marks |= {name: 0} if name == "started_at" else {}
            elif key != _UNSTATED:
                marks[name] = [*key]
        return marks

    def _text(self, name: str) -> str | None:
        value = self._value(name)
        assert not isinstance(value, int)  # noqa: S101  # narrows for the type checker
        return value

    def _number(self, name: str) -> int | None:
        value = self._value(name)
        assert not isinstance(value, str)  # noqa: S101  # narrows for the type checker
        return value

    def _value(self, name: str) -> str | int | None:
        stated = self.facts.get(name)
        return None if stated is None else stated.value


def _latest(row: DeploymentRow) -> Key | None:
    start, end = row.last_used_at, row.last_used_until
    return None if start is None or end is None else (start, end)


def _micro(key: Key) -> _Micro:
    return microseconds_from_instant(key[0]), microseconds_from_instant(key[1])


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else instant_from_microseconds(microseconds)
