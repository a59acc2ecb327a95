"""`docs/graphql.md` names each scalar of the schema."""

import re
from pathlib import Path

from graphql import GraphQLScalarType, build_schema, is_specified_scalar_type

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "graphql.md").read_text("utf-8")


def test_every_scalar_has_a_type() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    scalars = {
        name
        for name, each in schema.type_map.items()
        if isinstance(each, GraphQLScalarType) and not is_specified_scalar_type(each)
    }
    (mapping,) = re.findall(r"scalars: \{(.*?)\}", PAGE, re.DOTALL)
    assert set(re.findall(r"(\w+): \"string\"", mapping)) == scalars
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == scalars
