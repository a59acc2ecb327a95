"""Replaying what was taken back from a purchase: pure, whatever the order."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.billing.reversals import Replay
from gateway.billing.states import DisputeState, PurchaseState, RefundState
from gateway.errors import BadUserInput
from gateway.models import DisputeStatus, RefundStatus

START = datetime(2026, 3, 1, tzinfo=UTC)
AMOUNT = 100
BONUS = 7
days = st.integers(0, 20).map(lambda days: START + timedelta(days=days))


def settled_purchase() -> PurchaseState:
    return PurchaseState(
        account_id=1,
        id=1,
        kind="CARD",
        currency="USD",
        amount_nanos=AMOUNT,
        bonus_nanos=BONUS,
        created_at=START,
        settled_at=START,
    )


@st.composite
def refunds(draw: st.DrawFn) -> list[RefundState]:
    """Return refunds of which those that succeeded are not more than the purchase."""
    left, found = AMOUNT, []
    for number in range(draw(st.integers(0, 4))):
        status = draw(st.sampled_from(RefundStatus))
        amount = draw(st.integers(1, AMOUNT))
        if status == RefundStatus.SUCCEEDED:
            amount = min(amount, left)
            left -= amount
        if amount:
            found.append(
                RefundState(
                    account_id=1,
                    id=10 + number,
                    purchase_id=1,
                    status=status,
                    currency="USD",
                    amount_nanos=amount,
                    created_at=draw(days),
                )
            )
    return found


@st.composite
def disputes(draw: st.DrawFn) -> list[DisputeState]:
    found = []
    for number in range(draw(st.integers(0, 3))):
        state = draw(st.sampled_from(DisputeStatus))
        found.append(
            DisputeState(
                account_id=1,
                id=20 + number,
                purchase_id=1,
                state=state,
                amount_nanos=draw(st.integers(1, 2 * AMOUNT)),
                created_at=START,
                withdrawn_at=draw(st.none() | days),
                closed_at=None if state == DisputeStatus.OPEN else draw(days),
            )
        )
    return found


@given(refunds(), disputes(), st.randoms(use_true_random=False))
def test_entries_are_what_was_taken_in_whatever_order_facts_stand(
    given_back: list[RefundState], objections: list[DisputeState], random: Random
) -> None:
    replay = Replay(settled_purchase(), given_back, objections)
    refunded = sum(r.amount_nanos for r in given_back if r.status == RefundStatus.SUCCEEDED)
    kept = sum(held for key, held in replay.held.items() if key not in replay.won)
    bonus = 0 if replay.bonus_reversed_by is None else BONUS
    assert AMOUNT - replay.left == refunded + kept
    assert replay.left >= 0
    assert 0 <= replay.disputed <= kept
    assert sum(replay.entries.values()) == -(refunded + kept) - bonus
    assert (replay.bonus_reversed_by is not None) == (not replay.left and not replay.disputed)

    random.shuffle(given_back)
    random.shuffle(objections)
    again = Replay(settled_purchase(), given_back, objections)
    assert (again.entries, again.left, again.held) == (replay.entries, replay.left, replay.held)


def refund(amount: int, number: int = 10, day: int = 1) -> RefundState:
    return RefundState(
        account_id=1,
        id=number,
        purchase_id=1,
        status=RefundStatus.SUCCEEDED,
        currency="USD",
        amount_nanos=amount,
        created_at=START + timedelta(days=day),
    )


def test_more_refunds_than_the_purchase_are_refused() -> None:
    with pytest.raises(BadUserInput, match="cannot be more"):
        Replay(settled_purchase(), [refund(60), refund(41, 11)], [])


def test_an_unsettled_purchase_has_nothing_to_take_back() -> None:
    purchase = settled_purchase()
    purchase.settled_at = None
    replay = Replay(purchase, [refund(60)], [])
    assert (replay.entries, replay.left) == ({}, AMOUNT)


def test_a_dispute_gives_way_to_a_refund_that_comes_after_it() -> None:
    objection = DisputeState(
        account_id=1,
        id=20,
        purchase_id=1,
        amount_nanos=90,
        created_at=START,
        withdrawn_at=START,
    )
    replay = Replay(settled_purchase(), [refund(30)], [objection])
    assert [(source.key, amount) for source, amount in replay.entries.items()] == [
        ("dispute:20", -90),
        ("refund:10", -30),
        ("dispute-release:20:10", 20),
    ]
    assert (replay.left, replay.disputed) == (0, 70)
