"""The OpenAPI 3.1 document of operations, their schemas made by pydantic from the models."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, Field
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.http.json_models import WireAnswer
from gateway.routes.openapi.operation import (
    JSON,
    Answer,
    Example,
    Operation,
    Refusal,
    Schema,
)
from gateway.settings import SETTINGS, Settings
from gateway.settings.environment import PREFIX

Json: TypeAlias = dict[str, Any]
Paths: TypeAlias = Mapping[str, Sequence[Operation]]

VERSION: Final = "1"
ABOUT: Final = """\
The REST API of Billing & Usage: accounts, usage and credits from the platform, events \
from Stripe, file downloads, health checks and metrics. Everything else is the GraphQL schema, at \
`/graphql`.

**Credentials.** `Authorization: Bearer` with an API key from `gateway api-key create NAME --scope \
…`, or with a person's token where listed. A platform key has access to every account, an account \
key (`--account`) to its own account only; other accounts do not exist for an account key. The \
scope `admin` includes all others.

**Values.** Money and quantities are decimal strings (`"10.00"`), never JSON numbers, which may \
have lost digits. Amounts are in the account's currency, with at most 9 decimals. Timestamps are \
RFC 3339, answered in UTC with `Z`. Identifiers are stored unchanged; two identifiers that look \
alike but differ are different. Objects with a repeated key and unknown fields are refused.

**Errors.** Every error has the body `Errors`, with a message for people and a stable code in \
`extensions.code`. A missing object and an object without access get the same answer. Every answer \
has an `X-Request-ID`, also in the log; a request may set its own.

**Retries.** Every request here may be sent again: `PUT` replaces, usage is identified by its ids, \
credits by their `Idempotency-Key`. Answers 429 and 503 have the header `Retry-After`.

**Points.** Each person, API key and account with signed links has a bucket of points. A request \
takes one; besides, 100 usage events or exported rows take one, and a \
receipt or statement takes ten in all, as does each document of a year's file. \
Points are restored each second. Without enough points nothing is done: 429 `THROTTLED`, and \
`extensions.retryAfterSeconds` beside the header. Every answer to a valid credential or link says \
in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11) how many points a \
full bucket has and how many are left. A client address has a limit of its own for requests that \
are refused without a valid credential.

**Changes.** Fields and paths may be added at any time: ignore unknown fields. A field to be \
removed is marked `deprecated` here for two minor releases, and answers to requests that use it \
have the header `Deprecation` (RFC 9745). Nothing is deprecated now."""

HEADERS: Final[Mapping[str, Json]] = {
    "X-Request-ID": {
        "description": "Id of the request, also in the log.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before sending the request again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Policy": {
        "description": "Points of a full bucket (`q`), and the seconds in which an empty one is "
        "filled (`w`). In answers to a valid credential or link.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "Points that are left (`r`), and the seconds until the bucket is full, or "
        "to wait (`t`). In answers to a valid credential or link.",
        "schema": {"type": "string"},
    },
    "WWW-Authenticate": {
        "description": "`Bearer`, with `error` if a credential was sent (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
    "Allow": {
        "description": "The methods that the path supports.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Content-Disposition": {
        "description": "`attachment` with the file's name (RFC 6266).",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Export-Rows": {
        "description": "Number of rows.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
}
SECURITY_SCHEMES: Final[Mapping[str, Json]] = {
    "apiKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key with all of the named scopes, or `admin`.",
    },
    "personToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A person's token of the OpenID provider; its `sub` is a member of the "
        "account.",
    },
    "signedLink": {
        "type": "apiKey",
        "in": "query",
        "name": "signature",
        "description": "A signed link from GraphQL (`exportUrl`, `downloadUrl`) with all its "
        "parameters. The link expires.",
    },
    "stripeSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Stripe-Signature",
        "description": "Stripe's signature of the body and its time.",
    },
    "metricsToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "`GATEWAY_METRICS_TOKEN`.",
    },
}


class ErrorExtensions(WireAnswer):
    """Machine-readable details of an error."""

    code: str = Field(description="Stable error code.")
    argument: str = Field("", description="Name of the invalid field or parameter.")
    request_id: str = Field("", description="Id of an unexpected error in the log.")
    retry_after_seconds: int = Field(0, description="Seconds to wait after `THROTTLED`.")


class ErrorAnswer(WireAnswer):
    """One error."""

    message: str = Field(description="Message for people; the text may change.")
    path: str = Field(
        "",
        description="Path of the invalid field in the body, such as `lowBalance.amount` or "
        "`members.1.role`.",
    )
    extensions: ErrorExtensions


class Errors(WireAnswer):
    """The body of every error."""

    errors: list[ErrorAnswer]


def build_document(paths: Paths, settings: Settings) -> Json:
    """Return the document; limits are those of the settings."""
    schemas = _Schemas(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Billing & Usage",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            path: {each.method.lower(): _operation(each, schemas, settings) for each in operations}
            for path, operations in paths.items()
        },
        "components": {
            "schemas": schemas.definitions,
            "headers": dict(HEADERS),
            "securitySchemes": dict(SECURITY_SCHEMES),
        },
    }


class _Schemas:
    """The schemas of all models: bodies as they are read, answers as they are written."""

    def __init__(self, paths: Paths) -> None:
        operations = [each for operations in paths.values() for each in operations]
        models: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
            (Errors, "serialization"): None
        }
        for each in operations:
            contents = [each.body.content] if each.body else []
            models |= dict.fromkeys((m, "validation") for m in _models(contents))
            contents = [answer.content for answer in each.answers]
            models |= dict.fromkeys((m, "serialization") for m in _models(contents))
        self._references, schema = models_json_schema(
            [*models], ref_template="#/components/schemas/{model}"
        )
        self.definitions: Json = {
            name: _untitled(each) for name, each in sorted(schema["$defs"].items())
        }

    def of(self, schema: Schema, mode: JsonSchemaMode) -> Mapping[str, object]:
        """Return a schema, a model's by reference."""
        return self._references[schema, mode] if isinstance(schema, type) else schema

    def content(
        self, content: Mapping[str, Schema], mode: JsonSchemaMode, examples: Mapping[str, Json]
    ) -> Json:
        """Return the media types of a body or an answer, with the examples of each."""
        return {
            media_type: {"schema": self.of(schema, mode)}
            | ({"examples": shown} if (shown := dict(examples.get(media_type, {}))) else {})
            for media_type, schema in content.items()
        }


def _models(contents: Iterable[Mapping[str, Schema]]) -> list[type[BaseModel]]:
    return [each for content in contents for each in content.values() if isinstance(each, type)]


def _untitled(schema: object) -> object:
    """Return a schema without pydantic's titles, which repeat the names of fields."""
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _untitled(each)
        for name, each in schema.items()
        if name != "title" or not isinstance(each, str)
    }


def _operation(operation: Operation, schemas: _Schemas, settings: Settings) -> Json:
    described: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.text,
        "security": [
            {name: list(scopes) for name, scopes in each.items()} for each in operation.security
        ],
    }
    if operation.parameters:
        described["parameters"] = [
            {
                "name": each.name,
                "in": each.place,
                "required": each.required,
                "description": each.text,
                "schema": dict(each.schema),
                "examples": _values(each.name, operation.examples),
            }
            for each in operation.parameters
        ]
    if operation.body:
        examples: dict[str, Json] = {}
        for each in operation.examples:
            shown = {"summary": each.text, "value": each.body}
            examples.setdefault(each.media_type, {})[each.name] = shown
        described["requestBody"] = {
            "required": True,
            "description": operation.body.text,
            "content": schemas.content(operation.body.content, "validation", examples),
        }
    described["responses"] = _responses(operation, schemas)
    described["x-limits"] = [_limit(name, settings) for name in operation.limits]
    return described


def _values(name: str, examples: Iterable[Example]) -> Json:
    return {
        each.name: {"value": each.parameters[name]} for each in examples if name in each.parameters
    }


def _responses(operation: Operation, schemas: _Schemas) -> Json:
    every: Sequence[Answer | Refusal] = (*operation.answers, *operation.refusals)
    answers = {each.status: each for each in sorted(every, key=lambda each: each.status)}
    return {
        str(status): _response(answer, operation, schemas) for status, answer in answers.items()
    }


def _response(answer: Answer | Refusal, operation: Operation, schemas: _Schemas) -> Json:
    content = answer.content
    if isinstance(answer, Refusal) and content is None:
        content = {JSON: Errors}
    content = content or {}
    # Only examples with an answer: a variable of an example is not a value.
    shown = {
        each.name: {"summary": each.text, "value": each.answer}
        for each in operation.examples
        if each.status == answer.status and each.answer is not None
    }
    described: Json = {
        "description": answer.text,
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"}
            for name in (*operation.answer_headers, *answer.headers)
        },
        "content": schemas.content(content, "serialization", dict.fromkeys(content, shown)),
    }
    if isinstance(answer, Refusal) and answer.codes:
        described["x-codes"] = list(answer.codes)
    return described


def _limit(name: str, settings: Settings) -> Json:
    setting = SETTINGS[name]
    return {
        "setting": f"{PREFIX}{name.upper()}",
        "value": setting.value(settings),
        "description": setting.field.description or "",
    }
