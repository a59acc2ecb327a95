"""What moved a settled purchase's credit, as it is billed: given, refunded, disputed, given back.

Refunds follow their documents, which last, and disputes the same replay as the ledger. So the sum
of the movements is what the ledger says, and each document's movement is what it prints. Pure.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from gateway.billing.purchases.holds import Holds, Moves, Refunded, Terms
from gateway.billing.purchases.receipts import read_sums
from gateway.money import pro_rata
from gateway.store import Row


class MovementKind(StrEnum):
    """Why credit moved."""

    CREDIT = "CREDIT"
    REFUND = "REFUND"
    REFUND_FAILED = "REFUND_FAILED"
    DISPUTE = "DISPUTE"
    DISPUTE_RETURNED = "DISPUTE_RETURNED"


class MovementDocument(NamedTuple):
    """The document of a movement, and the version of the seller's details that it names."""

    number: str
    seller_id: int | None


class PurchaseMovement(NamedTuple):
    """Credit that came or, negative, went, with the tax on it and the bonus; nanos."""

    kind: MovementKind
    at: datetime
    amount: int
    tax: int = 0
    bonus: int = 0
    document: MovementDocument | None = None


def movements_of(purchase: Row) -> Iterator[PurchaseMovement]:
    """Yield a settled purchase's credit, then what was taken back and given again.

    `purchase` is a row of `store.exports.purchases`, with its `refunds` and `disputes`.
    """
    yield PurchaseMovement(
        MovementKind.CREDIT,
        purchase["settled_at"],
        purchase["amount_nanos"],
        purchase["tax_nanos"],
        purchase["bonus_nanos"],
        _document(purchase, "receipt"),
    )
    yield from _refunded(purchase["refunds"])
    if purchase["disputes"]:
        yield from _disputed(purchase)


def _document(row: Row, name: str) -> MovementDocument | None:
    number = row[f"{name}_number"]
    return MovementDocument(number, row[f"{name}_seller_id"]) if number else None


def _refunded(refunds: Sequence[Row]) -> Iterator[PurchaseMovement]:
    """Yield what each credit note says, and what cancels it where its refund failed.

    The bonus need not be on the note of the refund that it went with, nor on what cancels that: it
    is compared in sum.
    """
    bonus, instants = 0, []
    for refund in refunds:
        effect = _effect(refund)
        moves = [*_documented(refund)] or [effect]
        yield from moves
        bonus += effect.bonus - sum(each.bonus for each in moves)
        instants += [each.at for each in moves]
    if bonus:
        kind = MovementKind.REFUND_FAILED if bonus > 0 else MovementKind.REFUND
        yield PurchaseMovement(kind, max(instants), amount=0, bonus=bonus)


def _effect(refund: Row) -> PurchaseMovement:
    """Return what a refund takes by the ledger now: nothing, where it failed."""
    takes = -1 if refund["settled_at"] is not None else 0
    return PurchaseMovement(
        MovementKind.REFUND,
        refund["created_at"],
        amount=takes * refund["amount_nanos"],
        tax=takes * refund["tax_nanos"],
        bonus=takes * refund["bonus_reversed_nanos"],
    )


def _documented(refund: Row) -> Iterator[PurchaseMovement]:
    """Yield what a refund's documents say, from the data that they are printed from."""
    kinds = {"receipt": MovementKind.REFUND, "cancellation": MovementKind.REFUND_FAILED}
    for name, kind in kinds.items():
        if document := _document(refund, name):
            sums = read_sums(refund[f"{name}_data"])
            yield PurchaseMovement(kind, refund[f"{name}_issued_at"], *sums, document)


def _disputed(purchase: Row) -> Iterator[PurchaseMovement]:
    """Yield what disputes took and gave back, oldest first, with what that changes of the tax."""
    refunds = [each for each in purchase["refunds"] if each["settled_at"] is not None]
    terms = Terms(purchase["amount_nanos"], purchase["tax_nanos"], purchase["currency"])
    holds = Holds(terms, [_moves_of(each) for each in purchase["disputes"]])
    tax_with, held, gone_since = _tax_beside_refunds(terms, refunds), 0, None
    for step in holds.steps([_refund_of(each) for each in refunds]):
        taken, gone_since = step.held - held, step.gone_since
        kind = MovementKind.DISPUTE if taken > 0 else MovementKind.DISPUTE_RETURNED
        yield PurchaseMovement(kind, step.at, -taken, tax_with(held) - tax_with(step.held))
        held = step.held
    # What no refund took of the bonus went with the dispute that took the last of the money.
    by_refunds = sum(each["bonus_reversed_nanos"] for each in purchase["refunds"])
    if gone_since is not None:
        bonus = by_refunds - purchase["bonus_reversed_nanos"]
        yield PurchaseMovement(MovementKind.DISPUTE, gone_since, amount=0, bonus=bonus)


def _refund_of(refund: Row) -> Refunded:
    return Refunded(refund["id"], refund["created_at"], refund["amount_nanos"], _name(refund))


def _moves_of(dispute: Row) -> Moves:
    moves = [(each["moved_at"], each["amount_nanos"]) for each in dispute["movements"]]
    return Moves(dispute["id"], dispute["created_at"], _name(dispute), moves)


def _name(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["provider"] or "", row["provider_reference"] or "", row["id"]


def _tax_beside_refunds(terms: Terms, refunds: Sequence[Row]) -> Callable[[int], int]:
    """Return a function that gives the tax on a part of the credit that disputes hold.

    Refunds keep the tax of their credit notes, so disputes share the rest: with the whole rest of
    the credit goes the whole rest of the tax.
    """
    amount = terms.amount - sum(each["amount_nanos"] for each in refunds)
    tax = terms.tax - sum(each["tax_nanos"] for each in refunds)
    if not amount:
        # Disputes hold nothing now; what they held before the refunds came had its plain share.
        amount, tax = terms.amount, terms.tax
    return lambda held: pro_rata(held, amount, tax)
