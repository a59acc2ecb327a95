"""An identity provider: keys, tokens, and an HTTP server on loopback that publishes the keys."""

import asyncio
import base64
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ISSUER = "https://issuer.example/"
AUDIENCE = "https://billing.example"


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims, changed; a change to None leaves the claim out."""
    now = int(NOW.timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "auth0|42", "iat": now, "exp": now + 600}
    return {name: value for name, value in (good | changes).items() if value is not None}


def sign(
    key: Key, algorithm: str = "ES256", header: dict[str, Any] | None = None, **changes: Any
) -> str:
    """A token with good claims, signed by the key."""
    head = {"alg": algorithm, "typ": "at+jwt"} | (header or {})
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, claims(**changes), key, [algorithm], default_type=None)


def forge(
    header: Any, payload: Any, signature: bytes | Callable[[bytes], bytes] = b"signature"
) -> str:
    """A token of any parts: JSON values, or bytes as they are; a function signs them."""

    def encode(part: Any) -> bytes:
        raw = part if isinstance(part, bytes) else json.dumps(part).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    signed = encode(header) + b"." + encode(payload)
    signed_with = signature if isinstance(signature, bytes) else signature(signed)
    return (signed + b"." + encode(signed_with)).decode()


def new_key(kid: str | None = None) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid} if kid else None)


def key_set(*keys: Key) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


class Issuer:
    """Serves `body` with `status` and `headers` at `url`, after `delay` seconds or at the end, and
    counts; by TLS where there is a certificate (a file with its key).
    """

    def __init__(self, *keys: Key, certificate: Path | None = None) -> None:
        self._certificate = certificate
        self.body = key_set(*keys) if keys else b"{}"
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.paths: list[str] = []
        self.url = ""
        self._answers: list[asyncio.Task[None] | None] = []
        self._over = asyncio.Event()

    @property
    def fetches(self) -> int:
        return len(self.paths)

    async def __aenter__(self) -> "Issuer":
        context = None
        if self._certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self._certificate)
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=context)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{port}/keys"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._over.set()
        await asyncio.gather(*(task for task in self._answers if task))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answers.append(asyncio.current_task())
        try:
            await self._write(await reader.readuntil(b"\r\n\r\n"), writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _write(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.paths.append(head.split()[1].decode())
        with suppress(TimeoutError):
            async with asyncio.timeout(self.delay):
                await self._over.wait()
        headers = {"Content-Length": str(len(self.body)), "Connection": "close"} | self.headers
        lines = [f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + self.body)
