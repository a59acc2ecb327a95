"""The buyer on documents: the account, and the billing details that the platform gave for it."""

from typing import NotRequired, TypedDict, cast

from gateway.store.engine.stored_json import dumps, loads


class BillingDetails(TypedDict):
    """The details of a buyer: lines of an address, and a tax id such as a VAT number."""

    name: str | None
    address: list[str]
    taxId: str | None


class Buyer(TypedDict):
    """The buyer on a document, with the account's billing details at issue, where it had any."""

    name: str
    externalId: str
    billing: NotRequired[BillingDetails]


def dump_billing(details: BillingDetails | None) -> str | None:
    """Return details as they are stored; None where they are empty."""
    return dumps(details) if details and any(details.values()) else None


def parse_billing(stored: str | None) -> BillingDetails | None:
    """Return stored details."""
    return cast("BillingDetails", loads(stored)) if stored else None


def buyer_of(name: str, external_id: str, stored_billing: str | None) -> Buyer:
    """Return the buyer as a document keeps it."""
    buyer = Buyer(name=name, externalId=external_id)
    billing = parse_billing(stored_billing)
    if billing:
        buyer["billing"] = billing
    return buyer
