"""Things that providers do, one at a time: every version, in any order, and as lists show them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from gateway.store import Database
from tests.support.books import usd
from tests.support.histories.delivery import WAYS
from tests.support.histories.examples import (
    DAY,
    attempt,
    authorized,
    disputed,
    invoice_in_parts,
    payment,
    refunded,
    story,
)
from tests.support.histories.shapes import instant
from tests.support.histories.story import BASIL, VERSIONS, Story
from tests.support.histories.trial import try_stories
from tests.support.tables import table_rows

Rows = list[dict[str, Any]]
Tell = Callable[..., Any]
SHORTLY = [way for way in WAYS if way.name in {"in order", "any order", "lists"}]
STATED = VERSIONS[1:]


@pytest.fixture
def tell(database: Database, database_url: str, request: pytest.FixtureRequest) -> Tell:
    """Tell a story of each version in several ways; return all purchases."""
    kind = request.node.callspec.params["database_url"]

    async def told(make: Callable[[str], Story], versions: Sequence[str] = STATED) -> Rows:
        for version in versions:
            one = [make(version)]
            assert await try_stories(database, database_url, kind, one, Random(1), SHORTLY) == []
        return await table_rows(database, "credit_purchase")

    return told


def figures(rows: Rows) -> set[tuple[str, int, int]]:
    """Return what the purchases are: status, what is left of the credit, and the tax."""
    return {
        (row["status"], row["amount_nanos"] - row["refunded_nanos"], row["tax_nanos"])
        for row in rows
    }


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(instant(seconds), UTC)


async def test_an_invoice_paid_in_parts_is_divided(tell: Tell) -> None:
    newer = [version for version in STATED if version >= BASIL]
    rows = await tell(lambda version: invoice_in_parts(version, 6_000, 5_900), newer)
    assert figures(rows) == {
        ("SUCCEEDED", usd("50.42"), usd("9.58")),
        ("SUCCEEDED", usd("49.58"), usd("9.42")),
    }
    assert usd("50.42") + usd("49.58") == usd("100")


async def test_an_invoice_paid_at_once_has_its_whole_tax(tell: Tell) -> None:
    rows = await tell(lambda version: invoice_in_parts(version, 11_900))
    assert figures(rows) == {("SUCCEEDED", usd("100"), usd("19"))}


async def test_a_part_smaller_than_the_tax_is_booked(tell: Tell) -> None:
    newer = [version for version in STATED if version >= BASIL]
    rows = await tell(lambda version: invoice_in_parts(version, 900, 11_000), newer)
    assert figures(rows) == {
        ("SUCCEEDED", usd("7.56"), usd("1.44")),
        ("SUCCEEDED", usd("92.44"), usd("17.56")),
    }


async def test_a_balance_at_the_provider_pays_its_share_of_tax(tell: Tell) -> None:
    rows = await tell(lambda version: invoice_in_parts(version, 10_000, balance=1_900))
    assert figures(rows) == {("SUCCEEDED", usd("84.03"), usd("15.97"))}


async def test_a_partial_capture_is_no_refund(tell: Tell, database: Database) -> None:
    rows = await tell(lambda version: story(version, authorized(20_675, (20_300, True))))
    assert figures(rows) == {("SUCCEEDED", usd("203"), 0)}
    assert {row["settled_at"] for row in rows} == {at(DAY)}
    assert await table_rows(database, "refund") == []
    assert {row["total_nanos"] for row in await table_rows(database, "receipt")} == {usd("203")}


async def test_a_released_rest_may_exceed_what_was_captured(tell: Tell) -> None:
    rows = await tell(lambda version: story(version, authorized(10_000, (3_000, True))))
    assert figures(rows) == {("SUCCEEDED", usd("30"), 0)}


@pytest.mark.parametrize("later", [3, DAY])
async def test_a_refund_that_looks_like_a_release_is_one(tell: Tell, later: int) -> None:
    back = replace(refunded(375, "succeeded", at=DAY + later), reason=None)
    rows = await tell(
        lambda version: story(version, authorized(20_675, (20_300, True), refunds=(back,)))
    )
    assert figures(rows) == {("PARTIALLY_REFUNDED", usd("199.25"), 0)}


async def test_several_captures_settle_with_their_sum(tell: Tell) -> None:
    rows = await tell(
        lambda version: story(version, authorized(10_000, (3_000, False), (7_000, True)))
    )
    assert figures(rows) == {("SUCCEEDED", usd("100"), 0)}
    assert {row["settled_at"] for row in rows} <= {at(DAY), at(2 * DAY)}


async def test_captures_before_the_last_one_settle_nothing(tell: Tell) -> None:
    rows = await tell(lambda version: story(version, authorized(10_000, (3_000, False))))
    assert figures(rows) == {("PENDING", usd("100"), 0)}


async def test_a_refund_and_a_partly_returned_dispute_take_all(tell: Tell) -> None:
    one = payment(
        refunds=(refunded(5_000, "succeeded"),),
        disputes=(disputed(11_900, (2, "lost", -11_900), (3, "lost", 5_000)),),
    )
    rows = await tell(lambda version: story(version, one))
    assert figures(rows) == {("REFUNDED", 0, usd("19"))}


async def test_a_refund_that_fails_after_success_is_canceled_on_paper(
    tell: Tell, database: Database
) -> None:
    one = payment(refunds=(refunded(5_950, "succeeded", "failed"),))
    rows = await tell(lambda version: story(version, one))
    assert figures(rows) == {("SUCCEEDED", usd("100"), usd("19"))}
    documents = [row["total_nanos"] for row in await table_rows(database, "receipt")]
    assert set(documents) == {usd("119"), usd("-59.5"), usd("59.5")}
    assert documents.count(usd("59.5")) == documents.count(usd("-59.5"))


async def test_a_bank_debit_settles_when_it_succeeds(tell: Tell) -> None:
    debit = attempt(method="us_bank_account", processing_at=0, ended_at=4 * DAY)
    rows = await tell(lambda version: story(version, payment(debit)))
    assert figures(rows) == {("SUCCEEDED", usd("100"), usd("19"))}
    assert {(row["created_at"], row["settled_at"]) for row in rows} == {(at(0), at(4 * DAY))}


async def test_a_charge_alone_settles_when_it_is_captured(tell: Tell) -> None:
    rows = await tell(
        lambda version: story(version, authorized(20_675, (20_300, True), intent=False))
    )
    assert figures(rows) == {("SUCCEEDED", usd("203"), 0)}
    assert {row["settled_at"] for row in rows} == {at(DAY)}


@pytest.mark.parametrize("intent", [True, False])
async def test_a_canceled_authorization_is_not_kept_waiting(
    tell: Tell, database: Database, intent: bool
) -> None:
    # Since then, no list says that a charge without a PaymentIntent was given up.
    versions = STATED if intent else [version for version in STATED if version < BASIL]
    rows = await tell(
        lambda version: story(version, authorized(10_000, canceled_at=DAY, intent=intent)),
        versions,
    )
    assert figures(rows) == {("CANCELED", usd("100"), 0)}
    stored = await table_rows(database, "webhook_event")
    assert "PARKED" not in {row["state"] for row in stored}


async def test_authenticated_and_processing_is_pending(tell: Tell) -> None:
    debit = attempt(
        method="sepa_debit", challenged_at=0, processing_at=60, ended_at=None, outcome="open"
    )
    rows = await tell(lambda version: story(version, payment(debit)))
    assert figures(rows) == {("PENDING", usd("100"), usd("19"))}


async def test_another_attempt_shows_its_own_terms(tell: Tell) -> None:
    failed = attempt(outcome="failed")
    waiting = attempt(5_950, 950, challenged_at=DAY, ended_at=None, outcome="open")
    rows = await tell(lambda version: story(version, payment(failed, waiting)))
    assert figures(rows) == {("REQUIRES_ACTION", usd("50"), usd("9.5"))}


async def test_another_attempt_in_processing_is_pending(tell: Tell) -> None:
    failed = attempt(outcome="failed")
    debit = attempt(
        5_950, 950, method="sepa_debit", processing_at=DAY, ended_at=None, outcome="open"
    )
    rows = await tell(lambda version: story(version, payment(failed, debit)))
    assert figures(rows) == {("PENDING", usd("50"), usd("9.5"))}


async def test_a_dispute_follows_each_of_its_moves(tell: Tell) -> None:
    moves = (
        (1, "needs_response", -11_900),
        (2, "under_review", 11_900),
        (3, "lost", -11_900),
        (4, "won", 11_900),
    )
    rows = await tell(lambda version: story(version, payment(disputes=(disputed(11_900, *moves),))))
    assert figures(rows) == {("SUCCEEDED", usd("100"), usd("19"))}


async def test_lost_and_partly_returned_at_once_adds_up(tell: Tell) -> None:
    moves = ((1, "needs_response", -11_900), (2, "lost", 0), (2, "lost", 5_950))
    rows = await tell(lambda version: story(version, payment(disputes=(disputed(11_900, *moves),))))
    assert figures(rows) == {("PARTIALLY_REFUNDED", usd("50"), usd("19"))}


async def test_a_dispute_in_another_currency_takes_the_charge(tell: Tell) -> None:
    lost = disputed(11_900, (1, "lost", -11_900), rates=("1.0837", "1.0837"))
    rows = await tell(lambda version: story(version, payment(disputes=(lost,))))
    assert figures(rows) == {("REFUNDED", 0, usd("19"))}
