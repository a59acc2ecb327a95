"""Objects as a version of the API shows them, from Stripe's published examples."""

from copy import deepcopy
from typing import Any, Final

from tests.support.books import NOW
from tests.support.histories.story import BASIL, CURRENCIES, NEWEST, Attempt, Payment, Story
from tests.support.stripe import OBJECTS

Json = dict[str, Any]
BEGIN: Final = int(NOW.timestamp()) - 200 * 86_400
_OF_INVOICES_BEFORE_BASIL: Final = ("amount_overpaid", "total_taxes", "parent")
DETAILS: Final = {
    "card": {
        "type": "card",
        "card": {"brand": "visa", "last4": "4242", "wallet": None},
    },
    "us_bank_account": {
        "type": "us_bank_account",
        "us_bank_account": {"bank_name": "STRIPE TEST BANK", "last4": "6789"},
    },
    "sepa_debit": {"type": "sepa_debit", "sepa_debit": {"bank_code": "37040044", "last4": "3000"}},
}


def instant(at: int) -> int:
    """Return the provider's time of an instant of a story."""
    return BEGIN + at


class Shapes:
    """Makes the objects of one story; every id carries the tag of its telling."""

    def __init__(self, story: Story, tag: str, account: str) -> None:
        self.story, self.tag, self.account = story, tag, account
        self.customer = f"cus_{account}"

    def name(self, prefix: str, *numbers: int) -> str:
        return "_".join([prefix, self.tag, *(f"{number:02}" for number in numbers)])

    def make(self, kind: str, at: int, **changes: Any) -> Json:
        shared = {"livemode": True, "currency": self.story.currency.lower()}
        example: Json = OBJECTS.get(kind, {"object": kind})
        return deepcopy(example) | shared | {"created": instant(at)} | changes

    def metadata(self, payment: Payment, tax: int) -> Json:
        """Return what the platform wrote on the payment."""
        found: Json = {}
        if payment.names_account:
            found["account"] = self.account
        if payment.bonus:
            currency = CURRENCIES[self.story.currency]
            found["bonus"] = decimal(payment.bonus, currency.iso_digits)
        if payment.tax_source == "metadata":
            found["tax"] = decimal(tax, CURRENCIES[self.story.currency].digits)
        if payment.tax_source == "checkout":
            found["document"] = "checkout"
        if payment.tax_source == "invoice":
            found["document"] = "invoice"
        return found

    def intent(self, payment: Payment, number: int) -> Json:
        intent = self.make(
            "payment_intent",
            payment.at,
            id=self.name("pi", number),
            amount=payment.amount,
            customer=self.customer,
            description="Credit",
            metadata=self.metadata(payment, payment.tax),
            capture_method="manual" if payment.manual else "automatic",
            canceled_at=None,
            last_payment_error=None,
            next_action=None,
            processing=None,
            status="requires_payment_method",
        )
        if self.story.version == NEWEST:
            if payment.tax_source == "details":
                intent["amount_details"] = {"tax": {"total_tax_amount": payment.tax}}
            if payment.tax_source == "order":
                session = self.name("cs", number)
                intent["payment_details"] = {"order_reference": session}
        if self.story.version < BASIL:
            invoice = self.name("in") if payment.tax_source == "invoice" else None
            intent["invoice"] = invoice
        return intent

    def charge(self, payment: Payment, attempt: Attempt, number: int, place: int, at: int) -> Json:
        charge = self.make(
            "charge",
            at,
            id=self.name("ch", number, place),
            amount=attempt.amount,
            amount_captured=0,
            balance_transaction=None,
            customer=self.customer,
            metadata=self.metadata(payment, attempt.tax),
            payment_intent=self.name("pi", number) if payment.intent else None,
            payment_method_details=deepcopy(DETAILS[attempt.method]),
            paid=False,
            source=None,
        )
        if self.story.version >= "2022-11-15":
            del charge["refunds"]
        if self.story.version < BASIL:
            charge["invoice"] = self.name("in") if payment.tax_source == "invoice" else None
        return charge

    def transaction(self, name: str, at: int, amount: int, kind: str) -> Json:
        return {
            "id": name,
            "object": "balance_transaction",
            "amount": amount,
            "available_on": instant(at + 172_800),
            "created": instant(at),
            "currency": self.story.currency.lower(),
            "exchange_rate": None,
            "fee": 0 if amount > 0 else 1_500,
            "fee_details": [],
            "net": amount if amount > 0 else amount - 1_500,
            "reporting_category": kind,
            "status": "available",
            "type": "charge" if kind == "charge" else "adjustment",
        }

    def session(self, payment: Payment, number: int) -> Json:
        return self.make(
            "checkout.session",
            payment.at,
            id=self.name("cs", number),
            payment_intent=self.name("pi", number),
            customer=self.customer,
            status="open",
            payment_status="unpaid",
            amount_subtotal=payment.amount - payment.tax,
            amount_total=payment.amount,
            total_details={
                "amount_discount": 0,
                "amount_shipping": 0,
                "amount_tax": payment.tax,
            },
            currency_conversion=None,
        )

    def invoice(self) -> Json:
        invoice = self.story.invoice
        assert invoice is not None
        due = invoice.total - invoice.balance
        shown = self.make(
            "invoice",
            invoice.at,
            id=self.name("in"),
            customer=self.customer,
            status="open",
            total=invoice.total,
            total_excluding_tax=invoice.total - invoice.tax,
            subtotal=invoice.total - invoice.tax,
            subtotal_excluding_tax=invoice.total - invoice.tax,
            starting_balance=-invoice.balance,
            ending_balance=0,
            amount_due=due,
            amount_paid=0,
            amount_remaining=due,
            amount_overpaid=0,
            total_taxes=[{"amount": invoice.tax, "tax_behavior": "exclusive"}],
        )
        if self.story.version < BASIL:
            for name in _OF_INVOICES_BEFORE_BASIL:
                del shown[name]
            shown |= {"tax": invoice.tax, "payment_intent": self.name("pi", 0), "charge": None}
            shown |= {"paid": False}
        return shown

    def invoice_payment(self, payment: Payment, number: int) -> Json:
        return self.make(
            "invoice_payment",
            payment.at,
            id=self.name("inpay", number),
            invoice=self.name("in"),
            status="open",
            amount_paid=None,
            amount_requested=payment.amount,
            is_default=number == 0,
            payment={"type": "payment_intent", "payment_intent": self.name("pi", number)},
            status_transitions={"canceled_at": None, "paid_at": None},
        )


def decimal(amount: int, digits: int) -> str:
    """Return an amount of smallest units as a decimal string."""
    text = f"{amount:0{digits + 1}}"
    return text if digits == 0 else f"{text[:-digits]}.{text[-digits:]}"
