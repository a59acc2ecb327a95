import pytest
from graphql import get_introspection_query, parse

from gateway.execution.limits import find_excess, introspects
from gateway.settings.documents import DocumentSettings
from tests.support.cpu import cpu_below

LIMITS = DocumentSettings()


def excess(text: str) -> str | None:
    return find_excess(parse(text), LIMITS)


def nested(depth: int, name: str = "a") -> str:
    return "{" + f"{name}{{" * (depth - 1) + name + "}" * depth


def doubling(count: int, leaf: str) -> str:
    fragments = [f"fragment F{n} on Q {{ ...F{n + 1} ...F{n + 1} }}" for n in range(count)]
    return "{ ...F0 } " + " ".join(fragments) + f" fragment F{count} on Q {{ {leaf} }}"


@pytest.mark.parametrize(
    ("within", "beyond", "sentence"),
    [
        (nested(10), nested(11), "An operation may nest fields at most 10 deep"),
        (
            "{ " + " ".join(f"a{n}: __typename" for n in range(30)) + " }",
            "{ " + " ".join(f"a{n}: __typename" for n in range(31)) + " }",
            "An operation may use at most 30 aliases",
        ),
        (
            "{ a " + "@skip(if: false) " * 50 + "}",
            "{ a " + "@skip(if: false) " * 51 + "}",
            "A document may use at most 50 directives.",
        ),
        (
            " ".join(f"query Q{n} {{ a }}" for n in range(20)),
            " ".join(f"query Q{n} {{ a }}" for n in range(21)),
            "A document may hold at most 20 operations.",
        ),
        (
            "query (" + " ".join(f"$v{n}: Int" for n in range(100)) + ") { a }",
            "query (" + " ".join(f"$v{n}: Int" for n in range(101)) + ") { a }",
            "A document may declare at most 100 variables.",
        ),
        (
            "{ a } " + " ".join(f"fragment F{n} on Q {{ a }}" for n in range(100)),
            "{ a } " + " ".join(f"fragment F{n} on Q {{ a }}" for n in range(101)),
            "A document may hold at most 100 fragments.",
        ),
        (
            nested(15, "__schema"),
            nested(16, "__schema"),
            "Introspection may nest fields at most 15 deep.",
        ),
    ],
)
def test_the_limit_itself_passes_and_one_more_does_not(
    within: str, beyond: str, sentence: str
) -> None:
    assert excess(within) is None
    assert (excess(beyond) or "").startswith(sentence)


def test_fragments_count_where_they_are_spread() -> None:
    ten = "fragment Ten on Q { " + " ".join(f"x{n}: a" for n in range(10)) + " }"
    assert excess(f"{{ p {{ ...Ten }} q {{ ...Ten }} r {{ ...Ten }} }} {ten}") is None
    assert excess(f"{{ p {{ ...Ten }} q {{ ...Ten }} r {{ ...Ten }} s: a }} {ten}") is not None


def test_depth_goes_on_through_fragments_and_inline_fragments() -> None:
    deep = "fragment F on Q { a { ... on Q { a { a { a { a { a } } } } } } }"
    assert excess(f"{{ a {{ a {{ a {{ a {{ ...F }} }} }} }} }} {deep}") is None
    assert excess(f"{{ a {{ a {{ a {{ a {{ a {{ ...F }} }} }} }} }} }} {deep}") is not None


def test_a_fragment_below_introspection_is_measured_as_introspection() -> None:
    fragment = "fragment T on __Type { ofType { ofType { ofType { ofType { name } } } } }"
    spread = '{ __type(name: "A") { a { a { a { a { a { a { a { a { ...T } } } } } } } } } }'
    assert excess(f"{spread} {fragment}") is None
    assert excess(f"{spread.replace('...T', 'a { a { ...T } }')} {fragment}") is not None


def test_the_usual_introspection_query_passes() -> None:
    assert excess(get_introspection_query()) is None


@pytest.mark.parametrize("count", [60, 99])
def test_fragments_that_double_cost_no_time(count: int) -> None:
    document = parse(doubling(count, "x: a"))
    with cpu_below(0.05):
        sentence = find_excess(document, LIMITS)
    assert sentence is not None
    assert "aliases" in sentence


def test_a_fragment_within_itself_ends() -> None:
    assert excess("{ ...A } fragment A on Q { a { ...B } } fragment B on Q { b { ...A } }") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{ a }", False),
        ("{ __typename }", False),
        ("{ a { b { __schema { types { name } } } } }", True),
        ('{ ...F } fragment F on Q { x: __type(name: "A") { name } }', True),
        ("{ a: _service { sdl } }", True),
    ],
)
def test_introspection_is_found_wherever_it_stands(text: str, found: bool) -> None:
    assert introspects(parse(text)) is found
