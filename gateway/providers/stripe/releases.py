"""The uncaptured rest of a partial capture, which is no refund.

When less is captured than was authorised, the rest is released. Captures with a version of the
API before 2025-03-31.basil make a Refund of the rest, and the charge counts it in
`amount_refunded`, for every reader and in every later version. Captures since then make none. Both
may stand in one account, and the version in which an event is written is the endpoint's, not the
capture's. So the release is recognised by what the objects say:

- It is of exactly the uncaptured amount, gives no reason, and is the oldest such refund.
- Nothing was released where a picture of the charge, taken when its last capture was done, counts
  less in `amount_refunded` than the uncaptured amount. Such a picture in a later version says
  nothing of a refund that was made together with the capture and shown in an earlier version.
- Nothing was released where the charge's balance transaction is of the captured amount: where
  there is a release, it is of the authorised one.
- A release is made together with the capture. A later refund of the same amount is a real one where
  the charge counts it beside the rest that was released, or where no picture of the charge is in
  such an early version.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from gateway.billing.purchases.purchase_state import PurchaseState
from gateway.providers.stripe.amounts import nanos_of, total_of
from gateway.providers.stripe.events import Event
from gateway.providers.stripe.terms import (
    charges_of,
    created_at,
    is_captured,
    money_captured,
    refunds_of,
)
from gateway.providers.stripe.texts import Json, id_of, object_of

WITHOUT_RELEASES: Final = "2025-03-31"
"""The version of the API since which a capture makes no refund of the rest."""
TOGETHER: Final = timedelta(minutes=1)
"""How much later than its capture a release may be dated."""


class _Picture(NamedTuple):
    """A charge with all captures done: the uncaptured rest, the amount it counts as refunded, and
    whether its balance transaction is of the captured amount.
    """

    rest: int
    refunded: int
    is_net: bool
    event: Event


def find_release(
    events: Sequence[Event], refunds: Mapping[str, Json], purchase: PurchaseState
) -> str | None:
    """Return the id of the refund that is the release of a settled purchase's uncaptured rest.

    `refunds` are those of the purchase that gave money back or may do so, by their ids.
    """
    captured_at = purchase.settled_at
    pictures = list(_pictures(events, purchase))
    rest = pictures[-1].rest if pictures else 0
    equal = [each for each in refunds.values() if _may_release(each, rest)]
    if captured_at is None or rest <= 0 or not equal or any(each.is_net for each in pictures):
        return None
    # What a list settled has the time of the first capture; no event shows the last one too early.
    shown_at = (each.event.created_at for each in pictures if not each.event.is_listed)
    captured_at = max(captured_at, min(shown_at, default=captured_at))
    oldest = min(equal, key=_age)
    name = id_of(oldest.get("id"))
    clean = [each for each in pictures if _is_clean(each, captured_at)]
    if created_at(oldest) <= captured_at + TOGETHER:
        is_early = any(_is_early(event) for event in events if _shows(event, name))
        disproved = any(not is_early or _is_early(each.event) for each in clean)
    else:
        known = sum(
            amount for each in refunds.values() if isinstance(amount := each.get("amount"), int)
        )
        is_beside = max(each.refunded for each in pictures) >= rest + known
        may_count = any(_is_early(each.event, unknown=True) for each in pictures)
        disproved = bool(clean) or is_beside or not may_count
    return None if disproved else name


def _pictures(events: Sequence[Event], purchase: PurchaseState) -> Iterator[_Picture]:
    unit = nanos_of(1, purchase.currency)
    total = total_of(purchase) // unit
    for event in events:
        for charge in filter(is_captured, charges_of(event)):
            amount, refunded = charge.get("amount"), charge.get("amount_refunded")
            if money_captured(charge) == total and isinstance(amount, int):
                counted = refunded if isinstance(refunded, int) else 0
                yield _Picture(amount - total, counted, _is_net(charge, total), event)


def _is_net(charge: Json, total: int) -> bool:
    """Say whether a charge's balance transaction, where it is shown, is of the captured amount."""
    transaction = object_of(charge.get("balance_transaction"))
    has_currency = transaction.get("currency") == charge.get("currency")
    return has_currency and transaction.get("amount") == total


def _is_clean(picture: _Picture, captured_at: datetime) -> bool:
    """Say whether a picture, taken when the captures were done, counts no release."""
    event = picture.event
    is_done = event.is_listed or event.created_at > captured_at - TOGETHER
    return is_done and picture.refunded < picture.rest


def _is_early(event: Event, *, unknown: bool = False) -> bool:
    """Say whether an event is written in a version of the API in which captures made refunds."""
    version = event.api_version
    return unknown if version is None else version[:10] < WITHOUT_RELEASES


def _shows(event: Event, name: str | None) -> bool:
    return any(id_of(each.get("id")) == name for each in refunds_of(event))


def _may_release(refund: Json, rest: int) -> bool:
    is_plain = not refund.get("reason") and not object_of(refund.get("metadata"))
    return refund.get("amount") == rest and is_plain


def _age(refund: Json) -> tuple[datetime, str]:
    return created_at(refund), id_of(refund.get("id")) or ""
