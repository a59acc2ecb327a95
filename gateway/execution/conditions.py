"""The variables that decide which fields an operation selects."""

from typing import Final

from graphql import DirectiveNode, DocumentNode, SelectionSetNode, VariableNode

_CONDITIONS: Final = frozenset({"skip", "include"})


def condition_variables(document: DocumentNode) -> tuple[str, ...]:
    """Return the names of the variables in a document's `@skip` and `@include`, sorted."""
    names: set[str] = set()
    sets = [getattr(definition, "selection_set", None) for definition in document.definitions]
    pending: list[SelectionSetNode | None] = sets
    while pending:
        selections = pending.pop()
        for node in selections.selections if selections else ():
            for directive in node.directives or ():
                names.update(_variables(directive))
            pending.append(getattr(node, "selection_set", None))
    return tuple(sorted(names))


def _variables(directive: DirectiveNode) -> list[str]:
    if directive.name.value not in _CONDITIONS:
        return []
    values = [argument.value for argument in directive.arguments or ()]
    return [value.name.value for value in values if isinstance(value, VariableNode)]
