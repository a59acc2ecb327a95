"""The OpenAPI document as a client reads it: example requests, and the checks of answers."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import httpx
from jsonschema import Draft202012Validator

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An example of the document: what is sent, and what is answered where that is shown."""

    operation: str
    name: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int
    answer: Any


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document."""

    content: Json

    def operations(self) -> Iterator[tuple[str, str, Json]]:
        """Yield each operation with its path and method, in the document's order."""
        for path, methods in self.content["paths"].items():
            for method, operation in methods.items():
                yield path, method.upper(), operation

    def examples(self) -> Iterator[Request]:
        """Yield the examples of every operation; one without examples gets an empty request."""
        for path, method, operation in self.operations():
            for name in _names(operation) or ["plain"]:
                yield _request(path, method, operation, name)

    def faults(self, path: str, method: str, answer: httpx.Response) -> list[str]:
        """Return what an answer has that is not described, or the other way round."""
        responses = self.content["paths"][path][method.lower()]["responses"]
        described = responses.get(str(answer.status_code))
        if described is None:
            return [f"the status {answer.status_code} is not described"]
        missing = [
            name
            for name, reference in described["headers"].items()
            if self._resolved(reference).get("required") and name not in answer.headers
        ]
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if media_type not in described["content"]:
            return [*missing, f"the media type {media_type} is not described"]
        schema = described["content"][media_type]["schema"]
        value = answer.json() if media_type == "application/json" else answer.text
        return [*missing, *(error.message for error in self._errors(schema, value))]

    def _errors(self, schema: Json, value: Any) -> Iterator[Any]:
        whole = _strict(schema | {"components": self.content["components"]})
        return Draft202012Validator(whole).iter_errors(value)

    def _resolved(self, reference: Json) -> Json:
        found = self.content
        for step in reference["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return found


def _strict(schema: Any) -> Any:
    """Return a schema by which objects have no other fields than are described."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _strict(each) for name, each in deepcopy(schema).items()}
    if "properties" in closed and closed.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


def _names(operation: Json) -> list[str]:
    places = [parameter.get("examples", {}) for parameter in operation.get("parameters", ())]
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [response["content"] for response in operation["responses"].values()]
    places += [media.get("examples", {}) for content in contents for media in content.values()]
    return list(dict.fromkeys(name for place in places for name in place))


def _request(path: str, method: str, operation: Json, name: str) -> Request:
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    for parameter in operation.get("parameters", ()):
        if name not in parameter["examples"]:
            continue
        value = parameter["examples"][name]["value"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value)
        else:
            (query if parameter["in"] == "query" else headers)[parameter["name"]] = value
    body = None
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
        if name in media.get("examples", {}):
            body = media["examples"][name]["value"]
            headers["Content-Type"] = media_type
    status, answer = _answered(operation, name)
    return Request(
        operation=operation["operationId"],
        name=name,
        method=method,
        path=path,
        query=query,
        headers=headers,
        body=body,
        status=status,
        answer=answer,
    )


def _answered(operation: Json, name: str) -> tuple[int, Any]:
    for status, response in operation["responses"].items():
        for media in response["content"].values():
            if name in media.get("examples", {}):
                return int(status), media["examples"][name]["value"]
    return 200, None
