"""`POST /webhooks/stripe`: signed events of a provider, answered 2xx once they are committed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import GatewayError, NotFound
from gateway.http.body import ClientLeft, read_body
from gateway.http.request_log import record_of
from gateway.http.responses import json_answer, refusal

MAX_BYTES: Final = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeWebhook:
    """`take(body, signature)` returns the outcome after its commit. Whatever is not 2xx, the
    provider sends again.
    """

    take: Callable[[bytes, str], Awaitable[str]]
    body_seconds: float

    async def serve(self, request: Request) -> Response:
        record = record_of(request.scope)
        try:
            body = await read_body(
                request.scope,
                request.receive,
                max_bytes=MAX_BYTES,
                timeout_seconds=self.body_seconds,
            )
            outcome = await self.take(body, request.headers.get("stripe-signature", ""))
        except ClientLeft:
            return Response(status_code=400)
        except GatewayError as error:
            record.codes = [error.code]
            return refusal(error)
        request.app.state.metrics.count_webhook("stripe", outcome)
        return json_answer({"received": True, "outcome": outcome})


async def refuse_unsigned(request: Request) -> Response:
    """Answer 404 where no secret is set to verify events with. Stripe sends them again for days."""
    error = NotFound(
        "Stripe's events are not taken here: GATEWAY_STRIPE_WEBHOOK_SECRETS is not set."
    )
    record_of(request.scope).codes = [error.code]
    return refusal(error)
