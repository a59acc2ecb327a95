"""The parser makes the documents and the errors of graphql-core's own."""

import gc
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from graphql import DocumentNode, GraphQLSyntaxError, Node, Source, Visitor, parse, visit

from gateway.execution.parser import parse_document

PARSE = partial(parse_document, max_tokens=60, max_comments=3, max_length=400)
REFERENCE = partial(parse, max_lexical_tokens=60, max_comments=3, max_source_length=400)

DOCUMENTS = (
    "query Q($a: [Int!]! = [1, -2.5e3] @x, $b_2: B) @y {\n  a: b(c: $a, d: {e: E, f: null})\n}",
    "# one\n{ a, ...F ... on B @skip(if: true) {\r\n c\rd } # two\n}\n\nfragment F on B { a ...F }",
    '"""block\n  "text"\n"""\nquery { a(b: "\\u00e9 é", c: """x\n y""") b }\n"short" query B { c }',
    "\ufeff{a}\n\n,,type A { b: C! } extend union U = | A & B",
    "{ a # 1\n # 2\n # 3\n # 4\n }",
    "{ " + "a\n" * 70 + "}",
    "{ a " + " " * 400 + "}",
    "{ " * 300,
    "",
)
STRANGE = ("", "{", "}", '"', "'", ".", "..", "ä", "1a", "01", "\\", "\x00", "#", "\n", "$", "on")


class Places(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, int, int, int]] = []

    def enter(self, node: Node, *_: object) -> None:
        assert node.loc
        first, last = node.loc.start_token, node.loc.end_token
        self.found.append((node.kind, first.line, first.column, last.line))


def places(document: DocumentNode) -> list[tuple[str, int, int, int]]:
    visitor = Places()
    visit(document, visitor)
    return visitor.found


def damaged(text: str) -> Iterator[str]:
    yield text
    for at in range(0, min(len(text), 150), 3):
        for strange in STRANGE:
            yield text[:at] + strange + text[at + 1 :]


def outcome(parser: Callable[[str], DocumentNode], text: str) -> object:
    """Return a document with the places of its nodes, or the error."""
    try:
        found = parser(text)
    except GraphQLSyntaxError as error:
        return error.formatted
    return found, places(found)


@pytest.mark.parametrize("whole", DOCUMENTS)
def test_documents_and_errors_are_those_of_graphql_core(whole: str) -> None:
    for text in damaged(whole):
        assert outcome(PARSE, text) == outcome(REFERENCE, text)


@pytest.mark.parametrize("whole", [*DOCUMENTS[:3], "{\r\n\r\n a\r\r\n\n}\r"])
def test_places_are_those_of_graphql_core(whole: str) -> None:
    location = PARSE(whole).loc
    assert location
    for position in range(len(whole) + 1):
        found = location.source.get_location(position)
        assert found == Source(whole).get_location(position), position


def test_a_document_is_freed_without_the_collector() -> None:
    document = PARSE("{ a { b } # comment\n }")
    freed = weakref.ref(document)
    gc.disable()
    try:
        del document
        assert freed() is None
    finally:
        gc.enable()
