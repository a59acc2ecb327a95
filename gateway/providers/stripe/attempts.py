"""Unsettled payments: the facts of their latest attempt."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from gateway.billing.book import Book
from gateway.billing.purchases.purchase_state import PaymentMethod, PurchaseFacts
from gateway.billing.purchases.recording import check_purchase, record_purchase
from gateway.errors import BadUserInput
from gateway.models import CreditPurchaseKind, CreditPurchaseStatus
from gateway.providers.stripe.amounts import currency_of, nanos_of
from gateway.providers.stripe.events import PROVIDER, Event
from gateway.providers.stripe.methods import method_of
from gateway.providers.stripe.terms import bonus_of, created_at, own_tax
from gateway.providers.stripe.texts import Json, id_of, object_of, status_of, text_of

log = structlog.get_logger(__name__)


def record_attempts(
    book: Book, account_id: int, payment: str, events: Sequence[Event]
) -> dict[str, str]:
    """Record the latest attempt of a payment that has not settled, by Stripe's own time, then by
    rank. Return the events that the books refuse, by their ids, with the reason: they say nothing
    of it.
    """
    attempts: list[PurchaseFacts] = []
    intents: list[PurchaseFacts] = []
    refused: dict[str, str] = {}
    has_intent = any(event.kind == "payment_intent" for event in events)
    for event in events:
        try:
            subject = _subject(event, has_intent=has_intent)
            found = [_facts(event, subject, account_id, payment)] if subject else []
            for facts in found:
                check_purchase(book, facts)
        except BadUserInput as error:
            log.warning("stripe: event kept, not applied", event_id=event.id, reason=error.message)
            refused[event.id] = error.message
            continue
        attempts += found
        if event.kind == "payment_intent":
            intents += found
    if attempts:
        latest = max(attempts, key=lambda facts: facts.order)
        begun_at = min(facts.created_at for facts in attempts)
        latest = replace(_with_terms(latest, intents), created_at=begun_at, is_complete=True)
        record_purchase(book, latest)
    return refused


def _with_terms(latest: PurchaseFacts, intents: Sequence[PurchaseFacts]) -> PurchaseFacts:
    """Return facts with the tax and the bonus of the PaymentIntent: a charge does not say its tax
    in all versions of the API.
    """
    total = latest.amount + latest.tax
    same = [facts for facts in intents if facts.amount + facts.tax == total]
    if not same:
        return latest
    stated = max(same, key=lambda facts: facts.order)
    return replace(latest, amount=stated.amount, tax=stated.tax, bonus=stated.bonus)


def _subject(event: Event, *, has_intent: bool) -> Json | None:
    """Return the objects that have the payment's status: its PaymentIntent, a failed charge, and
    every charge where there is no PaymentIntent. A list of charges lacks the time of a failure, and
    the PaymentIntent has the status after it.
    """
    if event.kind == "payment_intent":
        return event.object
    if event.kind != "charge":
        return None
    is_alone = not id_of(event.object.get("payment_intent"))
    is_failure = status_of(event.object) == "failed" and not (event.is_listed and has_intent)
    return event.object if is_alone or is_failure else None


def _facts(event: Event, subject: Json, account_id: int, payment: str) -> PurchaseFacts:
    currency = currency_of(subject.get("currency"))
    total, tax = nanos_of(subject.get("amount"), currency), own_tax(subject, currency)
    status = _status(event, subject)
    facts = PurchaseFacts(
        account_id=account_id,
        kind=CreditPurchaseKind.CARD,
        amount=total - tax,
        tax=tax,
        bonus=bonus_of(subject),
        currency=currency,
        created_at=created_at(subject),
        provider=PROVIDER,
        reference=payment,
        requires_action=status == CreditPurchaseStatus.REQUIRES_ACTION,
        canceled=status == CreditPurchaseStatus.CANCELED,
        status_at=event.created_at,
    )
    if status != CreditPurchaseStatus.FAILED:
        return facts
    code, reason, method = _failure(event, subject)
    return replace(
        facts,
        payment_method=method,
        failed_at=_failed_at(event, subject),
        failure_code=text_of(code, 100),
        failure_reason=text_of(reason, 2000),
    )


def _status(event: Event, subject: Json) -> CreditPurchaseStatus:
    status = status_of(subject)
    if status == "failed" or (event.kind == "payment_intent" and _has_failed(event, status)):
        return CreditPurchaseStatus.FAILED
    if status == "canceled" or event.type == "charge.expired" or _is_released(subject):
        return CreditPurchaseStatus.CANCELED
    if status == "requires_action":
        return CreditPurchaseStatus.REQUIRES_ACTION
    return CreditPurchaseStatus.PENDING


def _has_failed(event: Event, status: str) -> bool:
    error = object_of(event.object.get("last_payment_error"))
    waits = status in {"requires_payment_method", "requires_source"}
    return event.type == "payment_intent.payment_failed" or bool(error and waits)


def _is_released(subject: Json) -> bool:
    """Say whether an authorised charge was given up before it was captured."""
    return subject.get("captured") is False and subject.get("refunded") is True


def _failed_at(event: Event, subject: Json) -> datetime:
    is_dated = event.kind == "charge" or event.is_listed
    return created_at(subject) if is_dated else event.created_at


def _failure(event: Event, subject: Json) -> tuple[object, object, PaymentMethod | None]:
    """Return the code of a failure, its reason in words, and the method that failed."""
    if event.kind == "charge":
        declined = object_of(subject.get("outcome")).get("reason")
        code, reason = declined or subject.get("failure_code"), subject.get("failure_message")
        return code, reason, method_of(subject.get("payment_method_details"))
    error = object_of(subject.get("last_payment_error"))
    code = error.get("decline_code") or error.get("code")
    return code, error.get("message"), method_of(error.get("payment_method"))
