"""`POST /webhooks/stripe`: signed events of a provider, answered 2xx once they are committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import GatewayError, NotFound
from gateway.http.body import ClientDisconnected, read_body
from gateway.http.credentials import address_of
from gateway.http.request_log import record_of
from gateway.http.responses import error_response, json_response
from gateway.observability.metrics import ObservedValue
from gateway.providers.stripe.inbox import Inbox
from gateway.quotas import Quotas
from gateway.routes.openapi.route import DescribedRoute
from gateway.routes.openapi.surface import STRIPE_PATH
from gateway.settings.http import HttpSettings

MAX_BYTES: Final = 512 * 1024
PRINCIPAL: Final = "webhook:stripe"
"""The key of quotas that Stripe's events count by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeWebhook:
    """Answers with the outcome of an event after its commit. Stripe sends an event again after any
    other answer than 2xx. Events pass the gate of writes, as one principal.
    """

    inbox: Inbox
    limits: HttpSettings
    quotas: Quotas

    async def serve(self, request: Request) -> Response:
        record = record_of(request.scope)
        try:
            with self.quotas.webhook_bodies.holding(address_of(request.scope)) as held:
                body = await read_body(
                    request.scope,
                    request.receive,
                    max_bytes=MAX_BYTES,
                    timeout_seconds=self.limits.body_seconds,
                    held=held,
                )
                async with self.quotas.gates.writes.admitted(PRINCIPAL):
                    signature = request.headers.get("stripe-signature", "")
                    outcome = await self.inbox.receive(body, signature)
        except ClientDisconnected:
            return Response(status_code=400)
        except GatewayError as error:
            record.codes = [error.code]
            return error_response(error)
        request.app.state.metrics.count_webhook("stripe", outcome)
        return json_response({"received": True, "outcome": outcome})


def stripe_route(inbox: Inbox | None, limits: HttpSettings, quotas: Quotas) -> Route:
    """Return the webhook's route; without an inbox it answers 404 and is not described."""
    if inbox is None:
        return Route(STRIPE_PATH, refuse_unsigned, methods=["POST"])
    webhook = StripeWebhook(inbox=inbox, limits=limits, quotas=quotas)
    return DescribedRoute(STRIPE_PATH, webhook.serve)


def stripe_metrics(inbox: Inbox) -> Sequence[ObservedValue]:
    return (
        ObservedValue(
            name="gateway_stripe_parked_payments",
            text="Payments of which something waits: for its account, another event, or a person. "
            "Counted up to 10,000.",
            read=lambda: inbox.parked,
        ),
        ObservedValue(
            name="gateway_stripe_dropped_events",
            text="Parked events that no account claimed in time, deleted.",
            read=lambda: inbox.background.dropped,
            grows=True,
        ),
    )


async def refuse_unsigned(request: Request) -> Response:
    """Answer 404 where no secret is set to verify events with. Stripe sends them again for days."""
    error = NotFound(
        "Stripe's events are not taken here: GATEWAY_STRIPE_WEBHOOK_SECRETS is not set."
    )
    record_of(request.scope).codes = [error.code]
    return error_response(error)
