"""A gateway in a process of its own: started, killed and started again."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from gateway.cli import main; main()"]


def free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(kw_only=True)
class GatewayProcess:
    """`gateway serve --dev` on a port of its own, which it keeps when it is started again."""

    environment: dict[str, str]
    arguments: tuple[str, ...]
    port: int = field(default_factory=free_port)
    child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.child = subprocess.Popen(
            [*COMMAND, "serve", "--dev", *self.arguments],
            env=self.environment | {"GATEWAY_PORT": str(self.port)},
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            assert self.child.poll() is None, "the gateway ended while it started"
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError("the gateway does not answer")

    def kill(self) -> None:
        """End it as a crash would."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None


@contextmanager
def gateway_process(
    database_url: str, data_dir: Path, *arguments: str, **settings: str
) -> Iterator[GatewayProcess]:
    """Serve a database in a process of its own, which is killed at the end."""
    told = {"database_url": database_url, "data_dir": str(data_dir)} | settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")},
        **{f"GATEWAY_{name.upper()}": value for name, value in told.items()},
        "PYTHONPATH": str(ROOT),
    }
    process = GatewayProcess(environment=environment, arguments=arguments)
    try:
        process.start()
        yield process
    finally:
        process.kill()
