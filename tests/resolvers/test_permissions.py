"""Every field has a policy, and the engine enforces it."""

from inspect import iscoroutine
from types import SimpleNamespace

import pytest
import strawberry
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)
from strawberry.types.base import StrawberryObjectDefinition

from gateway.errors import Forbidden
from gateway.execution.fields import POLICY, type_policies
from gateway.execution.policies import enforce_policies
from gateway.principal import Principal, Role, view_of
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


ACCOUNT = {"account_id": 1, "role": "VIEWER"}
VIEWERS = [Principal(subject="eve"), view_of(1, Role.VIEWER)]


def refuses(field: GraphQLField, principal: Principal) -> bool:
    """Say whether a field refuses a VIEWER before its resolver gets the context."""
    assert field.resolve is not None
    context = SimpleNamespace(principal=principal)
    try:
        found = field.resolve(ACCOUNT, SimpleNamespace(context=context))
    except Forbidden:
        return True
    except Exception:  # the resolver was reached, and has nothing to read
        return False
    if iscoroutine(found):
        found.close()
    return False


def reached(schema: GraphQLSchema, principal: Principal) -> set[str]:
    """Return the types of objects that fields give to a VIEWER, from the roots on."""
    pending = [schema.query_type, schema.subscription_type]
    found: set[str] = set()
    while pending:
        parent = pending.pop()
        assert isinstance(parent, GraphQLObjectType)
        for field in parent.fields.values():
            result = get_named_type(field.type)
            # An abstract type's objects are References, of which each is checked.
            if not isinstance(result, GraphQLObjectType) or refuses(field, principal):
                continue
            if result.name not in found:
                found.add(result.name)
                pending.append(result)
    return found


@pytest.mark.parametrize("federation", [False, True])
@pytest.mark.parametrize("principal", VIEWERS, ids=["person", "pushed"])
def test_no_field_leads_a_viewer_to_purchases(federation: bool, principal: Principal) -> None:
    schema = build_schema(federation=federation)._schema
    assert "CreditPurchase" in reached(schema, principal)  # nothing is enforced yet
    enforce_policies(schema)
    types = reached(schema, principal)
    assert {"Account", "Usage", "BalanceUpdate", "Deployment"} <= types
    policies = {name: type_policies(schema.type_map[name]) for name in types}
    assert [name for name, found in policies.items() if Policy.PURCHASES in found] == []
