"""FOCUS's check functions for one row: the prose of its format attributes as code.

A null satisfies what is said of values (a type, a format, a number's range); only the rules of
nullability say whether it may stand there. Products are compared as money is kept: rounded half
even to nine decimals.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

Row: TypeAlias = Mapping[str, str | None]
Spec: TypeAlias = Mapping[str, Any]

DATA: Final = Path(__file__).parents[1] / "data" / "focus-rules"
NANO: Final = Decimal("1E-9")

_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:E-?[0-9]+)?", re.ASCII)
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_SIZES: Final = "|".join(["b", "B", *(f"{p}{u}" for p in "KMGTPE" for u in ("b", "B", "ib", "iB"))])
_ONE_TIME: Final = "Year|Month|Day|Hour|Minute|Second"
_TIMES: Final = "|".join(f"{time}s" for time in _ONE_TIME.split("|"))
_COUNT: Final = "[A-Za-z][A-Za-z0-9]*(?: [A-Za-z][A-Za-z0-9]*)*"
_UNIT: Final = re.compile(
    rf"(?:{_SIZES}|{_COUNT})(?:-(?:{_TIMES}))?"
    rf"|(?:{_SIZES}|{_TIMES}|{_COUNT})/(?:{_ONE_TIME}|[0-9]+ (?:{_TIMES}))"
    rf"|[0-9]+ (?:{_SIZES}|{_TIMES}|{_COUNT})"
)


def _currencies() -> frozenset[str]:
    with (DATA / "currency_codes.csv").open(encoding="utf-8", newline="") as file:
        return frozenset(row["currency_codes"] for row in csv.DictReader(file))


CURRENCIES: Final = _currencies()


def number(text: str | None) -> Decimal | None:
    """Return what the text is as a number of FOCUS's NumericFormat, or None."""
    return Decimal(text) if text is not None and _NUMBER.fullmatch(text) else None


def is_instant(text: str) -> bool:
    """Whether it is a date and time of FOCUS's DateTimeFormat, and one that exists."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_string(text: str) -> bool:
    """Whether it is valid Unicode, without NUL, and not blank."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return bool(text.strip()) and "\0" not in text


def is_key_value(text: str) -> bool:
    """Whether it is a JSON object of scalars whose keys are unique."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key stands twice")
        return dict(pairs)

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except ValueError:
        return False
    return isinstance(value, dict) and not any(
        isinstance(each, dict | list) for each in value.values()
    )


def is_currency(text: str) -> bool:
    """Whether it is a national currency's code, or else a name of a virtual one."""
    return text in CURRENCIES if re.fullmatch("[A-Z]{3}", text) else is_string(text)


def equals(text: str | None, value: object) -> bool:
    """Whether a cell has a value of the model: a number as a number, null as null."""
    if value is None or text is None:
        return value is None and text is None
    if isinstance(value, int):
        return number(text) == value
    return text == value


def _of_text(test: Callable[[str], bool]) -> Callable[[Spec, Row], bool]:
    def check(spec: Spec, row: Row) -> bool:
        text = row.get(column_of(spec))
        return text is None or test(text)

    return check


def _is_number(text: str) -> bool:
    return number(text) is not None


def _at_least(spec: Spec, row: Row) -> bool:
    text = row.get(column_of(spec))
    value = number(text)
    return text is None or (value is not None and value >= Decimal(spec["Value"]))


def _product(spec: Spec, row: Row) -> bool:
    cells = [row.get(spec[name]) for name in ("ColumnAName", "ColumnBName", "ResultColumnName")]
    if None in cells:
        return True
    a, b, result = map(number, cells)
    if a is None or b is None or result is None:
        return False
    return (a * b).quantize(NANO, ROUND_HALF_EVEN) == result.quantize(NANO, ROUND_HALF_EVEN)


def _same(spec: Spec, row: Row) -> bool:
    return row.get(spec["ColumnAName"]) == row.get(spec["ColumnBName"])


def column_of(spec: Spec) -> str:
    """Return the column that a check is of; the model has one where its name is misplaced."""
    name: str = spec.get("ColumnName") or spec["CheckCondition"]
    return name


ROW_CHECKS: Final[Mapping[str, Callable[[Spec, Row], bool]]] = {
    "CheckValue": lambda spec, row: equals(row.get(column_of(spec)), spec["Value"]),
    "CheckNotValue": lambda spec, row: not equals(row.get(column_of(spec)), spec["Value"]),
    "CheckSameValue": _same,
    "CheckNotSameValue": lambda spec, row: not _same(spec, row),
    "CheckGreaterOrEqualThanValue": _at_least,
    "CheckDecimalValue": _of_text(_is_number),
    "CheckNationalCurrency": _of_text(CURRENCIES.__contains__),
    "ColumnByColumnEqualsColumnValue": _product,
    "TypeDecimal": _of_text(_is_number),
    "TypeString": _of_text(is_string),
    "TypeDateTime": _of_text(is_instant),
    "FormatNumeric": _of_text(_is_number),
    "FormatString": _of_text(is_string),
    "FormatDateTime": _of_text(is_instant),
    "FormatUnit": _of_text(lambda text: bool(_UNIT.fullmatch(text))),
    "FormatCurrency": _of_text(is_currency),
    "FormatKeyValue": _of_text(is_key_value),
}
"""By the function's name in the model; `AND`, `OR`, `CheckModelRule`, `ColumnPresent` and
`CheckDistinctCount` are not of one row.
"""
