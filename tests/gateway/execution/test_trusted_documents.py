import json
from hashlib import sha256
from pathlib import Path

import pytest
from graphql import GraphQLError

from gateway.errors import ConfigurationError
from gateway.execution.documents import CACHED_DOCUMENTS, CACHED_LENGTH
from gateway.execution.trusted_documents import TrustedDocuments, read_manifest

KNOWN, OTHER = "{ who }", "{ other }"


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def refusal(documents: TrustedDocuments, text: str | None, document_id: str | None) -> object:
    with pytest.raises(GraphQLError) as caught:
        documents.find(text, document_id)
    return (caught.value.extensions or {})["code"]


@pytest.fixture
def trusted() -> TrustedDocuments:
    return TrustedDocuments(manifest={hashed(KNOWN): KNOWN})


def test_a_trusted_document_is_found_by_its_hash(trusted: TrustedDocuments) -> None:
    for name in (hashed(KNOWN), f"sha256:{hashed(KNOWN)}", hashed(KNOWN).upper()):
        assert trusted.find(None, name) == KNOWN


def test_an_unknown_hash_is_refused(trusted: TrustedDocuments) -> None:
    for name in (hashed(OTHER), hashed(KNOWN)[:-1], "", KNOWN):
        assert refusal(trusted, None, name) == "PERSISTED_QUERY_NOT_FOUND"


def test_a_document_registers_only_under_its_hash(trusted: TrustedDocuments) -> None:
    assert trusted.find(OTHER, None) == OTHER
    assert refusal(trusted, None, hashed(OTHER)) == "PERSISTED_QUERY_NOT_FOUND"
    assert refusal(trusted, OTHER, hashed(KNOWN)) == "BAD_REQUEST"
    assert trusted.find(OTHER, hashed(OTHER)) == OTHER
    assert trusted.find(None, hashed(OTHER)) == OTHER
    assert trusted.find(None, hashed(KNOWN)) == KNOWN


def test_registered_documents_are_bounded(trusted: TrustedDocuments) -> None:
    long = "{ who } #" + "x" * CACHED_LENGTH
    assert trusted.find(long, hashed(long)) == long
    assert refusal(trusted, None, hashed(long)) == "PERSISTED_QUERY_NOT_FOUND"
    texts = [f"query Q{number} {{ who }}" for number in range(CACHED_DOCUMENTS + 1)]
    for text in texts[:-1]:
        trusted.find(text, hashed(text))
    trusted.find(None, hashed(texts[0]))
    trusted.find(texts[-1], hashed(texts[-1]))
    assert refusal(trusted, None, hashed(texts[1])) == "PERSISTED_QUERY_NOT_FOUND"
    for text in (texts[0], texts[-1], KNOWN):
        assert trusted.find(None, hashed(text)) == text


def test_only_the_manifest_can_be_served() -> None:
    only = TrustedDocuments(manifest={hashed(KNOWN): KNOWN}, only=True)
    assert only.find(KNOWN, None) == KNOWN
    assert only.find(KNOWN, hashed(KNOWN)) == KNOWN
    assert only.find(None, hashed(KNOWN)) == KNOWN
    assert refusal(only, OTHER, None) == "PERSISTED_QUERY_NOT_FOUND"
    assert refusal(only, OTHER, hashed(OTHER)) == "PERSISTED_QUERY_NOT_FOUND"
    assert refusal(only, None, hashed(OTHER)) == "PERSISTED_QUERY_NOT_FOUND"


def test_a_manifest_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({hashed(KNOWN): KNOWN, f"sha256:{hashed(OTHER)}": OTHER}))
    assert read_manifest(path) == {hashed(KNOWN): KNOWN, hashed(OTHER): OTHER}


TWICE = f'{{"{hashed(KNOWN)}": "", {json.dumps({hashed(KNOWN): KNOWN})[1:]}'


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"a": 1}', json.dumps({hashed(KNOWN): OTHER}), json.dumps({"Who": KNOWN}), TWICE],
)
def test_an_invalid_manifest_stops_the_start(tmp_path: Path, content: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"^manifest\.json: "):
        read_manifest(path)
    with pytest.raises(ConfigurationError, match=r"^missing\.json: "):
        read_manifest(tmp_path / "missing.json")
