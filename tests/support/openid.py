"""An OpenID provider that signs everybody in: the code flow with PKCE, and refresh tokens.

It refuses what a real one refuses: another client, another way back, a code that was used, and a
verifier that is not the challenge's (RFC 6749, RFC 7636, OpenID Connect Core 1.0).
"""

import asyncio
import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

Form = dict[str, str]

CLIENT = "billing-page"
AUDIENCE = "https://billing.example"
LONG = 3600


class OpenIdProvider:
    """Issues access tokens for `subject`, of which the first one holds for `lifetime` seconds;
    `grants` has what was parameters of its token endpoint.
    """

    def __init__(self, subject: str, name: str) -> None:
        self.subject = subject
        self.name = name
        self.lifetime = LONG
        self.grants: list[str] = []
        self.url = ""
        self._key = ECKey.generate_key("P-256", {"kid": "1"})
        self._codes: dict[str, Form] = {}
        self._refresh = secrets.token_urlsafe()

    @property
    def app(self) -> Starlette:
        routes = [
            Route("/.well-known/openid-configuration", self._configuration),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
        ]
        everybody = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"])
        return Starlette(routes=routes, middleware=[everybody])

    async def _configuration(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        parameters = dict(request.query_params)
        assert parameters["client_id"] == CLIENT, parameters
        assert parameters["response_type"] == "code", parameters
        assert parameters["code_challenge_method"] == "S256", parameters
        code = secrets.token_urlsafe()
        self._codes[code] = parameters
        back = urlencode({"code": code, "state": parameters["state"]})
        return RedirectResponse(f"{parameters['redirect_uri']}?{back}")

    async def _token(self, request: Request) -> Response:
        parameters = dict(parse_qsl((await request.body()).decode()))
        self.grants.append(parameters["grant_type"])
        if not self._is_granted(parameters):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        is_first = parameters["grant_type"] == "authorization_code"
        lifetime = self.lifetime if is_first else LONG
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": lifetime,
                "access_token": self._signed("at+jwt", lifetime, aud=AUDIENCE),
                "id_token": self._signed("JWT", lifetime, aud=CLIENT, name=self.name),
                "refresh_token": self._refresh,
            }
        )

    def _is_granted(self, parameters: Form) -> bool:
        if parameters["client_id"] != CLIENT:
            return False
        if parameters["grant_type"] == "refresh_token":
            return parameters["refresh_token"] == self._refresh
        begun = self._codes.pop(parameters["code"], None)
        if begun is None or parameters["redirect_uri"] != begun["redirect_uri"]:
            return False
        digest = hashlib.sha256(parameters["code_verifier"].encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == begun["code_challenge"]

    def _signed(self, kind: str, lifetime: int, **more: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": self.subject,
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_urlsafe(),
        }
        header = {"alg": "ES256", "typ": kind, "kid": "1"}
        return jwt.encode(header, claims | more, self._key, ["ES256"])


@asynccontextmanager
async def openid_provider(subject: str, name: str) -> AsyncIterator[OpenIdProvider]:
    """Serve a provider on loopback."""
    provider = OpenIdProvider(subject, name)
    config = uvicorn.Config(provider.app, port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:
        assert not task.done()
        await asyncio.sleep(0.01)
    provider.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task
