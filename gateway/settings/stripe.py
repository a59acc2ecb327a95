"""Stripe's webhooks and API."""

from typing import ClassVar

from pydantic import Field, SecretStr

from gateway.settings.group import Group
from gateway.settings.values import KeysUrl


class StripeSettings(Group):
    """Stripe's webhooks and API."""

    PREFIX: ClassVar = "stripe_"

    webhook_secrets: SecretStr | None = Field(
        None,
        description="Signing secrets of the Stripe webhook endpoint, separated by commas; two "
        "during a rotation. Without one, `/webhooks/stripe` answers 404.",
    )
    test_mode: bool | None = Field(
        None,
        description="Book events of Stripe's test mode instead of ignoring them. Default: in "
        "dev only.",
    )
    api_key: SecretStr | None = Field(
        None,
        description="Restricted API key for `gateway stripe-backfill`: reads PaymentIntents, "
        "charges, balance transactions, refunds, disputes, Checkout Sessions and "
        "invoices.",
    )
    parked_days: int = Field(
        90,
        ge=31,
        le=36_500,
        description="How many days parked events are kept that no account claims.",
    )
    api_base: KeysUrl = Field("https://api.stripe.com", description="Base URL of the Stripe API.")
