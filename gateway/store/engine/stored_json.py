"""JSON for what is stored: integers of any size stay integers, keys are sorted, text is compact."""

import json

import orjson


def dumps(value: object) -> str:
    """Return the one text of a value."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode("utf-8")
    except TypeError:
        # An integer beyond 64 bits, which orjson refuses; the text has the same form.
        return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


# Not orjson's, which reads an integer beyond 64 bits as a float.
loads = json.loads
