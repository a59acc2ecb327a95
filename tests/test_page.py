"""The page as it was built."""

import gzip
import json
import os
import re
from typing import Any

import pytest
from graphql import OperationType

from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, PreparedOperation
from gateway.execution.trusted_documents import TrustedDocuments, read_manifest
from gateway.http.static_files import CONTENT_TYPES, FOLDER, StaticFiles
from gateway.settings.documents import DocumentSettings
from hatch_build import CONSOLE, scripts
from resolvers.schema import build_schema
from tests.support.words import PROPER, words

FIRST_VIEW_BYTES = 200_000


@pytest.fixture
def built() -> StaticFiles:
    found = StaticFiles()
    if found.manifest is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the page has not been built")
    return found


def test_a_first_view_loads_little_script(built: StaticFiles) -> None:
    first = scripts(built.page("index") or "")
    sizes = {name: len(gzip.compress((FOLDER / name).read_bytes(), mtime=0)) for name in first}
    assert 0 < sum(sizes.values()) < FIRST_VIEW_BYTES, sizes
    assert set(first) <= {f"assets/{name}" for name in built.assets()}


FLOORS = {
    "braces": (3, 0, 3),
    "dompurify": (3, 2, 4),
    "graphql": (16, 8, 1),
    "js-yaml": (4, 1, 1),
    "json5": (2, 2, 2),
    "markdown-it": (12, 3, 2),
    "micromatch": (4, 0, 8),
    "nanoid": (3, 3, 8),
    "postcss": (8, 4, 31),
    "semver": (6, 3, 1),
    "vite": (6, 4, 1),
    "ws": (8, 17, 1),
}
"""The least versions without a known hole, of packages from npm that had one."""


def locked() -> dict[str, Any]:
    """Return the packages of the page's lock file by their paths."""
    lock = json.loads((CONSOLE / "package-lock.json").read_text("utf-8"))
    return {path: package for path, package in lock["packages"].items() if path}


def test_no_package_of_npm_has_a_known_hole() -> None:
    old = []
    for path, package in locked().items():
        name, version = path.rpartition("node_modules/")[2], package["version"]
        assert package["integrity"].startswith("sha512-")
        if name in FLOORS and tuple(map(int, version.split(".")[:3])) < FLOORS[name]:
            old.append((name, version))
    assert old == []


def test_the_sanitizer_of_the_page_is_that_of_the_lock(built: StaticFiles) -> None:
    scripts = [each.path for each in built.assets().values() if each.path.suffix == ".js"]
    texts = [path.read_text("utf-8") for path in scripts]
    versions = {
        version
        for text in texts
        if "afterSanitizeAttributes" in text
        for version in re.findall(r"\.version=[`'\"]([\d.]+)", text)
    }
    assert versions == {locked()["node_modules/dompurify"]["version"]}


def test_every_file_has_a_type(built: StaticFiles) -> None:
    assert {asset.path.suffix for asset in built.assets().values()} <= set(CONTENT_TYPES)


async def test_every_document_of_the_page_may_run(built: StaticFiles) -> None:
    assert built.manifest
    manifest = read_manifest(built.manifest)
    engine = Engine(
        build_schema(),
        limits=DocumentSettings(),
        deadline_seconds=1,
        suggestions=False,
        trusted=TrustedDocuments(manifest=manifest, only=True),
    )
    assert manifest
    for name in manifest:
        request = OperationRequest(document_id=name)
        prepared = await engine.prepare(
            request, request_id="test", allowed=frozenset(OperationType)
        )
        assert isinstance(prepared, PreparedOperation), prepared


@pytest.mark.usefixtures("built")
def test_no_german_sentence_is_english() -> None:
    english, german = words()["en"], words()["de"]
    assert english.keys() <= german.keys()
    same = {path: text for path, text in german.items() if english.get(path) == text}
    assert set(same.values()) == PROPER


def test_no_test_of_a_module_is_part_of_the_page(built: StaticFiles) -> None:
    scripts_built = [each.path for each in built.assets().values() if each.path.suffix == ".js"]
    assert scripts_built
    assert [path.name for path in scripts_built if b"vitest" in path.read_bytes()] == []
