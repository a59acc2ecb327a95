"""JSON for what is stored: integers of any size stay integers, keys are sorted, text is compact."""

import json
from typing import Any


def dumps(value: Any) -> str:
    """Return the one text of a value."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


loads = json.loads
