"""What operations cost by the schema's descriptors, before they run."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    get_introspection_query,
    get_nullable_type,
    is_list_type,
    parse,
    print_ast,
)

from gateway.execution.cost.tree import Figures
from gateway.execution.fields import cost_of
from gateway.execution.operation import OperationRequest, PreparedOperation
from gateway.settings.documents import DocumentSettings
from resolvers.costs import EVENTS_A_DAY
from resolvers.schema import build_schema
from tests.support.contract import alone, operations
from tests.support.graph import ENGINES, make_engines

ROOT = Path(__file__).parents[2]
LIMITS = DocumentSettings()
ALL = frozenset(OperationType)
FEDERATED = make_engines(build_schema(federation=True))
VARIABLES = {
    "account": "acct_1",
    "id": "purchase_1",
    "ids": ["purchase_1"] * 100,
    "interval": "DAY",
    "from": "2025-11-20",
    "to": "2026-11-19",
    "by": "DEPLOYMENT",
    "first": 100,
    "top": 100,
}
"""As much as any client requests at once: a hundred items, and each day of a year."""


def prepare(query: str, variables: dict[str, Any] | None = None, **more: Any) -> Any:
    engine = more.pop("engines", ENGINES).compiled
    request = OperationRequest(query=query, variables=variables, **more)
    return asyncio.run(engine.prepare(request, request_id="r1", allowed=ALL))


def cost(query: str, variables: dict[str, Any] | None = None, **more: Any) -> Figures:
    prepared = prepare(query, variables, **more)
    assert isinstance(prepared, PreparedOperation), prepared.errors
    return prepared.cost


def refusal(query: str, variables: dict[str, Any] | None = None, **more: Any) -> str:
    refused = prepare(query, variables, **more)
    (error,) = refused.errors
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
    return str(error["message"])


def console_operations() -> dict[str, str]:
    """Return the documents of the page's operations by name."""
    folder = ROOT / "console/src/api/operations"
    text = "\n".join(path.read_text("utf-8") for path in sorted(folder.glob("*.graphql")))
    document = parse(text)
    found = {
        each.name.value: print_ast(alone(each, document))
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode) and each.name
    }
    assert len(found) > 10
    return found


CLIENTS = {
    f"contract {name}": (print_ast(document), name)
    for name, document in operations(subscriptions=True).items()
} | {f"page {name}": (text, name) for name, text in console_operations().items()}


@pytest.mark.parametrize(("text", "name"), CLIENTS.values(), ids=CLIENTS)
def test_each_client_operation_costs_a_third_at_most(text: str, name: str) -> None:
    figures = cost(text, VARIABLES, operation_name=name)
    assert 0 < figures.points <= LIMITS.operation_points / 3
    assert figures.values <= LIMITS.answer_values / 3
    assert figures.length <= LIMITS.answer_bytes / 3
    assert figures.rows <= LIMITS.operation_rows / 3


def test_introspection_costs_a_third_at_most() -> None:
    figures = cost(get_introspection_query())
    assert figures.points == 0
    assert figures.values <= LIMITS.answer_values / 3
    assert figures.length <= LIMITS.answer_bytes / 3


def test_the_example_of_the_documents_costs_as_much() -> None:
    text = (ROOT / "docs/graphql.md").read_text("utf-8")
    sentence, query = re.findall(r"(This operation costs.*?)```graphql\n(.*?)```", text, re.DOTALL)[
        0
    ]
    points, rows = re.findall(r"(\d+) (?:points|rows)", sentence)
    figures = cost(query, {"account": "acct_1"})
    assert (figures.points, figures.rows) == (int(points), int(rows))


@pytest.mark.parametrize("engines", [ENGINES, FEDERATED], ids=["plain", "federated"])
def test_every_list_has_a_length(engines: Any) -> None:
    lists = [
        (type_.name, name, cost_of(field))
        for type_ in engines.schema.type_map.values()
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__")
        for name, field in type_.fields.items()
        if is_list_type(get_nullable_type(field.type))
    ]
    assert len(lists) > 10
    assert [
        (type_, name) for type_, name, known in lists if known is None or known.items == 1
    ] == []


# 76 bytes that answered 596 kB with 2,100 statements, and 3 kB that took 67 seconds of CPU.
NESTED = """{ viewer { accounts(first: 100) { nodes { creditPurchases(first: 20) { nodes {
    account { creditPurchases(first: 20) { nodes { id } } } } } } } } }"""
YEARS = 'interval: DAY, from: "2023-12-01", to: "2026-11-30"'
HISTORIES = f"""query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Account {{
    {" ".join(f"a{n}: balanceHistory({YEARS}) {{ ...Bucket }}" for n in range(4))} }} }} }}
    fragment Bucket on BalanceBucket {{ start opening {{ amount }} closing {{ amount }} }}"""


def test_nested_pages_multiply() -> None:
    # An account, its connection, and 20 purchases with an account, a connection and 20 purchases.
    # The viewer and the connection of the accounts are the last two.
    points = 100 * (1 + 1 + 20 * (1 + 1 + 1 + 20)) + 2
    assert refusal(NESTED) == (
        f"The operation costs {points:,} points; at most 10,000 are allowed. Request fewer items "
        "or days at once: most of the cost is in `viewer.accounts.nodes.creditPurchases.nodes."
        "account.creditPurchases.nodes`."
    )


def test_an_id_counts_each_time_it_repeats() -> None:
    (bucket_points,) = {cost(HISTORIES, {"ids": ["acct_1"]}).points}
    assert bucket_points == 1 + 4 * 1_096
    assert cost(HISTORIES, {"ids": ["acct_1"] * 2}).points == 2 * bucket_points
    assert f"costs {100 * bucket_points:,} points" in refusal(HISTORIES, {"ids": ["acct_1"] * 100})


def test_a_kept_document_costs_what_its_variables_say() -> None:
    query = """query ($n: Int = 2, $m: Int) { viewer { accounts(first: $n) { nodes {
        creditPurchases(last: $m) { nodes { id } } } } } }"""
    points = {(n, m): 2 + n * (2 + m) for n in (1, 2, 100) for m in (1, 20, 97)}
    assert cost(query).points == points[2, 20]
    assert cost(query, {"n": 1, "m": 1}).points == points[1, 1]
    assert cost(query, {"n": 100, "m": 97}).points == points[100, 97]
    assert "10,202 points" in refusal(query, {"n": 100, "m": 100})
    assert cost(query, {"n": 1, "m": 1}).points == points[1, 1]
    # What is refused when the operation runs, by its own message, counts as allowed.
    assert cost(query, {"n": 1, "m": 10**6}).points == 2 + 1 + 1 + 100
    assert cost(query, {"n": "x", "m": {}}).points == 2 + 20 * 22


@pytest.mark.parametrize(
    ("arguments", "buckets"),
    [
        ("", 30),
        ("interval: WEEK", 12),
        ('from: "2026-01-01"', 30),
        ('interval: MONTH, from: "2026-01-15", to: "2026-03-01"', 3),
        ('from: "2026-01-01", to: "2026-12-31"', 365),
        ('from: "2016-01-01", to: "2026-12-31"', 575),
        ('interval: DAY, from: "2016-01-01", to: "2026-12-31"', 1_100),
        ('from: "2026-12-31", to: "2026-01-01"', 0),
    ],
)
def test_buckets_follow_from_the_window(arguments: str, buckets: int) -> None:
    given = f"({arguments})" if arguments else ""
    assert cost(f'{{ account(id: "x") {{ usage{given} {{ buckets {{ start }} }} }} }}').points == (
        2 + buckets
    )


@pytest.mark.parametrize(
    ("filter_", "rows_a_day"),
    [
        ("", 7),
        (", filter: null", 7),
        (", filter: {}", 7),
        (", filter: { providers: null }", 7),
        (', filter: { providers: ["a"] }', EVENTS_A_DAY),
        (", filter: { projects: [] }", EVENTS_A_DAY),
        (", filter: { projects: $names }", EVENTS_A_DAY),
        (", filter: $filter", EVENTS_A_DAY),
    ],
)
def test_filtered_quantities_cost_the_events_they_read(filter_: str, rows_a_day: int) -> None:
    declared = {"$names": "($names: [String])", "$filter": "($filter: UsageFilter)"}
    heads = [head for name, head in declared.items() if name in filter_]
    variables = {"filter": {"gpuModels": [None]}, "names": ["a"]}
    days = 'interval: DAY, from: "2026-01-01", to: "2026-01-10"'

    def rows(window: str, fields: str) -> int:
        selected = f"usage({window}{filter_}) {{ buckets {{ {fields} }} }}"
        return cost(
            f'query{"".join(heads)} {{ account(id: "a") {{ {selected} }} }}', variables
        ).rows

    own = rows(days, "start")
    assert rows(days, "resources { unit }") - own == 10 * rows_a_day
    # A bucket's days count, and a year of them is allowed.
    months = 'interval: MONTH, from: "2026-01-01", to: "2026-12-31"'
    at_most = 12 * (rows_a_day * 31 if rows_a_day == EVENTS_A_DAY else 7)
    assert rows(months, "resources { unit }") - rows(months, "start") == at_most


def test_quantities_of_a_filter_over_years_are_refused() -> None:
    window = 'interval: YEAR, from: "2024-01-01", to: "2026-12-31", filter: { providers: ["a"] }'
    message = refusal(
        f'{{ account(id: "a") {{ usage({window}) {{ buckets {{ resources {{ unit }} }} }} }} }}'
    )
    assert re.search(r"may load 3\d\d,\d{3} rows; .* `account.usage.buckets.resources`", message)


def test_fields_with_one_key_count_once() -> None:
    query = """query ($yes: Boolean = true) { account(id: "x") { ...A ...B deployments(first: 9) {
        nodes { id } nodes @skip(if: $yes) { resources { cpu } } } } }
        fragment A on Account { deployments(first: 9) { nodes { name } ...C } }
        fragment B on Account { id ... on Node { id } deployments(first: 9) { ...C nodes { id } } }
        fragment C on DeploymentConnection { nodes { spend { amount } } }"""
    assert cost(query).points == 1 + 1 + 9
    assert cost(query, {"yes": False}).points == 1 + 1 + 9 * 2


def test_the_dearest_of_possible_types_counts() -> None:
    query = """{ node(id: "x") { id ... on CreditPurchase { refunds { id } }
        ... on Account { balance { version } } ... on Deployment { id } } }"""
    assert cost(query).points == 1 + 3


def test_entities_count_by_their_representations() -> None:
    query = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on Account { id } } }"
    entity = {"__typename": "Account", "id": "acct_1"}
    assert cost(query, {"r": [entity] * 7}, engines=FEDERATED).points == 7
    assert cost(query, {"r": [entity] * 1_000}, engines=FEDERATED).points == 100


_SCHEMAS = " ".join(f"a{n}: __schema {{ ...Schema }}" for n in range(8))
INTROSPECTIONS = (
    get_introspection_query()
    .replace("{\n  __schema {", f"{{ {_SCHEMAS} }} fragment Schema on __Schema {{")
    .replace("  }\n}", "}", 1)
)


@pytest.mark.parametrize(
    ("query", "variables", "beginning"),
    [
        (
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            {"ids": ["x"] * 10_000},
            "The variables hold more than 10,000 values",
        ),
        (
            """{ viewer { accounts(first: 100) { nodes {
            usage(interval: YEAR, from: "2020-01-01", to: "2026-11-30") {
            summary { totalDeployments } } } } } }""",
            {},
            "The operation may load 252,700 rows; at most 150,000 are allowed.",
        ),
        (
            """{ viewer { accounts(first: 45) { nodes { creditPurchases(first: 100) { nodes {
            description failureReason } } } } } }""",
            {},
            "The answer may have 18,",
        ),
        (
            INTROSPECTIONS,
            {},
            "The answer may have",
        ),
    ],
    ids=["variables", "rows", "bytes", "introspection"],
)
def test_what_is_not_an_object_has_limits_too(
    query: str, variables: dict[str, Any], beginning: str
) -> None:
    assert refusal(query, variables).startswith(beginning)
