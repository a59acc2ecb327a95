"""Facts of one purchase, and functions that record them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.billing.book import Book
from gateway.billing.purchases.book_purchases import Purchases
from gateway.billing.purchases.dispute_state import DisputeFacts, DisputeMovement
from gateway.billing.purchases.disputes import record_dispute
from gateway.billing.purchases.purchase_state import PurchaseFacts, PurchaseState, RefundFacts
from gateway.billing.purchases.recording import load_purchases, record_purchase
from gateway.billing.purchases.refunds import record_refund
from gateway.models import CreditPurchaseKind
from gateway.money import format_quantity
from gateway.store import Database
from tests.support.books import Books, usd
from tests.support.tables import table_rows

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
PROVIDER = "stripe"
REFERENCE = "pi_1"

Facts = PurchaseFacts | RefundFacts | DisputeFacts


def day(number: int) -> datetime:
    """Return the instant `number` days after the purchase was made."""
    return START + timedelta(days=number)


def purchase(account_id: int, **changes: Any) -> PurchaseFacts:
    """Return facts of a purchase of 100 USD with 19 tax and a bonus of 10."""
    fields: dict[str, Any] = {
        "account_id": account_id,
        "kind": CreditPurchaseKind.CARD,
        "amount": usd("100"),
        "tax": usd("19"),
        "bonus": usd("10"),
        "currency": "USD",
        "created_at": START,
        "provider": PROVIDER,
        "reference": REFERENCE,
    }
    return PurchaseFacts(**fields | changes)


def refund(reference: str, amount: str, **changes: Any) -> RefundFacts:
    """Return facts of a refund that succeeded on the third day."""
    fields: dict[str, Any] = {
        "amount": usd(amount),
        "created_at": day(3),
        "provider": PROVIDER,
        "reference": reference,
    }
    return RefundFacts(**fields | changes)


def dispute(
    credit: str, *moves: tuple[str, datetime], reference: str = "dp_1", **changes: Any
) -> DisputeFacts:
    """Return facts of a dispute, made on the fourth day, over so much credit and its tax (19 %).

    `moves` are credit, negative where it was withdrawn, and when; money moves with its tax.
    """
    fields: dict[str, Any] = {
        "amount": with_tax(credit),
        "created_at": day(4),
        "movements": tuple(
            DisputeMovement(reference=f"txn_{reference}_{at:%d%H%M}{amount}", amount=money, at=at)
            for amount, at in moves
            for money in [with_tax(amount)]
        ),
        "provider": PROVIDER,
        "reference": reference,
    }
    return DisputeFacts(**fields | changes)


def with_tax(credit: str) -> int:
    """Return the nanos of credit and 19 % tax."""
    return usd(credit) * 119 // 100


def record(book: Book, account_id: int, facts: Facts, reference: str = REFERENCE) -> bool:
    """Record facts in a book; return False where their purchase is unknown."""
    if isinstance(facts, PurchaseFacts):
        record_purchase(book, facts)
        return True
    state: PurchaseState | None = book.part(Purchases).by_reference.get(
        (account_id, PROVIDER, reference)
    )
    if state is None:
        return False
    if isinstance(facts, RefundFacts):
        record_refund(book, state, facts)
    else:
        record_dispute(book, state, facts)
    return True


async def save(books: Books, account_id: int, *facts: Facts) -> None:
    """Record facts, each in its own transaction."""
    for each in facts:
        await save_together(books, account_id, each)


async def save_together(books: Books, account_id: int, *facts: Facts) -> list[Facts]:
    """Record facts in one transaction; return those that came before their purchase."""
    names = {each.reference or "" for each in facts if isinstance(each, PurchaseFacts)}
    async with books.open([account_id]) as book:
        await load_purchases(
            book, [(account_id, PROVIDER, name) for name in sorted({REFERENCE, *names})]
        )
        return [each for each in facts if not record(book, account_id, each)]


async def rows_of(database: Database, table: str, account_id: int) -> list[dict[str, Any]]:
    """Return an account's rows of a table, without the keys that are drawn at random."""
    drawn = {"account_id", "id", "purchase_id", "refund_id", "dispute_id", "cancels_id"}
    return [
        {name: value for name, value in row.items() if name not in drawn}
        for row in await table_rows(database, table)
        if row["account_id"] == account_id
    ]


async def the_purchase(database: Database, account_id: int) -> dict[str, Any]:
    """Return an account's only purchase."""
    (row,) = await rows_of(database, "credit_purchase", account_id)
    return row


async def entries(database: Database, account_id: int) -> list[tuple[str, str]]:
    """Return causes and amounts of an account's ledger."""
    return [
        (row["cause"], format_quantity(row["amount_nanos"]))
        for row in await rows_of(database, "ledger_entry", account_id)
    ]
