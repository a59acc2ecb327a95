"""Finds changes of the OpenAPI document that break existing clients."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def breaking_changes(before: Json, now: Json) -> list[str]:
    """Return a line for each change that an existing client may fail by."""
    return list(_changes(before, now))


def _changes(before: Json, now: Json) -> Iterator[str]:
    for path, methods in before["paths"].items():
        for method, operation in methods.items():
            where = operation["operationId"]
            later = now["paths"].get(path, {}).get(method)
            if later is None or later["operationId"] != where:
                yield f"{where} is gone"
                continue
            if any(each not in later["security"] for each in operation["security"]):
                yield f"{where} needs other credentials"
            yield from _parameters(operation, later, where)
            bodies = operation.get("requestBody", {}).get("content", {})
            for media_type, body in bodies.items():
                later_body = later.get("requestBody", {}).get("content", {}).get(media_type, {})
                yield from _Comparison(before, now, sent=True).of(
                    body["schema"], later_body.get("schema", {}), f"{where} body"
                )
            yield from _answers(before, now, operation, later)


def _parameters(operation: Json, later: Json, where: str) -> Iterator[str]:
    old = {each["name"]: each for each in operation.get("parameters", ())}
    new = {each["name"]: each for each in later.get("parameters", ())}
    yield from (f"{where} has no parameter {name}" for name in old.keys() - new.keys())
    for name, each in new.items():
        if each["required"] and not old.get(name, {}).get("required"):
            yield f"{where} needs the parameter {name}"


def _answers(before: Json, now: Json, operation: Json, later: Json) -> Iterator[str]:
    for status, answer in operation["responses"].items():
        where = f"{operation['operationId']} {status}"
        later_answer = later["responses"].get(status)
        if later_answer is None:
            yield f"{where} is gone"
            continue
        yield from (
            f"{where} has no code {code}"
            for code in set(answer.get("x-codes", ())) - set(later_answer.get("x-codes", ()))
        )
        for media_type, content in answer["content"].items():
            schema = later_answer["content"].get(media_type, {}).get("schema", {})
            comparison = _Comparison(before, now, sent=False)
            yield from comparison.of(content["schema"], schema, where)


class _Comparison:
    """Compares schemas of bodies that are `sent`, or of answers."""

    def __init__(self, before: Json, now: Json, *, sent: bool) -> None:
        self._before, self._now, self._sent = before, now, sent

    def of(self, old: Json, new: Json, where: str) -> Iterator[str]:
        old, new = _resolved(old, self._before), _resolved(new, self._now)
        if _kinds(old) != _kinds(new):
            yield f"{where} is of another type"
            return
        removed = set(old.get("enum", ())) - set(new.get("enum", ()))
        if self._sent and removed:
            yield f"{where} no longer takes {sorted(removed)}"
        needed = set(new.get("required", ())) - set(old.get("required", ()))
        lost = set(old.get("required", ())) - set(new.get("required", ()))
        for name in needed if self._sent else lost:
            yield f"{where}.{name} is {'needed' if self._sent else 'not always there'}"
        properties = new.get("properties", {})
        for name, each in old.get("properties", {}).items():
            if name not in properties:
                yield f"{where}.{name} is gone"
            else:
                yield from self.of(each, properties[name], f"{where}.{name}")
        if "items" in old:
            yield from self.of(old["items"], new.get("items", {}), f"{where}[]")


def _resolved(schema: Json, document: Json) -> Json:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _resolved(document["components"]["schemas"][name], document)
    options = schema.get("anyOf", ())
    if options:
        nullable = {"nullable": {"type": "null"} in options}
        return _resolved(options[0], document) | nullable
    return schema


def _kinds(schema: Json) -> tuple[object, object]:
    return schema.get("type", "string" if "enum" in schema else None), schema.get("nullable")
