"""The floor: an ASGI application without GraphQL that answers with the row of one statement.

It reads `variables.account` of the body and nothing else, so that it measures the web server, the
driver and JSON alone.
"""

import os
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.ids import encode_global_id, parse_global_id
from gateway.money import format_amount

STATEMENT = "SELECT name, currency, balance_nanos FROM account WHERE account_id = $1"
HEADERS = [(b"content-type", b"application/json")]


class Bare:
    """One statement for each request; `operationName` chooses the answer."""

    pool: "asyncpg.Pool[asyncpg.Record]"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        content: dict[str, Any] = {"data": {"__typename": "Query"}}
        if scope["method"] == "POST":
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message["body"], message["more_body"]
            content = {"data": {"account": await self._answer(orjson.loads(body))}}
        text = orjson.dumps(content)
        headers = [*HEADERS, (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    async def _answer(self, request: dict[str, Any]) -> dict[str, object]:
        key = request["variables"]["account"]
        row = await self.pool.fetchrow(STATEMENT, parse_global_id(key).account_id)
        assert row
        if request["operationName"] == "AccountName":
            account_id = parse_global_id(key).account_id
            return {"id": encode_global_id("Account", account_id), "name": row["name"]}
        amount = format_amount(row["balance_nanos"], row["currency"])
        return {"balance": {"available": {"amount": amount, "currency": row["currency"]}}}

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.pool.close()
        await send({"type": "lifespan.shutdown.complete"})


if __name__ == "__main__":
    uvicorn.run(Bare(), host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
