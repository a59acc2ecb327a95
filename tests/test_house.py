"""The style of the house, as far as a machine can tell."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("gateway", "resolvers", "loaders")
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts  # a migration is what it was when it was released
)
STATEMENTS = {"select", "insert", "update", "delete", "text"}
FLOORS = {
    "strawberry-graphql": (0, 323, 2),
    "starlette": (1, 3, 1),
    "graphql-core": (3, 3, 2),
    "python-multipart": (0, 0, 27),
    "pyjwt": (2, 13, 0),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_modules_and_functions_are_small() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES}
    lengths = {
        f"{name_of(path)}:{node.lineno}": length(node)
        for path in MODULES
        for node in functions(ast.parse(path.read_text("utf-8")))
    }
    assert {name_of(path): count for path, count in lines.items() if count > 400} == {}
    assert {place: count for place, count in lengths.items() if count > 60} == {}
    short = sum(count < 30 for count in lengths.values())
    assert short >= 0.9 * len(lengths)


def offenders(find: Callable[[Path, ast.AST], object]) -> dict[str, object]:
    """Return what `find` finds in each module, where it finds something."""
    found = {name_of(path): find(path, ast.parse(path.read_text("utf-8"))) for path in MODULES}
    return {name: what for name, what in found.items() if what}


def test_statements_are_written_in_store_loaders_and_migrations_only() -> None:
    def find(path: Path, tree: ast.AST) -> set[str]:
        parts = path.relative_to(ROOT).parts
        if parts[0] == "loaders" or parts[1] in {"store", "migrations"}:
            return set()
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sqlalchemy")
            for alias in node.names
        }
        # An index of a model may have a condition.
        return imported & STATEMENTS - ({"text"} if parts[1] == "models" else set())

    assert offenders(find) == {}


def test_no_float_comes_near_money() -> None:
    def find(path: Path, tree: ast.AST) -> list[int]:
        parts = path.relative_to(ROOT).parts
        # The wait for a statement to stop is seconds, not money.
        if parts[1] not in {"billing", "models", "money.py", "store"} or path.name == "sqlite.py":
            return []
        return [
            node.lineno
            for node in ast.walk(tree)
            if (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float")
        ]

    assert offenders(find) == {}


def test_imports_stand_at_the_top() -> None:
    def find(_: Path, tree: ast.AST) -> list[int]:
        return [
            node.lineno
            for function in functions(tree)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]

    assert offenders(find) == {}


@pytest.mark.parametrize("lock", ["requirements.lock", "tests/requirements.lock"])
def test_locks_carry_hashes_no_addresses_and_no_version_with_a_known_hole(lock: str) -> None:
    content = (ROOT / lock).read_text("utf-8")
    pinned = dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", content, re.MULTILINE))
    assert "://" not in content
    assert content.count("--hash=sha256:") >= len(pinned) > 40
    for name, floor in FLOORS.items():
        if name in pinned:
            assert tuple(map(int, pinned[name].split(".")[:3])) >= floor


def test_only_what_belongs_there_stands_at_the_top() -> None:
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert visible - {"build", "dist"} <= {
        "LICENSE",
        "Makefile",
        "README.md",
        "console",
        "docker",
        "docs",
        "gateway",
        "hatch_build.py",
        "loaders",
        "pyproject.toml",
        "requirements.lock",
        "resolvers",
        "schema.graphql",
        "tests",
    }
