"""Debian's Postgres, which can speak TLS, as the embedded one cannot."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.pgbouncer import installed, wait_for_port
from tests.support.processes import free_port

OWNER = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPostgres:
    """A server that accepts TLS only, and the owner only with a certificate; `folder` has the
    certificates, and `other.crt` of another issuer. Its name is `localhost`.
    """

    port: int
    folder: Path

    def url(self, user: str = OWNER, host: str = "localhost", **parameters: str) -> str:
        if user == OWNER:
            own = {"sslcert": "owner.crt", "sslkey": "owner.key", "sslrootcert": "ca.crt"}
            files = {name: str(self.folder / file) for name, file in own.items()}
            parameters = {"sslmode": "verify-full"} | files | parameters
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{user}@{host}:{self.port}/postgres?{query}"


@contextmanager
def tls_postgres() -> Iterator[TlsPostgres]:
    versions = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    postgres, initdb = (installed(name, *versions) for name in ("postgres", "initdb"))
    user = OWNER if os.getuid() == 0 else None
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="gateway-tls-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        make_certificates(folder)
        if user:
            for each in (folder, *folder.iterdir()):
                shutil.chown(each, user)
        data = str(folder / "data")
        command = [initdb, "--pgdata", data, "--username", OWNER, "--no-sync", "--auth", "trust"]
        subprocess.run(command, user=user, cwd=folder, check=True, capture_output=True)
        (folder / "data" / "pg_hba.conf").write_text(
            f"hostssl all {OWNER} 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        )
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": str(folder / "server.crt"),
            "ssl_key_file": str(folder / "server.key"),
            "ssl_ca_file": str(folder / "ca.crt"),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        with subprocess.Popen(
            [postgres, "-D", data, *options], user=user, cwd=folder, stderr=subprocess.DEVNULL
        ) as process:
            try:
                wait_for_port(port, process)
                yield TlsPostgres(port=port, folder=folder)
            finally:
                process.terminate()


def make_certificates(folder: Path) -> None:
    """Make two issuers, and certificates of the first for the server and the owner."""
    for name in ("ca", "other"):
        openssl(folder, f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name}", name)
    for name, subject in (("server", "localhost"), ("owner", OWNER)):
        issued = f"-CA ca.crt -CAkey ca.key -addext subjectAltName=DNS:{subject}"
        command = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={subject} {issued}"
        openssl(folder, command, name)


def openssl(folder: Path, command: str, name: str) -> None:
    files = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    subprocess.run(
        ["openssl", *command.split(), *files], cwd=folder, check=True, capture_output=True
    )
    (folder / f"{name}.key").chmod(0o600)
