"""Finds documents by their hash: trusted documents, and documents that clients registered.

The hash is the SHA-256 of the document's UTF-8, in hexadecimal, with or without `sha256:`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cachetools import LRUCache
from graphql import GraphQLError

from gateway import strict_json
from gateway.errors import BadRequest, ConfigurationError
from gateway.execution.documents import CACHED_DOCUMENTS, CACHED_LENGTH

NOT_FOUND: Final = "PERSISTED_QUERY_NOT_FOUND"
# Clients that send a hash first look for this very sentence before they send the text.
_UNKNOWN: Final = "PersistedQueryNotFound"
_ONLY_TRUSTED: Final = "Only trusted documents are served; this one is in no manifest."
_PREFIX: Final = "sha256:"


def hash_of(text: str) -> str:
    """Return the hash of a document."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def read_manifest(path: Path) -> dict[str, str]:
    """Return the documents of a manifest by their hashes; raises ConfigurationError."""
    try:
        content = strict_json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name}: the manifest cannot be read ({error}).") from None
    texts = content if isinstance(content, dict) else {"": None}
    manifest: dict[str, str] = {}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ConfigurationError(
                f"{path.name}: a manifest must be a JSON object with documents by SHA-256."
            )
        if (bare := _bare(name)) != hash_of(text):
            raise ConfigurationError(f"{path.name}: {bare:.80} is not the SHA-256 of its document.")
        manifest[bare] = text
    return manifest


@dataclass(slots=True, kw_only=True)
class TrustedDocuments:
    """Finds the text of a request's document.

    `manifest` is text by hash; with `only`, no other document is served. Otherwise a client may
    register a document by sending it with its hash: an LRU cache keeps `CACHED_DOCUMENTS` of them,
    of at most `CACHED_LENGTH` characters each.
    """

    manifest: Mapping[str, str] = field(default_factory=dict)
    only: bool = False
    _known: LRUCache[str, str] = field(default_factory=lambda: LRUCache(CACHED_DOCUMENTS))

    def find(self, text: str | None, document_id: str | None) -> str:
        """Return the document's text; at least one of the text and its hash is given.

        Raises GraphQLError with code PERSISTED_QUERY_NOT_FOUND, or BAD_REQUEST if the hash does not
        match the text.
        """
        if text is None:
            return self._find(document_id or "")
        name = hash_of(text) if self.only or document_id is not None else None
        if document_id is not None and name != _bare(document_id):
            raise GraphQLError(
                "The hash does not match the document.", extensions={"code": BadRequest.code}
            )
        if self.only and name not in self.manifest:
            raise GraphQLError(_ONLY_TRUSTED, extensions={"code": NOT_FOUND})
        if name is not None and name not in self.manifest and len(text) <= CACHED_LENGTH:
            self._known[name] = text
        return text

    def _find(self, document_id: str) -> str:
        name = _bare(document_id)
        if (text := self.manifest.get(name)) is not None:
            return text
        if (text := self._known.get(name)) is not None:
            return text
        raise GraphQLError(_UNKNOWN, extensions={"code": NOT_FOUND})


def _bare(document_id: str) -> str:
    return document_id.lower().removeprefix(_PREFIX)


def trusted_documents(paths: Iterable[Path | None], *, only: bool) -> TrustedDocuments:
    """Return the documents of manifests. Raises ConfigurationError where `only` they are served and
    there are none.
    """
    found = {name: text for path in paths if path for name, text in read_manifest(path).items()}
    if only and not found:
        raise ConfigurationError(
            "GATEWAY_TRUSTED_ONLY: there are no trusted documents; set GATEWAY_TRUSTED_DOCUMENTS."
        )
    return TrustedDocuments(manifest=found, only=only)
