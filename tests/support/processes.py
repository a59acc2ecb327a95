"""Gateways, and whatever else a test needs, as processes of their own."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from gateway.auth.dev import dev_key
from gateway.auth.tokens import mint
from gateway.clock import SystemClock

START_SECONDS = 60
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
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 15)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayProcess:
    """A `gateway serve --dev` without demo data. Those with one folder know the same tokens."""

    process: asyncio.subprocess.Process
    port: int
    folder: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

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
            GATEWAY,
            *arguments,
            env={**self.environment, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, complaint = await done.communicate()
        assert done.returncode == 0, complaint.decode()
        return printed.decode().strip()


@asynccontextmanager
async def gateway_process(
    database_url: str, folder: Path, **settings: str
) -> AsyncIterator[GatewayProcess]:
    """Serve a database; `settings` are those of the environment, without `GATEWAY_`."""
    port = free_port()
    own = {
        "environment": "dev",
        "database_url": database_url,
        "data_dir": str(folder),
        "port": str(port),
        "log_level": "error",
        "stop_notice_seconds": "0",
    }
    named = {f"GATEWAY_{name.upper()}": value for name, value in (own | settings).items()}
    environment = os.environ | named
    async with running(GATEWAY, "serve", "--dev", "--no-demo", environment=environment) as process:
        await answering(f"http://127.0.0.1:{port}/readyz", process)
        yield GatewayProcess(process=process, port=port, folder=folder, environment=environment)


async def answering(url: str, process: asyncio.subprocess.Process) -> None:
    """Wait until something answers there."""
    deadline = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient() as client:
        while True:
            assert process.returncode is None, "it ended instead of serving"
            assert time.monotonic() < deadline, "it does not serve"
            with suppress(httpx.TransportError):
                if (await client.get(url)).status_code < 500:
                    return
            # The process says nothing when it listens; it can only be asked.
            await asyncio.sleep(0.05)
