"""Dicts made of columns."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

_SHORT: Final = 500
"""Characters of the keys of a dict of which the function is kept for others."""


def dict_maker(keys: Iterable[str]) -> Callable[..., dict[str, Any]]:
    """Return a function that makes a dict of values in the order of the keys. The code is
    generated: it takes half the time of a `dict` of pairs.
    """
    found = tuple(keys)
    return _known_maker(found) if sum(map(len, found)) <= _SHORT else _maker(found)


def _maker(keys: tuple[str, ...]) -> Callable[..., dict[str, Any]]:
    names = {key: f"v{index}" for index, key in enumerate(keys)}
    pairs = ", ".join(f"{key!r}: {name}" for key, name in names.items())
    made: Callable[..., dict[str, Any]] = eval(f"lambda {', '.join(names.values())}: {{{pairs}}}")  # noqa: S307
    return made


_known_maker: Final = lru_cache(maxsize=1_000)(_maker)
