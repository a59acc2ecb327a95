"""Prints the settings and limits as `docs/settings.md`."""

from collections.abc import Iterator
from typing import Final

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gateway.settings import SETTINGS
from gateway.settings.environment import PREFIX
from gateway.settings.values import LimitMark

_PAGE: Final = """\
# Settings

Printed by `gateway settings`; `make check` compares this page with the code. Settings are
environment variables. Every `GATEWAY_X` can also be read from a file: set `GATEWAY_X_FILE` to its
path. `gateway serve` checks all settings before it listens, and lists every one that is missing or
wrong.

{settings}
## Limits

{limits}"""


def settings_page() -> str:
    """Return the page, in Markdown: a table of settings, and one of limits."""
    rows = list(_rows())
    return _PAGE.format(
        settings=_table(row for row, limit in rows if not limit),
        limits=_table(row for row, limit in rows if limit),
    )


def _table(rows: Iterator[str]) -> str:
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows]) + "\n"


def _rows() -> Iterator[tuple[str, bool]]:
    for name, setting in SETTINGS.items():
        field = setting.field
        text = field.description or ""
        row = f"| `{PREFIX}{name.upper()}` | {_default(field)} | {text} |"
        yield row, any(isinstance(each, LimitMark) for each in field.metadata)


def _default(field: FieldInfo) -> str:
    value: object = field.default
    if value in (None, PydanticUndefined, ()):
        return ""
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, tuple):
        return f"`{','.join(value)}`"
    return f"`{value}`"
