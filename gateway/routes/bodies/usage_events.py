"""The bodies of `/v1/usage-events`, and the validation of events.

Events are read by `usage_items`, which is faster and stops at an event's first fault. The models
here describe the same fields, and find all faults of an event that was refused.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Self, TypeAlias

from pydantic import Field, RootModel, ValidationError, WithJsonSchema, model_validator

from gateway.billing.usage.ingestion import ItemCode
from gateway.errors import BadUserInput, Fault
from gateway.http.json_fields import (
    POSITIVE_PATTERN,
    Currency,
    Identifier,
    Instant,
    decimal_schema,
    text_schema,
)
from gateway.http.json_models import (
    MOST_FAULTS,
    Wire,
    WireAnswer,
    check,
    fault_at,
    faults_of,
    limited,
    one_of,
)
from gateway.models import Resource
from gateway.money import parse_nanos, parse_quantity
from gateway.text import checked_identifier, checked_text

LARGEST_INTEGER: Final = 2**63 - 1
NEGATIVE_CHARGE: Final = 'A negative `amount` is a correction and requires `"correction": true`.'
END_BEFORE_START: Final = "`end` must not be before `start`."
CLOSED_BEFORE_STARTED: Final = "`deployment.closedAt` must not be before `deployment.startedAt`."


def require_decimal(value: object, argument: str) -> str:
    """Return a decimal's text; a JSON number is refused, because it may have lost digits."""
    if not isinstance(value, str):
        raise BadUserInput(
            f'`{argument}` must be a decimal string such as "0.000432"; a JSON number may have '
            "lost digits."
        )
    return value


def require_not_negative(nanos: int, argument: str) -> int:
    if nanos < 0:
        raise BadUserInput(f"`{argument}` must not be negative.")
    return nanos


def read_bytes(value: object, argument: str) -> int:
    """Return a number of bytes, sent as an integer or as its digits."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_INTEGER:
        raise BadUserInput(
            f"`{argument}` must be a whole number of bytes from 0 to {LARGEST_INTEGER}."
        )
    return value


def read_correction(value: object, argument: str) -> bool:
    if not isinstance(value, bool):
        raise BadUserInput(f"`{argument}` must be true or false.")
    return value


def _read_nanos(value: object, argument: str) -> int:
    return parse_nanos(require_decimal(value, argument), argument=argument)


def _read_quantity(value: object, argument: str) -> int:
    return parse_quantity(require_decimal(value, argument), argument=argument)


def _read_leased(value: object, argument: str) -> int:
    return require_not_negative(_read_nanos(value, argument), argument)


Text: TypeAlias = Annotated[str, limited(checked_text, 200), text_schema(200)]
Leased: TypeAlias = Annotated[int, check(_read_leased), decimal_schema(pattern=POSITIVE_PATTERN)]
Bytes: TypeAlias = Annotated[
    int,
    check(read_bytes),
    WithJsonSchema(
        {
            "type": ["integer", "string"],
            "minimum": 0,
            "maximum": LARGEST_INTEGER,
            "pattern": "^[0-9]{1,19}$",
        }
    ),
]


class Resources(Wire):
    """Resources in use by a deployment; an omitted or null field is unknown."""

    cpu: Leased | None = Field(None, description='Virtual CPUs, such as `"0.5"`.')
    memory_bytes: Bytes | None = Field(None, description="Memory, bytes.")
    storage_bytes: Bytes | None = Field(None, description="Storage, bytes.")
    gpu: Leased | None = Field(None, description="GPUs.")


class Deployment(Wire):
    """The deployment that used the resource; created if unknown. The details of the event with the
    latest `start` are shown.
    """

    external_id: Annotated[str, limited(checked_identifier, 1000), text_schema(1000)] = Field(
        description="The platform's id of the deployment, stored unchanged."
    )
    name: Text | None = Field(None, description="Shown to people.")
    provider: Text | None = Field(
        None,
        description="The provider that runs the deployment; a dimension of the usage breakdown.",
    )
    gpu_model: Text | None = Field(
        None, description="The GPU model; a dimension of the usage breakdown."
    )
    region: Text | None = Field(None, description="For exports.")
    service: Text | None = Field(None, description="For exports.")
    started_at: Instant | None = Field(None, description="When the deployment started.")
    closed_at: Instant | None = Field(
        None,
        description="When the deployment was closed, not before `startedAt`. Later usage "
        "opens the deployment again.",
    )
    resources: Resources | None = Field(None, description="Resources in use.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.started_at and self.closed_at and self.closed_at < self.started_at:
            raise fault_at("closedAt", sentence=CLOSED_BEFORE_STARTED)
        return self


class UsageEvent(Wire):
    """One reading of a meter, identified by account, `source` and `id`; the same event again is a
    duplicate.
    """

    account: Identifier = Field(description="The account's external id.")
    source: Identifier = Field(description="The meter, stored unchanged.")
    id: Identifier = Field(description="The event's id at its source, stored unchanged.")
    deployment: Deployment | None = Field(
        None, description="The deployment that used the resource; omitted if none did."
    )
    resource: Annotated[Resource, one_of(Resource), WithJsonSchema({"enum": [*Resource]})] = Field(
        description="The resource used."
    )
    quantity: Annotated[int, check(_read_quantity), decimal_schema()] = Field(
        description="Quantity in `unit`: at most 38 digits, rounded half-even to 9 decimals."
    )
    unit: Annotated[str, limited(checked_text, 100), text_schema(100)] = Field(
        description="Unit of `quantity`, such as `gpu-hour`."
    )
    amount: Annotated[int, check(_read_nanos), decimal_schema()] = Field(
        description="The charge in the account's currency: at most 9223372036.854775807, "
        "rounded half-even to 9 decimals. Negative only for a correction."
    )
    currency: Currency = Field(description="The account's currency; amounts are not converted.")
    start: Instant = Field(description="When the usage started. The charge counts on this day.")
    end: Instant = Field(
        description="When the usage ended: not before `start`, and at most 5 minutes ahead of now."
    )
    correction: Annotated[
        bool, check(read_correction, is_needed=False), WithJsonSchema({"type": "boolean"})
    ] = Field(False, description="True for a correction (`amount` below zero).")
    region: Text | None = Field(None, description="Shown in exports. Default: the deployment's.")
    service: Text | None = Field(None, description="Shown in exports. Default: the deployment's.")
    sku: Text | None = Field(None, description="For exports.")
    project: Text | None = Field(
        None,
        description="The project, team or tag that the charge belongs to; a dimension of the usage "
        "breakdown. An event without a project has none, whichever its deployment has.",
    )

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        if self.amount < 0 and not self.correction:
            raise fault_at("amount", sentence=NEGATIVE_CHARGE)
        if self.end < self.start:
            raise fault_at("end", sentence=END_BEFORE_START)
        return self


def faults_of_event(value: object) -> Sequence[Fault]:
    """Return an event's faults, at most MOST_FAULTS; empty for a valid event."""
    try:
        UsageEvent.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        return faults_of(error, "A usage event")
    return ()


class FieldError(WireAnswer):
    """One fault of an event."""

    path: str = Field(
        description="Path of the field, such as `deployment.resources.cpu`; empty for the whole "
        "event."
    )
    message: str


class RejectedEvent(WireAnswer):
    """An event that was not recorded."""

    index: int = Field(description="The event's index in the batch, from 0.")
    id: str | None = Field(description="The event's `id`; null if missing or invalid.")
    code: ItemCode
    message: str = Field(description="The first fault.")
    errors: list[FieldError] = Field(
        description="At most 20 per event and 1,000 per answer.", max_length=MOST_FAULTS
    )


class UsageAnswer(WireAnswer):
    """The result of a batch."""

    accepted: int = Field(description="Events that were recorded.")
    duplicates: int = Field(description="Events that were already recorded; nothing changed.")
    rejected: list[RejectedEvent]


class UsageEvents(RootModel[list[UsageEvent]]):
    """A batch of events."""
