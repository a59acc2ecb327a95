"""What a platform does with its gateway: accounts, usage and credits by an API key, and payments
by Stripe's webhook.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.stripe import signed

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Speaks HTTP to the gateway at `url`; `key` has the scopes to write."""

    url: str
    key: str

    async def put_account(self, external_id: str, **changes: Any) -> str:
        """Make or change an account; return its global id."""
        body = {
            "name": external_id,
            "currency": "USD",
            "timeZone": "UTC",
            "members": [{"subject": "ada@demo", "role": "OWNER"}],
        }
        answer = await self._send("PUT", f"/v1/accounts/{external_id}", json=body | changes)
        return str(answer["id"])

    async def grant(self, external_id: str, amount: str, key: str, **changes: Any) -> Json:
        """Give credit, once for each `key`."""
        body = {"account": external_id, "kind": "COUPON", "amount": amount, "currency": "USD"}
        headers = {"idempotency-key": key}
        return await self._send("POST", "/v1/credits", json=body | changes, headers=headers)

    async def meter(self, *events: Json) -> Json:
        """Send usage events."""
        return await self._send("POST", "/v1/usage-events", json=list(events))

    async def deliver(self, event: Json) -> None:
        """Deliver one of Stripe's events, as Stripe does."""
        body = json.dumps(event).encode()
        headers = {"stripe-signature": signed(body, at=time.time())}
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            answer = await client.post("/webhooks/stripe", content=body, headers=headers)
        assert answer.status_code == 200, answer.text

    async def _send(self, method: str, path: str, **request: Any) -> Json:
        headers = {"authorization": f"Bearer {self.key}"} | request.pop("headers", {})
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20) as client:
            answer = await client.request(method, path, **request)
        assert answer.is_success, answer.text
        content: Json = answer.json()
        return content
