"""The style of the house, as far as a machine can tell."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import BigInteger

from gateway.models import Instant, metadata
from gateway.models.base import Quantity

ROOT = Path(__file__).parents[1]
PACKAGES = ("gateway", "resolvers", "loaders")
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts  # a migration is what it was when it was released
)
TYPED = ("gateway/store", "gateway/billing", "gateway/exports", "gateway/receipts", "loaders")
"""Packages that give and take rows and results as what they are."""
UNTYPED = re.compile(r"\b(dict|Mapping|MutableMapping)\[str, Any\]|\bRow\b")
STATEMENTS = {"select", "insert", "update", "delete", "text"}
OF_NO_ACCOUNT = {"api_key", "audit_event", "job", "seller", "webhook_event", "webhook_invoice"}
"""Tables of the platform itself, and of payments whose account an event does not name yet."""

IMPORTS = """
import importlib, sys

def refuse(event, arguments):
    if event in {{"socket.bind", "socket.connect", "sqlite3.connect", "subprocess.Popen"}}:
        raise RuntimeError(f"{{event}} of {{arguments}}")

sys.addaudithook(refuse)
for name in {names}:
    importlib.import_module(name)
"""

FLOORS = {
    "strawberry-graphql": (0, 323, 2),
    "starlette": (1, 3, 1),
    "graphql-core": (3, 3, 2),
    "python-multipart": (0, 0, 27),
    "pyjwt": (2, 13, 0),
}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


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
        for node in functions(tree_of(path))
    }
    assert {name_of(path): count for path, count in lines.items() if count > 400} == {}
    assert {place: count for place, count in lengths.items() if count > 60} == {}
    short = sum(count < 30 for count in lengths.values())
    assert short >= 0.9 * len(lengths)


def offenders(find: Callable[[Path, ast.AST], object]) -> dict[str, object]:
    """Return what `find` finds in each module, where it finds something."""
    found = {name_of(path): find(path, tree_of(path)) for path in MODULES}
    return {name: what for name, what in found.items() if what}


def test_statements_are_written_in_store_and_migrations_only() -> None:
    def find(path: Path, tree: ast.AST) -> set[str]:
        parts = path.relative_to(ROOT).parts
        if parts[1] in {"store", "migrations"}:
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


def public_annotations(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the annotations that other modules see: of public functions, methods and fields."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("_") or node.name.endswith("__"):
                given = (
                    each.annotation for each in ast.walk(node.args) if isinstance(each, ast.arg)
                )
                yield from filter(None, (*given, node.returns))
        elif isinstance(node, ast.ClassDef):
            if not node.name.startswith("_"):
                yield from public_annotations(node)
        elif isinstance(node, ast.AnnAssign):
            # The value, too: an alias hides nothing.
            yield from filter(None, (node.annotation, node.value))
        elif isinstance(node, ast.Assign):
            yield node.value


def test_rows_and_results_cross_packages_typed() -> None:
    def find(path: Path, tree: ast.AST) -> list[str]:
        if not name_of(path).startswith(TYPED):
            return []
        seen = map(ast.unparse, public_annotations(tree))
        return [each for each in seen if UNTYPED.search(each)]

    assert offenders(find) == {}


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("def read(row: dict[str, Any]) -> None: ...", True),
        ("class Reader:\n    async def read(self) -> list[Mapping[str, Any]]: ...", True),
        ("class Read:\n    row: Row", True),
        ("Cells: TypeAlias = dict[str, Any]", True),
        ("def _read(row: dict[str, Any]) -> None: ...", False),
        ("def read(row: Mapping[str, object]) -> LedgerRow: ...", False),
    ],
    ids=["function", "method", "field", "alias", "private", "typed"],
)
def test_what_is_untyped_is_found_where_it_is_public(text: str, is_found: bool) -> None:
    seen = map(ast.unparse, public_annotations(ast.parse(text)))
    assert any(map(UNTYPED.search, seen)) is is_found


def test_no_float_comes_near_money() -> None:
    def find(path: Path, tree: ast.AST) -> list[int]:
        parts = path.relative_to(ROOT).parts
        # The waits for a statement to stop are seconds, not money.
        if parts[1] not in {"billing", "models", "money.py", "store"} or path.name.startswith(
            "sqlite"
        ):
            return []
        return [
            node.lineno
            for node in ast.walk(tree)
            if (isinstance(node, ast.Constant) and isinstance(node.value, float))
            or (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float")
        ]

    assert offenders(find) == {}


def test_money_is_rounded_in_one_module() -> None:
    def find(path: Path, tree: ast.AST) -> list[int]:
        places = {"billing", "exports", "models", "money.py", "providers", "receipts", "store"}
        if path.relative_to(ROOT).parts[1] not in places:
            return []
        return [
            node.lineno
            for node in ast.walk(tree)
            if (isinstance(node, ast.Call) and ast.unparse(node.func) in {"round", "ceil", "floor"})
            # Rounds up: -(-a // b).
            or (
                isinstance(node, ast.UnaryOp)
                and isinstance(node.op, ast.USub)
                and isinstance(node.operand, ast.BinOp)
                and isinstance(node.operand.op, ast.FloorDiv)
            )
        ]

    assert list(offenders(find)) == ["gateway/money.py"]


def test_no_resolver_checks_a_policy_itself() -> None:
    checks = {"Forbidden", "require_purchases", "sees_purchases"}

    def find(path: Path, tree: ast.AST) -> set[str]:
        if path.relative_to(ROOT).parts[0] not in {"resolvers", "loaders"}:
            return set()
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        return checks & (names | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)})

    assert list(offenders(find)) == ["resolvers/permissions.py"]


def test_imports_stand_at_the_top() -> None:
    def find(_: Path, tree: ast.AST) -> list[int]:
        return [
            node.lineno
            for function in functions(tree)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        ]

    assert offenders(find) == {}


@pytest.mark.parametrize("rules", ["T20", "DTZ"], ids=["print", "naive-time"])
def test_nothing_is_printed_and_no_time_is_without_zone(rules: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--ignore-noqa"]
    found = subprocess.run(
        [*command, "--select", rules, *PACKAGES], cwd=ROOT, capture_output=True, check=False
    )
    assert found.returncode == 0, found.stdout.decode()


def test_the_time_is_read_from_the_clock_alone() -> None:
    def find(_: Path, tree: ast.AST) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "datetime.now"
        ]

    assert list(offenders(find)) == ["gateway/clock.py"]


def test_the_environment_is_read_in_one_module() -> None:
    def find(_: Path, tree: ast.AST) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        ]

    assert list(offenders(find)) == ["gateway/settings/environment.py"]


@pytest.mark.parametrize(
    ("text", "home"),
    [
        ("www-authenticate", "gateway/http/responses.py"),
        ("one credential per request", "gateway/http/credentials.py"),
        ("must be valid JSON in UTF-8.", "gateway/strict_json.py"),
        ("Your role in this account does not", "gateway/principal.py"),
    ],
    ids=["401", "one-credential", "strict-json", "role"],
)
def test_a_rule_of_http_stands_in_one_module(text: str, home: str) -> None:
    def find(_: Path, tree: ast.AST) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if text in node.value
        ]

    assert list(offenders(find)) == [home]


def test_databases_are_built_at_the_root_and_in_commands() -> None:
    def find(_: Path, tree: ast.AST) -> list[int]:
        return [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            if ast.unparse(node.func) in {"build_database", "connect"}
        ]

    homes = {path.partition("/cli/")[0] for path in offenders(find)}
    assert homes == {"gateway", "gateway/app.py", "gateway/store/engine/databases.py"}


def test_no_engine_shows_the_values_of_its_statements() -> None:
    def find(_: Path, tree: ast.AST) -> list[bool]:
        return [
            any(each.arg == "hide_parameters" for each in node.keywords)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            if ast.unparse(node.func) in {"create_engine", "create_async_engine"}
        ]

    assert offenders(find) == {"gateway/migrations/__init__.py": [True, True]}


def test_importing_a_module_opens_nothing() -> None:
    paths = [path.relative_to(ROOT).with_suffix("") for path in MODULES]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    # Alembic runs this one.
    script = IMPORTS.format(names=[name for name in names if name != "gateway.migrations.env"])
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False
    )
    assert found.returncode == 0, found.stderr.decode()


def test_every_table_begins_its_key_with_the_account() -> None:
    others = {
        table.name
        for table in metadata.sorted_tables
        if table.primary_key.columns.keys()[0] != "account_id"
    }
    assert others == OF_NO_ACCOUNT


def test_columns_are_of_the_types_that_their_names_say() -> None:
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    instants = [each for each in columns if each.name.endswith("_at")]
    # One holds the instants of several facts, as JSON.
    assert [str(each) for each in instants if not isinstance(each.type, Instant)] == [
        "deployment.facts_at"
    ]
    amounts = [each for each in columns if each.name.endswith("_nanos")]
    assert [each for each in amounts if not isinstance(each.type, BigInteger | Quantity)] == []


def test_every_module_stands_in_one_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (layers,) = [each["layers"] for each in contracts["contracts"] if each["type"] == "layers"]
    placed = [name for layer in layers for name in layer.split(" | ")]
    modules = {
        f"gateway.{path.stem}"
        for path in (ROOT / "gateway").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert sorted(placed) == sorted(modules - {"gateway.__init__"} | {"resolvers", "loaders"})


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
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "SECURITY.md",
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
