"""Clients that read and write all the time, and what became of their requests."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

READERS: Final = 6
WRITERS: Final = 3
QUERY: Final = "query ($id: String!) { account(externalId: $id) { name balance { version } } }"
CREDIT: Final = {"kind": "COUPON", "amount": "1", "currency": "USD"}
OK: Final = "ok"


@dataclass(slots=True)
class Load:
    """Reads and credits of one account. Answers are counted by kind and code; `acknowledged`
    credits are those that were answered as given.
    """

    account: str
    client: httpx.AsyncClient
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    acknowledged: int = 0
    sent: int = 0
    failed_at: float = 0
    slowest: float = 0
    over: bool = False

    async def read(self) -> None:
        body = {"query": QUERY, "variables": {"id": self.account}}
        while not self.over:
            await self._note("read", self.client.post("/graphql", json=body))

    async def write(self) -> None:
        body = CREDIT | {"account": self.account}
        while not self.over:
            self.sent += 1
            headers = {"idempotency-key": f"{self.account}-{self.sent}"}
            answer = self.client.post("/v1/credits", json=body, headers=headers)
            if await self._note("write", answer) == OK:
                self.acknowledged += 1
            await asyncio.sleep(0.01)

    async def _note(self, kind: str, request: Any) -> str:
        began = time.monotonic()
        code = _code(await request)
        self.answers[kind, code] += 1
        ended = time.monotonic()
        self.slowest = max(self.slowest, ended - began)
        if code != OK:
            self.failed_at = ended
        return code

    @property
    def codes(self) -> set[str]:
        """The codes of the requests that failed."""
        return {code for _, code in self.answers} - {OK}

    def figures(self, ended_at: float) -> Mapping[str, object]:
        return {
            "answers": {" ".join(key): number for key, number in sorted(self.answers.items())},
            "slowest_seconds": round(self.slowest, 1),
            "seconds_to_recover": round(max(self.failed_at - ended_at, 0), 1),
            "acknowledged": self.acknowledged,
        }


def _code(answer: httpx.Response) -> str:
    errors = answer.json().get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else OK


@asynccontextmanager
async def loaded(url: str, key: str, account: str) -> AsyncIterator[Load]:
    """Send requests, each client one after another, for the length of the block."""
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        load = Load(account, client)
        async with asyncio.TaskGroup() as clients:
            for _ in range(READERS):
                clients.create_task(load.read())
            for _ in range(WRITERS):
                clients.create_task(load.write())
            try:
                yield load
            finally:
                load.over = True
