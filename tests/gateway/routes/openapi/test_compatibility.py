"""No change breaks a client of the REST API that was released."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gateway.routes.openapi.document import build_document
from gateway.routes.openapi.surface import SURFACE
from gateway.settings import Settings
from tests.support.compatibility import breaking_changes

FILE = Path(__file__).parents[3] / "contract" / "released.openapi.json"
RELEASED: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
BREAKS: list[tuple[tuple[str, ...], object, str]] = [
    (("paths", "/v1/credits"), ..., "postCredits is gone"),
    (("paths", "/v1/credits", "post", "security"), [{"apiKey": ["admin"]}], "other credentials"),
    (("paths", "/v1/accounts", "get", "parameters"), [], "listAccounts has no parameter limit"),
    (("paths", "/v1/credits", "post", "responses", "409"), ..., "postCredits 409 is gone"),
    (("paths", "/v1/credits", "post", "responses", "409", "x-codes"), [], "no code CONFLICT"),
    (("components", "schemas", "CreditBody", "properties", "description"), ..., "is gone"),
    (
        ("components", "schemas", "CreditBody", "required"),
        ["account", "kind", "amount", "currency", "description"],
        "description is needed",
    ),
    (
        ("components", "schemas", "CreditBody", "properties", "kind", "enum"),
        ["COUPON"],
        "no longer",
    ),
    (("components", "schemas", "AccountAnswer", "properties", "name"), ..., "name is gone"),
    (("components", "schemas", "AccountAnswer", "properties", "name", "type"), "integer", "type"),
    (("components", "schemas", "UsageAnswer", "required"), [], "not always there"),
]


def test_nothing_that_was_released_breaks() -> None:
    now = json.loads(json.dumps(build_document(SURFACE, Settings.model_construct())))
    assert breaking_changes(RELEASED, now) == []


@pytest.mark.parametrize(("place", "value", "expected"), BREAKS)
def test_a_change_that_breaks_is_found(
    place: tuple[str, ...], value: object, expected: str
) -> None:
    changed = deepcopy(RELEASED)
    *steps, last = place
    inner = changed
    for step in steps:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    assert any(expected in line for line in breaking_changes(RELEASED, changed))


def test_what_is_added_breaks_nothing() -> None:
    later = deepcopy(RELEASED)
    del later["paths"]["/v1/credits"]
    schemas = later["components"]["schemas"]
    del schemas["AccountAnswer"]["properties"]["createdAt"]
    del schemas["AccountBody"]["properties"]["lowBalance"]
    assert breaking_changes(later, RELEASED) == []
