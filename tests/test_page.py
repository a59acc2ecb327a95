"""The page as it was built."""

import gzip
import os

import pytest
from graphql import OperationType

from gateway.execution.engine import Engine
from gateway.execution.operation import OperationRequest, PreparedOperation
from gateway.execution.trusted_documents import TrustedDocuments, read_manifest
from gateway.http.static_files import CONTENT_TYPES, FOLDER, StaticFiles
from gateway.settings.documents import DocumentSettings
from hatch_build import scripts
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


def test_every_file_has_a_type(built: StaticFiles) -> None:
    assert {asset.path.suffix for asset in built.assets().values()} <= set(CONTENT_TYPES)


def test_every_document_of_the_page_may_run(built: StaticFiles) -> None:
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
        prepared = engine.prepare(request, request_id="test", allowed=frozenset(OperationType))
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
