"""`/graphiql`: a page to try operations with, made of our own files; nothing is loaded from afar.

What the page is told (example operations and, in dev, people with their tokens) stands in it as
JSON. That is as safe as an endpoint of its own: no other origin may read the page, in dev it is
answered under loopback names alone, and nothing executable is written into it.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

STATIC: Final = Path(__file__).parent / "static"
PATH: Final = "/graphiql"
_TYPES: Final = {"js": "text/javascript", "css": "text/css"}
_HEADERS: Final = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An operation to start from; the variable value `"$account"` becomes the chosen account's."""

    name: str
    query: str
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DevAccount:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DevPerson:
    """Someone of the demo, with a token that is ready to use."""

    name: str
    token: str
    accounts: tuple[DevAccount, ...]


TOKENS_FILE: Final = "dev-tokens.json"


def read_examples() -> Sequence[Example]:
    """Return the operations that the page offers."""
    return [Example(**each) for each in orjson.loads((STATIC / "examples.json").read_bytes())]


def read_people(path: Path) -> Sequence[DevPerson]:
    """Return the demo's people from the file of dev tokens, none where it is not there."""
    if not path.exists():
        return []
    return [
        DevPerson(
            name=person["name"],
            token=person["token"],
            accounts=tuple(DevAccount(**account) for account in person["accounts"]),
        )
        for person in orjson.loads(path.read_bytes())["people"]
    ]


def graphiql_routes(
    examples: Sequence[Example], people: Callable[[], Sequence[DevPerson]], *, dev: bool
) -> list[Route]:
    """Return the page's routes; `people` is asked at each view, and only in dev."""
    template = (STATIC / "graphiql.html").read_text("utf-8")
    files = {kind: (STATIC / f"graphiql.{kind}").read_bytes() for kind in _TYPES}

    async def page(_: Request) -> Response:
        told = {
            "dev": dev,
            "examples": [asdict(example) for example in examples],
            "people": [asdict(person) for person in people()] if dev else [],
        }
        html = template.replace("{{told}}", _inert(told))
        return Response(html, headers={**_HEADERS, "content-type": "text/html; charset=utf-8"})

    async def asset(request: Request) -> Response:
        kind = request.url.path.rpartition(".")[2]
        headers = {**_HEADERS, "content-type": f"{_TYPES[kind]}; charset=utf-8"}
        return Response(files[kind], headers=headers)

    assets = [Route(f"{PATH}/graphiql.{kind}", asset) for kind in _TYPES]
    return [Route(PATH, page), *assets]


async def to_graphiql(_: Request) -> Response:
    return RedirectResponse(PATH, 307)


def _inert(value: Any) -> str:
    """Return JSON that ends no script element and starts no comment in one."""
    text = orjson.dumps(value).decode("utf-8")
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
