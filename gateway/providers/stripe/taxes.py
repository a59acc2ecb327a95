"""The lines of the tax on an invoice or a Checkout Session: names and percentages as Stripe gives
them.
"""

from collections.abc import Iterator, Sequence

from gateway.billing.purchases.taxes import added_up
from gateway.errors import BadUserInput
from gateway.providers.stripe.amounts import nanos_of
from gateway.providers.stripe.texts import Json, id_of, object_of, text_of
from gateway.store.taxes import TaxLine


def document_taxes(document: Json, tax: int, currency: str) -> list[TaxLine]:
    """Return the lines of a document's tax in nanos; none where it has none, or where they do not
    add up to the tax.
    """
    try:
        lines = added_up(_lines(document, currency))
    except BadUserInput:
        return []
    return lines if sum(line.nanos for line in lines) == tax else []


def _lines(document: Json, currency: str) -> Iterator[TaxLine]:
    rates = {id_of(rate.get("id")): rate for rate in _list(document.get("default_tax_rates"))}
    for each in _taxes(document):
        rate: object = each.get("rate") or each.get("tax_rate")
        rate = rate or object_of(each.get("tax_rate_details")).get("tax_rate")
        known = rates.get(rate, {}) if isinstance(rate, str) else object_of(rate)
        yield TaxLine(
            name=text_of(known.get("display_name"), 100),
            percentage=_percentage(known.get("percentage")),
            nanos=nanos_of(each.get("amount"), currency),
        )


def _taxes(document: Json) -> Sequence[Json]:
    if document.get("object") == "checkout.session":
        breakdown = object_of(object_of(document.get("total_details")).get("breakdown"))
        return _list(breakdown.get("taxes"))
    # Before 2025-03-31.basil they had another name.
    return _list(document.get("total_taxes") or document.get("total_tax_amounts"))


def _list(value: object) -> list[Json]:
    return [object_of(each) for each in value] if isinstance(value, list) else []


def _percentage(value: object) -> str | None:
    """Return a percentage as text, such as `19` or `7.7`: a JSON number has no zeros at its end."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return f"{value:.4f}".rstrip("0").rstrip(".")
