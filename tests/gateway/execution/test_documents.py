import pytest
from graphql import GraphQLError, build_schema

from gateway.execution.documents import (
    CACHED_CHARACTERS,
    CACHED_DOCUMENTS,
    CACHED_LENGTH,
    Documents,
)
from gateway.settings.documents import DocumentSettings
from tests.support.cpu import cpu_below

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
    assert len(documents) == CACHED_DOCUMENTS
    assert documents.read(texts[0]) is kept[0]
    assert documents.read(texts[1]) is not kept[1]


def test_long_documents_take_the_place_of_several(documents: Documents) -> None:
    for number in range(CACHED_DOCUMENTS):
        documents.read(f"{{ name }} # {number} {'x' * 8_000}")
    assert CACHED_CHARACTERS // CACHED_LENGTH <= len(documents) < CACHED_DOCUMENTS


def test_a_long_value_has_one_error(documents: Documents) -> None:
    unknown = " ".join(f"f{number}: 1" for number in range(600))
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
        "{ " + "name " * 1_990 + "}",
        "{ " + "me { name } " * 490 + "}",
        "{ "
        + " ".join(f"...F{n}" for n in range(100))
        + " } "
        + " ".join(f"fragment F{n} on Query {{ me {{ me {{ name }} }} }}" for n in range(100)),
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
