"""The operations that clients send, in `tests/contract`."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    get_operation_ast,
    parse,
    visit,
)

CONTRACT = Path(__file__).parents[1] / "contract"


def operations(folder: Path = CONTRACT, *, subscriptions: bool = False) -> dict[str, DocumentNode]:
    """Return each operation of a contract by its name, with the fragments that it needs."""
    found = {}
    for path in sorted(folder.glob("*.graphql")):
        if path.name == "released.graphql":
            continue
        document = parse(path.read_text("utf-8"))
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode) and (
                subscriptions or definition.operation is not OperationType.SUBSCRIPTION
            ):
                assert definition.name is not None
                found[definition.name.value] = alone(definition, document)
    return found


def alone(operation: OperationDefinitionNode, document: DocumentNode) -> DocumentNode:
    """Return the document of one operation, with the fragments that it needs."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    needed: dict[str, FragmentDefinitionNode] = {}
    pending: list[Any] = [operation]
    while pending:
        for name in _spread_in(pending.pop()) - needed.keys():
            needed[name] = fragments[name]
            pending.append(fragments[name])
    return replace(document, definitions=(operation, *needed.values()))


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _spread_in(node: Any) -> set[str]:
    spreads = _Spreads()
    visit(node, spreads)
    return spreads.names


def declared_by(document: DocumentNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the variables that the document's operation declares."""
    operation = get_operation_ast(document)
    assert operation
    names = {each.variable.name.value for each in operation.variable_definitions or ()}
    return {name: value for name, value in variables.items() if name in names}
