"""How people read what something was paid with, also where an earlier version stored it."""

import pytest

from gateway.payment_methods import (
    BRANDS,
    METHODS,
    display_name,
    earlier_display_name,
    method_label,
)

# Kind, name, brand, last four digits, label.
Method = tuple[str, str | None, str | None, str | None, str | None]

VISA = ("visa", "4242")


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (("CARD", "card", *VISA, None), "Visa •••• 4242"),
        (("CARD", "card", "eftpos_au", "0001", None), "eftpos Australia •••• 0001"),
        (("CARD", "card", "new_network", "0001", None), "New network •••• 0001"),
        (("CARD", "card", "unknown", "0001", None), "Card •••• 0001"),
        (("CARD", "card", None, None, None), "Card"),
        (("WALLET", "apple_pay", *VISA, None), "Apple Pay (Visa •••• 4242)"),
        (("WALLET", "paypal", None, None, None), "PayPal"),
        (("LINK", "link", None, None, None), "Link"),
        (("BANK_ACCOUNT", "sepa_debit", None, "3000", None), "SEPA Direct Debit •••• 3000"),
        (("BANK_ACCOUNT", "ideal", None, None, None), "iDEAL"),
        (
            ("BANK_ACCOUNT", "us_bank_account", None, "6789", "ACME"),
            "US bank account (ACME •••• 6789)",
        ),
        (("BANK_ACCOUNT", "us_bank_account", None, None, "ACME"), "US bank account (ACME)"),
        (("OTHER", "new_iOS_method", None, None, None), "New iOS method"),
    ],
)
def test_a_method_reads_as_its_owner_writes_it(method: Method, expected: str) -> None:
    assert display_name(*method) == expected


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (("CARD", None, *VISA, None), "Visa •••• 4242"),
        (("WALLET", None, *VISA, "Apple Pay"), "Apple Pay (Visa •••• 4242)"),
        (("LINK", None, *VISA, "Link"), "Link (Visa •••• 4242)"),
        (("WALLET", None, None, None, "Paypal"), "PayPal"),
        (("WALLET", None, None, None, "Wechat pay"), "WeChat Pay"),
        (("BANK_ACCOUNT", None, None, "3000", "Sepa debit"), "SEPA Direct Debit •••• 3000"),
        (("BANK_ACCOUNT", None, None, "6789", "Us bank account"), "US bank account •••• 6789"),
        (("BANK_ACCOUNT", None, None, "6789", "ACME"), "ACME •••• 6789"),
        (("OTHER", None, None, None, "New method"), "New method"),
        (("BANK_ACCOUNT", None, None, "6789", None), "Bank account •••• 6789"),
        (("OTHER", None, None, None, None), "Other"),
    ],
)
def test_labels_of_earlier_versions_read_the_same(method: Method, expected: str) -> None:
    assert display_name(*method) == expected


def test_a_bank_keeps_its_own_name() -> None:
    """Only a label of an earlier version is looked up: a bank may be called anything."""
    assert method_label("us_bank_account", "Sofort") == "Sofort"
    assert method_label("us_bank_account", "Ideal") == "Ideal"
    assert method_label(None, "Ideal") == "iDEAL"


def test_a_plain_card_has_no_label() -> None:
    assert method_label("card", None) is method_label(None, None) is None


def test_names_are_keyed_as_providers_write_them() -> None:
    for name in (*METHODS, *BRANDS):
        assert name == name.lower().replace(" ", "_")


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (("amex", "0005", None), "American Express •••• 0005"),
        (("cartes_bancaires", "0001", None), "Cartes_bancaires •••• 0001"),
        (("visa", "4242", "Apple Pay"), "Apple Pay (Visa •••• 4242)"),
        ((None, None, "Paypal"), "Paypal"),
        ((None, None, None), ""),
    ],
)
def test_receipts_of_earlier_versions_keep_their_names(
    method: tuple[str | None, str | None, str | None], expected: str
) -> None:
    assert earlier_display_name(*method) == expected
