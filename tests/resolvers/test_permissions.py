"""Every field has a policy."""

import pytest
import strawberry
from strawberry.types.base import StrawberryObjectDefinition

from resolvers.columns import POLICY
from resolvers.permissions import Policy
from resolvers.schema import build_schema


def policies(schema: strawberry.Schema) -> dict[str, Policy | None]:
    """Return the policy of each field of each type, by its place."""
    found = {}
    for name, concrete in schema.schema_converter.type_map.items():
        definition = concrete.definition
        if isinstance(definition, StrawberryObjectDefinition) and not definition.is_input:
            for field in definition.fields:
                default = getattr(definition.origin, "POLICY", None)
                found[f"{name}.{field.python_name}"] = field.metadata.get(POLICY, default)
    return found


@pytest.mark.parametrize("federation", [False, True])
def test_every_field_has_a_policy(federation: bool) -> None:
    found = policies(build_schema(federation=federation))
    assert "Account.credit_purchases" in found
    assert [place for place, policy in found.items() if not isinstance(policy, Policy)] == []


def test_what_a_viewer_may_not_see_is_nullable_where_it_is_entered() -> None:
    """So that FORBIDDEN blanks one field alone; a subscription that is refused has no fields."""
    schema = build_schema()
    types = schema.schema_converter.type_map
    found = policies(schema)
    for place, policy in found.items():
        type_name, _, field_name = place.partition(".")
        definition = types[type_name].definition
        assert isinstance(definition, StrawberryObjectDefinition)
        enters = getattr(definition.origin, "POLICY", None) is not Policy.PURCHASES
        if policy is Policy.PURCHASES and enters and type_name != "Subscription":
            field = next(each for each in definition.fields if each.python_name == field_name)
            assert "Optional" in type(field.type).__name__, place
