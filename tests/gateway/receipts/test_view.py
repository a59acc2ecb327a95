"""What receipts say."""

from typing import Any

import pytest

from gateway.money import MINOR_DIGITS
from gateway.receipts.view import receipt_view
from gateway.receipts.writer import display_amount
from gateway.store.buyers import BillingDetails
from tests.support.receipts import CANCELLATION, CREDIT_NOTE, source


def view(**changes: Any) -> Any:
    return receipt_view(source(**changes), lambda text: text)


def facts(**changes: Any) -> dict[str, str]:
    return {each["name"]: each["value"]["text"] for each in view(**changes)["facts"]}


def sums(**changes: Any) -> list[tuple[str, str]]:
    return [(each["name"], each["amount"]) for each in view(**changes)["sums"]]


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.50", "USD", "$1,234.50"),
        ("-1234.50", "EUR", "−€1,234.50"),
        ("50000", "JPY", "¥50,000"),
        ("170.000", "KWD", "KWD\N{NO-BREAK SPACE}170.000"),
        ("1.2345", "UYW", "UYW\N{NO-BREAK SPACE}1.2345"),
        ("0.0008", "USD", "$0.0008"),
        ("12.123456789", "USD", "$12.123456789"),
        ("9223372036.854775807", "CHF", "CHF\N{NO-BREAK SPACE}9,223,372,036.854775807"),
        ("5.00", "UGX", "UGX\N{NO-BREAK SPACE}5"),
    ],
)
def test_amounts_have_the_digits_of_their_currency_and_lose_none(
    amount: str, currency: str, text: str
) -> None:
    assert display_amount(amount, currency) == text


@pytest.mark.parametrize("currency", sorted(MINOR_DIGITS))
def test_every_currency_has_its_iso_digits(currency: str) -> None:
    fraction = display_amount("7", currency).rpartition("7")[2]
    assert len(fraction.removeprefix(".")) == MINOR_DIGITS[currency]


def test_tax_lines_have_the_providers_names() -> None:
    taxes = [
        {"name": "VAT", "percentage": "19", "amount": "15.00"},
        {"name": "City tax", "amount": "4.00"},
        {"percentage": "7.75", "amount": "0.00"},
    ]
    assert sums(taxes=taxes)[1:-1] == [
        ("VAT 19 %", "$15.00"),
        ("City tax", "$4.00"),
        ("Tax 7.75 %", "$0.00"),
    ]


def test_the_buyer_has_the_details_for_documents() -> None:
    billing: BillingDetails = {
        "name": "Acme Billing",
        "address": ["Main St 1", "Berlin"],
        "taxId": "DE 1",
    }
    printed = source()
    printed.data["buyer"] = {"name": "Acme", "externalId": "acme", "billing": billing}
    party = receipt_view(printed, lambda text: text)["buyer"]
    assert party["name"]["text"] == "Acme Billing"
    lines = [line["text"] for line in party["details"]]
    assert lines == ["Main St 1", "Berlin", "DE 1", "Customer acme"]


def test_a_receipt_says_what_was_bought_and_paid() -> None:
    said = view()
    assert said["title"] == "Receipt"
    # Half past eleven in the evening in UTC is the next day in Berlin.
    assert said["summary"] == "$119.00 paid on 25 November 2026"
    assert [(each["name"], each["credit"], each["amount"]) for each in said["lines"]] == [
        ("Prepaid compute credit", "$100.00", "$100.00"),
        ("Bonus credit", "$10.00", "$0.00"),
    ]
    assert sums() == [("Subtotal", "$100.00"), ("Tax", "$19.00"), ("Total paid", "$119.00")]
    assert said["balance"] == {"name": "Credit added to your balance", "amount": "$110.00"}
    assert facts() == {
        "Number": "K7WQ2M9X-2026-000042",
        "Date paid": "25 November 2026",
        "Payment method": "Visa •••• 4242",
    }


def test_a_credit_note_says_what_was_taken_back_of_which_receipt() -> None:
    said = view(**CREDIT_NOTE, original_number="K7WQ2M9X-2026-000042")
    assert said["title"] == "Credit note"
    assert said["summary"] == "$35.70 refunded on 25 November 2026"
    (line,) = said["lines"]
    assert (line["amount"], line["note"]["text"]) == ("−$30.00", "Requested by customer")
    assert sums(**CREDIT_NOTE)[-1] == ("Total refunded", "−$35.70")
    assert said["balance"] == {"name": "Credit taken off your balance", "amount": "$30.00"}
    assert said["facts"][2]["name"] == "For receipt"
    assert said["facts"][2]["value"]["text"] == "K7WQ2M9X-2026-000042"


def test_what_cancels_a_credit_note_names_it_and_says_why() -> None:
    said = view(**CANCELLATION, original_number="K7WQ2M9X-2026-000042")
    assert (said["title"], said["state"]) == ("Cancellation of credit note", "Refund failed")
    assert said["summary"] == "Refund of $35.70 failed on 27 November 2026"
    assert {each["name"]: each["value"]["text"] for each in said["facts"]} == {
        "Number": "K7WQ2M9X-2026-000044",
        "Date of failure": "27 November 2026",
        "Cancels credit note": "K7WQ2M9X-2026-000043",
        "For receipt": "K7WQ2M9X-2026-000042",
        "Payment method": "Visa •••• 4242",
    }
    (line,) = said["lines"]
    assert (line["name"], line["amount"], line["note"]["text"]) == (
        *("Refund of compute credit, canceled", "$30.00"),
        "Lost or stolen card",
    )
    assert sums(**CANCELLATION)[-1] == ("Total canceled", "$35.70")
    assert said["balance"] == {"name": "Credit returned to your balance", "amount": "$30.00"}


def test_a_credit_note_says_that_the_bonus_went_back_too() -> None:
    bonus = {"kind": "bonus", "amount": "-10.00"}
    said = view(**CREDIT_NOTE | {"lines": [*CREDIT_NOTE["lines"], bonus]})
    line = said["lines"][1]
    assert (line["name"], line["note"]["text"], line["credit"], line["amount"]) == (
        *("Bonus credit", "Given free of charge", "−$10.00", "$0.00"),
    )
    assert said["balance"] == {"name": "Credit taken off your balance", "amount": "$40.00"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("COUPON", "Coupon"), ("MANUAL_CREDIT", "Manual credit"), ("TRIAL_GRANT", "Trial")],
)
def test_what_nobody_paid_for_was_not_charged(kind: str, name: str) -> None:
    changes: dict[str, Any] = {
        "purchase": {"kind": kind},
        "lines": [{"kind": "credit", "amount": "10.00"}],
        "net": "10.00",
        "tax": "0.00",
        "total": "10.00",
    }
    assert sums(**changes)[2:] == [("Total", "$10.00"), (name, "−$10.00"), ("Charged", "$0.00")]
    assert facts(**changes)["Settled by"] == name
    assert view(**changes)["state"] == "Credited"


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ({"brand": "amex", "last4": "0005"}, "American Express •••• 0005"),
        ({"brand": "visa", "last4": "1881", "label": "Apple Pay"}, "Apple Pay (Visa •••• 1881)"),
        ({"label": "SEPA transfer", "last4": "3000"}, "SEPA transfer •••• 3000"),
        ({"label": "Link"}, "Link"),
        ({"brand": "cartes bancaires"}, "Cartes bancaires"),
        ({}, None),
    ],
)
def test_a_payment_method_of_an_earlier_version_prints_as_before(
    method: dict[str, str], text: str | None
) -> None:
    nothing = dict.fromkeys(("type", "brand", "last4", "label"))
    said = facts(purchase={"paymentMethod": nothing | method})
    assert said.get("Payment method") == text


@pytest.mark.parametrize("text", ["SEPA Direct Debit •••• 3000", None])
def test_a_payment_method_prints_as_it_read_when_it_was_issued(text: str | None) -> None:
    method = {"type": "OTHER", "brand": "visa", "last4": "1", "label": "x", "displayName": text}
    assert facts(purchase={"paymentMethod": method}).get("Payment method") == text


@pytest.mark.parametrize(
    ("name", "zone", "han"),
    [
        ("株式会社オーロラ", "UTC", "JP"),
        ("計算機", "Asia/Tokyo", "JP"),
        ("한국어 會社", "UTC", "KR"),
        ("計算機", "Asia/Taipei", "TC"),
        ("计算机", "Europe/Berlin", "SC"),
    ],
)
def test_chinese_characters_have_the_forms_of_the_accounts_place(
    name: str, zone: str, han: str
) -> None:
    assert view(buyer=name, timeZone=zone)["han"] == han


def test_the_direction_of_a_text_is_that_of_its_first_letter() -> None:
    assert view(buyer="24 شركة النور (Dubai)")["buyer"]["name"]["rtl"]
    assert not view(buyer="Noor شركة")["buyer"]["name"]["rtl"]
