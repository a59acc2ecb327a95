"""Case-insensitive search in texts, the same on both databases.

Neither database's own comparison is used. SQLite folds ASCII alone, Postgres by the collation that
the database was made with. So the longest part of the text with only ASCII letters is found
directly, in lower case, which is quick. Where it has other letters that have cases, each becomes
the set of its cases: a class of `~` on Postgres, of `GLOB` on SQLite. All else stands for itself.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from itertools import chain
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType

from gateway.store.engine.parameters import Processed
from gateway.store.engine.sql import Expression

_CASED: Final = (
    range(0x80, 0x3000),
    range(0xA000, 0xAC00),
    range(0xF900, 0x12000),
    range(0x16E00, 0x1F000),
)
"""Code points among which are all letters that have cases, without ASCII's; the scripts of East
Asia are not.
"""


def fold(character: str) -> str:
    """Return one character in the place of all its cases (Unicode's simple case folding)."""
    folded = character.casefold()
    if len(folded) != 1:  # ß, which `casefold` makes two letters of
        folded = character.lower()
    return folded if len(folded) == 1 else character


@cache
def _cases() -> Mapping[str, str]:
    """Return the cases of each folded letter that has several, without ASCII's."""
    found: defaultdict[str, str] = defaultdict(str)
    for character in map(chr, chain(*_CASED)):
        if character.lower() != character.upper():
            found[fold(character)] += character
    return {each: cases for each, cases in found.items() if len(cases) > 1 and not each.isascii()}


def _pattern(text: str, literal: Callable[[str], str]) -> str:
    def written(character: str) -> str:
        folded = fold(character)
        if folded.isascii() and folded.isalpha() and character.isascii():
            return f"[{folded.upper()}{folded}]"
        cases = _cases().get(folded)
        return f"[{cases}]" if cases else literal(character)

    return "".join(map(written, text))


def regular_expression(text: str) -> str:
    """Return the regular expression by which `~` of Postgres finds the text."""
    return _pattern(text, re.escape)


def glob(text: str) -> str:
    """Return the pattern by which `GLOB` of SQLite finds the text."""
    return f"*{_pattern(text, lambda each: f'[{each}]' if each in '*?[' else each)}*"


def plain_part(text: str) -> str:
    """Return the text's longest part without other letters than ASCII's that have cases, in lower
    case.
    """
    parts = [""]
    for character in text:
        if not character.isascii() and fold(character) in _cases():
            parts.append("")
        else:
            parts[-1] += character.lower() if character.isascii() else character
    return max(parts, key=len)


class _Part(Processed[str]):
    """A text to find, bound as its plain part."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else plain_part(value)


class _Pattern(Processed[str]):
    """A search text, bound as the database's pattern; null for plain text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or len(plain_part(value)) == len(value):
            return None
        return glob(value) if dialect.name == "sqlite" else regular_expression(value)


class _Contains(FunctionElement[Any]):
    inherit_cache = True
    name = "contains"
    # As with `any_of`: a Boolean would be compared with 1 on SQLite.
    type = NullType()


@compiles(_Contains, "postgresql")
def _contains_on_postgresql(element: _Contains, compiler: SQLCompiler, **kw: object) -> str:
    subject, part, pattern = (compiler.process(each, **kw) for each in element.clauses)
    quick = f'strpos(lower(({subject}) COLLATE "C"), {part}) > 0'
    return f"({quick} AND ({pattern} IS NULL OR ({subject}) ~ {pattern}))"


@compiles(_Contains, "sqlite")
def _contains_on_sqlite(element: _Contains, compiler: SQLCompiler, **kw: object) -> str:
    subject, part, pattern = (compiler.process(each, **kw) for each in element.clauses)
    quick = f"instr(lower({subject}), {part}) > 0"
    return f"({quick} AND ({pattern} IS NULL OR ({subject}) GLOB {pattern}))"


def contains(subject: Expression, name: str) -> ColumnElement[bool]:
    """Return whether `subject` contains the text of the parameters that `contained` makes."""
    part, pattern = bindparam(f"{name}_part", type_=_Part()), bindparam(name, type_=_Pattern())
    return _Contains(subject, part, pattern)


def contained(name: str, text: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of `contains` for a text."""
    return ((name, text), (f"{name}_part", text))
