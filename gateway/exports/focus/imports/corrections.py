"""Corrects imported charges: the same charge with amount and quantity negated."""

from collections.abc import Sequence

from gateway.audit.deeds import Act, Deed
from gateway.billing.book import Book
from gateway.billing.credits.posting import adjust_balance
from gateway.billing.ledger.source_key import SourceKey
from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.exports.focus.imports.identity import correction_id_of
from gateway.store import imported_charges
from gateway.store.imported_charges import ImportedChargeRow, ImportedEventRow


async def take_back(
    book: Book, account_id: int, charges: Sequence[ImportedChargeRow], number: int, *, source: str
) -> tuple[int, int]:
    """Correct an account's charges in its restatement of this number; return how many rows of usage
    and how many adjustments they are.
    """
    usage = [charge["event_id"] for charge in charges if charge["is_usage"]]
    adjustments = [charge["event_id"] for charge in charges if not charge["is_usage"]]
    await _take_back_usage(book, account_id, usage, number, source)
    await _take_back_adjustments(book, account_id, adjustments, number)
    await imported_charges.take_back(book.transaction, charges, number)
    details = {"usage": len(usage), "adjustments": len(adjustments), "restatement": number}
    book.acts.append(Act(Deed.USAGE_CORRECTED, account_id, source, details))
    return len(usage), len(adjustments)


async def _take_back_usage(
    book: Book, account_id: int, event_ids: Sequence[str], number: int, source: str
) -> None:
    events = await imported_charges.usage(book.transaction, account_id, source, event_ids)
    await record_usage(book, [_correction(event, number) for event in events])


def _correction(event: ImportedEventRow, number: int) -> UsageRecord:
    return UsageRecord(
        account_id=event["account_id"],
        source=event["source"],
        event_id=correction_id_of(event["event_id"], number),
        deployment=event["deployment"],
        resource=event["resource"],
        unit=event["unit"],
        quantity=-event["quantity_nanos"],
        quantity_text=_negated(event["quantity_text"]),
        amount=-event["amount_nanos"],
        amount_text=_negated(event["amount_text"]),
        correction=True,
        provider=event["provider"],
        gpu_model=event["gpu_model"],
        region=event["region"],
        service=event["service"],
        sku=event["sku"],
        started_at=event["started_at"],
        ended_at=event["ended_at"],
        project=event["project"],
    )


def _negated(text: str | None) -> str | None:
    if text is None:
        return None
    return text[1:] if text.startswith("-") else f"-{text}"


async def _take_back_adjustments(
    book: Book, account_id: int, event_ids: Sequence[str], number: int
) -> None:
    keys = [str(SourceKey.imported_charge(event_id)) for event_id in event_ids]
    for entry in await imported_charges.entries(book.transaction, account_id, keys):
        (event_id,) = SourceKey.parse(entry["source_key"]).parts
        adjust_balance(
            book,
            account_id,
            -entry["amount_nanos"],
            source=SourceKey.imported_charge(correction_id_of(event_id, number)),
            occurred_at=entry["effective_at"],
            description=entry["description"],
        )
