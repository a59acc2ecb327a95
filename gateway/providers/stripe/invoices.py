"""The tax of a payment that paid an invoice, or a part of one."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gateway.billing.purchases.taxes import share_of
from gateway.money import divide_half_even, format_amount, from_minor_units, minor_digits
from gateway.providers.stripe.amounts import nanos_of
from gateway.providers.stripe.events import Event, is_paid, named_invoice, payment_of
from gateway.providers.stripe.taxes import document_taxes
from gateway.providers.stripe.texts import Json, id_of, items_of
from gateway.store.taxes import TaxLine

UNKNOWN: Final = "Waiting for the invoice, which has the tax."


class InvoicePart(NamedTuple):
    """A payment's part of an invoice, in the order in which the parts share its tax. `amount` is in
    Stripe's smallest unit; None where only the payment is named.
    """

    created: int
    id: str
    payment: str | None
    amount: int | None


def invoice_tax(events: Sequence[Event], payment: str, received: int, currency: str) -> int | str:
    """Return the tax in a payment of an invoice, in nanos, or why it has to wait.

    The parts c₁, c₂ … of an invoice, in the order of (created, id), have the taxes
    R(c₁ + … + cᵢ) − R(c₁ + … + cᵢ₋₁), where R(c) is the invoice's tax × c ÷ total, rounded
    half-even to the currency's minor unit by ISO 4217, as a receipt shows it. They add up to the
    invoice's tax. `received` is the payment's money in Stripe's smallest unit.
    """
    invoice = _find_invoice(events, currency)
    if invoice is None:
        return UNKNOWN
    parts = _parts(events, invoice)
    paid, total = _integer(invoice, "amount_paid"), _integer(invoice, "total")
    paid = total if paid is None else paid
    if not parts and paid in {received, None}:
        # Nothing but this payment can have paid it.
        parts = [InvoicePart(0, "", payment, received)]
    if len(parts) == 1 and parts[0].amount is None:
        parts = [parts[0]._replace(amount=received if paid is None else paid)]
    known = sum(part.amount or 0 for part in parts)
    place = next((n for n, part in enumerate(parts) if part.payment == payment), None)
    is_whole = paid is None or known >= paid or invoice.get("paid_out_of_band") is True
    if not is_whole:
        return _shortage(invoice, known, paid or 0, currency)
    if place is None:
        return (
            f"Waiting for the InvoicePayment that links the payment to {id_of(invoice.get('id'))}."
        )
    tax = nanos_of(document_tax(invoice), currency)
    if not total or total < 0:
        return tax
    minor = from_minor_units(1, minor_digits(currency))
    before = sum(part.amount or 0 for part in parts[:place])
    first, last = (
        divide_half_even(tax * min(money, total), total * minor) * minor
        for money in (before, before + (parts[place].amount or 0))
    )
    return last - first


def invoice_taxes(
    events: Sequence[Event], payment: str, received: int, currency: str
) -> Sequence[TaxLine] | str:
    """Return the lines of the tax in a payment of an invoice, or why it has to wait."""
    tax = invoice_tax(events, payment, received, currency)
    if isinstance(tax, str):
        return tax
    invoice = _find_invoice(events, currency) or {}
    whole = nanos_of(document_tax(invoice), currency)
    return share_of(document_taxes(invoice, whole, currency), tax, currency)


def document_tax(document: Json) -> object:
    """Return the tax of an invoice or a Checkout Session, in Stripe's smallest unit."""
    if document.get("object") == "checkout.session":
        details = document.get("total_details")
        return (details.get("amount_tax") if isinstance(details, dict) else None) or 0
    net, total = document.get("total_excluding_tax"), document.get("total")
    if isinstance(net, int) and isinstance(total, int):
        return total - net
    return document.get("tax") or 0


def _find_invoice(events: Sequence[Event], currency: str) -> Json | None:
    """Return the newest picture of the paid invoice: of the one that the payment names, if any."""
    witnesses = (each for each in events if each.payment is not None)
    named = {named_invoice(each.object) for each in witnesses} - {None}
    found = [
        each.object
        for each in events
        if each.kind == "invoice"
        and each.object.get("status") == "paid"
        and str(each.object.get("currency")).upper() == currency
        and (not named or each.invoice in named)
    ]
    return found[-1] if found else None


def _parts(events: Sequence[Event], invoice: Json) -> list[InvoicePart]:
    name = id_of(invoice.get("id"))
    of_invoice = [each for each in events if each.invoice == name]
    found: dict[str, InvoicePart] = {}
    for part in (part for each in of_invoice for part in _named_parts(each)):
        known = found.get(part.id)
        if known is None or known.amount is None:
            found[part.id] = part
    # A payment that an invoice only names may have its InvoicePayment too.
    full = {part.payment for part in found.values() if part.amount is not None}
    kept = (part for part in found.values() if part.amount is not None or part.payment not in full)
    return sorted(kept)


def _named_parts(event: Event) -> Iterator[InvoicePart]:
    if event.kind == "invoice":
        listed = items_of(event.object.get("payments"))
    else:
        listed = [event.object] if event.kind == "invoice_payment" else []
    for each in filter(is_paid, listed):
        payment, created = payment_of(each), _integer(each, "created")
        name = id_of(each.get("id")) or payment
        if name is not None:
            yield InvoicePart(created or 0, name, payment, _integer(each, "amount_paid"))
    if event.kind == "invoice" and not listed:
        yield from (InvoicePart(0, payment, payment, None) for payment in event.payments)


def _integer(subject: Json, name: str) -> int | None:
    value = subject.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _shortage(invoice: Json, known: int, paid: int, currency: str) -> str:
    some, every = (format_amount(nanos_of(each, currency), currency) for each in (known, paid))
    name = id_of(invoice.get("id"))
    return f"Waiting for all payments of invoice {name}: {some} of {every} {currency} have arrived."
