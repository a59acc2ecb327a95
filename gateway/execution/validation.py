"""The validation rules: those of the specification and of Strawberry, at a bounded cost."""

from contextlib import suppress
from typing import Final

from graphql import (
    GraphQLError,
    GraphQLInputType,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    ValueNode,
    ValuesOfCorrectTypeRule,
    specified_rules,
)
from graphql.language import SKIP, VisitorAction
from graphql.utilities.validate_input_value import validate_input_literal
from graphql.validation import ASTValidationRule
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

# Steps of comparing fields of one name with each other; usual documents take none. graphql-core
# would go on to 500,000, which is most of a second.
COMPARISONS: Final = 10_000
LONG_VALUE: Final = 500
"""Characters of a value of which only the first error is reported: each error prints the value."""


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
