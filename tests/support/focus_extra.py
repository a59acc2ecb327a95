"""Rules of FOCUS that the model gives in prose alone, and that a file can be held to all the same.

They are written in the model's own terms. What is left without a check needs more than the file:
invoices, price lists, other billing periods.
"""

from collections.abc import Mapping
from typing import Final

from tests.support.focus_checks import Spec


def _value(column: str, value: object) -> Spec:
    return {"CheckFunction": "CheckValue", "ColumnName": column, "Value": value}


def _not(column: str, value: object) -> Spec:
    return {"CheckFunction": "CheckNotValue", "ColumnName": column, "Value": value}


def _same(a: str, b: str) -> Spec:
    return {"CheckFunction": "CheckSameValue", "ColumnAName": a, "ColumnBName": b}


def _any(*items: Spec) -> Spec:
    return {"CheckFunction": "OR", "Items": list(items)}


_NOT_A_CREDIT: Final = _not("ChargeCategory", "Credit")
_UNIT_PRICE: Final = "PricingCurrencyContractedUnitPrice"

REQUIREMENTS: Final[Mapping[str, Spec]] = {
    "ContractedCost-C-008-C": _any(_NOT_A_CREDIT, _same("ContractedCost", "BilledCost")),
    "ContractedCost-C-009-C": {
        "CheckFunction": "ColumnByColumnEqualsColumnValue",
        "ColumnAName": "ContractedUnitPrice",
        "ColumnBName": "PricingQuantity",
        "ResultColumnName": "ContractedCost",
    },
    "EffectiveCost-C-010-C": _any(_NOT_A_CREDIT, _same("EffectiveCost", "BilledCost")),
    "ListCost-C-008-C": _any(_NOT_A_CREDIT, _same("ListCost", "BilledCost")),
    f"{_UNIT_PRICE}-C-004-C": _value(_UNIT_PRICE, None),
    f"{_UNIT_PRICE}-C-005-C": _not(_UNIT_PRICE, None),
    f"{_UNIT_PRICE}-C-008-C": {
        "CheckFunction": "CheckGreaterOrEqualThanValue",
        "ColumnName": _UNIT_PRICE,
        "Value": 0,
    },
    "PricingCurrencyEffectiveCost-C-005-M": _any(
        _not("ChargeCategory", "Purchase"), _value("PricingCurrencyEffectiveCost", 0)
    ),
    "ResourceName-C-004-C": _value("ResourceName", None),
    "ResourceName-C-006-C": _any(
        _value("ResourceName", None),
        {
            "CheckFunction": "CheckNotSameValue",
            "ColumnAName": "ResourceName",
            "ColumnBName": "ResourceId",
        },
    ),
}
"""What rules of one row require, on the rows that the model's conditions leave."""

FORMATS: Final[Mapping[str, tuple[str, ...]]] = {
    "FormatDateTime": tuple(f"DateTimeFormat-A-00{n}-M" for n in (1, 2, 4, 5, 6)),
    "FormatNumeric": tuple(f"NumericFormat-A-{n:03}-M" for n in range(2, 12)),
    "FormatKeyValue": tuple(f"KeyValueFormat-A-00{n}-M" for n in range(1, 5)),
    "FormatCurrency": ("CurrencyFormat-A-001-C", "CurrencyFormat-A-002-C"),
    "FormatString": ("StringHandling-A-001-M", "StringHandling-A-007-M"),
}
"""Rules of a format, by the check that holds each column to it: they hold where it does."""
