"""`/v1/usage-events`."""

from typing import Final

from gateway.principal import Permission
from gateway.routes.bodies.usage_events import UsageAnswer, UsageEvents
from gateway.routes.descriptions.refusals import BODY_LIMITS, WRITE
from gateway.routes.openapi.operation import JSON, Answer, Body, Example, Operation

NDJSON: Final = "application/x-ndjson"
_EVENT: Final[dict[str, object]] = {
    "account": "acme",
    "source": "provider-7",
    "id": "evt-1",
    "deployment": {
        "externalId": "18446744073709551615",
        "name": "llm-training",
        "provider": "provider-7",
        "gpuModel": "H100",
        "resources": {"cpu": "8", "memoryBytes": 68719476736, "gpu": "1"},
    },
    "resource": "GPU",
    "quantity": "1.5",
    "unit": "gpu-hour",
    "amount": "3.750000000",
    "currency": "USD",
    "start": "2026-11-01T00:00:00Z",
    "end": "2026-11-01T01:00:00Z",
}
_SECOND: Final = (
    '{"account":"acme","source":"provider-7","id":"evt-2","deployment":{"externalId":'
    '"18446744073709551615"},"resource":"CPU","quantity":"8","unit":"cpu-hour","amount":"0.40",'
    '"currency":"USD","start":"2026-11-01T00:00:00Z","end":"2026-11-01T01:00:00Z"}\n'
)

POST_USAGE_EVENTS: Final = Operation(
    id="postUsageEvents",
    method="POST",
    tag="Usage",
    summary="Record usage",
    text="Records a batch in one transaction. An event is identified by its account, `source` "
    "and `id`: the same event again is a duplicate and changes nothing; different content "
    "is a `CONFLICT`. Invalid events are listed by index with a reason; the rest of the "
    "batch is recorded. With the scope `usage:write` alone, the corrections of a "
    "deployment and resource may return at most the charges of the same source on the same "
    "day (UTC); with `credits:write` as well, any amount. An account key may write to its "
    "own account only.\n\nCodes of invalid events: `INVALID` (not JSON, an invalid field, an "
    "unknown account or a different currency), `CONFLICT`, `TOO_LATE` (starts before the "
    "limit below), `IN_FUTURE` (ends more than 5 minutes ahead), `FORBIDDEN` (a correction "
    "above the charges), `OUT_OF_RANGE` (a number or total is too large, or "
    "the account has too many units or deployments).",
    scopes=(Permission.USAGE_WRITE,),
    body=Body(
        content={JSON: UsageEvents, NDJSON: {"type": "string"}},
        text="A JSON array of events, or NDJSON with one event per line.",
    ),
    answers=(
        Answer(
            status=200,
            text="The result of the batch, even if no event was recorded.",
            content={JSON: UsageAnswer},
        ),
    ),
    refusals=WRITE,
    limits=(
        "usage_batch_events",
        "usage_late_days",
        "usage_body_bytes",
        *(each for each in BODY_LIMITS if each != "http_body_bytes"),
    ),
    examples=(
        Example(
            name="batch",
            text="One recorded and one rejected event",
            status=200,
            body=[
                _EVENT,
                _EVENT | {"id": "evt-3", "amount": 3.75, "deployment": {"name": "llm-training"}},
            ],
            answer={
                "accepted": 1,
                "duplicates": 0,
                "rejected": [
                    {
                        "index": 1,
                        "id": "evt-3",
                        "code": "INVALID",
                        "message": "`deployment.externalId` is missing.",
                        "errors": [
                            {
                                "path": "deployment.externalId",
                                "message": "`deployment.externalId` is missing.",
                            },
                            {
                                "path": "amount",
                                "message": "`amount` must be a decimal string such as "
                                '"0.000432"; a JSON number may have lost digits.',
                            },
                        ],
                    }
                ],
            },
        ),
        Example(
            name="lines",
            text="NDJSON",
            status=200,
            media_type=NDJSON,
            body=_SECOND,
            answer={"accepted": 1, "duplicates": 0, "rejected": []},
        ),
    ),
)
