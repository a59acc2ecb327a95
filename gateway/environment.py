"""Where settings come from: a setting `name` from `GATEWAY_NAME`, or from the file that
`GATEWAY_NAME_FILE` names (for secrets and keys); blank counts as missing.
"""

import os
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from gateway.errors import ConfigurationError

PREFIX: Final = "GATEWAY_"


class Environment(PydanticBaseSettingsSource):
    """Reads `GATEWAY_X`, or else the file that `GATEWAY_X_FILE` names, for each setting `x`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return _read_variable(PREFIX + field_name.upper()), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def _read_variable(name: str) -> str | None:
    value = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if value and path:
        raise ConfigurationError(f"{name} and {name}_FILE are both set; set one of them.")
    if path:
        try:
            value = Path(path).read_text("utf-8").strip()
        except (OSError, ValueError):
            raise ConfigurationError(f"{name}_FILE: names no file that can be read.") from None
    return value or None
