"""The operations that clients send, in `tests/contract`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    parse,
    visit,
)
from graphql.language.visitor import REMOVE

CONTRACT = Path(__file__).parents[1] / "contract"
NOT_YET = frozenset({"exportUrl"})


class _WithoutFields(Visitor):
    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self._names = names

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        return REMOVE if node.name.value in self._names else None


def operations(
    *, without: frozenset[str] = NOT_YET, subscriptions: bool = False
) -> dict[str, DocumentNode]:
    """Return each operation of the contract by its name, with the fragments that it needs and
    without the fields named.
    """
    found = {}
    for path in sorted(CONTRACT.glob("*.graphql")):
        if path.name == "released.graphql":
            continue
        document = visit(parse(path.read_text("utf-8")), _WithoutFields(without))
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode) and (
                subscriptions or definition.operation is not OperationType.SUBSCRIPTION
            ):
                assert definition.name is not None
                found[definition.name.value] = _alone(definition, document)
    return found


def _alone(operation: OperationDefinitionNode, document: DocumentNode) -> DocumentNode:
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
