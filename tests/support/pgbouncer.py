"""A real PgBouncer in transaction mode, before a Postgres that runs."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.patience import PATIENCE_SECONDS
from tests.support.processes import free_port


def installed(name: str, *folders: str) -> str:
    """Return the path of a program of Debian. Where there is none the test is skipped; in CI it
    fails.
    """
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *folders]))
    if found is None and "CI" in os.environ:
        raise AssertionError(f"{name} is not installed")
    return found or pytest.skip(f"{name} is not installed")


@contextmanager
def pgbouncer(url: str, **settings: str) -> Iterator[str]:
    """Run one that pools transactions of the server of `url` on two connections; yields the URL
    through it.
    """
    program = installed("pgbouncer")
    parts, port = urlsplit(url), free_port()
    (host,) = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])
    with tempfile.TemporaryDirectory(prefix="gateway-pgbouncer-") as name:
        folder = Path(name)
        options = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(folder / "users"),
            "pool_mode": "transaction",
            "default_pool_size": "2",
            "server_round_robin": "1",  # a next transaction has another connection
            **settings,
        }
        lines = (f"{name} = {value}" for name, value in options.items())
        (folder / "users").write_text(f'"{parts.username}" "{parts.password or ""}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={host} port={parts.port or 5432}\n[pgbouncer]\n"
            + "\n".join(lines)
        )
        # It refuses to run as root, and has to reach the server's socket.
        user = owner_of(host) if os.getuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        command = [program, "--quiet", str(folder / "pgbouncer.ini")]
        with subprocess.Popen(command, user=user, cwd=folder) as process:
            try:
                wait_for_port(port, process)
                yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
            finally:
                process.terminate()


def owner_of(host: str) -> str:
    folder = Path(host)
    return folder.owner() if folder.is_dir() else "nobody"


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the process listens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended instead of listening"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError("it does not listen")
