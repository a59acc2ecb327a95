"""What is asked, and whether every server says the same."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from graphql import FieldNode, Visitor, parse, print_ast, visit
from graphql.language import REMOVE, OperationDefinitionNode

from tests.bench.servers import Running

CONTRACT = Path(__file__).parents[1] / "contract" / "page.graphql"
INSTANTS = {"createdAt", "start", "end"}
OPAQUE = {"id", "cursor", "startCursor", "endCursor"}


class _Strip(Visitor):
    """Takes out links, which are signed anew for every answer."""

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        return REMOVE if node.name.value in {"downloadUrl", "exportUrl"} else None


def operation(name: str) -> str:
    """Return the text of one operation of the contract, without links."""
    document = visit(parse(CONTRACT.read_text("utf-8")), _Strip())
    (found,) = (
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and node.name and node.name.value == name
    )
    return print_ast(found)


def ask(running: Running, body: dict[str, Any]) -> Any:
    """Return a server's answer, normalised. Raises SystemExit where it has errors."""
    answer = httpx.post(
        f"http://127.0.0.1:{running.port}/graphql", json=body, headers=running.server.headers
    )
    content = answer.json()
    if answer.status_code != httpx.codes.OK or content.get("errors"):
        raise SystemExit(
            f"{running.server.name} answered {answer.status_code}: {answer.text[:500]}"
        )
    return _normalised(content["data"], {})


def _normalised(value: Any, seen: dict[str, int], name: str = "") -> Any:
    """Return an answer with one spelling of instants; opaque texts by order of appearance."""
    if isinstance(value, dict):
        return {key: _normalised(each, seen, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_normalised(each, seen) for each in value]
    if isinstance(value, str) and name in INSTANTS:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    if isinstance(value, str) and name in OPAQUE:
        return seen.setdefault(value, len(seen))
    return value


def leaves(value: Any) -> int:
    """Return how many leaf values an answer has."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    return sum(map(leaves, value)) if isinstance(value, list) else 1
