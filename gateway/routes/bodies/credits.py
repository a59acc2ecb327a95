"""The bodies of `/v1/credits`."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from gateway.billing.credits.requests import CreditKind
from gateway.http.json_fields import Currency, Description, Identifier, Instant, Nanos
from gateway.http.json_models import Wire, WireAnswer, one_of


class CreditBody(Wire):
    """A grant of credit, or a correction of the balance."""

    account: Identifier = Field(description="The account's external id.")
    kind: Annotated[CreditKind, one_of(CreditKind), WithJsonSchema({"enum": [*CreditKind]})] = (
        Field(
            description="`COUPON`, `MANUAL_CREDIT` and `TRIAL_GRANT` are listed as credit "
            "purchases; `ADJUSTMENT` is a ledger entry only."
        )
    )
    amount: Nanos = Field(
        description="Amount in the account's currency, at most 9223372036.854775807, with at "
        "most 9 decimals. Greater than zero; an `ADJUSTMENT` may be negative."
    )
    currency: Currency = Field(description="The account's currency; amounts are not converted.")
    description: Description | None = Field(None, description="Shown to people.")
    occurred_at: Instant | None = Field(
        None, description="When the credit takes effect. Default: now; at most 5 minutes ahead."
    )


class CreditBalance(WireAnswer):
    """The balance after the credit."""

    amount: str = Field(description="Decimal string.")
    currency: str = Field(description="ISO 4217.")


class CreditAnswer(WireAnswer):
    """The recorded credit: a credit purchase, or a ledger entry for an `ADJUSTMENT`."""

    credit_purchase_id: str = Field("", description="The purchase's id in GraphQL.")
    ledger_version: int = Field(0, description="The entry's version in the account's ledger.")
    balance: CreditBalance
