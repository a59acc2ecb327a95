"""How many round trips and statements an operation takes, between each server and Postgres.

    python -m tests.bench.round_trips

A relay stands between a server and its Postgres and reads the messages that pass: a round trip
begins when the server writes after Postgres has answered, a statement is an `Execute` or a `Query`
(BEGIN and COMMIT count). Medians of several requests, after as many as caches, joined statements
and habits of reading take. Requests wait for each other, and until nothing passes any more.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from graphql import OperationDefinitionNode, print_ast

from gateway.execution.plan.cache import OFTEN as READ_ONCE_AFTER
from gateway.ids import encode_global_id
from gateway.store.engine.joined import OFTEN as JOINED_AFTER
from tests.bench import figures
from tests.bench.answers import ask
from tests.bench.data import Size
from tests.bench.machine import postgres
from tests.bench.operations import prepare, yesterday
from tests.bench.servers import SERVERS, Running, started
from tests.bench.works import WORKS, window
from tests.support.contract import operations

SOCKET: Final = ".s.PGSQL.5432"
STATEMENTS: Final = b"EQ"
REQUESTS: Final = 3
BEFORE: Final = JOINED_AFTER + READ_ONCE_AFTER + REQUESTS
"""Requests that are not counted."""
QUIET_SECONDS: Final = 0.02
"""How long nothing passes between two requests."""
PEERS: Final = ("gateway", "mercurius", "yoga", "postgraphile")


@dataclass(slots=True)
class Count:
    """What passed since it was made."""

    round_trips: int = 0
    statements: int = 0


@dataclass(slots=True)
class Messages:
    """Splits what a client of Postgres writes into messages; counts its statements."""

    buffer: bytearray = field(default_factory=bytearray)
    started: bool = False

    def statements(self, data: bytes) -> int:
        self.buffer += data
        count = 0
        while True:
            kind = 1 if self.started else 0  # the first message has no kind
            if len(self.buffer) < kind + 4:
                return count
            length = kind + int.from_bytes(self.buffer[kind : kind + 4], "big")
            if len(self.buffer) < length:
                return count
            count += self.started and self.buffer[0] in STATEMENTS
            self.started = True
            del self.buffer[:length]


class Relay:
    """Passes connections on to a Postgres' socket and counts."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.count = Count()
        self.passed = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream, downstream = await asyncio.open_unix_connection(self.target)
        answered, messages = True, Messages()

        async def forth() -> None:
            nonlocal answered
            while data := await reader.read(65_536):
                self.count.round_trips += answered
                answered = False
                self.count.statements += messages.statements(data)
                self.passed += 1
                downstream.write(data)

        async def back() -> None:
            nonlocal answered
            while data := await upstream.read(65_536):
                answered = True
                self.passed += 1
                writer.write(data)

        tasks = [asyncio.create_task(forth()), asyncio.create_task(back())]
        with suppress(ConnectionError):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        writer.close()
        downstream.close()

    async def quiet(self) -> None:
        """Wait until nothing passes."""
        before = -1
        while before != self.passed:
            before = self.passed
            await asyncio.sleep(QUIET_SECONDS)

    async def counted(self, running: Running, body: dict[str, Any]) -> Count:
        """Return the medians of a request's round trips and statements."""
        for _ in range(BEFORE):
            await asyncio.to_thread(ask, running, body)
        taken = []
        for _ in range(REQUESTS):
            await self.quiet()
            self.count = count = Count()
            await asyncio.to_thread(ask, running, body)
            await self.quiet()
            taken.append(count)
        return Count(
            round_trips=int(statistics.median(each.round_trips for each in taken)),
            statements=int(statistics.median(each.statements for each in taken)),
        )


def contract(size: Size) -> Mapping[str, dict[str, Any]]:
    """Return the body of each operation of the contract."""
    values = {
        "account": encode_global_id("Account", 1),
        "id": encode_global_id("CreditPurchase", 1, 1001),
        "interval": "WEEK",
        "by": "DEPLOYMENT",
        "top": 10,
        "first": 50,
        **window(size.last_day),
    }
    bodies = {}
    for name, document in operations().items():
        (definition,) = (
            each for each in document.definitions if isinstance(each, OperationDefinitionNode)
        )
        names = [each.variable.name.value for each in definition.variable_definitions or ()]
        variables = {each: values[each] for each in names if each in values}
        text = print_ast(document)
        bodies[name] = {"query": text, "operationName": name, "variables": variables}
    return bodies


def peers(size: Size) -> Mapping[str, dict[str, Any]]:
    """Return one body of each operation that is measured beside peers."""
    return {
        work.title: dict(work.requests(size.accounts, size.last_day)[0])
        for name, work in WORKS.items()
        if name in {"page", "many", "name", "balance"}
    }


async def measure(
    url: str, server: str, bodies: Mapping[str, dict[str, Any]]
) -> Mapping[str, Count]:
    """Return the counts of a server's operations, over a relay to a Postgres."""
    parts = urlsplit(url)
    (folder,) = parse_qs(parts.query)["host"]
    relay = Relay(Path(folder) / SOCKET)
    with tempfile.TemporaryDirectory() as own:
        listening = await asyncio.start_unix_server(relay.serve, Path(own) / SOCKET)
        through = parts._replace(query=f"host={quote(own, safe='')}").geturl()
        stack = started(SERVERS[server](), through)
        running = await asyncio.to_thread(stack.__enter__)
        try:
            return {name: await relay.counted(running, body) for name, body in bodies.items()}
        finally:
            await asyncio.to_thread(stack.__exit__, None, None, None)
            listening.close()


def table(title: str, columns: Mapping[str, Mapping[str, Count]]) -> Sequence[str]:
    """Return the lines of a table: round trips and statements of each operation by server."""
    names = next(iter(columns.values()))
    return [
        f"| {title} | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
        *(
            f"| {name} | "
            + " | ".join(
                f"{each[name].round_trips} / {each[name].statements}" for each in columns.values()
            )
            + " |"
            for name in names
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.round_trips", description=__doc__)
    parser.add_argument("--accounts", type=int, default=120)
    parser.add_argument("--servers", nargs="+", choices=PEERS, default=list(PEERS))
    figures.add_option(parser)
    options = parser.parse_args()
    size = Size(accounts=options.accounts, last_day=yesterday())
    with postgres() as database:
        asyncio.run(prepare(database.url, size, None))
        url = database.url
        all_of = asyncio.run(measure(url, "gateway", contract(size)))
        beside = {name: asyncio.run(measure(url, name, peers(size))) for name in options.servers}
    print("Round trips / statements of a request.\n")
    print("\n".join(table("operation of the contract", {"gateway": all_of})), end="\n\n")
    print("\n".join(table("operation", beside)), flush=True)
    found = {
        f"round-trips/{server}/{name}/{what}": float(getattr(count, what))
        for server, counts in {**beside, "gateway": {**beside.get("gateway", {}), **all_of}}.items()
        for name, count in counts.items()
        for what in ("round_trips", "statements")
    }
    figures.write(options.figures, found)


if __name__ == "__main__":
    main()
