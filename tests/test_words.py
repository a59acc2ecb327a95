"""Plain words: sentences name the thing, and no phrase of the list below comes back."""

import ast
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, generate_tokens

import pytest

from tests.test_house import MODULES, ROOT, name_of, tree_of

PHRASES = re.compile(
    r"\b(?:anew|whose|whoever|what is not|what stands|so many|so much of"
    r"|(?:is|are|was|were) (?:told|asked)|asked for|(?:is|are) not there)\b",
    re.IGNORECASE,
)
"""Each stands where a noun or the field's own verb belongs: "whose" hides an owner, "what is not"
hides a name, "told" and "asked" hide who does what.
"""
CLAUSES = re.compile(
    r"(?:What|Who|Which|Where|When)\b|(?:Return|Yield)s? (?:what|who|which|where)\b"
)
"""A docstring that begins like this has a clause in place of the noun: "What a page prints"."""
SAYING = re.compile(r"(?:^|_)(?:told|said|asked|tell|tells|asks|says)(?:_|$)", re.IGNORECASE)
"""Names with a verb of saying: `settings_told`, `_said_at`."""
SUPPORT = sorted((ROOT / "tests" / "support").rglob("*.py"))
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield docstrings, other sentences (settings, errors, descriptions) and comments by line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
    for token in generate_tokens(StringIO(path.read_text("utf-8")).readline):
        if token.type == COMMENT:
            yield token.start[0], token.string


def found_in(text: str) -> list[str]:
    return PHRASES.findall(" ".join(text.split()))


def test_sentences_in_the_code_name_the_thing() -> None:
    assert [
        f"{name_of(path)}:{line}: {phrase}"
        for path in MODULES
        for line, text in texts_of(path)
        for phrase in found_in(text)
    ] == []


def docstrings_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module, its classes, functions and attributes, by line."""
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text)), lineno=line):
                yield line, text


def test_docstrings_begin_with_a_noun_or_a_verb() -> None:
    assert [
        f"{name_of(path)}:{line}"
        for path in MODULES
        for line, text in docstrings_of(path)
        if CLAUSES.match(text)
    ] == []


def names_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the names that a module defines, by line."""
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Name(id=name, ctx=ast.Store(), lineno=line) | ast.arg(arg=name, lineno=line):
                yield line, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ClassDef(name=name):
                yield node.lineno, name
            case _:
                pass


def test_names_are_not_verbs_of_saying() -> None:
    assert [
        f"{name_of(path)}:{line}: {name}"
        for path in [*MODULES, *SUPPORT]
        for line, name in names_in(path)
        if SAYING.search(name)
    ] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_documents_name_the_thing(path: Path) -> None:
    assert found_in(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "What is not yours looks like what is not there.",
        "The page is told\nwhich account it shows.",
        "A member whose role changed.",
    ],
)
def test_a_hidden_noun_is_found(sentence: str) -> None:
    assert found_in(sentence)
