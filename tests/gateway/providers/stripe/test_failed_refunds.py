"""Refunds of Stripe that fail after their credit note: a second document cancels it."""

from itertools import permutations
from typing import Any

import pytest

from gateway.ids import encode_global_id
from gateway.providers.stripe.texts import instant_of
from gateway.store import Database
from gateway.store.engine.stored_json import loads
from tests.gateway.providers.stripe.test_payment import PAID, figures, tell
from tests.support.books import Books, usd
from tests.support.facts import rows_of
from tests.support.graph import PLATFORM, data_of
from tests.support.stripe import BEGIN, event, refund

Json = dict[str, Any]
FAILED = {"status": "failed", "failure_reason": "lost_or_stolen_card"}
SUCCESS = event("refund.created", refund(), at=86_401)
FAILURE = event("refund.failed", refund(**FAILED), at=172_800)
REFUNDS = """query($account: ID!) { account(id: $account) { creditPurchases { nodes { refunds {
    status total { amount } receipt { number total { amount } tax { amount } }
    cancellation { number issuedAt total { amount } tax { amount } downloadUrl } } } } } }"""


@pytest.fixture
async def books(database: Database) -> Books:
    return Books(database)


async def documents(books: Books, account_id: int) -> list[Json]:
    """Return an account's receipts by their numbers, with what they are printed from."""
    rows = await rows_of(books.database, "receipt", account_id)
    found = [row | {"data": loads(row["data"])} for row in rows]
    return sorted(found, key=lambda row: row["number"])


async def test_a_refund_that_fails_has_two_documents_in_any_order(books: Books) -> None:
    stale = event("charge.refund.updated", refund(), at=86_402)
    later = event("refund.updated", refund(**FAILED), at=172_800)
    for number, order in enumerate(permutations([SUCCESS, FAILURE, stale])):
        other = await books.account(f"run-{number}")
        events = [_of(each, number) for each in (*PAID, *order, later)]
        await tell(books, *events, *events)
        (receipt, note, cancellation) = await documents(books, other)
        assert receipt["total_nanos"] == usd("119")
        assert (note["total_nanos"], note["tax_nanos"]) == (-usd("59.5"), -usd("9.5"))
        assert (cancellation["total_nanos"], cancellation["tax_nanos"]) == (usd("59.5"), usd("9.5"))
        assert cancellation["issued_at"] == instant_of(BEGIN + 172_800)
        assert cancellation["data"]["cancels"] == {
            "number": note["number"],
            "reason": "Lost or stolen card",
        }
        (row,) = await rows_of(books.database, "refund", other)
        assert (row["status"], row["settled_at"]) == ("FAILED", None)
    await figures_of_all(books)


def _of(one: Json, number: int) -> Json:
    """Return the same event of a payment of another account."""
    subject = dict(one["data"]["object"])
    payment = f"pi_run_{number}"
    if subject["object"] == "payment_intent":
        subject["id"] = payment
    else:
        subject |= {"payment_intent": payment, "id": f"{subject['id']}_{number}"}
    if subject["object"] != "refund":
        subject["metadata"] = subject["metadata"] | {"account": f"run-{number}"}
    return one | {"id": f"{one['id']}_{number}", "data": {"object": subject}}


async def figures_of_all(books: Books) -> None:
    """Check that nothing was taken back from any purchase."""
    rows = await rows_of_all(books)
    assert {(row["status"], row["refunded_nanos"]) for row in rows} == {("SUCCEEDED", 0)}


async def rows_of_all(books: Books) -> list[Json]:
    found = []
    for number in range(6):
        account_id = await books.account(f"run-{number}")
        found += await rows_of(books.database, "credit_purchase", account_id)
    return found


async def test_the_graph_names_both_documents(books: Books) -> None:
    account_id = await books.account("acme")
    await tell(books, *PAID, SUCCESS, FAILURE)
    variables = {"account": encode_global_id("Account", account_id)}
    data = await data_of(books.database, PLATFORM, REFUNDS, variables)
    ((found,),) = (each["refunds"] for each in data["account"]["creditPurchases"]["nodes"])
    note, cancellation = found["receipt"], found["cancellation"]
    assert (found["status"], found["total"]["amount"]) == ("FAILED", "59.50")
    assert (note["total"]["amount"], note["tax"]["amount"]) == ("-59.50", "-9.50")
    assert (cancellation["total"]["amount"], cancellation["tax"]["amount"]) == ("59.50", "9.50")
    assert f"/receipts/{cancellation['number']}.pdf?" in cancellation["downloadUrl"]
    prefix = note["number"][:9]
    assert [note["number"], cancellation["number"]] == [
        f"{prefix}2026-000002",
        f"{prefix}2026-000003",
    ]


async def test_a_refund_that_is_canceled_after_it_succeeded_is_one_that_failed(
    books: Books,
) -> None:
    account_id = await books.account("acme")
    await tell(books, *PAID, SUCCESS, event("refund.updated", refund(status="canceled"), at=90_000))
    _, note, cancellation = await documents(books, account_id)
    assert note["total_nanos"] + cancellation["total_nanos"] == 0
    # It fails as well, by another event: the credit note is canceled once.
    await tell(books, FAILURE)
    assert len(await documents(books, account_id)) == 3
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)


async def test_the_bonus_comes_back_with_what_cancels_its_credit_note(books: Books) -> None:
    account_id = await books.account("acme")
    whole = {"amount": 11_900}
    await tell(books, *PAID, event("refund.created", refund(**whole), at=86_401))
    assert await figures(books, account_id) == ("REFUNDED", usd("100"), usd("10"))
    await tell(books, event("refund.failed", refund(**whole, **FAILED), at=172_800))
    assert await figures(books, account_id) == ("SUCCEEDED", 0, 0)
    lines = [each["data"]["lines"] for each in (await documents(books, account_id))[1:]]
    assert lines == [
        [{"kind": "refund", "amount": "-100.00"}, {"kind": "bonus", "amount": "-10.00"}],
        [{"kind": "refund", "amount": "100.00"}, {"kind": "bonus", "amount": "10.00"}],
    ]


async def test_a_refund_that_never_succeeded_has_no_document(books: Books) -> None:
    account_id = await books.account("acme")
    pending = event("refund.created", refund(status="pending"), at=86_401)
    await tell(books, *PAID, pending, FAILURE)
    assert len(await documents(books, account_id)) == 1


@pytest.mark.parametrize("expanded", [True, False])
async def test_a_list_says_when_by_the_money_that_came_back(books: Books, expanded: bool) -> None:
    account_id = await books.account("acme")
    returned = {"id": "txn_9", "created": BEGIN + 150_000} if expanded else "txn_9"
    failed = refund(**FAILED, failure_balance_transaction=returned)
    listed = event("refund.updated", failed, at=86_400, event_id="backfill_1")
    await tell(books, *PAID, SUCCESS, listed)
    cancellation = (await documents(books, account_id))[-1]
    known = instant_of(BEGIN + 150_000) if expanded else books.clock.now()
    assert cancellation["issued_at"] == known
    # What was issued stays.
    await tell(books, FAILURE)
    assert (await documents(books, account_id))[-1] == cancellation


async def test_a_failure_of_another_year_is_numbered_in_that(books: Books) -> None:
    account_id = await books.account("acme", time_zone="Asia/Kathmandu")
    # The last evening of 2026 in UTC.
    evening = 48 * 86_400 + 7 * 3_600
    await tell(books, *PAID, SUCCESS, event("refund.failed", refund(**FAILED), at=evening))
    numbers = [each["number"][9:] for each in await documents(books, account_id)]
    assert numbers == ["2026-000001", "2026-000002", "2027-000001"]
