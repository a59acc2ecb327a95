"""How fast usage is recorded over HTTP, in batches of 5,000 events, by clients that each send
another account's.

    python -m tests.bench.ingest_http [--clients 2] [--batches 10]

A gateway of its own process, on Postgres and on SQLite. The same batches are then sent again, and
the accounts' balances are compared: they may not change. Four batches of each client go before what
is measured: into an empty table Postgres plans badly.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import psutil

from tests.bench import figures
from tests.bench.servers import UNTHROTTLED
from tests.support.postgres import running_postgres

DATABASES: Final = ("postgresql", "sqlite")
EVENTS: Final = 5_000
DEPLOYMENTS: Final = 250
START_SECONDS: Final = 60
EARLIER: Final = 4
BALANCE: Final = """query ($account: String!) {
    account(externalId: $account) { balance { version available { amount } } } }"""


def gateway(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("gateway")), *arguments]


def batches(account: str, count: int, size: int) -> list[bytes]:
    """Return bodies of `size` events; each is an account's deployments, minute after minute."""
    first = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=20)
    return [
        orjson.dumps([event(account, batch * size + number, first) for number in range(size)])
        for batch in range(count)
    ]


def event(account: str, number: int, first: datetime) -> dict[str, Any]:
    minute, deployment = divmod(number, DEPLOYMENTS)
    start = first + timedelta(minutes=minute)
    return {
        "account": account,
        "source": "meter-1",
        "id": f"{minute}-{deployment}",
        "deployment": {"externalId": str(2**63 + deployment), "provider": "provider-1"},
        "resource": "GPU",
        "quantity": "0.016666667",
        "unit": "gpu-hour",
        "amount": f"0.00{deployment:03}{minute % 1000:03}",
        "currency": "USD",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=1)).isoformat(),
    }


@contextmanager
def serving(database_url: str) -> Iterator[tuple[str, dict[str, str], psutil.Process]]:
    """Run a gateway; lend its address, its environment and its process."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        environment = os.environ | {
            "GATEWAY_DATABASE_URL": database_url,
            "GATEWAY_DATA_DIR": folder,
            "GATEWAY_PORT": port,
            "GATEWAY_ENVIRONMENT": "dev",
            "GATEWAY_LOG_LEVEL": "error",
            **UNTHROTTLED,
        }
        process = subprocess.Popen(
            gateway("serve", "--dev", "--no-demo"), env=environment, stdout=subprocess.DEVNULL
        )
        try:
            wait(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}", environment, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def wait(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError("the gateway did not start")


def run(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        gateway(*arguments), env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def balance(client: httpx.Client, account: str) -> Any:
    """Return an account's balance and the number of its changes."""
    answer = client.post("/graphql", json={"query": BALANCE, "variables": {"account": account}})
    return answer.json()["data"]["account"]["balance"]


def measure(
    name: str, database_url: str, accounts: list[str], count: int, size: int
) -> figures.Figures:
    """Print two lines; return events a second and the gateway's CPU of the first sending."""
    made = [batches(account, EARLIER + count, size) for account in accounts]
    earlier, bodies = [each[:EARLIER] for each in made], [each[EARLIER:] for each in made]
    with serving(database_url) as (address, environment, process):
        key = run(environment, "api-key", "create", "bench", "--scope", "admin")
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
            for account in accounts:
                body = {"name": account, "currency": "USD", "timeZone": "UTC"}
                client.put(f"/v1/accounts/{account}", json=body).raise_for_status()
            sender = Sender(client, process)
            sender.send(earlier, "accepted")
            first = sender.send(bodies, "accepted")
            before = [balance(client, account) for account in accounts]
            again = sender.send(bodies, "duplicates")
            after = [balance(client, account) for account in accounts]
    print(f"{name:>10} {first.events:,} events over HTTP: {first}")
    change = "no change" if after == before else f"CHANGED: {before!r} → {after!r}"
    print(f"{name:>10} the same batches again: {again.events:,} duplicates, {change}: {again}")
    return {
        f"ingestion-http/{name}/rate": first.events / first.seconds,
        f"ingestion-http/{name}/cpu": 1e6 * first.cpu_seconds / first.events,
    }


@dataclass(frozen=True, slots=True)
class Rate:
    """What a number of events took: by the clock, and of the gateway's processor time."""

    events: int
    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        milliseconds = 1e6 * self.cpu_seconds / self.events
        return f"{self.events / self.seconds:,.0f} a second, {milliseconds:.1f} ms CPU per 1,000"


@dataclass(frozen=True, slots=True)
class Sender:
    client: httpx.Client
    process: psutil.Process

    def send(self, bodies: list[list[bytes]], counted: str) -> Rate:
        """Send each account's batches one after another, and the accounts' at once."""
        began, cpu = time.perf_counter(), self.cpu()
        with ThreadPoolExecutor(len(bodies)) as threads:
            total = sum(threads.map(lambda each: self._send(each, counted), bodies))
        return Rate(total, time.perf_counter() - began, self.cpu() - cpu)

    def _send(self, bodies: list[bytes], counted: str) -> int:
        total = 0
        for body in bodies:
            answer = self.client.post("/v1/usage-events", content=body)
            answer.raise_for_status()
            total += answer.json()[counted]
        return total

    def cpu(self) -> float:
        times = self.process.cpu_times()
        used: float = times.user + times.system
        return used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--batches", type=int, default=10, help="of each client")
    parser.add_argument("--events", type=int, default=EVENTS, help="of each batch")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    figures.add_option(parser)
    options = parser.parse_args()
    accounts = [f"bench-{number}" for number in range(options.clients)]
    with ExitStack() as stack:
        urls = {}
        if "postgresql" in options.databases:
            urls["postgresql"] = stack.enter_context(running_postgres())
        if "sqlite" in options.databases:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            urls["sqlite"] = f"sqlite:///{folder}/bench.sqlite3"
        for name, url in urls.items():
            found = measure(name, url, accounts, options.batches, options.events)
            figures.write(options.figures, found)


if __name__ == "__main__":
    main()
