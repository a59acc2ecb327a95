"""What roll-ups refuse to add."""

import pytest

from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.errors import BadUserInput
from gateway.money import MAX_NANOS, OUT_OF_RANGE
from gateway.store import Database
from tests.gateway.billing.usage.test_recording import event
from tests.support.books import Books
from tests.support.invariants import check_books
from tests.support.tables import all_rows


@pytest.mark.parametrize("sign", [1, -1])
async def test_a_breakdown_that_would_not_fit_is_refused_with_its_batch(
    database: Database, sign: int
) -> None:
    """Its day fits, because another resource's correction takes off what it adds."""
    books = Books(database)
    account_id = await books.account("acme")

    def of(event_id: str, resource: str, amount: int) -> UsageRecord:
        said = {"deployment": None, "resource": resource, "amount": amount}
        return event(account_id, event_id, correction=amount < 0, **said)

    async def record(*events: UsageRecord) -> None:
        async with books.open([account_id]) as book:
            await record_usage(book, events)

    await record(of("1", "CPU", sign * MAX_NANOS))
    await record(of("2", "GPU", -sign * MAX_NANOS))
    before = await all_rows(database)
    with pytest.raises(BadUserInput) as refused:
        await record(of("3", "CPU", sign * 2), of("4", "MEMORY", 5))
    assert refused.value.message == OUT_OF_RANGE
    assert await all_rows(database) == before
    await record(of("3", "CPU", -sign * 2), of("4", "MEMORY", 5))
    await check_books(database)
