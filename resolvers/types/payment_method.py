"""The GraphQL type of a payment method."""

from typing import ClassVar

import strawberry

from gateway.payment_methods import display_name, method_label
from resolvers.columns import column, converted
from resolvers.enums import PaymentMethodType
from resolvers.permissions import Policy


@strawberry.type(
    description="The payment method of a purchase at the time of payment. Never contains a full "
    "card number."
)
class PaymentMethod:
    POLICY: ClassVar = Policy.PURCHASES

    type: PaymentMethodType = column(
        "payment_method_type", description="Type of the payment method."
    )
    brand: str | None = column(
        "payment_method_brand", description="The card's or wallet's brand, such as `visa`."
    )
    last4: str | None = column(
        "payment_method_last4", description="The last four digits of the card or bank account."
    )
    label: str | None = converted(
        method_label,
        "payment_method_name",
        "payment_method_label",
        description="Display name of the bank or wallet; null for a plain card.",
    )
    display_name: str = converted(
        display_name,
        "payment_method_type",
        "payment_method_name",
        "payment_method_brand",
        "payment_method_last4",
        "payment_method_label",
        description="Text for people, as on receipts and in exports: `Visa •••• 4242`, `Apple "
        "Pay (Visa •••• 4242)`, `SEPA Direct Debit •••• 3000`. Do not parse this "
        "text.",
    )
