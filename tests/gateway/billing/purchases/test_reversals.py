"""Replaying what was taken back from a purchase: pure, whatever the order."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.billing.purchases.dispute_state import DisputeState, Movement
from gateway.billing.purchases.holds import PurchaseTerms
from gateway.billing.purchases.purchase_state import PurchaseState, RefundState
from gateway.billing.purchases.reversals import Replay
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
        moves = draw(st.lists(st.tuples(st.integers(-2 * AMOUNT, 2 * AMOUNT), days), max_size=4))
        found.append(
            DisputeState(
                account_id=1,
                id=20 + number,
                purchase_id=1,
                state=state,
                amount_nanos=AMOUNT,
                created_at=START,
                closed_at=None if state == DisputeStatus.OPEN else draw(days),
                movements={f"txn_{n}": Movement(*each) for n, each in enumerate(moves)},
            )
        )
    return found


def withdrawn(dispute: DisputeState) -> int:
    """Return the money that a dispute withdrew and did not return."""
    return max(-sum(each.amount for each in dispute.movements.values()), 0)


@given(refunds(), disputes(), st.randoms(use_true_random=False))
def test_entries_are_what_was_taken_in_whatever_order_facts_stand(
    given_back: list[RefundState], objections: list[DisputeState], random: Random
) -> None:
    replay = Replay(settled_purchase(), given_back, objections)
    refunded = sum(r.amount_nanos for r in given_back if r.status == RefundStatus.SUCCEEDED)
    kept = sum(replay.held.values())
    bonus = 0 if replay.bonus_reversed_by is None else BONUS
    assert kept == min(AMOUNT - refunded, sum(map(withdrawn, objections)))
    assert AMOUNT - replay.left == refunded + kept
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
    with pytest.raises(BadUserInput, match="must not exceed"):
        Replay(settled_purchase(), [refund(60), refund(41, 11)], [])


def test_an_unsettled_purchase_has_nothing_to_take_back() -> None:
    purchase = settled_purchase()
    purchase.settled_at = None
    replay = Replay(purchase, [refund(60)], [])
    assert (replay.entries, replay.left) == ({}, AMOUNT)


def objection(*moves: tuple[int, int], state: DisputeStatus = DisputeStatus.LOST) -> DisputeState:
    """Return a dispute that moved amounts on days."""
    at = {day: START + timedelta(days=day) for _, day in moves}
    return DisputeState(
        account_id=1,
        id=20,
        purchase_id=1,
        state=state,
        amount_nanos=AMOUNT,
        created_at=START,
        movements={f"txn_{n}": Movement(each, at[day]) for n, (each, day) in enumerate(moves)},
    )


def booked(replay: Replay) -> list[tuple[str, int, int]]:
    """Return causes, amounts and days of entries."""
    return [
        (source.cause, amount, (source.at - START).days)
        for source, amount in replay.entries.items()
    ]


def test_a_dispute_gives_way_to_a_refund_that_comes_after_it() -> None:
    open_one = objection((-90, 0), state=DisputeStatus.OPEN)
    replay = Replay(settled_purchase(), [refund(30)], [open_one])
    assert booked(replay) == [("DISPUTE", -90, 0), ("REFUND", -30, 1), ("DISPUTE", 20, 1)]
    assert [source.refund_id for source in replay.entries] == [None, 10, 10]
    assert (replay.left, replay.disputed) == (0, 70)


def test_movements_of_one_instant_count_together() -> None:
    replay = Replay(settled_purchase(), [], [objection((-100, 1), (-100, 2), (100, 2), (60, 2))])
    assert booked(replay) == [("DISPUTE", -100, 1), ("DISPUTE", 60, 2)]


def test_the_bonus_goes_with_the_last_money_that_is_gone_for_good() -> None:
    moves = ((-100, 1), (100, 2), (-60, 3))
    replay = Replay(settled_purchase(), [refund(40, day=5)], [objection(*moves)])
    assert booked(replay)[-2:] == [("REFUND", -40, 5), ("BONUS", -BONUS, 5)]
    assert replay.bonus_reversed_by == 10
    returned = objection(*moves, (1, 9))
    assert Replay(settled_purchase(), [refund(40, day=5)], [returned]).bonus_reversed_by is None


@pytest.mark.parametrize(("money", "credit"), [(11_900, 10_000), (6_900, 5_799), (1, 1), (0, 0)])
def test_disputed_money_is_credit_up_to_the_next_whole_minor_unit(money: int, credit: int) -> None:
    cent = 10**7
    terms = PurchaseTerms(10_000 * cent, 1_900 * cent, "USD")
    assert terms.credit_in(money * cent) == credit * cent
