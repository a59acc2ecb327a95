"""Counts what a document selects, in one pass over each definition, and checks the limits.

Each fragment is summed once and added where it is spread, so that the time is proportional to the
document's text, whatever its fragments expand to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

INTROSPECTION_FIELDS = frozenset({"__schema", "__type", "_service"})
"""Fields that describe the schema; `_service` is that of a federated subgraph."""


class DocumentLimits(Protocol):
    """The most of each that one document may hold; `length` counts characters.

    `answer_values` counts the scalars, objects and lists of a response.
    """

    @property
    def length(self) -> int: ...

    @property
    def tokens(self) -> int: ...

    @property
    def comments(self) -> int: ...

    @property
    def depth(self) -> int: ...

    @property
    def introspection_depth(self) -> int: ...

    @property
    def aliases(self) -> int: ...

    @property
    def directives(self) -> int: ...

    @property
    def operations(self) -> int: ...

    @property
    def variables(self) -> int: ...

    @property
    def fragments(self) -> int: ...

    @property
    def fields(self) -> int: ...

    @property
    def variable_values(self) -> int: ...

    @property
    def operation_points(self) -> int: ...

    @property
    def operation_rows(self) -> int: ...

    @property
    def answer_bytes(self) -> int: ...

    @property
    def answer_values(self) -> int: ...


@dataclass(slots=True, kw_only=True)
class _Summary:
    """One definition alone: the depths of its fields (from 1), its aliases and fragment spreads."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    directives: int = 0
    introspects: bool = False
    spreads: list[tuple[str, int, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Total:
    """A definition with its fragments expanded; `depth` is that of fields outside introspection."""

    depth: int
    introspection_depth: int
    aliases: int


def find_excess(document: DocumentNode, limits: DocumentLimits) -> str | None:
    """Return a sentence that names the first limit that the document exceeds, or None.

    Aliases and depths are counted per operation, fragments expanded; aliases of `__typename`
    count. The document need not be valid: a missing fragment, and a fragment inside itself, count
    as empty.
    """
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    if len(operations) > limits.operations:
        return f"A document may hold at most {limits.operations} operations."
    if len(document.definitions) - len(operations) > limits.fragments:
        return f"A document may hold at most {limits.fragments} fragments."
    if sum(len(o.variable_definitions or ()) for o in operations) > limits.variables:
        return f"A document may declare at most {limits.variables} variables."
    summaries = {name: _summarise(fragment) for name, fragment in fragments.items()}
    roots = [_summarise(operation) for operation in operations]
    if sum(summary.directives for summary in (*roots, *summaries.values())) > limits.directives:
        return f"A document may use at most {limits.directives} directives."
    totals: dict[str, _Total] = {}
    for root in roots:
        total = _total(root, summaries, totals, frozenset(), limits.aliases + 1)
        if sentence := _excess_of(total, limits):
            return sentence
    return None


def introspects(document: DocumentNode) -> bool:
    """Return whether the document reads a description of the schema, anywhere."""
    return any(
        _summarise(definition).introspects
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode)
    )


def _excess_of(total: _Total, limits: DocumentLimits) -> str | None:
    if total.aliases > limits.aliases:
        return f"An operation may use at most {limits.aliases} aliases, fragments expanded."
    if total.depth > limits.depth:
        return f"An operation may nest fields at most {limits.depth} deep, fragments expanded."
    if total.introspection_depth > limits.introspection_depth:
        return f"Introspection may nest fields at most {limits.introspection_depth} deep."
    return None


def _total(
    summary: _Summary,
    summaries: dict[str, _Summary],
    totals: dict[str, _Total],
    above: frozenset[str],
    ceiling: int,
) -> _Total:
    depth, introspection_depth = summary.depth, summary.introspection_depth
    aliases = summary.aliases
    for name, at, in_introspection in summary.spreads:
        if name not in summaries or name in above:
            continue
        if name not in totals:
            totals[name] = _total(summaries[name], summaries, totals, above | {name}, ceiling)
        spread = totals[name]
        aliases = min(aliases + spread.aliases, ceiling)
        if in_introspection:
            deepest = max(spread.depth, spread.introspection_depth)
            introspection_depth = max(introspection_depth, at + deepest)
        else:
            depth = max(depth, at + spread.depth)
            if spread.introspection_depth:
                introspection_depth = max(introspection_depth, at + spread.introspection_depth)
    return _Total(depth=depth, introspection_depth=introspection_depth, aliases=aliases)


def _summarise(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Summary:
    summary = _Summary(directives=len(definition.directives or ()))
    for variable in definition.variable_definitions or ():
        summary.directives += len(variable.directives or ())
    pending: list[tuple[SelectionSetNode, int, bool]] = [(definition.selection_set, 0, False)]
    while pending:
        pending.extend(_visit(*pending.pop(), summary))
    return summary


def _visit(
    selections: SelectionSetNode, depth: int, in_introspection: bool, summary: _Summary
) -> Iterator[tuple[SelectionSetNode, int, bool]]:
    for node in selections.selections:
        summary.directives += len(node.directives or ())
        if isinstance(node, FragmentSpreadNode):
            summary.spreads.append((node.name.value, depth, in_introspection))
        elif isinstance(node, InlineFragmentNode):
            yield node.selection_set, depth, in_introspection
        elif isinstance(node, FieldNode):
            starts = node.name.value in INTROSPECTION_FIELDS
            within = in_introspection or starts
            summary.introspects |= starts
            summary.aliases += node.alias is not None
            if within:
                summary.introspection_depth = max(summary.introspection_depth, depth + 1)
            else:
                summary.depth = max(summary.depth, depth + 1)
            if node.selection_set:
                yield node.selection_set, depth + 1, within
