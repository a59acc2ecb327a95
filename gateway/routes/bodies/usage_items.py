"""Usage events as they are sent, as items that can be booked."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

import orjson

from gateway.billing.usage.deployments import DeploymentFacts
from gateway.billing.usage.ingestion import Ingested, ItemCode, MeteredItem, RejectedItem
from gateway.billing.usage.usage_record import UsageRecord
from gateway.errors import BadUserInput, Fault, OutOfRange
from gateway.http.json_models import field_names
from gateway.instants import parse_instant
from gateway.models import Resource
from gateway.money import minor_digits, parse_nanos, parse_quantity
from gateway.routes.bodies.usage_batch import PIECE, Unreadable
from gateway.routes.bodies.usage_events import (
    CLOSED_BEFORE_STARTED,
    END_BEFORE_START,
    NEGATIVE_CHARGE,
    Deployment,
    Resources,
    UsageEvent,
    faults_of_event,
    read_bytes,
    read_correction,
    require_decimal,
    require_not_negative,
)
from gateway.text import checked_identifier, checked_text

ITEM_FIELDS: Final = field_names(UsageEvent)
DEPLOYMENT_FIELDS: Final = field_names(Deployment)
RESOURCE_FIELDS: Final = field_names(Resources)
MOST_ANSWER_FAULTS: Final = 1_000
"""Faults that are listed in one answer."""
_RESOURCES: Final = frozenset(Resource)


class _Meter(NamedTuple):
    """Values that many items of a batch share, by their JSON names."""

    account: str
    source: str
    resource: str
    unit: str
    currency: str
    region: str | None
    service: str | None
    sku: str | None
    project: str | None


_NOTHING: Final = DeploymentFacts()


class ItemReader:
    """Reads the items of one batch; what repeats is read once, and taken as it was found."""

    def __init__(self) -> None:
        self.rejected: list[RejectedItem] = []
        self._faults = 0
        self._instants: dict[object, datetime] = {}
        self._texts: dict[tuple[str, object], str] = {}
        self._amounts: dict[tuple[str, str], tuple[int, str | None]] = {}
        self._meters: dict[tuple[object, ...], _Meter] = {}
        self._deployments: dict[bytes, tuple[str, DeploymentFacts]] = {}
        self._of_projects: dict[tuple[DeploymentFacts, str], DeploymentFacts] = {}

    async def read(self, values: Sequence[object]) -> list[MeteredItem]:
        """Return the items that are well formed; the others are in `rejected`. Other requests have
        their turn after each piece.
        """
        items: list[MeteredItem] = []
        for first in range(0, len(values), PIECE):
            self._read_piece(first, values[first : first + PIECE], items)
            await asyncio.sleep(0)
        return items

    def _read_piece(self, first: int, values: Sequence[object], items: list[MeteredItem]) -> None:
        for index, value in enumerate(values, first):
            try:
                items.append(self._item(index, value))
            except BadUserInput as error:
                self.rejected.append(self._refused(index, value, error))

    def _refused(self, index: int, value: object, error: BadUserInput) -> RejectedItem:
        name = value.get("id") if isinstance(value, dict) else None
        known = name if isinstance(name, str) else None
        first = Fault(error.argument or "", _sentence(error), error.code)
        faults: Sequence[Fault] = ()
        if self._faults < MOST_ANSWER_FAULTS:
            found = faults_of_event(value) if isinstance(value, dict) else ()
            faults = found or [first]
            self._faults += len(faults)
            first = faults[0]
        code = ItemCode.OUT_OF_RANGE if first.code == OutOfRange.code else ItemCode.INVALID
        return RejectedItem(index, known, code, first.message, faults)

    def _item(self, index: int, value: object) -> MeteredItem:
        if not isinstance(value, dict):
            if isinstance(value, Unreadable):
                raise BadUserInput(value.message)
            raise BadUserInput("A usage event must be a JSON object.")
        _refuse_others(value, ITEM_FIELDS, "A usage event")
        get = value.get
        correction = read_correction(get("correction", False), "correction")
        amount, amount_text = self._decimal(get("amount"), "amount")
        if amount < 0 and not correction:
            raise BadUserInput(NEGATIVE_CHARGE)
        quantity, quantity_text = self._decimal(get("quantity"), "quantity")
        start, end = self._instant(get("start"), "start"), self._instant(get("end"), "end")
        if end < start:
            raise BadUserInput(END_BEFORE_START)
        meter = self._meter(get)
        deployment = get("deployment")
        name, facts = (None, _NOTHING) if deployment is None else self._deployment(deployment)
        record = UsageRecord(
            0,
            meter.source,
            checked_identifier(_given(get("id"), "id"), "id", limit=200),
            name,
            meter.resource,
            meter.unit,
            quantity,
            quantity_text,
            amount,
            amount_text,
            correction,
            facts.provider,
            facts.gpu_model,
            meter.region or facts.region,
            meter.service or facts.service,
            meter.sku,
            start,
            end,
            meter.project,
        )
        stated = self._stated(facts, meter.project) if name else None
        return MeteredItem(index, meter.account, meter.currency, record, stated)

    def _stated(self, facts: DeploymentFacts, project: str | None) -> DeploymentFacts:
        """Return a deployment's facts with an event's project; one object for equal ones."""
        if project is None:
            return facts
        key = (facts, project)
        if key not in self._of_projects:
            self._of_projects[key] = replace(facts, project=project)
        return self._of_projects[key]

    def _meter(self, get: Callable[[str], object]) -> _Meter:
        values = tuple(map(get, _Meter._fields))
        try:
            return self._meters[values]
        except (KeyError, TypeError):
            pass
        account, source, resource, unit, currency, *others = values
        _given(resource, "resource")
        if not isinstance(resource, str) or resource not in _RESOURCES:
            raise BadUserInput(f"`resource` must be one of {', '.join(Resource)}.")
        currency = self._text(currency, "currency", 3)
        minor_digits(currency, argument="currency")
        meter = self._meters[values] = _Meter(
            self._identifier(account, "account", 200),
            self._identifier(source, "source", 200),
            resource,
            self._text(unit, "unit", 100),
            currency,
            *map(self._optional, others, _Meter._fields[5:]),
        )
        return meter

    def _deployment(self, value: object) -> tuple[str, DeploymentFacts]:
        """Return the facts in a deployment's JSON; equal JSON of many items is read once."""
        try:
            text = orjson.dumps(value)
        except TypeError:
            return self._read_deployment(value)
        known = self._deployments.get(text)
        if known is None:
            known = self._deployments[text] = self._read_deployment(value)
        return known

    def _read_deployment(self, value: object) -> tuple[str, DeploymentFacts]:
        if not isinstance(value, dict):
            raise BadUserInput("`deployment` must be a JSON object.")
        _refuse_others(value, DEPLOYMENT_FIELDS, "`deployment`")
        get = value.get
        resources = {} if get("resources") is None else get("resources")
        if not isinstance(resources, dict):
            raise BadUserInput("`deployment.resources` must be a JSON object.")
        _refuse_others(resources, RESOURCE_FIELDS, "`deployment.resources`")
        started, closed = (
            None if get(name) is None else self._instant(get(name), f"deployment.{name}")
            for name in ("startedAt", "closedAt")
        )
        if started and closed and closed < started:
            raise BadUserInput(CLOSED_BEFORE_STARTED)
        facts = DeploymentFacts(
            name=self._optional(get("name"), "deployment.name"),
            provider=self._optional(get("provider"), "deployment.provider"),
            gpu_model=self._optional(get("gpuModel"), "deployment.gpuModel"),
            region=self._optional(get("region"), "deployment.region"),
            service=self._optional(get("service"), "deployment.service"),
            cpu_nanos=self._leased(resources.get("cpu"), "deployment.resources.cpu"),
            gpu_nanos=self._leased(resources.get("gpu"), "deployment.resources.gpu"),
            memory_bytes=_bytes(resources, "memoryBytes"),
            storage_bytes=_bytes(resources, "storageBytes"),
            started_at=started,
            closed_at=closed,
        )
        return self._identifier(get("externalId"), "deployment.externalId", 1000), facts

    def _text(self, value: object, argument: str, limit: int) -> str:
        """Return a text that many items of a batch share."""
        if isinstance(value, str) and (known := self._texts.get((argument, value))):
            return known
        text = checked_text(_given(value, argument), argument, limit=limit)
        self._texts[argument, value] = text
        return text

    def _identifier(self, value: object, argument: str, limit: int) -> str:
        """Return an identifier that many items of a batch share."""
        if isinstance(value, str) and (known := self._texts.get((argument, value))):
            return known
        text = checked_identifier(_given(value, argument), argument, limit=limit)
        self._texts[argument, value] = text
        return text

    def _optional(self, value: object, argument: str) -> str | None:
        return None if value is None else self._text(value, argument, 200)

    def _decimal(self, value: object, argument: str) -> tuple[int, str | None]:
        """Return nanos, and what arrived where rounding changed it."""
        if not isinstance(value, str):
            value = require_decimal(_given(value, argument), argument)
        known = self._amounts.get((argument, value))
        if known is None:
            parse = parse_quantity if argument == "quantity" else parse_nanos
            nanos = parse(value, argument=argument)
            fraction = value.partition(".")[2]
            rounded = len(fraction) > 9 and fraction[9:].strip("0") != ""
            known = self._amounts[argument, value] = (nanos, value if rounded else None)
        return known

    def _leased(self, value: object, argument: str) -> int | None:
        if value is None:
            return None
        return require_not_negative(self._decimal(value, argument)[0], argument)

    def _instant(self, value: object, argument: str) -> datetime:
        try:
            return self._instants[value]
        except (KeyError, TypeError):
            pass
        try:
            instant = parse_instant(_given(value, argument))
        except BadUserInput as error:
            raise BadUserInput(error.message, argument=argument) from None
        self._instants[value] = instant
        return instant


def _given(value: object, argument: str) -> object:
    """Return a value that has to be there."""
    if value is None:
        raise BadUserInput(f"`{argument}` is missing.", argument=argument)
    return value


def _sentence(error: BadUserInput) -> str:
    """Return an item's fault, with the field's JSON name."""
    name = f"`{error.argument}`"
    if error.argument is None or name in error.message:
        return error.message
    return f"{name}: {error.message}"


def _bytes(resources: Mapping[str, object], name: str) -> int | None:
    value = resources.get(name)
    return None if value is None else read_bytes(value, f"deployment.resources.{name}")


def _refuse_others(value: Mapping[str, object], allowed: frozenset[str], subject: str) -> None:
    if not value.keys() <= allowed:
        others = ", ".join(sorted(value.keys() - allowed))
        raise BadUserInput(f"{subject} has no field {others[:200]}.")


async def answer_of(result: Ingested) -> bytes:
    """Return the endpoint's answer in JSON, with at most MOST_ANSWER_FAULTS faults. Other requests
    have their turn after each piece.
    """
    left = MOST_ANSWER_FAULTS
    rejected, pieces = sorted(result.rejected), []
    for first in range(0, len(rejected), PIECE):
        items = []
        for position, name, code, message, faults in rejected[first : first + PIECE]:
            errors = [{"path": fault.path, "message": fault.message} for fault in faults[:left]]
            left -= len(errors)
            items.append(
                {"index": position, "id": name, "code": code, "message": message, "errors": errors}
            )
        pieces.append(orjson.dumps(items)[1:-1])
        await asyncio.sleep(0)
    counts = orjson.dumps({"accepted": result.accepted, "duplicates": result.duplicates})
    return b"".join((counts[:-1], b',"rejected":[', b",".join(pieces), b"]}"))
