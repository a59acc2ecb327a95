"""The rules of the page's sources that `npm run check` keeps."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hatch_build import CONSOLE

BIOME = CONSOLE / "node_modules" / ".bin" / "biome"
FORBIDDEN = {
    "util/money.ts": "../ui/table",
    "util/number.ts": "react",
    "text/en/shell.ts": "../../ui/table",
    "ui/table.tsx": "../api/errors",
    "ui/chart/chart.tsx": "../../pages/shared/view",
    "api/errors.ts": "../text/shared",
    "pages/shared/failure.ts": "../billing/reason",
    "pages/account/accounts.ts": "../shell/dev",
    "pages/billing/reason.ts": "../usage/usage-window",
    "pages/usage/usage-export.tsx": "../billing/reason",
    "graphiql/fetcher.ts": "../ui/table",
}
MOST_LINES = 200
FOUND = re.compile(r"title=lint/\w+/(\w+),file=([^,]+)")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the page's sources without what the build writes."""
    if not BIOME.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the page has not been built")
    shutil.copyfile(CONSOLE / "biome.json", tmp_path / "biome.json")
    written = shutil.ignore_patterns("generated")
    shutil.copytree(CONSOLE / "src", tmp_path / "src", ignore=written)
    return tmp_path


def broken(checkout: Path) -> set[tuple[str, str]]:
    """Return the import rules that are broken, by file."""
    command = [str(BIOME), "lint", "--reporter=github", "--max-diagnostics=200"]
    rules = ["--only=suspicious/noImportCycles", "--only=style/noRestrictedImports"]
    ended = subprocess.run(
        [*command, *rules, "src"], cwd=checkout, capture_output=True, text=True, check=False
    )
    src = checkout / "src"
    return {(str(Path(path).relative_to(src)), rule) for rule, path in FOUND.findall(ended.stdout)}


def test_a_folder_imports_only_those_below_it(checkout: Path) -> None:
    assert broken(checkout) == set()
    for path, target in FORBIDDEN.items():
        file = checkout / "src" / path
        file.write_text(f'import "{target}";\n{file.read_text("utf-8")}', "utf-8")
    found = broken(checkout)
    assert {path for path, rule in found if rule == "noRestrictedImports"} == FORBIDDEN.keys()


def test_a_circle_of_types_is_found_too(checkout: Path) -> None:
    file = checkout / "src" / "pages" / "shared" / "view.ts"
    line = 'export type { show } from "./navigation";\n'
    file.write_text(line + file.read_text("utf-8"), "utf-8")
    assert ("pages/shared/view.ts", "noImportCycles") in broken(checkout)


def test_no_source_has_more_than_200_lines(checkout: Path) -> None:
    files = [path for path in checkout.joinpath("src").rglob("*") if path.is_file()]
    assert files
    length = {path.name: path.read_text("utf-8").count("\n") for path in files}
    assert {name for name, lines in length.items() if lines > MOST_LINES} == set()
