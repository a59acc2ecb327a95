"""Serves the console at `/`, GraphiQL at `/graphiql`, and the files that they load.

A page's bootstrap settings are JSON in its HTML. That is as safe as an endpoint: no other origin
may read the page, in dev it is served under loopback names only, and the JSON cannot run.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.errors import NotFound
from gateway.exports.export import ExportFormat
from gateway.exports.writers import written_formats
from gateway.http.headers import header_values
from gateway.http.negotiation import accepted_coding
from gateway.http.request_log import record_of
from gateway.http.responses import NOT_HERE, error_response
from gateway.http.static_files import HOW_TO_BUILD, Asset, StaticFiles
from gateway.routes.branding.brand import Brand
from gateway.settings import Settings
from gateway.settings.values import origin_of

CONSOLE_PATHS: Final = ("/", "/callback", "/signed-out")
GRAPHIQL_PATH: Final = "/graphiql"
ASSET_PATH: Final = "/assets/{path:path}"

_OPENING: Final = '<script id="gateway-settings" type="application/json">'
_SETTINGS: Final = re.compile(f"{_OPENING}.*?(?=</script>)", re.DOTALL)
_NONCE: Final = '<meta property="csp-nonce" nonce="{}">'
_HOST: Final = re.compile(r"[\w.-]+(:\d+)?|\[[\da-fA-F:]+\](:\d+)?", re.ASCII)
_ISOLATION: Final = {
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_ASSET_HEADERS: Final = _ISOLATION | {
    "cache-control": "public, max-age=31536000, immutable",
    # A worker obeys the policy that its own script came with.
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """The OpenID provider at which people sign in; `audience` is required in their tokens."""

    issuer: str
    client_id: str
    scope: str
    audience: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSecurityPolicy:
    """The content security policy of a page: `ancestors` may embed it, and it may send requests to
    `origins`.

    Without `any_style` it may add only styles with the nonce of its element `csp-nonce`.
    """

    ancestors: Sequence[str] = ()
    origins: Sequence[str] = ()
    any_style: bool = False

    def header(self, host: str, nonce: str) -> str:
        """Return the header's value for a page that was requested by a host name."""
        styles = "'unsafe-inline'" if self.any_style else f"'nonce-{nonce}'"
        ancestors = " ".join(self.ancestors) or "'none'"
        sockets = [f"ws://{host}", f"wss://{host}"] if _HOST.fullmatch(host) else []
        return "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                f"style-src 'self' {styles}",
                "img-src 'self' data:",
                "font-src 'self' data:",
                "worker-src 'self'",
                " ".join(("connect-src 'self'", *sockets, *self.origins)),
                "base-uri 'none'",
                "form-action 'none'",
                f"frame-ancestors {ancestors}",
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The pages and their bootstrap settings; in dev `people` are read at each view."""

    files: StaticFiles
    console: bool
    graphiql: bool
    dev: bool
    people: Callable[[], Sequence[DevPerson]]
    oidc: Oidc | None = None
    top_up_url: str | None = None
    deployment_url: str | None = None
    export_formats: Sequence[ExportFormat] = ()
    issues_receipts: bool = True
    issues_statements: bool = True
    policy: ContentSecurityPolicy = field(default_factory=ContentSecurityPolicy)
    brand: Brand = field(default_factory=Brand)

    def routes(self) -> list[Route]:
        """Return the routes of the pages that are served."""
        routes = []
        if self.console:
            page = self._page("index", self.policy)
            routes += [Route(path, page) for path in CONSOLE_PATHS]
        elif self.graphiql:
            routes.append(Route("/", _to_graphiql))
        if self.graphiql:
            # Its editor makes style elements as it goes, and knows of no nonce.
            page = self._page("graphiql", ContentSecurityPolicy(any_style=True))
            routes.append(Route(GRAPHIQL_PATH, page))
        if not routes:
            return []
        return [*routes, *self.brand.routes(), Route(ASSET_PATH, self._asset())]

    def _page(
        self, name: str, policy: ContentSecurityPolicy
    ) -> Callable[[Request], Awaitable[Response]]:
        html = self.files.page(name)

        async def not_built(_: Request) -> Response:
            return PlainTextResponse(f"{HOW_TO_BUILD}\n", 404)

        if html is None:
            return not_built
        before, after = _split(self.brand.titled(html), name)

        async def page(request: Request) -> Response:
            host, nonce = request.headers.get("host", ""), secrets.token_urlsafe(16)
            headers = {**_ISOLATION, "content-security-policy": policy.header(host, nonce)}
            bootstrap = f"{_OPENING}{_inert(self._bootstrap())}"
            own = f"{_NONCE.format(nonce)}{self.brand.head(nonce)}{bootstrap}"
            content = f"{before}{own}{after}"
            return Response(content, headers=headers, media_type="text/html")

        return page

    def _bootstrap(self) -> Mapping[str, object]:
        oidc = self.oidc
        return {
            "dev": self.dev,
            "people": [asdict(person) for person in self.people()] if self.dev else [],
            "oidc": oidc
            and {
                "issuer": oidc.issuer,
                "clientId": oidc.client_id,
                "scope": oidc.scope,
                "audience": oidc.audience,
            },
            "topUpUrl": self.top_up_url,
            "deploymentUrl": self.deployment_url,
            "exportFormats": self.export_formats,
            "issuesReceipts": self.issues_receipts,
            "issuesStatements": self.issues_statements,
            **self.brand.bootstrap(),
        }

    def _asset(self) -> Callable[[Request], Awaitable[Response]]:
        assets = self.files.assets()

        async def asset(request: Request) -> Response:
            record_of(request.scope).route = ASSET_PATH
            found = assets.get(request.path_params["path"])
            accepted = header_values(request.scope, b"accept-encoding")
            try:
                if found is not None:
                    return await _file(found, accepted_coding(accepted, found.codings))
            except FileNotFoundError:
                pass  # the page was rebuilt after this process started
            return error_response(NotFound(NOT_HERE))

        return asset


def build_console(
    settings: Settings, files: StaticFiles, people: Callable[[], Sequence[DevPerson]]
) -> Console:
    """Return the pages that the settings describe. Raises ConfigurationError."""
    pages, oidc, origins = settings.console, None, settings.console.oidc_origins
    if pages.oidc_issuer and pages.oidc_client_id:
        origins = (origin_of(pages.oidc_issuer), *origins)
        oidc = Oidc(
            issuer=pages.oidc_issuer,
            client_id=pages.oidc_client_id,
            scope=pages.oidc_scope,
            audience=settings.auth.jwt_audience,
        )
    return Console(
        files=files,
        console=pages.enabled,
        graphiql=settings.or_dev(pages.graphiql) and not settings.documents.trusted_only,
        dev=settings.environment == "dev",
        people=people,
        oidc=oidc,
        top_up_url=pages.top_up_url,
        deployment_url=pages.deployment_url,
        export_formats=written_formats(),
        issues_receipts=settings.seller.issues_receipts,
        issues_statements=settings.seller.issues_statements,
        policy=ContentSecurityPolicy(ancestors=pages.frame_ancestors, origins=origins),
        brand=Brand.read(pages),
    )


async def _file(asset: Asset, coding: str | None) -> Response:
    headers = _ASSET_HEADERS | {"content-type": asset.content_type}
    if asset.codings:
        headers["vary"] = "accept-encoding"
    if coding is not None:
        headers["content-encoding"] = coding
    return Response(await asset.read(coding), headers=headers)


async def _to_graphiql(_: Request) -> Response:
    return RedirectResponse(GRAPHIQL_PATH, 307)


def _split(html: str, name: str) -> tuple[str, str]:
    """Return the HTML before and after the bootstrap settings."""
    found = _SETTINGS.search(html)
    assert found is not None, f"{name}.html has no element for its settings"  # noqa: S101
    return html[: found.start()], html[found.end() :]


def _inert(value: Mapping[str, object]) -> str:
    """Return JSON that ends no script element and starts no comment in one."""
    text = orjson.dumps(value).decode("utf-8")
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
