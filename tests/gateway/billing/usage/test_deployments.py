"""What events say of their deployments, in whatever order they arrive."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.billing.usage.deployments import (
    DeploymentFacts,
    DeploymentState,
    descriptions_in,
    first_described,
)
from gateway.billing.usage.recording import record_usage
from gateway.billing.usage.usage_record import UsageRecord
from gateway.instants import EARLIEST
from gateway.store.deployments import DeploymentRow
from tests.gateway.billing.usage.test_recording import MIDNIGHT, event
from tests.support.books import Books
from tests.support.tables import table_rows

Stated = tuple[UsageRecord, DeploymentFacts | None]

hours = st.integers(0, 5).map(lambda hour: EARLIEST + timedelta(hours=hour))
words = st.sampled_from([None, None, "a", "b"])


@st.composite
def stated(draw: st.DrawFn) -> Stated:
    start, lasted = draw(hours), draw(st.integers(0, 2))
    started, closed = draw(st.none() | hours), draw(st.none() | st.none() | hours)
    if started and closed and closed < started:
        started, closed = closed, started
    record = event(
        1,
        str(draw(st.integers())),
        provider=draw(words),
        gpu_model=None,
        started_at=start,
        ended_at=start + timedelta(hours=lasted),
        correction=draw(st.sampled_from([False, False, False, True])),
    )
    facts = DeploymentFacts(
        name=draw(words),
        provider=draw(words),
        memory_bytes=draw(st.none() | st.integers(0, 2)),
        started_at=started,
        closed_at=closed,
    )
    return record, draw(st.sampled_from([facts, facts, None]))


def row_of(*batches: list[Stated]) -> DeploymentRow:
    """Return a deployment's row after batches, one after another."""
    state: DeploymentState | None = None
    for batch in batches:
        [description] = descriptions_in(batch).values()
        if state is None:
            row = DeploymentRow(
                account_id=1,
                id=1,
                ordinal=0,
                external_id="box",
                spend_nanos=0,
                started_at=description.earliest,
                created_at=MIDNIGHT,
            )
            row = first_described(row, description)
        else:
            state.learn(description)
            row = state.row
        state = DeploymentState(row, changed=False)
    assert state is not None
    return state.row


@given(st.lists(stated(), min_size=1, max_size=8), st.data())
def test_any_order_and_any_batches_end_in_the_same_row(events: list[Stated], data: Any) -> None:
    shuffled = data.draw(st.permutations(events))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events) - 1)))) if events[1:] else []
    batches = [shuffled[i:j] for i, j in zip([0, *cuts], [*cuts, None], strict=True)]
    expected = row_of(events)
    assert row_of(*batches) == row_of(*([each] for each in events)) == expected
    closed_at, started_at = expected.closed_at, expected.started_at
    assert closed_at is None or closed_at >= started_at


@given(st.lists(stated(), min_size=1, max_size=8))
def test_each_fact_is_that_of_the_newest_statement(events: list[Stated]) -> None:
    row = row_of(events)
    for name in ("name", "memory_bytes"):
        found = [
            (record.started_at, record.ended_at, getattr(facts, name))
            for record, facts in events
            if facts is not None and getattr(facts, name) is not None
        ]
        assert getattr(row, name) == (max(found)[2] if found else None)
    usage = [(each.started_at, each.ended_at) for each, _ in events if not each.correction]
    closings = [
        (record.started_at, record.ended_at, facts.closed_at)
        for record, facts in events
        if facts is not None and facts.closed_at is not None
    ]
    closed_at = max(closings)[2] if closings else None
    runs_again = closed_at and usage and max(usage) > (closed_at, closed_at)
    assert row.closed_at == (None if runs_again else closed_at)


def at(hour: int) -> datetime:
    return MIDNIGHT + timedelta(hours=hour)


async def send(
    books: Books, account_id: int, hour: int, facts: DeploymentFacts, **more: Any
) -> Any:
    record = event(account_id, f"{hour}-{more}", started_at=at(hour), ended_at=at(hour + 1), **more)
    async with books.open([account_id]) as book:
        await record_usage(book, [record], [facts])
    [row] = await table_rows(books.database, "deployment")
    return row


async def test_usage_after_its_closing_opens_a_deployment_again(books: Books) -> None:
    account_id = await books.account("acme")
    row = await send(books, account_id, 2, DeploymentFacts(closed_at=at(3)))
    assert row["closed_at"] == at(3)
    # Before the closing, and astride it: closed as before.
    row = await send(books, account_id, 1, DeploymentFacts())
    assert row["closed_at"] == at(3)
    # A correction is no usage.
    row = await send(books, account_id, 5, DeploymentFacts(), correction=True)
    assert row["closed_at"] == at(3)
    row = await send(books, account_id, 3, DeploymentFacts())
    assert row["closed_at"] is None
    # The old closing, said once more by a late event, closes nothing.
    row = await send(books, account_id, 0, DeploymentFacts(closed_at=at(3)))
    assert row["closed_at"] is None
    row = await send(books, account_id, 7, DeploymentFacts(closed_at=at(8)))
    assert row["closed_at"] == at(8)


async def test_a_late_event_s_older_name_replaces_no_newer_one(books: Books) -> None:
    account_id = await books.account("acme")
    new = DeploymentFacts(name="new", provider="north", region="eu-2")
    old = DeploymentFacts(name="old", provider="south", region="eu-1", gpu_model="h100")
    await send(books, account_id, 5, new)
    row = await send(books, account_id, 1, old)
    assert [row[name] for name in ("name", "provider", "region")] == ["new", "north", "eu-2"]
    # What the newer one does not say is taken from the older one.
    assert row["gpu_model"] == "h100"
    assert row["started_at"] == at(1)
    row = await send(books, account_id, 6, old)
    assert [row[name] for name in ("name", "provider", "region")] == ["old", "south", "eu-1"]


async def test_a_batch_s_newest_statement_counts_wherever_it_stands(books: Books) -> None:
    account_id = await books.account("acme")
    names = {2: "second", 3: "third", 1: "first"}
    records = [
        event(account_id, name, started_at=at(hour), ended_at=at(hour + 1))
        for hour, name in names.items()
    ]
    async with books.open([account_id]) as book:
        await record_usage(book, records, [DeploymentFacts(name=name) for name in names.values()])
    [row] = await table_rows(books.database, "deployment")
    assert (row["name"], row["started_at"], row["last_used_at"]) == ("third", at(1), at(3))


def test_instants_are_utc() -> None:
    record = event(1, "1", started_at=EARLIEST, ended_at=EARLIEST)
    row = row_of([(record, DeploymentFacts(closed_at=EARLIEST))])
    assert row.closed_at
    assert row.closed_at.tzinfo is row.started_at.tzinfo is UTC
