"""Balance transactions in the currency of their charge.

They are in the currency of Stripe's balance, which may differ from the charge's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import isfinite
from typing import Self

from gateway.errors import BadUserInput
from gateway.money import checked, divide_half_even, from_minor_units
from gateway.providers.stripe.amounts import currency_of, digits_of, nanos_of
from gateway.providers.stripe.terms import created_at
from gateway.providers.stripe.texts import Json, reference_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A balance transaction: `amount` in nanos of its own currency, without Stripe's fee; `rate`
    where it was converted from the charge's.
    """

    reference: str
    at: datetime
    amount: int
    currency: str
    rate: Fraction | None

    @classmethod
    def of(cls, transaction: Json, currency: str) -> Self:
        """Read a balance transaction; without a currency, it is in the charge's."""
        own = currency_of(transaction.get("currency") or currency)
        return cls(
            reference=reference_of(transaction),
            at=created_at(transaction),
            amount=nanos_of(transaction.get("amount"), own),
            currency=own,
            rate=_rate(transaction.get("exchange_rate")),
        )


class Conversion:
    """Converts a dispute's moves to the charge's currency; the largest is about the `disputed`
    money.

    It uses the exchange rate, rounded half-even to the smallest unit; a result that differs from
    the disputed money by no more than rounding is the disputed money. Without a rate it uses the
    move's share of the largest one. Raises BadUserInput where nothing is disputed.
    """

    def __init__(self, moves: Sequence[Move], disputed: int, currency: str) -> None:
        if disputed <= 0:
            raise BadUserInput("A dispute's amount must be positive.", argument="amount")
        self._disputed = disputed
        self._currency = currency
        foreign = [each for each in moves if each.currency != currency and each.amount]
        self._largest = max(foreign, key=lambda each: abs(each.amount), default=None)

    def money_of(self, move: Move) -> int:
        """Return a move in nanos of the charge's currency."""
        largest = self._largest
        if move.currency == self._currency or not move.amount or largest is None:
            return move.amount
        if move.rate is None or largest.rate is None:
            money = Fraction(move.amount * self._disputed, abs(largest.amount))
        else:
            money = move.amount * self._scale(largest, largest.rate) / move.rate
        rounding = abs(money) * _unit(move.currency) / abs(move.amount)
        if abs(abs(money) - self._disputed) <= rounding:
            return self._disputed if move.amount > 0 else -self._disputed
        unit = _unit(self._currency)
        units = divide_half_even(*(money / unit).as_integer_ratio())
        return checked(units * unit, argument="amount")

    def _scale(self, largest: Move, rate: Fraction) -> Fraction:
        """Return the factor of an exchange rate. Stripe's rate may be between smallest units or
        between whole ones, which differ where the currencies' decimals do; the largest move shows
        which it is.
        """
        smallest = Fraction(10) ** (digits_of(largest.currency) - digits_of(self._currency))
        whole = abs(largest.amount) / rate
        return min(
            (smallest, Fraction(1)),
            key=lambda scale: max(whole * scale / self._disputed, self._disputed / whole / scale),
        )


def _unit(currency: str) -> int:
    return from_minor_units(1, digits_of(currency))


def _rate(rate: object) -> Fraction | None:
    """Return an exchange rate exactly as it is written."""
    if rate is None:
        return None
    is_number = isinstance(rate, int | float) and not isinstance(rate, bool) and isfinite(rate)
    exact = Fraction(str(rate)) if is_number else Fraction(0)
    if exact <= 0:
        raise BadUserInput("An exchange rate must be a positive number.", argument="exchange_rate")
    return exact
