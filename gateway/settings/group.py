"""Groups of settings, and how each setting is found by its name.

The name of a setting is what follows `GATEWAY_`, in lower case: the group's prefix and the field's
name, `live_` and `sockets`, or the name that the field is marked with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Group(BaseModel):
    """The settings of one part of the gateway; frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    PREFIX: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Named:
    """Marks a field with the name of its setting."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: its name, the path of fields that leads to its value, and the field itself."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo

    def value(self, settings: BaseModel) -> Any:
        """Return the setting's value in the settings."""
        value: Any = settings
        for name in self.path:
            value = getattr(value, name)
        return value


def settings_of(model: type[BaseModel]) -> Mapping[str, Setting]:
    """Return every setting of a model and its groups by name, in the order of the fields."""
    return {each.name: each for each in _settings_of(model)}


def nested(settings: Mapping[str, Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by the name of their setting as the arguments of the settings' model."""
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        *groups, field = settings[name].path
        place = arguments
        for group in groups:
            place = place.setdefault(group, {})
        place[field] = value
    return arguments


def _settings_of(
    model: type[BaseModel], prefix: str = "", path: tuple[str, ...] = ()
) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        group = field.annotation
        if isinstance(group, type) and issubclass(group, Group):
            yield from _settings_of(group, group.PREFIX, (*path, name))
        else:
            marks = [each.name for each in field.metadata if isinstance(each, Named)]
            yield Setting(
                name=marks[0] if marks else prefix + name, path=(*path, name), field=field
            )
