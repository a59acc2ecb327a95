"""Names of downloaded documents."""

from gateway.models import receipt_kind


def document_name(number: str, *, refund_id: int | None, cancels_id: int | None) -> str:
    """Return a name such as `receipt-4F2K9QXA-2026-000123.pdf`."""
    what = receipt_kind(refund_id, cancels_id).lower().replace("_", "-")
    return f"{what}-{number}.pdf"


def statement_name(number: str) -> str:
    """Return a name such as `statement-4F2K9QXA-S2026-11.pdf`."""
    return f"statement-{number}.pdf"
