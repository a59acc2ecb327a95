"""Prints the OpenAPI document as a Markdown page, `docs/api.md`.

Examples are commands for a shell with `URL`, `KEY` and, where they stand in a command, `NUMBER` and
`STRIPE_WEBHOOK_SECRET`; below each is the JSON that it answers.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

import orjson

from gateway.http.json_fields import DECIMAL_PATTERN, POSITIVE_PATTERN
from gateway.routes.descriptions.refusals import EVERYWHERE
from gateway.routes.openapi.document import Json, build_document
from gateway.routes.openapi.operation import JSON, Example, Operation
from gateway.routes.openapi.surface import SURFACE
from gateway.settings import Settings

_INTRODUCTION: Final = """\
# The REST API

This page is printed by `gateway openapi --markdown`. A running gateway serves the description as \
OpenAPI 3.1 at `/openapi.json`; `gateway openapi` prints the same.

"""
_SHELL: Final = """\
The examples are shell commands, in an order in which each one runs. They need the URL and a key:

```sh
export URL=http://127.0.0.1:8000
export KEY=…   # gateway api-key create platform --scope billing:read --scope accounts:write …
```

The answers are from a new gateway; ids, timestamps and receipt numbers are different on yours. \
Usage older than `GATEWAY_USAGE_LATE_DAYS` is refused: replace the dates of the examples with \
recent ones.

"""
_IN_ALL_ANSWERS: Final = ("X-Request-ID", "RateLimit-Policy", "RateLimit")
_ANSWER_HEAD: Final = ("answer", "code", "when", "headers")
_SIGNED: Final = """\
AT=$(date +%s)
SIGNATURE=$(printf '%s.%s' "$AT" "$BODY" |
  openssl dgst -sha256 -hmac "$STRIPE_WEBHOOK_SECRET" -r | cut -d ' ' -f 1)
"""


def print_api(settings: Settings) -> str:
    """Return the page, with the limits of the settings."""
    document = build_document(SURFACE, settings)
    return "".join(_page(document))


def _page(document: Json) -> Iterator[str]:
    yield _INTRODUCTION
    yield f"{document['info']['description']}\n\n"
    yield _SHELL
    tag = ""
    for path, operations in SURFACE.items():
        for operation in operations:
            if operation.tag != tag:
                tag = operation.tag
                yield f"## {tag}\n\n"
            described = document["paths"][path][operation.method.lower()]
            yield from _operation(path, operation, described, document)
    yield from _errors(document)


def _operation(path: str, operation: Operation, described: Json, document: Json) -> Iterator[str]:
    yield f"### {operation.summary}\n\n```http\n{operation.method} {path}\n```\n\n"
    yield f"{operation.text}\n\n**Access:** {_access(operation)}.\n\n"
    if parameters := described.get("parameters"):
        rows = [
            (
                f"`{each['name']}`",
                each["in"],
                _type(each["schema"]),
                "required" if each["required"] else "",
                each["description"],
            )
            for each in parameters
        ]
        yield _table(("parameter", "in", "type", "", "meaning"), rows)
    if operation.body:
        media_types = " or ".join(f"`{each}`" for each in operation.body.content)
        yield f"**Body** ({media_types}): {operation.body.text}\n\n"
        yield _fields(described["requestBody"]["content"], document)
    yield from _answers(operation, described, document)
    yield f"**Limits:** {', '.join(_limits(described))}.\n\n"
    for example in operation.examples:
        yield _example(path, operation, example)


def _access(operation: Operation) -> str:
    ways = []
    for each in operation.security:
        match [*each]:
            case ["apiKey"]:
                scopes = [f"`{scope}`" for scope in each["apiKey"]]
                noun = "scope" if len(scopes) == 1 else "scopes"
                ways.append(f"an API key with the {noun} {' and '.join(scopes)}")
            case ["signedLink"]:
                ways.append("the bearer of a signed link from GraphQL, until the link expires")
            case ["personToken"]:
                ways.append("a member of the account, with a person's token")
            case ["stripeSignature"]:
                ways.append("Stripe, by its signature in `Stripe-Signature`")
            case ["metricsToken"]:
                ways.append("the bearer of `GATEWAY_METRICS_TOKEN`")
            case _:
                ways.append("if no token is set, a direct connection from loopback")
    return "; or ".join(ways) or "everybody"


def _answers(operation: Operation, described: Json, document: Json) -> Iterator[str]:
    everywhere = {str(each.status) for each in operation.refusals if each in EVERYWHERE}
    answers = described["responses"].items()
    rows = [_answer_row(status, each) for status, each in answers if status not in everywhere]
    yield _table(_ANSWER_HEAD, rows)
    if everywhere:
        yield f"As elsewhere: {', '.join(sorted(everywhere))} ([errors](#errors)).\n\n"
    models = {
        _model(content["schema"])
        for status, answer in described["responses"].items()
        for content in answer["content"].values()
        if int(status) < 300 and "$ref" in content["schema"]
    }
    for model in sorted(models):
        yield f"**Answer** (`{JSON}`):\n\n"
        yield _fields({JSON: {"schema": {"$ref": model}}}, document, needed="always")


def _fields(content: Json, document: Json, needed: str = "required") -> str:
    """Return the table of a body's fields; fields of nested objects follow their object."""
    for each in content.values():
        if "$ref" in each["schema"]:
            rows = list(_rows(each["schema"], document, "", needed))
            return _table(("field", "type", "", "meaning"), rows)
    return ""


def _rows(schema: Json, document: Json, prefix: str, needed: str) -> Iterator[tuple[str, ...]]:
    schema, _ = _resolved(schema, document)
    if schema.get("type") == "array":
        yield from _rows(schema["items"], document, f"{prefix}[].", needed)
        return
    for name, field in schema.get("properties", {}).items():
        inner, nullable = _resolved(field, document)
        is_needed = needed if name in schema.get("required", ()) else ""
        text = field.get("description") or inner.get("description", "")
        default = field.get("default")
        if default not in (None, "", [], 0):
            text = f"{text} Default: `{str(default).lower() if default is False else default}`."
        yield f"`{prefix}{name}`", _type(inner, nullable=nullable), is_needed, text
        item = inner.get("items", {}) if inner.get("type") == "array" else {}
        if item:
            yield from _rows(item, document, f"{prefix}{name}[].", needed)
        elif inner.get("type") == "object":
            yield from _rows(inner, document, f"{prefix}{name}.", needed)


def _resolved(schema: Json, document: Json) -> tuple[Json, bool]:
    """Return a field's schema without references, and whether it may be null."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if options:
        return _resolved(options[0], document)[0], True
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return document["components"]["schemas"][name], False
    return schema, False


def _model(schema: Json) -> str:
    reference: str = schema["$ref"]
    return reference


def _type(schema: Json, *, nullable: bool = False) -> str:
    """Return a short text of a field's type and limits."""
    if "enum" in schema:
        words = ", ".join(f"`{each}`" for each in schema["enum"])
    elif "const" in schema:
        words = f"`{schema['const']}`"
    else:
        kind = schema.get("type", "string")
        words = " or ".join(kind) if isinstance(kind, list) else str(kind)
        words = {"date-time": "instant", "date": "date"}.get(schema.get("format", ""), words)
        if schema.get("pattern") in {DECIMAL_PATTERN, POSITIVE_PATTERN}:
            return _nullable("decimal string", nullable=nullable)
        words += _bounds(schema)
    return _nullable(words, nullable=nullable)


def _nullable(words: str, *, nullable: bool) -> str:
    return f"{words}, or null" if nullable else words


def _bounds(schema: Mapping[str, object]) -> str:
    if "maxItems" in schema:
        return f", at most {schema['maxItems']:,}"
    if "maximum" in schema:
        return f", {schema.get('minimum', 0)} to {schema['maximum']}"
    if "minLength" in schema:
        return f", {schema['minLength']} to {schema['maxLength']:,} characters"
    return f", at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""


def _limits(described: Json) -> Iterator[str]:
    for each in described["x-limits"]:
        yield f"`{each['setting']}` ({each['value']:,})"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{text}\n\n"


def _example(path: str, operation: Operation, example: Example) -> str:
    command = _command(path, operation, example)
    shown = f"{example.text}: {example.status}\n\n```sh\n{command}\n```\n\n"
    if example.answer is None:
        return shown
    if isinstance(example.answer, str):
        return f"{shown}```text\n{example.answer.rstrip()}\n```\n\n"
    answer = orjson.dumps(example.answer, option=orjson.OPT_INDENT_2).decode()
    return f"{shown}```json\n{answer}\n```\n\n"


def _command(path: str, operation: Operation, example: Example) -> str:
    address, query, headers = path, [], []
    for each in operation.parameters:
        value = example.parameters.get(each.name)
        if value is None:
            continue
        if each.place == "header":
            headers.append(f"{each.name}: {value}")
        elif each.place == "path":
            variable = example.variables.get(each.name)
            written = f"${variable}" if variable else quote(value, safe="")
            address = address.replace(f"{{{each.name}}}", written)
        else:
            query.append(f"{each.name}={quote(value, safe=',')}")
    if query:
        address += f"?{'&'.join(query)}"
    lines = [f'curl -sS "$URL{address}"']
    if operation.method != "GET":
        lines[0] = f'curl -sS -X {operation.method} "$URL{address}"'
    schemes = {name for each in operation.security for name in each}
    if "apiKey" in schemes:
        lines.append('-H "Authorization: Bearer $KEY"')
    lines += [f"-H '{header}'" for header in headers]
    if operation.body is None:
        if operation.id == "getReceipt" and example.status == 200:
            lines.append("-o receipt.pdf")
        return _joined(lines)
    return _with_body(lines, example, signed="stripeSignature" in schemes)


def _with_body(lines: list[str], example: Example, *, signed: bool) -> str:
    text = example.body
    if not isinstance(text, str):
        text = orjson.dumps(text, option=orjson.OPT_INDENT_2).decode()
    text = text.strip().replace("'", "'\\''")
    lines.append(f"-H 'Content-Type: {example.media_type}'")
    if not signed:
        return _joined([*lines, f"--data-binary '{text}'"])
    lines += ['-H "Stripe-Signature: t=$AT,v1=$SIGNATURE"', '--data-binary "$BODY"']
    return f"BODY='{text}'\n{_SIGNED}{_joined(lines)}"


def _joined(words: Sequence[str]) -> str:
    return " \\\n  ".join(words)


def _errors(document: Json) -> Iterator[str]:
    yield "## Errors\n\nThese apply to every operation, or to each with a body or a credential:\n\n"
    responses = [
        responses
        for path in document["paths"].values()
        for operation in path.values()
        for responses in [operation["responses"]]
    ]
    rows = {
        _answer_row(status, answer)
        for each in responses
        for status, answer in each.items()
        if any(answer["description"] == refusal.text for refusal in EVERYWHERE)
    }
    yield _table(_ANSWER_HEAD, sorted(rows))
    yield "The body of every error:\n\n"
    errors = {JSON: {"schema": {"$ref": "#/components/schemas/Errors"}}}
    yield _fields(errors, document, needed="always").rstrip() + "\n"


def _answer_row(status: str, answer: Json) -> tuple[str, ...]:
    codes = ", ".join(f"`{code}`" for code in answer.get("x-codes", ()))
    names = [f"`{name}`" for name in answer["headers"] if name not in _IN_ALL_ANSWERS]
    return status, codes, answer["description"], ", ".join(names)
