"""Finds the account that a payment belongs to. Nothing else decides that.

The metadata of the PaymentIntent and its charges count before those of its Checkout Session or
invoice, and an account's name before a Stripe customer. A Checkout Session or invoice alone does
not count yet: the payment itself may still name another account.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

from gateway.providers.stripe.events import DOCUMENTS, WITNESSES, Event, kind_of_type
from gateway.store import Reader, accounts
from gateway.store.parked_events import AccountClaim


class Claim(NamedTuple):
    """The account that one event names: an external id, or Stripe's customer. `kind`
    is the type of the event's object.
    """

    kind: str | None
    external_id: str | None
    customer_id: str | None

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(event.kind, event.external_id, event.customer_id)

    @classmethod
    def of_row(cls, row: AccountClaim) -> Self:
        """Return the claim of a stored event."""
        return cls(kind_of_type(row["type"]), row["external_id"], row["customer_id"])


async def find_owner(reader: Reader, claims: Sequence[Claim]) -> int | None:
    """Return the account that a payment belongs to, by the claims of all of its events and of its
    invoices'; None where no account is known.
    """
    payment = [claim for claim in claims if claim.kind in WITNESSES]
    if not payment:
        return None
    documents = [claim for claim in claims if claim.kind in DOCUMENTS]
    for stated in (payment, documents):
        names = sorted({claim.external_id for claim in stated if claim.external_id})
        if names:
            found = await accounts.by_external_id(reader, names)
            return min((row["account_id"] for row in found), default=None)
        for customer in sorted({claim.customer_id for claim in stated if claim.customer_id}):
            for row in await accounts.by_customer(reader, customer):
                return int(row["account_id"])
    return None
