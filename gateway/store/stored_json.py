"""JSON for what is stored: integers of any size stay integers, keys are sorted, text is compact."""

import json
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def dumps(value: Any) -> str:
    """Return the one text of a value."""
    return _ENCODER.encode(value)


loads = json.loads
