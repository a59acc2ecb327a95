"""`/v1/credits`."""

from typing import Final

from gateway.principal import Permission
from gateway.routes.bodies.credits import CreditAnswer, CreditBody
from gateway.routes.descriptions.refusals import BODY_LIMITS, NOT_FOUND, WRITE
from gateway.routes.openapi.operation import (
    JSON,
    Answer,
    Body,
    Example,
    Operation,
    Parameter,
    Refusal,
)

_KEY: Final = Parameter(
    name="Idempotency-Key",
    place="header",
    text="Identifies the credit within its account: 1 to 255 visible ASCII characters, stored "
    "permanently. The same key with the same body returns the first answer again; with a "
    "different body, 409.",
    schema={"type": "string", "pattern": "^[!-~]{1,255}$"},
    required=True,
)
_COUPON: Final[dict[str, object]] = {
    "account": "acme",
    "kind": "COUPON",
    "amount": "10.00",
    "currency": "USD",
    "description": "Welcome",
}
_GIVEN: Final[dict[str, object]] = {
    "creditPurchaseId": "purchase_0d0b9a5f3d8c41e70d0b9a5f3d8c5a11",
    "balance": {"amount": "5.85", "currency": "USD"},
}

POST_CREDITS: Final = Operation(
    id="postCredits",
    method="POST",
    tag="Credits",
    summary="Grant credit or correct a balance",
    text="Takes effect once per `Idempotency-Key`, however often the request is sent. An "
    "account key may write to its own account only.",
    scopes=(Permission.CREDITS_WRITE,),
    parameters=(_KEY,),
    body=Body(content={JSON: CreditBody}, text="The credit."),
    answers=(
        Answer(status=201, text="The credit was granted.", content={JSON: CreditAnswer}),
        Answer(
            status=200,
            text="The credit was already granted: the first answer, again.",
            content={JSON: CreditAnswer},
        ),
    ),
    refusals=(
        *WRITE,
        NOT_FOUND,
        Refusal(
            status=409,
            codes=("CONFLICT",),
            text="The `Idempotency-Key` was already used for a different credit.",
        ),
    ),
    limits=BODY_LIMITS,
    examples=(
        Example(
            name="coupon",
            text="A coupon",
            status=201,
            parameters={"Idempotency-Key": "welcome-acme"},
            body=_COUPON,
            answer=_GIVEN,
        ),
        Example(
            name="repeated",
            text="The same request again",
            status=200,
            parameters={"Idempotency-Key": "welcome-acme"},
            body=_COUPON,
            answer=_GIVEN,
        ),
        Example(
            name="adjustment",
            text="An adjustment of the balance",
            status=201,
            parameters={"Idempotency-Key": "ticket-4711"},
            body={
                "account": "acme",
                "kind": "ADJUSTMENT",
                "amount": "-1.00",
                "currency": "USD",
                "description": "Ticket 4711",
                "occurredAt": "2026-11-02T09:00:00Z",
            },
            answer={"ledgerVersion": 4, "balance": {"amount": "4.85", "currency": "USD"}},
        ),
        Example(
            name="conflict",
            text="A key that was already used for a different credit",
            status=409,
            parameters={"Idempotency-Key": "welcome-acme"},
            body=_COUPON | {"amount": "20.00"},
            answer={
                "errors": [
                    {
                        "message": "This Idempotency-Key was already used for a different credit.",
                        "extensions": {"code": "CONFLICT"},
                    }
                ]
            },
        ),
    ),
)
