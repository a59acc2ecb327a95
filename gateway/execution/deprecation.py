"""Finds the deprecated fields that a document selects."""

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)


class _Deprecated(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        field, parent = self._types.get_field_def(), self._types.get_parent_type()
        if parent and field and field.deprecation_reason is not None:
            self.found.add(f"{parent.name}.{node.name.value}")


def deprecated_fields(schema: GraphQLSchema, document: DocumentNode) -> frozenset[str]:
    """Return the deprecated fields of a valid document, each as `Type.field`."""
    types = TypeInfo(schema)
    visitor = _Deprecated(types)
    visit(document, TypeInfoVisitor(types, visitor))
    return frozenset(visitor.found)
