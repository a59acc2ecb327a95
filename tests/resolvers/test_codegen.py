"""Types that graphql-codegen makes of the schema for clients' operations, in strict TypeScript."""

import json
from pathlib import Path
from typing import Final

import pytest
from graphql import GraphQLScalarType, build_schema

from tests.support.contract import CONTRACT
from tests.support.documents import ROOT
from tests.support.npm import output_of

PACKAGES: Final = ROOT / "console/node_modules"
STRICT: Final = (
    *("--ignoreConfig", "--noEmit", "--strict", "--skipLibCheck", "--exactOptionalPropertyTypes"),
    *("--module", "esnext", "--moduleResolution", "bundler", "--verbatimModuleSyntax"),
)
USE: Final = """
import type { BillingOverviewQuery, BillingOverviewQueryVariables } from "./billing";
export const variables: BillingOverviewQueryVariables = { account: "acct_1" };
export const shown = (data: BillingOverviewQuery): string | undefined =>
  data.account?.balance.available.amount;
// @ts-expect-error - money is a text
export const wrong = (data: BillingOverviewQuery): number | undefined => shown(data);
// @ts-expect-error - an account may be null
export const hasty = (data: BillingOverviewQuery): string => data.account.name;
"""


def test_operations_of_clients_compile_in_strict_typescript(tmp_path: Path) -> None:
    if not PACKAGES.exists():
        pytest.skip("the page's packages are not installed, so there is no graphql-codegen")
    schema = build_schema((ROOT / "schema.graphql").read_text("utf-8"))
    scalars = [each for each in schema.type_map.values() if isinstance(each, GraphQLScalarType)]
    own = [each.name for each in scalars if each.specified_by_url]
    contract = [path for path in CONTRACT.glob("*.graphql") if path.name != "released.graphql"]
    config = {
        "schema": str(ROOT / "schema.graphql"),
        "silent": True,
        "generates": {
            str(tmp_path / f"{path.stem}.ts"): {
                "documents": str(path),
                "plugins": ["typescript-operations"],
                "config": {"strictScalars": True, "scalars": dict.fromkeys(own, "string")},
            }
            for path in contract
        },
    }
    (tmp_path / "codegen.json").write_text(json.dumps(config), "utf-8")
    codegen = PACKAGES / ".bin/graphql-codegen"
    output_of(codegen, "--config", str(tmp_path / "codegen.json"), folder=ROOT / "console")
    (tmp_path / "use.ts").write_text(USE, "utf-8")
    sources = [str(path) for path in tmp_path.glob("*.ts")]
    assert len(sources) == len(contract) + 1
    output_of(PACKAGES / "typescript/bin/tsc", *STRICT, *sources, folder=tmp_path)
