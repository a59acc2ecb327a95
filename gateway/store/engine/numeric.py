"""Postgres's `numeric` in the binary form in which it travels, as Python's integers.

The driver's own codec makes a `Decimal` of each, which costs more than all else of a cell.
See `numeric_send` in Postgres: the number of digits, the first one's weight, sign and scale, then
digits of base 10,000.
"""

from struct import Struct, pack, unpack_from
from typing import Final

_BASE: Final = 10_000
_NEGATIVE: Final = 0x4000
_HEAD: Final = Struct("!HhHH")
_pack_three: Final = Struct("!QHHH").pack
_THREE: Final = int.from_bytes(_HEAD.pack(3, 2, 0, 0))


def encode(number: int) -> bytes:
    """Return an integer as Postgres receives it; zeros at either end are left to Postgres."""
    if 0 <= number < 1_000_000_000_000:  # most are: 1,000 units, or less
        return _pack_three(
            _THREE, number // 100_000_000, number // 10_000 % 10_000, number % 10_000
        )
    sign, rest = (_NEGATIVE, -number) if number < 0 else (0, number)
    digits: list[int] = []
    while rest:
        rest, digit = divmod(rest, _BASE)
        digits.append(digit)
    count = len(digits)
    return pack(f"!HhHH{count}H", count, count - 1, sign, 0, *reversed(digits))


def decode(data: bytes) -> int:
    """Return an integer as Postgres sends it. Raises ValueError for a number with decimals."""
    count, weight, sign, scale = _HEAD.unpack_from(data)
    if scale or sign not in {0, _NEGATIVE}:
        raise ValueError("the numeric is not an integer")
    number: int = 0
    for digit in unpack_from(f"!{count}H", data, _HEAD.size):
        number = number * _BASE + digit
    number *= int(_BASE ** (weight + 1 - count))
    return -number if sign else number
