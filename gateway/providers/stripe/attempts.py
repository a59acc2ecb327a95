"""What an event says of a purchase that has not settled."""

import structlog

from gateway.billing.book import Book
from gateway.billing.purchases import record_purchase
from gateway.billing.states import PurchaseFacts
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind
from gateway.providers.stripe.amounts import currency_of, nanos_of
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.methods import method_of
from gateway.providers.stripe.terms import bonus_of, created_at, is_captured, own_tax
from gateway.providers.stripe.texts import Json, object_of, status_of, text_of

log = structlog.get_logger(__name__)


def record_attempt(book: Book, event: Event, account_id: int, payment: str) -> bool:
    """Record what an event says of a purchase that has not settled; say whether that is all that
    it has to say.
    """
    try:
        facts = _facts(event, account_id, payment)
        if facts is not None:
            record_purchase(book, facts)
    except BadUserInput as error:
        log.warning("stripe: event kept, not applied", event_id=event.id, reason=error.message)
        return False
    return _says_enough_alone(event)


def _says_enough_alone(event: Event) -> bool:
    if event.kind == "charge":
        return not is_captured(event.object)
    return event.kind not in {"refund", "dispute"}


def _facts(event: Event, account_id: int, payment: str) -> PurchaseFacts | None:
    """Return what an event says of a purchase that may not have settled yet."""
    subject = event.object
    if event.kind == "payment_intent":
        error = object_of(subject.get("last_payment_error"))
        failed_at = event.created_at if _has_failed(event, error) else None
        method = method_of(error.get("payment_method")) if failed_at else None
        code, reason = error.get("decline_code") or error.get("code"), error.get("message")
    elif event.kind == "charge" and subject.get("status") == "failed":
        failed_at, method = created_at(subject), method_of(subject.get("payment_method_details"))
        declined = object_of(subject.get("outcome")).get("reason")
        code, reason = declined or subject.get("failure_code"), subject.get("failure_message")
    else:
        return None
    currency = currency_of(subject.get("currency"))
    total, tax = nanos_of(subject.get("amount"), currency), own_tax(subject, currency)
    return PurchaseFacts(
        account_id=account_id,
        kind=CreditPurchaseKind.CARD,
        amount=total - tax,
        tax=tax,
        bonus=bonus_of(subject),
        currency=currency,
        created_at=created_at(subject),
        payment_method=method,
        provider=PROVIDER,
        reference=payment,
        requires_action=subject.get("status") == "requires_action",
        failed_at=failed_at,
        failure_code=text_of(code, 100) if failed_at else None,
        failure_reason=text_of(reason, 2000) if failed_at else None,
        canceled=subject.get("status") == "canceled",
    )


def _has_failed(event: Event, error: Json) -> bool:
    waits = status_of(event.object) in {"requires_payment_method", "requires_source"}
    return event.type == "payment_intent.payment_failed" or bool(error and waits)
