"""`/webhooks/stripe`, the health checks and the metrics."""

from typing import Final

from pydantic import Field

from gateway.http.json_models import WireAnswer
from gateway.routes.descriptions.refusals import (
    FORBIDDEN,
    FULL,
    HEAD_LIMITS,
    LARGE,
    MALFORMED,
    OPEN,
    SLOW,
    UNAVAILABLE,
)
from gateway.routes.openapi.operation import (
    JSON,
    METRICS,
    STRIPE,
    TEXT,
    Answer,
    Body,
    Example,
    Operation,
    Refusal,
)

_EVENT: Final[dict[str, object]] = {
    "id": "evt_1QabCd",
    "object": "event",
    "type": "payment_intent.succeeded",
    "livemode": True,
    "created": 1793534400,
    "api_version": "2025-03-31.basil",
    "data": {
        "object": {
            "id": "pi_1QabCd",
            "object": "payment_intent",
            "status": "succeeded",
            "livemode": True,
            "created": 1793534340,
            "amount": 11900,
            "currency": "usd",
            "customer": "cus_PqT1x2",
            "description": "100 USD of credit",
            "metadata": {"account": "acme", "tax": "19.00"},
        }
    },
}
_TAG: Final = "Operations"


class WebhookAnswer(WireAnswer):
    """The outcome of a committed event."""

    received: bool = Field(description="Always true.")
    outcome: str = Field(
        description="`applied`, `parked` (waiting for its account or another event), `ignored` "
        "or `duplicate`."
    )


POST_STRIPE: Final = Operation(
    id="postStripeEvent",
    method="POST",
    tag="Webhooks",
    summary="Receive an event from Stripe",
    text="Available if `GATEWAY_STRIPE_WEBHOOK_SECRETS` is set. Stripe may send events in any "
    "order and several times; each takes effect once. If the answer is not 200, Stripe "
    "sends again.",
    access=STRIPE,
    body=Body(
        content={JSON: {"type": "object", "description": "A Stripe event."}},
        text="The event, with exactly the signed bytes; at most 524,288 bytes.",
    ),
    answers=(Answer(status=200, text="The event is committed.", content={JSON: WebhookAnswer}),),
    refusals=(
        Refusal(
            status=400,
            codes=("BAD_REQUEST",),
            text="The signature is invalid or too old, or the body is not an event.",
        ),
        *(each for each in OPEN if each is not MALFORMED),
        SLOW,
        LARGE,
        FULL,
    ),
    limits=("http_body_seconds", *HEAD_LIMITS),
    examples=(
        Example(
            name="payment",
            text="A payment that succeeded",
            status=200,
            body=_EVENT,
            answer={"received": True, "outcome": "applied"},
        ),
    ),
)

_NOT_READY: Final = Refusal(
    status=503,
    codes=(),
    text="The database is unreachable or not migrated, or the gateway is stopping; the body has "
    "the reason.",
    content={TEXT: {"type": "string"}, JSON: {"type": "object"}},
)

GET_LIVEZ: Final = Operation(
    id="getLivez",
    method="GET",
    tag=_TAG,
    summary="Check whether the process is running",
    text="Answers without the database. Any host name is accepted.",
    answers=(Answer(status=200, text="The process is running.", content={TEXT: {"const": "ok"}}),),
    refusals=tuple(each for each in OPEN if each is not MALFORMED),
    limits=HEAD_LIMITS,
    examples=(Example(name="live", text="A live process", status=200, answer="ok"),),
)

GET_READYZ: Final = Operation(
    id="getReadyz",
    method="GET",
    tag=_TAG,
    summary="Check whether the gateway can serve requests",
    text="Checks that the database answers and has this version's schema. Any host name is "
    "accepted.",
    answers=(
        Answer(
            status=200, text="The gateway can serve requests.", content={TEXT: {"const": "ready"}}
        ),
    ),
    refusals=(*(each for each in OPEN if each not in {MALFORMED, UNAVAILABLE}), _NOT_READY),
    limits=HEAD_LIMITS,
    examples=(Example(name="ready", text="A gateway that can serve", status=200, answer="ready"),),
)

GET_METRICS: Final = Operation(
    id="getMetrics",
    method="GET",
    tag=_TAG,
    summary="Read the process's metrics",
    text="Returns metrics in Prometheus's text format. `GATEWAY_METRICS_TOKEN` is required if "
    "set; otherwise only direct connections from loopback are answered.",
    access=METRICS,
    answers=(
        Answer(
            status=200,
            text="The metrics.",
            content={TEXT: {"type": "string"}},
        ),
    ),
    refusals=(*OPEN, FORBIDDEN),
    limits=HEAD_LIMITS,
    examples=(Example(name="metrics", text="The metrics", status=200),),
)

GET_OPENAPI: Final = Operation(
    id="getOpenApi",
    method="GET",
    tag=_TAG,
    summary="Read this description",
    text="Returns this REST API as OpenAPI 3.1, with the limits of this gateway.",
    answers=(Answer(status=200, text="The document.", content={JSON: {"type": "object"}}),),
    refusals=OPEN,
    limits=HEAD_LIMITS,
    examples=(Example(name="document", text="The document", status=200),),
)
