"""Pydantic models of bodies and answers, and the list of faults of an invalid body.

A field is checked by the function that the rest of the gateway uses, so that one rule holds
everywhere. The models are also what the OpenAPI document is made of.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails, PydanticCustomError

from gateway.errors import BadUserInput, Fault, InvalidFields

MOST_FAULTS: Final = 20
"""Most faults listed for one body or one item of a batch."""

_FIELD: Final = "\ue000"
"""Placeholder for the field's path in a check's message."""
_SHOWN: Final = 100

_Wire = TypeVar("_Wire", bound="Wire")


class Wire(BaseModel):
    """An object in a body: camel-case field names; unknown fields are refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True
    )

    @model_validator(mode="before")
    @classmethod
    def _bound(cls, value: object) -> object:
        """Return the object with no more unknown fields than are listed: each is a fault, and a
        body may have a hundred thousand.
        """
        if not isinstance(value, dict) or len(value) <= MOST_FAULTS:
            return value
        known = field_names(cls) & value.keys()
        others = [name for name in value if name not in known][:MOST_FAULTS]
        return {name: value[name] for name in [*known, *others]}


def _without_defaults(schema: JsonDict) -> None:
    """Remove defaults: a field without a value is absent from the answer."""
    fields = schema.get("properties")
    for field in fields.values() if isinstance(fields, dict) else ():
        if isinstance(field, dict):
            field.pop("default", None)


class WireAnswer(Wire):
    """An object in an answer; later versions may add fields."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=_without_defaults)

    def payload(self) -> dict[str, object]:
        """Return an answer's JSON without unset fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def field_names(model: type[Wire]) -> frozenset[str]:
    """Return the names of a model's fields in JSON."""
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def read_wire(model: type[_Wire], value: Mapping[str, object], subject: str) -> _Wire:
    """Return a body that the model describes. Raises InvalidFields; see `faults_of`."""
    try:
        return model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidFields(faults_of(error, subject)) from None


def faults_of(error: ValidationError, subject: str) -> Sequence[Fault]:
    """Return the first MOST_FAULTS faults, in the order of the model's fields. `subject` is the
    body, as a sentence begins with it: "An account".
    """
    found = error.errors(include_url=False, include_input=False)
    return [_fault(each, subject) for each in found[:MOST_FAULTS]]


def check(read: Callable[[object, str], object], *, is_needed: bool = True) -> PlainValidator:
    """Return the validator of a field: `read(value, argument)` returns the value as it is kept, or
    raises BadUserInput. Null is missing where the field is needed; else `read` refuses it, too.
    """

    def validate(value: object) -> object:
        if value is None and is_needed:
            raise PydanticCustomError("missing", "missing")
        try:
            return read(value, _FIELD)
        except BadUserInput as error:
            raise _custom(error.message, code=error.code) from None

    return PlainValidator(validate)


def one_of(choices: type[StrEnum]) -> PlainValidator:
    """Return the validator of a value of an enumeration."""

    allowed = frozenset(choices)

    def read(value: object, argument: str) -> StrEnum:
        if isinstance(value, str) and value in allowed:
            return choices(value)
        raise BadUserInput(f"`{argument}` must be one of {', '.join(choices)}.")

    return check(read)


def fault_at(*path: str, sentence: str) -> PydanticCustomError:
    """Return the error of a rule between fields, for the one at `path` below the object."""
    return _custom(sentence, path=path)


def _custom(sentence: str, **context: object) -> PydanticCustomError:
    return PydanticCustomError("check", "{sentence}", {"sentence": sentence, **context})


def _fault(error: ErrorDetails, subject: str) -> Fault:
    context = error.get("ctx", {})
    steps = [str(step)[:_SHOWN] for step in (*error["loc"], *context.get("path", ()))]
    path = ".".join(steps)
    match error["type"]:
        case "missing":
            return Fault(path, f"`{path}` is missing.")
        case "extra_forbidden":
            owner = ".".join(steps[:-1])
            return Fault(path, f"{f'`{owner}`' if owner else subject} has no field {steps[-1]}.")
        case "check":
            return Fault(
                path, _named(context["sentence"], path), context.get("code", "BAD_USER_INPUT")
            )
        case _:
            return Fault(path, f"{f'`{path}`' if path else subject} must be a JSON object.")


def _named(sentence: str, path: str) -> str:
    """Return a check's sentence with the path of the field in it."""
    field, name = f"`{_FIELD}`", f"`{path}`"
    if field in sentence:
        return sentence.replace(field, name)
    return sentence if name in sentence else f"{name}: {sentence}"


def limited(read: Callable[..., str], limit: int) -> PlainValidator:
    """Return the validator of a text of 1 to `limit` characters, which `read` checks."""
    return check(partial(read, limit=limit))
