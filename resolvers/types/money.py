"""An amount with its currency."""

from typing import ClassVar, TypeAlias

import strawberry

from gateway.money import format_amount, format_amounts
from resolvers.columns import column, converted
from resolvers.permissions import Policy
from resolvers.scalars import CurrencyCode, Decimal

Amount: TypeAlias = tuple[int, str]
"""The source value of a `Money`: nanos and the currency's code."""


def with_tax(nanos: int, tax_nanos: int, currency: str) -> Amount:
    """Return an amount and its tax together."""
    return nanos + tax_nanos, currency


@strawberry.type(description="An exact amount of money; may be negative.")
class Money:
    POLICY: ClassVar = Policy.ACCOUNT
    POINTS: ClassVar = 0

    amount: Decimal = converted(
        format_amount,
        0,
        1,
        all_=format_amounts,
        description="The amount in the currency's unit, with at least the currency's minor "
        'digits and at most 9 decimals: `"12.30"`, `"0.0008"`, `"0.00"` in USD, '
        '`"120"` in JPY.',
    )
    currency: CurrencyCode = column(1, description="The account's currency.")
