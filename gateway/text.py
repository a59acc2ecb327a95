"""Checks text from outside before it is stored."""

import unicodedata
from typing import Final

from gateway.errors import BadUserInput

# Directional overrides and isolates: they make a name read as another one.
_BIDI: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])
_REPLACEMENT: Final = "\ufffd"
"""The character that decoders put in place of invalid bytes."""
_NO_CHARACTERS: Final = frozenset({"Cc", "Cs", "Cn"})


def checked_text(value: object, argument: str, *, limit: int) -> str:
    """Return a text of 1 to `limit` characters, normalised (NFC), without bidirectional controls.

    Raises BadUserInput for anything else, and for control characters, NUL and code points that are
    no characters.
    """
    if not isinstance(value, str):
        raise BadUserInput(f"`{argument}` must be a string.", argument=argument)
    if not (value.isascii() and value.isprintable()):
        value = unicodedata.normalize("NFC", value).translate(_BIDI)
        if any(unicodedata.category(each) in _NO_CHARACTERS for each in value):
            raise BadUserInput(
                f"`{argument}` must not contain control characters.", argument=argument
            )
    if not 0 < len(value) <= limit:
        raise BadUserInput(f"`{argument}` must have 1 to {limit} characters.", argument=argument)
    return value


def checked_name(value: object, argument: str, *, limit: int) -> str:
    """Return a name for people to read: a checked text with a visible character."""
    name = checked_text(value, argument, limit=limit)
    if not any(unicodedata.category(each)[0] in "LNPS" for each in name):
        raise BadUserInput(f"`{argument}` must contain a visible character.", argument=argument)
    return name


def is_identifier(value: str) -> bool:
    """Return whether a text can be an opaque identifier: it has no control character, no
    directional control, no code point that is no character, and no U+FFFD.
    """
    if value.isascii() and value.isprintable():
        return True
    return not any(
        each == _REPLACEMENT or ord(each) in _BIDI or unicodedata.category(each) in _NO_CHARACTERS
        for each in value
    )


def checked_identifier(value: object, argument: str, *, limit: int) -> str:
    """Return an opaque identifier of 1 to `limit` characters exactly as it was sent.

    Two identifiers are the same only if their characters are: nothing is normalised. Raises
    BadUserInput for anything else, and for what `is_identifier` refuses.
    """
    if not isinstance(value, str):
        raise BadUserInput(f"`{argument}` must be a string.", argument=argument)
    if not 0 < len(value) <= limit:
        raise BadUserInput(f"`{argument}` must have 1 to {limit} characters.", argument=argument)
    if not is_identifier(value):
        raise BadUserInput(
            f"`{argument}` must not contain control characters, directional controls or U+FFFD: "
            "identifiers are stored unchanged.",
            argument=argument,
        )
    return value
