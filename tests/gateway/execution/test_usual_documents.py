"""Random documents, whole and damaged: graphql-core accepts what the walk accepts."""

import re
from collections.abc import Iterator
from typing import Final

import pytest
from graphql import GraphQLArgument, GraphQLSyntaxError, build_schema, parse, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.execution.deprecation import deprecated_fields
from gateway.execution.limits import introspects
from gateway.execution.usual_documents import UsualDocuments
from gateway.execution.validation import RULES
from tests.support.contract import operations
from tests.support.graph import ENGINES
from tests.support.random_documents import RandomDocument, random_documents

SCHEMA: Final = build_schema("""
    directive @tag(name: String!) repeatable on FIELD | QUERY
    interface Named { id: ID! name: String old: String @deprecated }
    type Cat implements Named {
      id: ID! name: String old: String @deprecated lives(first: Int = 3, of: Kind): Int!
      friends(first: Int!, kinds: [Kind!], where: Where): [Named!]! size: Int
    }
    type Dog implements Named { id: ID! name: String old: String size: String owner: Person }
    type Person { name: String! pets(near: String): [Pet!] }
    union Pet = Cat | Dog
    enum Kind { SMALL LARGE }
    input Where { name: String size: Int = 1 exact: Exact }
    input Exact @oneOf { a: Int b: String }
    type Query { named(id: ID!): Named pet: Pet cat: Cat dogs(first: Int = 5): [Dog] }
    type Mutation { feed(id: ID!, kind: Kind! = SMALL): Cat }
    type Subscription { fed: Cat pet: Pet }
""")
OPERATIONS: Final = operations()
USUAL: Final = UsualDocuments(SCHEMA)

VALID: Final = (
    "{ cat { id name other: name lives friends(first: 3, kinds: SMALL) { id __typename } } }",
    "query Q($id: ID!, $n: Int = 4) { named(id: $id) { id ... on Cat { lives(first: $n) } } }",
    "query Q($a: Boolean!) { cat @skip(if: $a) { id @include(if: true) ... @skip(if: $a) {id} } }",
    "{ pet { __typename ...C ... on Dog { size name } } } fragment C on Cat { id old }",
    "mutation M($k: Kind = LARGE) { feed(id: 3, kind: $k) {...N} } fragment N on Named { id old }",
    "query ($k: [Kind!], $f: Int!) { cat { friends(first: $f, kinds: $k) { ...A ...A } } } \
    fragment A on Named { id ...B } fragment B on Cat { lives }",
)
UNUSUAL: Final = (
    '{ cat { friends(first: 1, where: {name: "x", exact: {a: 1}}) { id } cat: friends { id } } }',
    "query A { cat { id } } query B { cat { name } }",
    'query @tag(name: "q") { cat { id @tag(name: "a") @tag(name: "b") } }',
    "subscription S { fed { id } }",
    "{ __schema { types { name } } cat { id } cat { name } }",
    "query Q($e: Exact, $b: String) { cat { friends(first: 1, where: {exact: {b: $b}}) { id } } }",
    "type Query { a: Int }",
)
INVALID: Final = (
    "{ cat { nme } }",
    "{ cat }",
    "{ cat { id { id } } }",
    "{ pet { id } }",
    "{ named { id } }",
    "{ named(id: true) { id } }",
    "{ named(id: 1, id: 1) { id } }",
    "{ named(id: 1, of: 1) { id } }",
    "{ cat { lives(of: TINY) } }",
    "{ cat { lives(first: $n) } }",
    "query ($n: Int) { cat { id } }",
    "query ($n: String) { cat { lives(first: $n) } }",
    "query ($n: Int) { cat { friends(first: $n) { id } } }",
    "query ($n: Cat) { cat { lives(first: $n) } }",
    "query ($n: Int, $n: Int) { cat { lives(first: $n) } }",
    'query ($n: Int = "x") { cat { lives(first: $n) } }',
    "query ($a: Boolean) { cat { id @skip(if: $a) } }",
    "{ cat { id @skip } }",
    "{ cat { id @skip(if: 3) } }",
    "{ cat { id @skip(if: true) @skip(if: true) } }",
    "{ cat { id @unknown } }",
    "query @skip(if: true) { cat { id } }",
    "{ cat { a: id a: name } }",
    "{ cat { lives lives(first: 2) } }",
    "{ cat { ...A name: id } } fragment A on Cat { name }",
    "{ pet { ... on Cat { size } ... on Dog { size } } }",
    "{ cat { ...A } }",
    "{ cat { id } } fragment A on Cat { id }",
    "{ cat { ...A } } fragment A on Dog { id }",
    "{ cat { ...A } } fragment A on Cat { id } fragment A on Cat { name }",
    "{ cat { ...A } } fragment A on Cat { id ...A }",
    "{ cat { ...A } } fragment A on Cat @skip(if: true) { id }",
    "{ cat { ... on Kind { id } } }",
    "{ cat { ... on Nothing { id } } }",
    "{ cat { id } } { cat { id } }",
    "{ cat { " + "id " * 200 + "} }",
)
TOKENS: Final = re.compile(r'\.\.\.|"[^"]*"|\$?[\w-]+|[^\s,]')


def values(field: str, name: str, _: GraphQLArgument) -> st.SearchStrategy[str]:
    del field
    return st.sampled_from({"id": ["3", '"x"'], "of": ["SMALL"], "near": ['"x"']}.get(name, ["3"]))


def damaged(text: str) -> Iterator[str]:
    """Yield a document with each of its tokens lost, and each name replaced by each other."""
    tokens = TOKENS.findall(text)
    names = {token for token in tokens if token[-1].isalnum()}
    for at, token in enumerate(tokens):
        others = sorted(names - {token}) if token in names else []
        for other in ("", *others):
            yield " ".join([*tokens[:at], other, *tokens[at + 1 :]])


def compare(text: str) -> bool:
    """Return whether a document is accepted: graphql-core then finds the same."""
    try:
        document = parse(text)
    except GraphQLSyntaxError:
        return False
    found = USUAL.check(document)
    if found is None:
        return False
    assert not validate(SCHEMA, document, RULES)
    assert found.deprecated == deprecated_fields(SCHEMA, document)
    assert not introspects(document)
    return True


@pytest.mark.parametrize("text", VALID + UNUSUAL)
def test_nothing_invalid_is_accepted(text: str) -> None:
    accepted = sum(map(compare, damaged(text)))
    assert accepted or text in UNUSUAL


@settings(max_examples=2 * settings().max_examples)
@given(document=random_documents(SCHEMA, values, depth=3))
def test_accepted_random_documents_are_valid(document: RandomDocument) -> None:
    compare(document.text)


@pytest.mark.parametrize("text", INVALID)
def test_each_rule_leaves_its_document_to_graphql_core(text: str) -> None:
    assert validate(SCHEMA, parse(text), RULES)
    assert USUAL.check(parse(text)) is None


@pytest.mark.parametrize("text", VALID)
def test_usual_documents_are_accepted(text: str) -> None:
    assert USUAL.check(parse(text)) is not None
    assert not validate(SCHEMA, parse(text), RULES)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_operations_of_the_contract_are_accepted(name: str) -> None:
    assert UsualDocuments(ENGINES.schema).check(OPERATIONS[name]) is not None


@pytest.mark.parametrize(
    "text",
    [
        "{ cat { " + "...A " * 60 + "} } fragment A on Cat { " + "id " * 20 + "}",
        "{ ...A } fragment A on Query { ...B cat { id } } fragment B on Query { ...A }",
        "{ ...F0 ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))
        + " fragment F30 on Query { cat { id } }",
        "{ cat { " + "... { " * 150 + "id" + " }" * 150 + " } }",
        "{ }",
    ],
)
def test_extreme_documents_are_left_to_graphql_core(text: str) -> None:
    assert USUAL.check(parse(text)) is None
