"""How payments were made, as Stripe tells it and as we name it."""

from typing import Any

import pytest

from gateway.billing.purchases.purchase_state import PaymentMethod
from gateway.models import PaymentMethodType
from gateway.payment_methods import METHODS
from gateway.providers.stripe.methods import _BANKS, _WALLETS, method_of

VISA = {"brand": "visa", "last4": "4242"}


@pytest.mark.parametrize(
    ("details", "kind", "rest"),
    [
        ({"type": "card", "card": VISA}, "CARD", VISA | {"name": "card"}),
        (
            {"type": "card", "card": VISA | {"wallet": {"type": "apple_pay"}}},
            "WALLET",
            VISA | {"name": "apple_pay"},
        ),
        (
            {"type": "card", "card": VISA | {"wallet": {"type": "google_pay"}}},
            "WALLET",
            VISA | {"name": "google_pay"},
        ),
        (
            {"type": "card", "card": VISA | {"wallet": {"type": "link"}}},
            "LINK",
            VISA | {"name": "link"},
        ),
        ({"type": "link", "link": {"country": "DE"}}, "LINK", {"name": "link"}),
        (
            {"type": "us_bank_account", "us_bank_account": {"bank_name": "ACME", "last4": "6789"}},
            "BANK_ACCOUNT",
            {"name": "us_bank_account", "last4": "6789", "label": "ACME"},
        ),
        (
            {"type": "sepa_debit", "sepa_debit": {"last4": "3000"}},
            "BANK_ACCOUNT",
            {"name": "sepa_debit", "last4": "3000"},
        ),
        ({"type": "paypal"}, "WALLET", {"name": "paypal"}),
        ({"type": "new_method"}, "OTHER", {"name": "new_method"}),
        (
            {"type": "card", "card": {"brand": "v\x00" + "i" * 90, "last4": "42424"}},
            "CARD",
            {"name": "card", "brand": "v" + "i" * 49, "last4": "4242"},
        ),
    ],
)
def test_methods(details: dict[str, Any], kind: str, rest: dict[str, str]) -> None:
    assert method_of(details) == PaymentMethod(type=PaymentMethodType(kind), **rest)


def test_every_bank_and_wallet_has_a_name() -> None:
    assert METHODS.keys() >= _BANKS | _WALLETS


@pytest.mark.parametrize("details", [None, {}, [], {"type": 3}, "card"])
def test_nothing_is_made_up(details: object) -> None:
    assert method_of(details) is None
