"""Prints the settings as the README's Markdown tables."""

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.settings import SETTINGS
from gateway.settings.environment import PREFIX
from gateway.settings.values import LimitMark


def settings_table() -> str:
    """Return the settings that are not limits, as a Markdown table."""
    return _table(row for row, limit in _rows() if not limit)


def limits_table() -> str:
    """Return the limits, as a Markdown table."""
    return _table(row for row, limit in _rows() if limit)


def _table(rows: Iterator[str]) -> str:
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows]) + "\n"


def _rows() -> Iterator[tuple[str, bool]]:
    for name, setting in SETTINGS.items():
        field = setting.field
        text = field.description or ""
        row = f"| `{PREFIX}{name.upper()}` | {_default(field)} | {text} |"
        yield row, any(isinstance(each, LimitMark) for each in field.metadata)


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value in (None, PydanticUndefined, ()):
        return ""
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return f"`{value}`"
