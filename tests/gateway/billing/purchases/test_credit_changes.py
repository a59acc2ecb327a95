"""The billed changes of a purchase and its ledger entries: the same sum at every instant."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hypothesis import given

from gateway.billing.purchases.credit_changes import ChangeReason, credit_changes_of
from gateway.billing.purchases.dispute_state import DisputeState
from gateway.billing.purchases.purchase_state import RefundState
from gateway.billing.purchases.reversals import Replay
from gateway.models import RefundStatus
from tests.gateway.billing.purchases.test_reversals import (
    BONUS,
    disputes,
    refunds,
    settled_purchase,
)

NO_DOCUMENTS = {
    "receipt_number": None,
    "receipt_seller_id": None,
    "cancellation_number": None,
    "cancellation_seller_id": None,
}


def row_of(
    given_back: Sequence[RefundState], objections: Sequence[DisputeState], reversed_by: int | None
) -> dict[str, Any]:
    """Return a settled purchase as exports read it."""

    def cells(state: RefundState | DisputeState) -> dict[str, Any]:
        return dict(zip(state.columns(), state.cells(), strict=True))

    purchase = settled_purchase()
    columns = dict(zip(purchase.columns(), purchase.cells(), strict=True))
    return {
        **columns,
        **NO_DOCUMENTS,
        "bonus_reversed_nanos": 0 if reversed_by is None else BONUS,
        "refunds": [
            cells(each)
            | NO_DOCUMENTS
            | {
                "settled_at": each.created_at if each.status == RefundStatus.SUCCEEDED else None,
                "bonus_reversed_nanos": BONUS if each.id == reversed_by else 0,
            }
            for each in given_back
        ],
        "disputes": [
            cells(each)
            | {
                "movements": [
                    {"amount_nanos": amount, "moved_at": at}
                    for amount, at in each.movements.values()
                ]
            }
            for each in objections
        ],
    }


@given(refunds(), disputes())
def test_changes_are_the_ledgers_entries_at_every_instant(
    given_back: list[RefundState], objections: list[DisputeState]
) -> None:
    replay = Replay(settled_purchase(), given_back, objections)
    booked: defaultdict[datetime, int] = defaultdict(int)
    for source, amount in replay.entries.items():
        booked[source.at] += amount
    billed: defaultdict[datetime, int] = defaultdict(int)
    row: Any = row_of(given_back, objections, replay.bonus_reversed_by)
    for change in credit_changes_of(row, row["settled_at"]):
        if change.reason is not ChangeReason.CREDIT:
            billed[change.at] += change.amount + change.bonus
    assert {at: sum_ for at, sum_ in billed.items() if sum_} == {
        at: sum_ for at, sum_ in booked.items() if sum_
    }
