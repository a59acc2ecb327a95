import tracemalloc
from contextlib import suppress

import pytest
from graphql import GraphQLError, build_schema

from gateway.execution.documents import (
    CACHED_CHARACTERS,
    CACHED_DOCUMENTS,
    CACHED_LENGTH,
    Documents,
)
from gateway.execution.parser import parse_document
from gateway.settings.documents import DocumentSettings
from tests.support.cpu import cpu_below, cpu_ratio, least_cpu
from tests.support.graph import ENGINES

SCHEMA = build_schema("type Query { name(in: In): String me: Query } input In { a: Int b: [In!] }")


@pytest.fixture
def documents() -> Documents:
    return Documents(schema=SCHEMA, limits=DocumentSettings(), suggestions=False)


def test_a_valid_document_is_read_once(documents: Documents) -> None:
    assert documents.read("{ name }") is documents.read("{ name }")


def test_invalid_and_long_documents_are_not_cached(documents: Documents) -> None:
    long = "{ name } #" + "x" * CACHED_LENGTH
    assert documents.read("{ nme }") is not documents.read("{ nme }")
    assert documents.read(long) is not documents.read(long)
    assert len(documents) == 0


def test_the_least_recently_used_goes_first(documents: Documents) -> None:
    texts = [f"query Q{number} {{ name }}" for number in range(CACHED_DOCUMENTS)]
    kept = [documents.read(text) for text in texts]
    documents.read(texts[0])
    documents.read("{ name }")
    assert len(documents) == CACHED_DOCUMENTS <= 256
    assert CACHED_LENGTH <= 8_192
    assert documents.read(texts[0]) is kept[0]
    assert documents.read(texts[1]) is not kept[1]


def test_long_documents_take_the_place_of_several(documents: Documents) -> None:
    for number in range(CACHED_DOCUMENTS):
        documents.read(f"{{ name }} # {number} {'x' * 8_000}")
    assert CACHED_CHARACTERS // CACHED_LENGTH <= len(documents) < CACHED_DOCUMENTS


def test_a_long_value_has_one_error(documents: Documents) -> None:
    unknown = " ".join(f"f{number}: 1" for number in range(400))
    short = documents.read("{ name(in: { a: true b: [{ c: 1 }] d: 2 }) }")
    assert len(short.errors) == 3
    with cpu_below(0.1):
        long = documents.read(f"{{ a: name(in: {{ {unknown} }}) name(in: {{ a: true }}) }}")
    assert len(long.errors) == 2


@pytest.mark.parametrize(
    "text",
    [
        "{ name",
        "{ " + "name " * 2_000 + "}",
        "{ name } " + "#\n" * 501,
        "{ name } #" + "x" * 65_536,
        "{ name } ]",
        "{" * 50_000,
    ],
)
def test_a_document_beyond_the_parser_limits_is_refused(documents: Documents, text: str) -> None:
    with pytest.raises(GraphQLError) as caught:
        documents.read(text)
    assert caught.value.extensions == {"code": "GRAPHQL_PARSE_FAILED"}


def test_suggestions_can_be_closed(documents: Documents) -> None:
    closed = documents.read("{ nam }").errors[0].message
    is_open = Documents(schema=SCHEMA, limits=DocumentSettings(), suggestions=True).read("{ nam }")
    assert closed == "Cannot query field 'nam' on type 'Query'."
    assert is_open.errors[0].message == f"{closed} Did you mean 'name'?"


def test_reported_errors_are_few(documents: Documents) -> None:
    assert len(documents.read("{ " + " ".join(f"f{n}" for n in range(900)) + " }").errors) == 21


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("{ name } query B { name }", None, "The document has several operations"),
        ("query A { name } query B { name }", "C", "The document has no operation of the name"),
        ("query A { name }", "", "The document has no operation of the name"),
        ("fragment F on Query { name }", None, "The document has no operation."),
    ],
)
def test_an_ambiguous_operation_is_refused(
    documents: Documents, text: str, name: str | None, sentence: str
) -> None:
    with pytest.raises(GraphQLError, match=sentence) as caught:
        documents.read(text).operation(name)
    assert caught.value.extensions == {"code": "OPERATION_RESOLUTION_FAILURE"}


def test_the_named_operation_is_chosen(documents: Documents) -> None:
    chosen = documents.read("query A { name } query B { name }").operation("B")
    assert chosen.name is not None
    assert chosen.name.value == "B"


@pytest.mark.parametrize(
    "text",
    [
        "{ " + "name " * 1_490 + "}",
        "{ " + "me { name } " * 370 + "}",
        "{ "
        + " ".join(f"...F{n}" for n in range(100))
        + " } "
        + " ".join(f"fragment F{n} on Query {{ me {{ name }} }}" for n in range(100)),
    ],
)
def test_comparing_repeated_fields_is_bounded(documents: Documents, text: str) -> None:
    with cpu_below(0.4):
        errors = documents.read(text).errors
    assert [error.message for error in errors] == ["Validation aborted."]


def test_fragments_that_double_are_read_quickly(documents: Documents) -> None:
    fragments = [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60)]
    text = "{ ...F0 } " + " ".join(fragments) + " fragment F60 on Query { name }"
    with cpu_below(0.2):
        assert documents.read(text).errors == ()


def many(count: int, text: str) -> str:
    return " ".join(text.replace("#", str(number)) for number in range(count))


SERVED = Documents(schema=ENGINES.schema, limits=DocumentSettings(), suggestions=False)
DEAR = {
    "equal fields": "{ " + "viewer { accounts { nodes { id } } } " * 180 + "}",
    "other arguments": "{ " + many(98, "viewer { accounts(first: #) { nodes { id } } }") + " }",
    "unknown fields": "{ " + many(1_900, "f#") + " }",
    "unknown fragments": "{ " + many(900, "...F#") + " }",
    "all fragments": "{ "
    + many(100, "...F#")
    + " } "
    + many(100, "fragment F# on Query { viewer { accounts { nodes { id name } } } }"),
    "fragments that double": "{ ...F0 } "
    + "".join(
        f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} viewer {{ id }} }} " for n in range(60)
    )
    + "fragment F60 on Query { viewer { id } }",
    "fragments in circles": "{ ...F0 } "
    + many(99, "fragment F# on Query { " + " ".join(f"...F{n}" for n in range(16)) + " }"),
    "values of an enum": "{ account { creditPurchases(filter: { status: ["
    + "SUCCEEDED " * 1_900
    + "] }) { totalCount } } }",
    "values in values": "{ account(id: " + "[" * 900 + "]" * 900 + ") { id } }",
    "a long text": '{ account(id: """' + "x\n" * 30_000 + '""") { id } }',
    "nested inline fragments": "{ " + "... { " * 400 + "viewer { id }" + " }" * 401,
    "comments": "{ viewer { id } }" + "#x\n" * 500,
    "a million tokens": "{ " + "a " * 1_000_000 + "}",
}


@pytest.mark.parametrize("text", DEAR.values(), ids=DEAR)
def test_reading_any_document_takes_little_time(text: str) -> None:
    def read() -> None:
        with suppress(GraphQLError):
            SERVED.read(text)
            SERVED._kept.clear()

    read()
    assert least_cpu(read) < (0.05 if len(text) > 65_536 else 0.1)


SHORT_AND_DEAR = {
    "wrong values": "{ account { creditPurchases(filter: { status: ["
    + "1 " * 1_470
    + "] }) { totalCount } } }",
    "values of an enum": DEAR["values of an enum"].replace("SUCCEEDED " * 1_900, "PAID " * 1_470),
    "numbers as ids": "{ nodes(ids: [" + "1 " * 1_480 + "]) { id } }",
    "a variable many times": "query($a: ID!) { nodes(ids: [" + "$a " * 735 + "]) { id } }",
    "equal fields": "{ viewer { " + "id " * 1_490 + "} }",
    "unknown fields": "{ " + many(1_390, "f#") + " }",
    "unknown fields and a variable": "query($a: ID!) { " + many(1_380, "f#") + " node(id: $a) }",
    "unknown fields of a value": "{ account { creditPurchases(filter: { "
    + many(480, "f#: 1")
    + " }) { totalCount } } }",
    "a chain of fragments": "{ viewer { ...F0 } }"
    + "".join(f" fragment F{n} on Viewer {{ id ...F{n + 1} }}" for n in range(98))
    + " fragment F98 on Viewer { id }",
    "other arguments": DEAR["other arguments"],
}


@pytest.mark.parametrize("text", SHORT_AND_DEAR.values(), ids=SHORT_AND_DEAR)
def test_no_short_document_is_dear(text: str) -> None:
    """It takes at most three times what the parser takes for as many tokens: some 20 ms."""

    def read() -> None:
        SERVED.read(text)
        SERVED._kept.clear()

    def parse() -> None:
        parse_document(equal, max_tokens=2_000, max_comments=0, max_length=8_192)

    equal = SHORT_AND_DEAR["equal fields"]
    assert len(text) <= 8_192
    read()
    assert cpu_ratio(read, parse) < 3


def test_a_long_document_is_refused_without_memory(documents: Documents) -> None:
    text = "{ " + "a " * 1_000_000 + "}"
    tracemalloc.start()
    with pytest.raises(GraphQLError):
        documents.read(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 2**20
