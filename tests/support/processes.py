"""Gateways and other servers as separate processes."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gateway.clock import SystemClock
from gateway.dev.keys import dev_key
from gateway.dev.tokens import mint
from tests.support.patience import PATIENCE_SECONDS

GATEWAY = str(Path(sys.executable).with_name("gateway"))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def running(
    *command: str, environment: Mapping[str, str] = os.environ, quiet: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the end; `quiet` also where it complains."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environment),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL if quiet else None,
    )
    try:
        yield process
    finally:
        await ended(process)


@dataclass(slots=True, kw_only=True)
class GatewayProcess:
    """A `gateway serve` on a port of its own, which it keeps when it is started again.

    Those in dev with one folder know the same tokens.
    """

    port: int
    folder: Path
    environment: Mapping[str, str]
    program: Sequence[str] = (GATEWAY,)
    child: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def _mode(self) -> tuple[str, ...]:
        is_dev = self.environment["GATEWAY_ENVIRONMENT"] == "dev"
        return ("--dev", "--no-demo") if is_dev else ()

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        self.child = await asyncio.create_subprocess_exec(
            *(*self.program, "serve", *self._mode),
            env=dict(self.environment),
            stdout=asyncio.subprocess.DEVNULL,
        )
        await answering(f"{self.url}/readyz", self.child)

    async def kill(self) -> None:
        """End it as a crash would."""
        assert self.child is not None
        with suppress(ProcessLookupError):
            self.child.kill()
        await self.child.wait()

    def token(self, subject: str) -> str:
        return mint(dev_key(self.folder), subject, SystemClock())

    async def ask(self, subject: str, query: str, **variables: Any) -> Any:
        """Return the data of an answer without errors."""
        headers = {"authorization": f"Bearer {self.token(subject)}"}
        body = {"query": query, "variables": variables}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30) as client:
            answer = (await client.post("/graphql", json=body)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def command(self, *arguments: str, **environment: str) -> str:
        """Run a command of the gateway on the same database; return what it prints."""
        done = await asyncio.create_subprocess_exec(
            *self.program,
            *arguments,
            env={**self.environment, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaint = await done.communicate()
        assert done.returncode == 0, (printed + complaint).decode()
        return printed.decode().strip()


@asynccontextmanager
async def gateway_process(
    database_url: str, folder: Path, *, program: Sequence[str] = (GATEWAY,), **settings: str
) -> AsyncIterator[GatewayProcess]:
    """Serve a database, without demo data of its own; `settings` are those of the environment,
    without `GATEWAY_`.
    """
    own = {
        "environment": "dev",
        "database_url": database_url,
        "data_dir": str(folder),
        "port": str(free_port()),
        "log_level": "error",
        "stop_notice_seconds": "0",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    named = {f"GATEWAY_{name.upper()}": value for name, value in (own | settings).items()}
    gateway = GatewayProcess(
        port=int(named["GATEWAY_PORT"]),
        folder=folder,
        environment=others | named,
        program=program,
    )
    try:
        await gateway.start()
        yield gateway
    finally:
        if gateway.child is not None:
            await ended(gateway.child)


async def ended(process: asyncio.subprocess.Process) -> None:
    """End a process, in the worst case without asking it."""
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 15)
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def answering(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait until something answers there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient() as client:
        while True:
            assert process.returncode is None, "it ended instead of serving"
            assert time.monotonic() < deadline, "it does not serve"
            with suppress(httpx.TransportError):
                if (await client.get(url)).status_code < 500:
                    return
            # The process says nothing when it listens; it can only be asked.
            await asyncio.sleep(0.05)
