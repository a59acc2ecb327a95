"""Messages about documents: short, and without names that the document does not have.

Where suggestions are closed, a client learns nothing of the schema from an error: each sentence of
graphql-core that names a type, an argument or a field of the schema has one here that does not.
"""

import re
from collections.abc import Callable
from typing import Final

from graphql import GraphQLError

MOST_QUOTED: Final = 100
"""Most characters of a document that a message quotes at once."""
MOST: Final = 400
"""Most characters of a message."""
_QUOTED: Final = re.compile(r"'([^']*)'")
_PRINTED: Final = re.compile(r"(, found:? |value: )(?s:.*)\Z")
_WORD: Final = re.compile(r"\w+")
_VALUE: Final = "A value is not of the type that its place expects."
_INVALID: Final = "The document is not valid."
_CLOSED: Final = tuple(
    (re.compile(pattern, re.DOTALL), sentence)
    for pattern, sentence in (
        (r"Cannot query field ('\w+') on type '.*", r"Cannot query field \1 here."),
        (r"Unknown argument ('\w+') on field '\w+\.(\w+)'.*", r"Unknown argument \1 on '\2'."),
        (r"Unknown argument ('\w+') on directive .*", r"Unknown argument \1 on a directive."),
        (r"Argument '.*' of type '.*' is required.*", "A required argument is missing."),
        (
            r"Field ('\w+') of type '.*' must have a selection.*",
            r"Field \1 must have a selection of subfields.",
        ),
        (r"Field ('\w+') must not have a selection.*", r"Field \1 has no subfields."),
        (
            r"Variable ('\$\w+') of type ('.*') used in position.*",
            r"Variable \1 of type \2 does not fit where it is used.",
        ),
        (
            r"Expected value of type '.*' not to include unknown field ('\w+').*",
            r"Unknown field \1.",
        ),
        (
            r"Expected value of type '.*' to include required field .*",
            "A required field is missing.",
        ),
        (r"Value ('\w+') does not exist in '.*' enum.*", r"Value \1 does not exist here."),
        (r"(\w+|Enum '.*') cannot represent .*", _VALUE),
        (r"Expected value of .*", _VALUE),
        (r"Fragment ('\w+') cannot be spread here.*", r"Fragment \1 cannot be spread here."),
        (r"Fragment cannot be spread here.*", "A fragment cannot be spread here."),
        (r"Fragment.* cannot condition on non composite type.*", "A fragment is on no object."),
        (r"Variable ('\$\w+') cannot be non-input type.*", r"Variable \1 has no type of inputs."),
    )
)


def shortened(message: str) -> str:
    """Return a message that quotes at most `MOST_QUOTED` characters at once."""
    message = _QUOTED.sub(lambda found: f"'{_cut(found[1], MOST_QUOTED)}'", message)
    message = _PRINTED.sub(
        lambda found: found[1] + _cut(found[0].removeprefix(found[1]), MOST_QUOTED), message
    )
    return _cut(message, MOST)


def hiding(document: str) -> Callable[[GraphQLError], str]:
    """Return a function from an error of a document to its message without names of the schema."""
    names = {*_WORD.findall(document)}

    def message_of(error: GraphQLError) -> str:
        for pattern, sentence in _CLOSED:
            if found := pattern.fullmatch(error.message):
                return found.expand(sentence)
        quoted = " ".join(_QUOTED.findall(error.message))
        return error.message if names.issuperset(_WORD.findall(quoted)) else _INVALID

    return message_of


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
