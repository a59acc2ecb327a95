"""The validation rules: those of the specification and of Strawberry, at a bounded cost."""

from contextlib import suppress
from typing import Final

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    Node,
    OverlappingFieldsCanBeMergedRule,
    TypeInfo,
    TypeInfoVisitor,
    ValidationContext,
    ValueNode,
    ValuesOfCorrectTypeRule,
    specified_rules,
    visit,
)
from graphql.language import SKIP, VisitorAction
from graphql.utilities.validate_input_value import validate_input_literal
from graphql.validation import ASTValidationRule
from graphql.validation.validation_context import (
    NodeWithSelectionSet,
    VariableUsage,
    VariableUsageVisitor,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

# Steps of comparing fields of one name with each other; usual documents take none. graphql-core
# would go on to 500,000, which is most of a second.
COMPARISONS: Final = 2_000
LONG_VALUE: Final = 500
"""Characters of a value of which only the first error is reported: each error prints the value."""


class QuickUsages(ASTValidationRule):
    """Finds the variables in a definition for all rules: without a walk through what has none."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        # Not a method of this rule: a cycle would wait for the collector.
        finder = _UsagesOf(context.schema, context.document)
        vars(context)["get_variable_usages"] = finder.find


class _UsagesOf:
    """The variables in the definitions of a document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._document = document
        self._found: dict[int, list[VariableUsage]] = {}

    def find(self, node: NodeWithSelectionSet) -> list[VariableUsage]:
        # By identity: graphql-core's key is the hash of the whole definition.
        found = self._found.get(id(node))
        if found is None:
            fragment = node if isinstance(node, FragmentDefinitionNode) else None
            types = TypeInfo(self._schema)
            types.enter_document(self._document)
            visitor = _Usages(types, fragment)
            if _has_variable(node):
                visit(node, TypeInfoVisitor(types, visitor))
            found = self._found[id(node)] = visitor.usages
        return found


class _Usages(VariableUsageVisitor):
    """Skips what has no variable."""

    def enter(self, node: Node, *_: object) -> VisitorAction:
        return None if _has_variable(node) else SKIP


def _has_variable(node: Node) -> bool:
    place = node.loc
    return place is None or place.source.body.find("$", place.start, place.end) >= 0


class BoundedOverlapRule(OverlappingFieldsCanBeMergedRule):
    """Refuses the document after `COMPARISONS` steps."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = COMPARISONS


class BoundedValuesRule(ValuesOfCorrectTypeRule):
    """Reports one error of a long value."""

    def is_valid_value_node(
        self, node: ValueNode, input_type: GraphQLInputType | None
    ) -> VisitorAction:
        is_long = node.loc is not None and node.loc.end - node.loc.start > LONG_VALUE

        def report(error: GraphQLError, _path: list[str | int]) -> None:
            self.report_error(error)
            if is_long:
                raise _Enough

        if input_type:
            with suppress(_Enough):
                validate_input_literal(
                    node, input_type, report, None, None, self.context.hide_suggestions
                )
        return SKIP


class _Enough(Exception):
    """Ends the validation of one value."""


RULES: Final[tuple[type[ASTValidationRule], ...]] = (
    QuickUsages,
    *(
        rule
        for rule in specified_rules
        if rule not in {OverlappingFieldsCanBeMergedRule, ValuesOfCorrectTypeRule}
    ),
    BoundedOverlapRule,
    BoundedValuesRule,
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)
