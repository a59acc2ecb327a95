"""What a purchase was paid with."""

from typing import ClassVar

import strawberry

from resolvers.columns import column
from resolvers.enums import PaymentMethodType
from resolvers.permissions import Policy


@strawberry.type(
    description="What a purchase was paid with, as it was then. Never a whole card number."
)
class PaymentMethod:
    POLICY: ClassVar = Policy.PURCHASES

    type: PaymentMethodType = column("payment_method_type", description="Its kind.")
    brand: str | None = column(
        "payment_method_brand", description="The card's or wallet's brand, such as `visa`."
    )
    last4: str | None = column(
        "payment_method_last4", description="The last four digits of the card or bank account."
    )
    label: str | None = column(
        "payment_method_label", description="A name for people, such as a bank's."
    )
