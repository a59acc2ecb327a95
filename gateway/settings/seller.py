"""The seller on documents and in exports."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from gateway.settings.group import Group, Named
from gateway.settings.values import Colour, Lines


class SellerSettings(Group):
    """The seller on documents and in exports."""

    PREFIX: ClassVar = "seller_"

    issues_receipts: Annotated[bool, Named("receipts")] = Field(
        True,
        description="Issue a receipt for each settled purchase and a credit note for each of "
        "its refunds. Set `0` where another system issues them.",
    )
    statements: Annotated[bool | None, Named("statements")] = Field(
        None,
        description="Issue a monthly statement for each account. Default: as `GATEWAY_RECEIPTS`. "
        "When they are on again, the months between get theirs.",
    )
    name: str | None = Field(
        None,
        max_length=200,
        description="The seller's name on receipts and statements; required in production if "
        "any are issued. A change applies to documents issued after the next start.",
    )
    address: Lines = Field(
        (),
        max_length=8,
        description="The seller's address on documents, lines separated by `|`; required like "
        "the name.",
    )
    tax_id: str | None = Field(
        None, max_length=100, description="The seller's tax id, with its kind: `VAT ID DE123`."
    )
    email: str | None = Field(
        None, max_length=200, description="The seller's email address on documents, for questions."
    )
    logo: Path | None = Field(
        None, description="Logo in place of the name: PNG, JPEG or SVG, at most 256 KiB."
    )
    accent: Colour = Field("#3b5bdb", description="Accent colour of documents.")

    @property
    def issues_statements(self) -> bool:
        """Whether monthly statements are issued."""
        return self.issues_receipts if self.statements is None else self.statements
