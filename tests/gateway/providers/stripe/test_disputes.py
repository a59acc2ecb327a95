"""Disputes of Stripe: the sum of their balance transactions, in any order."""

import asyncio
from collections.abc import Sequence
from itertools import count, permutations
from random import Random
from typing import Any

import pytest

from gateway.providers.stripe.movements import Conversion, Move
from gateway.store import Database
from tests.gateway.providers.stripe.test_payment import PAID, figures, listed, move, tell
from tests.support.books import Books, usd
from tests.support.facts import rows_of, the_purchase
from tests.support.invariants import check_books
from tests.support.stripe import dispute, event, refund

Json = dict[str, Any]
numbers = count()
TAKEN = move(-11_900, 180_000)


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


def said(kind: str, at: int, status: str, *moves: Json, **changes: Any) -> Json:
    """Return an event of a dispute with what it moved by then."""
    subject = dispute(status=status, balance_transactions=list(moves), **changes)
    return event(f"charge.dispute.{kind}", subject, at=at)


PART = move(5_000, 600_000)
EARLY, LOST, WON = move(11_900, 200_000), move(-11_900, 500_000), move(11_900, 700_000)
SAME = [move(-11_900, 500_000), move(6_000, 500_000)]
HISTORIES: dict[str, tuple[list[Json], str, str]] = {
    "partly won after a refund": (
        [
            event("refund.created", refund(amount=5_000), at=86_401),
            said("created", 172_800, "needs_response"),
            said("funds_withdrawn", 180_001, "needs_response", TAKEN),
            said("closed", 500_000, "lost", TAKEN),
            said("funds_reinstated", 600_001, "lost", TAKEN, PART),
        ],
        "REFUNDED",
        "100",
    ),
    "returned early, then lost, then won": (
        [
            said("funds_withdrawn", 180_001, "needs_response", TAKEN),
            said("funds_reinstated", 200_001, "under_review", TAKEN, EARLY),
            said("closed", 500_001, "lost", TAKEN, EARLY, LOST),
            said("closed", 700_001, "won", TAKEN, EARLY, LOST, WON),
        ],
        "SUCCEEDED",
        "0",
    ),
    "returned early, then lost": (
        [
            said("funds_reinstated", 200_001, "under_review", TAKEN, EARLY),
            said("closed", 500_001, "lost", TAKEN, EARLY, LOST),
        ],
        "REFUNDED",
        "100",
    ),
    "lost and partly returned in one second": (
        [
            said("funds_withdrawn", 180_001, "needs_response", TAKEN),
            said("updated", 400_001, "under_review", TAKEN, move(11_900, 400_000)),
            said("closed", 500_000, "lost", TAKEN, move(11_900, 400_000), *SAME),
        ],
        "PARTIALLY_REFUNDED",
        "49.58",
    ),
    "an open one that holds a part": (
        [
            said("funds_withdrawn", 180_001, "needs_response", TAKEN),
            said("funds_reinstated", 200_001, "under_review", TAKEN, move(5_950, 200_000)),
        ],
        "DISPUTED",
        "50",
    ),
}


def named(one: Json, run: int) -> Json:
    """Return the same event of a run's own payment."""
    subject = dict(one["data"]["object"])
    payment = f"pi_run_{run}"
    subject |= {"id": payment} if subject["object"] == "payment_intent" else {}
    if subject["object"] != "payment_intent":
        subject |= {"payment_intent": payment, "id": f"{subject['id']}_{run}"}
    if "metadata" in subject and subject["object"] in {"payment_intent", "charge"}:
        subject |= {"metadata": subject["metadata"] | {"account": f"run-{run}"}}
    return one | {"id": f"{one['id']}_{run}", "data": {"object": subject}}


def orders(history: Sequence[Json]) -> list[list[Json]]:
    """Return the history in its order, and some others, each event twice in the last."""
    every = [list(order) for order in permutations([*PAID, *history])]
    chosen = [every[0], every[-1], *Random(7).sample(every, 6)]  # not a secret
    return [*chosen, [*every[-1], *every[0]]]


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_dispute_is_the_sum_of_what_it_moved_in_any_order(books: Books, name: str) -> None:
    history, status, refunded = HISTORIES[name]
    ends = []
    for order in orders(history):
        run = next(numbers)
        account_id = await books.account(f"run-{run}")
        await tell(books, *(named(each, run) for each in order))
        await check_books(books.database, account_id)
        row = await the_purchase(books.database, account_id)
        assert (row["status"], row["refunded_nanos"]) == (status, usd(refunded))
        days = await rows_of(books.database, "rollup_day", account_id)
        moved = [row for row in days if row["purchased_nanos"] or row["refunded_nanos"]]
        ends.append((row["bonus_reversed_nanos"], moved))
    assert all(each == ends[0] for each in ends)


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_list_ends_as_the_events_do(books: Books, name: str) -> None:
    history, status, refunded = HISTORIES[name]
    account_id = await books.account("acme")
    last = history[-1]["data"]["object"]
    before = [each for each in history if each["data"]["object"]["object"] == "refund"]
    await tell(books, *PAID, *before, listed(last))
    bonus = usd("10") if status == "REFUNDED" else 0
    assert await figures(books, account_id) == (status, usd(refunded), bonus)
    rows = await rows_of(books.database, "dispute", account_id)
    await tell(books, *history)
    assert await figures(books, account_id) == (status, usd(refunded), bonus)
    assert await rows_of(books.database, "dispute", account_id) == rows


async def test_four_deliverers_at_once_end_the_same(books: Books) -> None:
    history, status, refunded = HISTORIES["partly won after a refund"]
    account_id = await books.account("acme")
    events = [*PAID, *history]
    await asyncio.gather(
        *(tell(books, *events[start:], *events[:start], *events) for start in range(4))
    )
    assert await figures(books, account_id) == (status, usd(refunded), usd("10"))


async def test_an_inquiry_moves_no_money_whatever_it_shows(books: Books) -> None:
    account_id = await books.account("acme")
    await tell(books, *PAID, said("created", 172_801, "warning_needs_response", TAKEN))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    await tell(books, said("funds_withdrawn", 180_001, "needs_response", TAKEN))
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), 0)


async def test_two_disputes_of_one_charge_hold_their_sum(books: Books) -> None:
    account_id = await books.account("acme")
    first = move(-4_000, 180_000)
    second = [move(-7_900, 190_000), move(7_900, 300_000)]
    await tell(
        books,
        *PAID,
        said("closed", 250_000, "lost", first, amount=4_000),
        said("funds_withdrawn", 190_001, "needs_response", second[0], id="dp_2", amount=7_900),
    )
    assert await figures(books, account_id) == ("DISPUTED", usd("100"), 0)
    await tell(books, said("closed", 300_001, "won", *second, id="dp_2", amount=7_900))
    assert await figures(books, account_id) == ("PARTIALLY_REFUNDED", usd("33.62"), 0)


EUR = {"currency": "eur"}


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, TAKEN | {"id": None}),
        ({}, TAKEN | {"amount": "-11900"}),
        ({}, TAKEN | {"created": None}),
        ({}, TAKEN | EUR | {"exchange_rate": 0}),
        ({}, TAKEN | EUR | {"exchange_rate": "0.9"}),
        ({"amount": 0}, TAKEN | EUR | {"exchange_rate": 0.9}),
    ],
)
async def test_a_dispute_of_money_that_cannot_be_read_is_parked(
    books: Books, changes: Json, moved: Json
) -> None:
    account_id = await books.account("acme")
    malformed = said("closed", 500_000, "lost", moved, **changes)
    assert (await tell(books, *PAID, malformed))[-1] == "parked"
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


async def test_money_in_the_settlement_currency_is_converted_back(books: Books) -> None:
    account_id = await books.account("acme")
    taken = move(-10_948, 180_000, exchange_rate=0.92, **EUR)
    part = move(4_650, 600_000, exchange_rate=0.93, **EUR)
    await tell(books, *PAID, said("closed", 500_000, "lost", taken))
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    await tell(books, said("funds_reinstated", 600_001, "lost", taken, part))
    # 50.00 of 119.00 came back.
    assert await figures(books, account_id) == ("PARTIALLY_REFUNDED", usd("57.99"), 0)
    rest = move(6_486, 700_000, exchange_rate=0.94, **EUR)
    await tell(books, said("closed", 700_001, "won", taken, part, rest))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


@pytest.mark.parametrize(
    ("currency", "disputed", "movements", "money"),
    [
        # The same in the charge's smallest unit, though the settlement's cent is more than that.
        ("IDR", 100_000_000, [(-6_101, "usd", 0.000061)], [-100_000_000]),
        ("JPY", 10_000, [(-6_650, "usd", 0.665)], [-10_000]),
        ("JPY", 10_000, [(-6_650, "usd", 0.00665), (665, "usd", 0.00665)], [-10_000, 1_000]),
        ("KWD", 10_000, [(-3_250, "usd", 3.25), (1_625, "usd", 3.25)], [-10_000, 5_000]),
        ("USD", 11_900, [(-17_000, "jpy", 142.857), (-100, "jpy", None)], [-11_900, -70]),
        ("USD", 11_900, [(-10_000, "eur", None), (2_500, "eur", None)], [-11_900, 2_975]),
        ("USD", 11_900, [(-11_900, "usd", None), (0, "eur", 0.9)], [-11_900, 0]),
    ],
)
def test_a_conversion_is_by_rate_or_share(
    currency: str, disputed: int, movements: list[tuple[int, str, float | None]], money: list[int]
) -> None:
    unit = 10 ** {"IDR": 7, "JPY": 9, "KWD": 6, "USD": 7}[currency]
    moves = [
        Move.of(move(amount, n, currency=own, exchange_rate=rate), currency)
        for n, (amount, own, rate) in enumerate(movements)
    ]
    conversion = Conversion(moves, disputed * unit, currency)
    assert [conversion.money_of(each) for each in moves] == [each * unit for each in money]
