"""The servers that are measured: each one process on a port of its own, over the same Postgres."""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.bench.data import SUBJECT
from tests.conftest import as_runtime
from tests.support.npm import NODE, installed

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers" / "node"
ISSUER = "https://issuer.bench.example"
AUDIENCE = "https://billing.bench.example"
UNTHROTTLED = {
    "GATEWAY_RATE_POINTS": "1000000000",
    "GATEWAY_RATE_POINTS_PER_SECOND": "1000000000",
}
"""Points are taken and given back as usual, and never spent."""
START_SECONDS = 120
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A server's database and port. `url` is the owner's, whom no policy binds; `sqlite` is a file
    with the same rows.
    """

    url: str
    sqlite: Path
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How to start a server. `ready` is a path that answers once it serves. The command runs in the
    folder `needs`, with the packages of its lock file installed.
    """

    name: str
    command: tuple[str, ...]
    environment: Callable[[Place], Mapping[str, str]]
    needs: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ready: str = "/graphql?query=%7B__typename%7D"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server that serves."""

    server: Server
    port: int
    process: psutil.Process

    @property
    def cpu_seconds(self) -> float:
        """CPU time that the process and its children took so far."""
        times = [each.cpu_times() for each in self._family()]
        seconds: float = sum(each.user + each.system for each in times)
        return seconds

    @property
    def memory_bytes(self) -> int:
        """Resident memory."""
        resident: int = sum(each.memory_info().rss for each in self._family())
        return resident

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def _plain_environment(place: Place) -> Mapping[str, str]:
    url = place.url.replace("postgresql://", "postgresql+asyncpg://", 1)
    return {"DATABASE_URL": url, "PORT": str(place.port)}


def plain() -> Server:
    """Strawberry and SQLAlchemy as documented."""
    return Server(
        name="Strawberry + SQLAlchemy",
        command=(sys.executable, "-m", "tests.bench.peers.plain_strawberry"),
        environment=_plain_environment,
    )


def gateway() -> Server:
    """This gateway as in production, with a key of its own; its requests carry a token."""
    key = ECKey.generate_key("P-256", {"kid": "bench"})
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 86_400}
    token = jwt.encode({"alg": "ES256", "kid": "bench"}, claims, key)
    signing_keys = f"bench:{secrets.token_urlsafe(32)}"

    def environment(place: Place) -> Mapping[str, str]:
        return {
            "GATEWAY_DATABASE_URL": _served(place.url),
            "GATEWAY_PORT": str(place.port),
            "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{place.port}",
            "GATEWAY_JWT_ISSUER": ISSUER,
            "GATEWAY_JWT_AUDIENCE": AUDIENCE,
            "GATEWAY_JWT_PUBLIC_KEY": key.as_pem(private=False).decode(),
            "GATEWAY_SIGNING_KEYS": signing_keys,
            "GATEWAY_API_KEY_PEPPER": secrets.token_urlsafe(32),
            "GATEWAY_LOG_LEVEL": "warning",
            "GATEWAY_RECEIPTS": "0",
            **UNTHROTTLED,
        }

    return Server(
        name="gateway",
        command=(str(Path(sys.executable).with_name("gateway")), "serve"),
        environment=environment,
        headers={"Authorization": f"Bearer {token}"},
        ready="/readyz",
    )


def _served(url: str) -> str:
    """Return the URL of a database for the role that serves."""
    return url if url.startswith("sqlite:") else as_runtime(url)


def compressing() -> Server:
    """The same, with requests that accept what a browser's do."""
    server = gateway()
    headers = {**server.headers, "Accept-Encoding": "gzip, deflate, br, zstd"}
    return replace(server, name="gateway, compressed", headers=headers)


def unbound() -> Server:
    """This gateway as a role that no policy binds: without row-level security."""
    server = gateway()

    def environment(place: Place) -> Mapping[str, str]:
        return {**server.environment(place), "GATEWAY_DATABASE_URL": place.url}

    return replace(server, name="gateway, no row security", environment=environment)


def on_sqlite() -> Server:
    """This gateway on SQLite."""
    server = gateway()

    def environment(place: Place) -> Mapping[str, str]:
        url = f"sqlite:///{place.sqlite}"
        return {**server.environment(place), "GATEWAY_DATABASE_URL": url}

    return replace(server, name="gateway on SQLite", environment=environment)


def bare() -> Server:
    """One statement and JSON on uvicorn and asyncpg, without GraphQL."""
    return Server(
        name="bare ASGI application",
        command=(sys.executable, "-m", "tests.bench.peers.bare_asgi"),
        environment=lambda place: {"DATABASE_URL": place.url, "PORT": str(place.port)},
        ready="/",
    )


def _on_node(name: str, script: str) -> Server:
    def environment(place: Place) -> Mapping[str, str]:
        url = urlsplit(place.url)
        (host,) = parse_qs(url.query).get("host", [url.hostname or ""])
        return {
            "PGHOST": host,
            "PGPORT": str(url.port or 5432),
            "PGUSER": url.username or "",
            "PGPASSWORD": url.password or "",
            "PGDATABASE": url.path.strip("/"),
            "PORT": str(place.port),
            "SUBJECT": SUBJECT,
            "NODE_ENV": "production",
            "GRAPHILE_ENV": "production",
        }

    return Server(name=name, command=(str(NODE), script), environment=environment, needs=PEERS)


def mercurius() -> Server:
    """Mercurius with its just-in-time compiler, on Fastify with `pg`."""
    return _on_node("Mercurius, JIT", "mercurius.mjs")


def yoga() -> Server:
    """GraphQL Yoga with DataLoader and postgres.js."""
    return _on_node("GraphQL Yoga", "yoga.mjs")


def postgraphile() -> Server:
    """PostGraphile 5 on Grafast, with `pg`."""
    return _on_node("PostGraphile 5", "postgraphile.mjs")


SERVERS: Mapping[str, Callable[[], Server]] = {
    "plain": plain,
    "gateway": gateway,
    "compressing": compressing,
    "unbound": unbound,
    "sqlite": on_sqlite,
    "mercurius": mercurius,
    "yoga": yoga,
    "postgraphile": postgraphile,
    "bare": bare,
}


@contextmanager
def started(server: Server, url: str, *, sqlite: Path = Path()) -> Iterator[Running]:
    """Start a server, wait until it answers, and stop it at the end."""
    folder = installed(server.needs) if server.needs else ROOT
    port = _free_port()
    place = Place(url=url, sqlite=sqlite, port=port)
    environment = {**os.environ, **server.environment(place)}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            server.command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            if not _answers(server, port, process):
                log.seek(0)
                raise SystemExit(f"{server.name} did not start:\n{log.read()}")
            yield Running(server=server, port=port, process=psutil.Process(process.pid))
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _answers(server: Server, port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server says 200; False where it ended or took too long."""
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(httpx.TransportError):
            url = f"http://127.0.0.1:{port}{server.ready}"
            if httpx.get(url, headers=server.headers).status_code == httpx.codes.OK:
                return True
        time.sleep(0.1)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
