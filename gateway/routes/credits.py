"""`POST /v1/credits`: credit that nobody paid for, and corrections of a balance."""

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.types import Scope

from gateway.audit.deeds import Deed
from gateway.billing.credits.requests import CreditRequest, CreditResult, credit_once
from gateway.errors import BadRequest
from gateway.http.headers import header_values
from gateway.http.json_models import read_wire
from gateway.http.request_log import record_of
from gateway.http.responses import json_response
from gateway.money import format_amount
from gateway.principal import Actor, Principal
from gateway.routes.bodies.credits import CreditAnswer, CreditBalance, CreditBody
from gateway.routes.descriptions.credits import POST_CREDITS
from gateway.routes.platform_endpoint import PlatformEndpoint, read_object

_KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


class CreditsEndpoint(PlatformEndpoint):
    """Gives a credit once for each `Idempotency-Key`: 201, and again 200 with the same body."""

    OPERATION: ClassVar = POST_CREDITS
    DEED: ClassVar = Deed.CREDIT_GIVEN

    async def answer(
        self, principal: Principal, scope: Scope, body: bytes, details: dict[str, object]
    ) -> Response:
        key = _idempotency_key(scope)
        request = _read_credit(read_object(body))
        details |= {"account": request.account, "kind": request.kind}
        async with self.platform.database.writing(Actor.of(principal)) as transaction:
            credit = await credit_once(
                transaction,
                request,
                key,
                actor=Actor.of(principal, record_of(scope).request_id),
                clock=self.platform.clock,
                keys=self.platform.keys,
                usage_delay_seconds=self.platform.usage_delay_seconds,
            )
        details["result"] = "given" if credit.is_new else "repeated"
        answer = _answer_of(credit.result)
        return json_response(answer.payload(), status=201 if credit.is_new else 200)


def _read_credit(value: Mapping[str, object]) -> CreditRequest:
    """Return the credit that a body describes. Raises InvalidFields."""
    body = read_wire(CreditBody, value, "A credit")
    return CreditRequest(
        account=body.account,
        kind=body.kind,
        amount=body.amount,
        currency=body.currency,
        description=body.description,
        occurred_at=body.occurred_at,
    )


def _idempotency_key(scope: Scope) -> str:
    keys = header_values(scope, b"idempotency-key")
    if len(keys) != 1 or not _KEY.fullmatch(keys[0]):
        raise BadRequest(
            "Exactly one `Idempotency-Key` header is required, with 1 to 255 visible ASCII "
            "characters."
        )
    return keys[0]


def _answer_of(result: CreditResult) -> CreditAnswer:
    balance = CreditBalance(
        amount=format_amount(result.balance, result.currency), currency=result.currency
    )
    if result.purchase_id is not None:
        return CreditAnswer(credit_purchase_id=result.purchase_id, balance=balance)
    if result.version is not None:
        return CreditAnswer(ledger_version=result.version, balance=balance)
    raise ValueError("a credit is a purchase or an entry")
