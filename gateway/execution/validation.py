"""The validation rules: those of the specification and of Strawberry, at a bounded cost."""

from typing import Final

from graphql import OverlappingFieldsCanBeMergedRule, ValidationContext, specified_rules
from graphql.validation import ASTValidationRule
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

# Steps of comparing fields of one name with each other; usual documents take none. graphql-core
# would go on to 500,000, which is most of a second.
COMPARISONS: Final = 10_000


class BoundedOverlapRule(OverlappingFieldsCanBeMergedRule):
    """Refuses the document after `COMPARISONS` steps."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = COMPARISONS


RULES: Final[tuple[type[ASTValidationRule], ...]] = (
    *(rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule),
    BoundedOverlapRule,
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)
