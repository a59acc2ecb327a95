"""The schema has the connections, nodes and names that Relay and linters of schemas expect."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema

from tests.support.documents import ROOT
from tests.support.npm import CLIENTS, installed, output_of

TEXT: Final = (ROOT / "schema.graphql").read_text("utf-8")
SCHEMA: Final = build_schema(TEXT)
NODE: Final = SCHEMA.type_map["Node"]


def connections() -> Iterator[tuple[GraphQLObjectType, str]]:
    """Yield each field that is a connection, with its type."""
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType):
            for name, field in type_.fields.items():
                if {"first", "after", "last", "before"} <= field.args.keys():
                    yield type_, name


def documents() -> Iterator[str]:
    """Yield fragments of Relay: each node reloads itself, and each connection pages."""
    assert isinstance(NODE, GraphQLInterfaceType)
    for each in SCHEMA.get_possible_types(NODE):
        yield f"""fragment page_{each.name} on {each.name}
          @refetchable(queryName: "page{each.name}Query") {{ id }}"""
    for type_, name in connections():
        place = f"{type_.name}_{name}"
        yield f"""fragment page_{place} on {type_.name}
          @refetchable(queryName: "page{place}Query")
          @argumentDefinitions(
            first: {{ type: "Int", defaultValue: 10 }} after: {{ type: "String" }}
          ) {{
            {name}(first: $first, after: $after) @connection(key: "page_{place}_{name}") {{
              totalCount edges {{ node {{ id }} }}
            }}
          }}"""
    yield "query pageQuery { viewer { ...page_Viewer_accounts } }"
    yield """subscription pageSubscription($account: ID!) {
      balanceUpdated(accountId: $account) { version }
    }"""


def test_no_rule_of_the_linter_is_broken() -> None:
    linter = installed(CLIENTS) / "node_modules/graphql-schema-linter/lib/cli.js"
    printed = output_of(linter, "--format", "json", "schema.graphql", folder=ROOT)
    assert json.loads(printed) == {"errors": []}


def test_relay_reloads_nodes_and_pages_through_connections(tmp_path: Path) -> None:
    assert len(list(connections())) >= 4
    source = tmp_path / "src"
    source.mkdir()
    tagged = (f"graphql`{each}`;\n" for each in documents())
    (source / "page.js").write_text("".join(tagged), "utf-8")
    (tmp_path / "schema.graphql").write_text(TEXT, "utf-8")
    config = {"src": "src", "schema": "schema.graphql", "language": "javascript"}
    (tmp_path / "relay.json").write_text(json.dumps(config), "utf-8")
    compiler = installed(CLIENTS) / "node_modules/relay-compiler/cli.js"
    output_of(compiler, "relay.json", folder=tmp_path)
    made = {path.name for path in (source / "__generated__").iterdir()}
    assert {f"page{type_.name}_{name}Query.graphql.js" for type_, name in connections()} <= made
