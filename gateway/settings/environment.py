"""Reads settings from the environment: a setting `name` from `GATEWAY_NAME`, or from the file that
`GATEWAY_NAME_FILE` names (for secrets and keys). A blank value counts as missing.

Kubernetes sets variables for each service of a namespace. For a service named `gateway` these are
`GATEWAY_PORT=tcp://10.0.0.1:80`, `GATEWAY_SERVICE_HOST` and more. They are ignored.
"""

import os
import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from gateway.errors import ConfigurationError
from gateway.settings.group import nested, settings_of

PREFIX: Final = "GATEWAY_"

OF_THE_BUILD: Final = frozenset({"GATEWAY_SKIP_CONSOLE", "GATEWAY_URL"})
"""Variables that the build and the page's development server read."""

_KUBERNETES_NAME: Final = re.compile(
    r"_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$"
)
_KUBERNETES_PORT: Final = re.compile(r"(?:tcp|udp|sctp)://\S+")


class Environment(PydanticBaseSettingsSource):
    """Reads each setting `x` from `GATEWAY_X` or from the file that `GATEWAY_X_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return _read_variable(PREFIX + field_name.upper()), field_name, False

    def __call__(self) -> dict[str, Any]:
        settings = settings_of(self.settings_cls)
        found = {name: self.get_field_value(each.field, name)[0] for name, each in settings.items()}
        return nested(settings, {name: each for name, each in found.items() if each is not None})


def unknown_variables(settings: Collection[str]) -> Iterator[str]:
    """Yield a warning for each `GATEWAY_…` variable that is not a setting, sorted by name."""
    bare = [name.upper() for name in settings]
    known = {PREFIX + name for name in bare}
    for variable in sorted(os.environ):
        name = variable.removesuffix("_FILE")
        if not variable.startswith(PREFIX) or {variable, name} & (known | OF_THE_BUILD):
            continue
        if not _is_of_kubernetes(variable):
            near = get_close_matches(name.removeprefix(PREFIX), bare, n=1)
            hint = f" Did you mean {PREFIX}{near[0]}?" if near else ""
            yield f"{variable} is not a setting and has no effect.{hint}"


def _is_of_kubernetes(variable: str) -> bool:
    return bool(_KUBERNETES_NAME.search(variable)) or _is_kubernetes_port(variable)


def _is_kubernetes_port(variable: str) -> bool:
    value = os.environ.get(variable, "").strip()
    return variable.endswith("_PORT") and bool(_KUBERNETES_PORT.fullmatch(value))


def _read_variable(name: str) -> str | None:
    value = "" if _is_kubernetes_port(name) else os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if value and path:
        raise ConfigurationError(f"{name} and {name}_FILE are both set; set one of them.")
    if path:
        try:
            value = Path(path).read_text("utf-8").strip()
        except (OSError, ValueError):
            raise ConfigurationError(f"{name}_FILE: the file cannot be read.") from None
    return value or None
