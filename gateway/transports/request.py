"""Parses GraphQL requests: from a body, a query string or a message. Raises BadRequest."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from gateway import strict_json
from gateway.errors import BadRequest
from gateway.execution.operation import OperationRequest

MAX_DOCUMENT_ID_LENGTH: Final = 100


def parse_body(body: bytes) -> OperationRequest:
    """Parse a JSON body.

    The JSON is strict: UTF-8, no NaN or Infinity, no lone surrogates, bounded nesting, no duplicate
    key in an object.
    """
    content = strict_json.read(body, "The body")
    if isinstance(content, list):
        raise BadRequest("Batches are not supported; send one operation per request.")
    if not isinstance(content, dict):
        raise BadRequest("The body must be a JSON object.")
    return _check(content)


def parse_payload(content: object) -> OperationRequest:
    """Parse the payload of a WebSocket message."""
    if not isinstance(content, dict):
        raise BadRequest("The payload must be an object.")
    return _check(content)


def parse_query_string(query_string: bytes) -> OperationRequest:
    """Parse the query string of a GET request; an empty parameter counts as absent."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), errors="strict", max_num_fields=20)
    except (UnicodeDecodeError, ValueError):
        raise BadRequest("The query string must be URL-encoded UTF-8.") from None
    texts = dict(pairs)
    if len(texts) != len(pairs):
        raise BadRequest("Each parameter may be given only once.")
    content: dict[str, object] = {**texts}
    for name in ("variables", "extensions"):
        if name in texts:
            content[name] = strict_json.read(texts[name], f"The parameter {name}")
    return _check(content)


def _check(content: Mapping[str, object]) -> OperationRequest:
    query, operation_name = content.get("query"), content.get("operationName")
    variables, extensions = content.get("variables"), content.get("extensions")
    if not (query is None or isinstance(query, str)):
        raise BadRequest("The parameter query must be a string with the document.")
    if not (operation_name is None or isinstance(operation_name, str)):
        raise BadRequest("The parameter operationName must be a string.")
    if not (variables is None or isinstance(variables, dict)):
        raise BadRequest("The parameter variables must be an object.")
    if not (extensions is None or isinstance(extensions, dict)):
        raise BadRequest("The parameter extensions must be an object.")
    return OperationRequest(
        query=query or None,
        document_id=_document_id(query, content.get("documentId"), extensions or {}),
        operation_name=operation_name,
        variables=variables,
    )


def _document_id(query: str | None, given: object, extensions: Mapping[str, object]) -> str | None:
    """Return the document's hash, from `documentId` or from Apollo's `persistedQuery`."""
    persisted = extensions.get("persistedQuery")
    if persisted is not None:
        if not isinstance(persisted, dict) or persisted.get("version", 1) != 1:
            raise BadRequest("extensions.persistedQuery must be an object of version 1.")
        if given is not None:
            raise BadRequest("Name the document by either documentId or extensions, not both.")
        return _hash(persisted.get("sha256Hash"), "extensions.persistedQuery.sha256Hash")
    if given is None:
        if not query:
            raise BadRequest("The request must have a query or a documentId.")
        return None
    if query:
        raise BadRequest("Send either query or documentId, not both.")
    return _hash(given, "The parameter documentId")


def _hash(value: object, subject: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_DOCUMENT_ID_LENGTH:
        raise BadRequest(f"{subject} must be the document's SHA-256 in hexadecimal.")
    return value
