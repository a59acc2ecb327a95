"""Names of downloaded receipts and credit notes."""


def document_name(number: str, *, refund_id: int | None, cancels_id: int | None) -> str:
    """Return a name such as `receipt-4F2K9QXA-2026-000123.pdf`."""
    what = "cancellation" if cancels_id else "credit-note" if refund_id else "receipt"
    return f"{what}-{number}.pdf"
