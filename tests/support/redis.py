"""A real Redis server of Debian's package, on a socket in a folder."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.patience import PATIENCE_SECONDS


@dataclass(slots=True)
class RedisServer:
    """A server that a test may stop, freeze and start as it likes; it stores nothing on disk."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = shutil.which("redis-server")
        assert program, "Debian's package redis-server is missing: .ci/install installs it"
        options = {"port": "0", "unixsocket": str(self.socket), "save": "", "appendonly": "no"}
        arguments = [each for name, value in options.items() for each in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [program, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert time.monotonic() < until
            time.sleep(0.01)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.connect(str(self.socket))
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Let it accept connections and answer nothing."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def running_redis() -> Iterator[RedisServer]:
    """Run a server for a block of code. A socket's path must be short, unlike pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="gateway-redis-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
