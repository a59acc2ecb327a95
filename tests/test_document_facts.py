"""Links, paths, tables and names in the documents are those of the code."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from gateway.cli.main import app
from gateway.settings.table import settings_page
from tests.support.documents import (
    DOCUMENTS,
    ROOT,
    anchors_of,
    links_of,
    name_of,
    paths_of,
)

OPERATIONS: Final = (ROOT / "docs/operations.md").read_text("utf-8")
GATEWAY_COMMAND: Final = re.compile(
    r"(?:^|`|bin/)gateway ([a-z][a-z-]+)(?: ([a-z][a-z-]+))?", re.MULTILINE
)
TARGET: Final = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
KINDS_OF_METRICS: Final = {
    "Counter",
    "CounterMetricFamily",
    "Gauge",
    "Histogram",
    "HistogramMetricFamily",
    "ObservedValue",
    "Tally",
}


def commands(group: object, *above: str) -> Iterator[str]:
    """Yield every command of the command line, by the words that run it."""
    if isinstance(group, TyperGroup):
        for name, command in group.commands.items():
            yield " ".join((*above, name))
            yield from commands(command, *above, name)


COMMANDS: Final = set(commands(get_command(app)))


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in links_of(path):
        target, _, anchor = link.partition("#")
        leads_to = path.parent / target if target else path
        assert leads_to.exists(), link
        assert not anchor or anchor in anchors_of(leads_to), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_path_that_is_named_exists(path: Path) -> None:
    made = [each.strip("/") for each in (ROOT / ".gitignore").read_text("utf-8").splitlines()]
    named = [each for each in paths_of(path) if not each.startswith(tuple(made))]
    assert [each for each in named if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_test_that_is_named_exists(path: Path) -> None:
    named = re.findall(r"`((?:[\w/]+/)?test_\w+)(?:\.py)?`", path.read_text("utf-8"))
    modules = [f"/{name_of(each.with_suffix(''))}" for each in (ROOT / "tests").rglob("test_*.py")]
    assert [each for each in named if not any(one.endswith(f"/{each}") for one in modules)] == []


def test_the_page_of_settings_is_that_of_the_code() -> None:
    assert (ROOT / "docs/settings.md").read_text("utf-8") == settings_page()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_setting_that_is_named_is_one(path: Path) -> None:
    settings = set(re.findall(r"`(GATEWAY_\w+)` \|", settings_page()))
    named = set(re.findall(r"`(GATEWAY_[A-Z_]+)(?:=[^`]*)?`", path.read_text("utf-8")))
    assert {each.removesuffix("_FILE") for each in named} - settings <= NO_SETTINGS


NO_SETTINGS: Final = {
    "GATEWAY_ADDRESS",
    "GATEWAY_SKIP_CONSOLE",
    "GATEWAY_URL",
    "GATEWAY_X",
}
"""A placeholder, and variables of the page's build and of Docker's proxy."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_command_that_is_named_is_one(path: Path) -> None:
    text = path.read_text("utf-8")
    named = GATEWAY_COMMAND.findall(text)
    groups = {each.partition(" ")[0] for each in COMMANDS if " " in each}
    for name, below in named:
        words = f"{name} {below}" if below and name in groups else name
        assert words in COMMANDS


def test_every_command_is_in_the_table_of_commands() -> None:
    rows = [
        line for line in (ROOT / "docs/cli.md").read_text("utf-8").splitlines() if "| `" in line
    ]
    missing = {
        command
        for command in COMMANDS
        if not any(set(command.split()) <= set(re.findall(r"[a-z-]+", row)) for row in rows)
    }
    assert missing == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_target_that_is_named_is_one(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(TARGET.findall(path.read_text("utf-8"))) <= targets


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_script_that_is_named_is_one(path: Path) -> None:
    scripts = json.loads((ROOT / "console/package.json").read_text("utf-8"))["scripts"]
    named = re.findall(r"npm run ([a-z]+)|`npm (test)\b", path.read_text("utf-8"))
    assert {first or second for first, second in named} <= scripts.keys()


@cache
def nodes() -> list[ast.AST]:
    """Return every node of the gateway's modules."""
    trees = (ast.parse(path.read_text("utf-8")) for path in (ROOT / "gateway").rglob("*.py"))
    return [node for tree in trees for node in ast.walk(tree)]


@cache
def metrics() -> set[str]:
    """Return the name of every metric, as the code makes it."""
    made = [
        word
        for node in nodes()
        if isinstance(node, ast.Call) and ast.unparse(node.func) in KINDS_OF_METRICS
        for word in (*node.args[:1], *(each.value for each in node.keywords))
    ]
    names = (str(each.value) for each in made if isinstance(each, ast.Constant))
    return {each for each in names if each.startswith("gateway_")}


def test_every_metric_has_its_row() -> None:
    made = metrics()
    rows = set(re.findall(r"^\| `(gateway_\w+)` \|", OPERATIONS, re.MULTILINE))
    assert len(made) > 10
    assert {each.removesuffix("_total") for each in rows} == made


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_metric_that_is_named_is_one(path: Path) -> None:
    named = set(re.findall(r"`(gateway_[a-z_]+)(?:\{[^`]*)?`", path.read_text("utf-8")))
    roles = {"gateway_owner", "gateway_runtime"}
    assert {each.removesuffix("_total") for each in named - roles} <= metrics()


def test_every_package_is_in_the_architecture() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    packages = {
        name_of(path.parent)
        for top in ("gateway", "resolvers", "loaders")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert {each for each in packages if f"`{each}/`" not in text} == set()


def test_the_layers_that_are_drawn_are_checked() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    (drawn,) = re.findall(r"^`(cli → .*)`$", text, re.MULTILINE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [each["layers"] for each in contracts if each["type"] == "layers"]
    place = {
        name.removeprefix("gateway."): number
        for number, layer in enumerate(layers)
        for name in layer.split(" | ")
    }
    places = [{place[name] for name in layer.split(" | ")} for layer in drawn.split(" → ")]
    assert all(max(upper) < min(lower) for upper, lower in pairwise(places))


def test_every_word_of_the_glossary_is_there_once() -> None:
    text = (ROOT / "docs/glossary.md").read_text("utf-8")
    words = re.findall(r"^\| ([^|]+?) \| [^|]+ \| `[^`]+` \|$", text, re.MULTILINE)
    assert len(words) == len(set(words)) > 50


def test_the_last_version_of_the_changelog_is_that_of_the_package() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    released = re.findall(r"^## \[(\d[^]]*)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert released[0] == version if released else f"This will be {version}" in text


def sentences() -> list[str]:
    """Return every text of the code, and the words of the page."""
    texts = [each.value for each in nodes() if isinstance(each, ast.Constant)]
    words = [path.read_text("utf-8") for path in (ROOT / "console/src/text/en").glob("*.ts")]
    return [*(each for each in texts if isinstance(each, str)), *words]


def test_every_message_that_is_quoted_is_one() -> None:
    text = (ROOT / "docs/integrating.md").read_text("utf-8")
    table = text.partition("\n| what you see |")[2].splitlines()[2:]
    quoted = [
        piece.strip()
        for row in table
        for found in re.findall(r'`([^`]+)`|"([^"]+)"', row.split(" | ")[0])
        for piece in re.split("…|: ", "".join(found))
    ]
    known = sentences()
    missing = {each for each in quoted if not any(each in one for one in known)}
    assert len(quoted) > 10
    assert missing == POSTGRES_SAYS


POSTGRES_SAYS: Final = {
    "must be owner of table",
    "password authentication failed for user",
    "permission denied for table alembic_version",
}
"""Messages of Postgres, which the gateway's own pass on."""


def test_every_log_event_that_is_named_is_one() -> None:
    table = OPERATIONS.partition("| line in the log |")[2].partition("\n\n")[0]
    named = [
        each
        for row in table.splitlines()[2:]
        for each in re.findall("`([^`]+)`", row.split("|")[1])
    ]
    code = "".join(path.read_text("utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    assert named
    assert [each for each in named if f'"{each}"' not in code] == []


def test_log_lines_of_operations_exist() -> None:
    table = OPERATIONS.partition("| line in the log |")[2].partition("\n\n")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    named = {name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}
    named |= set(re.findall(r"`((?:live|loop|job|low_balance)\.\w+)`", OPERATIONS))
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "gateway").rglob("*.py"))
    assert len(named) > 10
    assert [name for name in sorted(named) if f'"{name}"' not in sources] == []
