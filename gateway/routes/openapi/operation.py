"""Descriptions of REST operations: requests, answers, errors and credentials.

A route is made with the descriptions of its methods (`DescribedRoute`), so that none serves without
one. Keys' scopes, methods and media types are enforced from these descriptions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel

from gateway.principal import Permission

JSON: Final = "application/json"
TEXT: Final = "text/plain"

Schema: TypeAlias = Mapping[str, object] | type[BaseModel]
"""A JSON Schema, or the model that it is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the path, the query or a header. `example` is one that every example has."""

    name: str
    place: Literal["path", "query", "header"]
    text: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request's body: the schema of each media type."""

    content: Mapping[str, Schema]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is no error. `headers` are those of `document.HEADERS`."""

    status: int
    text: str
    content: Mapping[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error: its status, the codes that it has, and when it comes.

    `content` replaces the body that errors have.
    """

    status: int
    codes: tuple[str, ...]
    text: str
    headers: tuple[str, ...] = ()
    content: Mapping[str, Schema] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request with its answer, as `docs/api.md` shows it and a test sends it.

    `body` is JSON, or the text of another media type; so is `answer`, which is None where it is not
    shown. `variables` are parameters that the page shows as a variable of the shell.
    """

    name: str
    text: str
    status: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON
    body: object = None
    answer: object = None


Security: TypeAlias = Sequence[Mapping[str, Sequence[str]]]
"""OpenAPI's security requirements: each is enough by itself; none: everybody may ask."""

STRIPE: Final[Security] = ({"stripeSignature": ()},)
METRICS: Final[Security] = ({"metricsToken": ()}, {})
READER: Final[Security] = (
    {"apiKey": (Permission.BILLING_READ.value,)},
    {"signedLink": ()},
    {"personToken": ()},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path. `limits` are names of settings; `scopes` are all needed, or `admin`;
    `access` names other credentials than an API key.
    """

    id: str
    method: Literal["GET", "PUT", "POST"]
    tag: str
    summary: str
    text: str
    scopes: tuple[Permission, ...] = ()
    access: Security = ()
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    answers: tuple[Answer, ...]
    refusals: tuple[Refusal, ...]
    limits: tuple[str, ...] = ()
    examples: tuple[Example, ...]

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types of the body; none where there is no body."""
        return tuple(self.body.content) if self.body else ()

    @property
    def answer_headers(self) -> tuple[str, ...]:
        """The headers that all of its answers may have."""
        takes_points = self.scopes or self.access == READER
        return ("X-Request-ID", *(("RateLimit-Policy", "RateLimit") if takes_points else ()))

    @property
    def security(self) -> Security:
        """The allowed credentials, as OpenAPI's security requirements."""
        if self.scopes:
            return ({"apiKey": tuple(scope.value for scope in self.scopes)},)
        return self.access
