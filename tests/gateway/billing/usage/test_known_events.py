"""Batches in which all events are expected to be new."""

from typing import Any

import pytest

from gateway.billing.usage.ingestion import ItemCode, MeteredItem
from gateway.billing.usage.recording import SAMPLE, record_usage
from gateway.errors import AlreadyRecorded
from gateway.store.engine.write import PIECE
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import Books
from tests.support.invariants import check_books
from tests.support.metered import send
from tests.support.tables import table_rows

MANY = 2 * PIECE
UNSAMPLED = MANY // SAMPLE // 2
"""The place of an event that no sample has, nor the next one."""


def item(position: int, event_id: str, **changes: Any) -> MeteredItem:
    return MeteredItem(position, "acme", "USD", event(0, event_id, **changes), None)


async def test_a_known_event_amid_new_ones_is_found(books: Books) -> None:
    await books.account("acme")
    names = [f"e{number}" for number in range(MANY)]
    await send(books, [item(0, names[UNSAMPLED]), item(1, names[UNSAMPLED + 1])])
    items = [item(position, name) for position, name in enumerate(names)]
    items[UNSAMPLED + 1] = item(UNSAMPLED + 1, names[UNSAMPLED + 1], amount=7)
    items.append(item(MANY, names[3]))  # twice in the batch
    items.append(item(MANY + 1, "last"))
    result = await send(books, items)
    assert (result.accepted, result.duplicates) == (MANY - 1, 2)
    assert [(each.position, each.code) for each in result.rejected] == [
        (UNSAMPLED + 1, ItemCode.CONFLICT)
    ]
    entries = await table_rows(books.database, "ledger_entry")
    assert [each["version"] for each in entries] == [1, 2]
    assert len(await table_rows(books.database, "usage_event")) == MANY + 1
    await check_books(books.database)


async def test_a_batch_again_is_known_by_its_sample(books: Books) -> None:
    account_id = await books.account("acme")
    batch = [event(account_id, f"e{number}") for number in range(MANY)]
    async with books.open([account_id]) as book:
        assert (await record_usage(book, batch, expects_new=True)).accepted == MANY
    async with books.open([account_id]) as book:
        again = await record_usage(book, [*batch, event(account_id, "new")], expects_new=True)
    assert (again.accepted, again.duplicates) == (1, MANY)


async def test_a_known_event_that_was_expected_new_ends_the_transaction(books: Books) -> None:
    account_id = await books.account("acme")
    async with books.open([account_id]) as book:
        await record_usage(book, [event(account_id, f"e{UNSAMPLED}")])
    batch = [event(account_id, f"e{number}") for number in range(MANY)]
    with pytest.raises(AlreadyRecorded):
        async with books.open([account_id]) as book:
            await record_usage(book, batch, expects_new=True)
    assert len(await table_rows(books.database, "usage_event")) == 1
    await check_books(books.database)
