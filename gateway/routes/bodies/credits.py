"""The bodies of `/v1/credits`."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from gateway.billing.credits.requests import CreditKind
from gateway.http.json_fields import Currency, Description, Identifier, Instant, Nanos
from gateway.http.json_models import Wire, WireAnswer, one_of


class CreditBody(Wire):
    """Credit that nobody paid for, or a correction of the balance."""

    account: Identifier = Field(description="The account's external id.")
    kind: Annotated[CreditKind, one_of(CreditKind), WithJsonSchema({"enum": [*CreditKind]})] = (
        Field(
            description="`COUPON`, `MANUAL_CREDIT` and `TRIAL_GRANT` appear among the credit "
            "purchases; `ADJUSTMENT` is an entry of the ledger alone."
        )
    )
    amount: Nanos = Field(
        description="In the account's currency, at most 9 decimals and 9223372036.854775807. More "
        "than zero; of an `ADJUSTMENT` it may be negative."
    )
    currency: Currency = Field(description="The account's currency; amounts are not converted.")
    description: Description | None = Field(None, description="Shown to people.")
    occurred_at: Instant | None = Field(
        None, description="When the credit counts from. Default: now; at most 5 minutes ahead."
    )


class CreditBalance(WireAnswer):
    """The balance once the credit counts."""

    amount: str = Field(description="Decimal string.")
    currency: str = Field(description="ISO 4217.")


class CreditAnswer(WireAnswer):
    """What the credit became: a credit purchase, or for an `ADJUSTMENT` an entry of the ledger."""

    credit_purchase_id: str = Field("", description="The purchase's id in GraphQL.")
    ledger_version: int = Field(0, description="The entry's version in the account's ledger.")
    balance: CreditBalance
