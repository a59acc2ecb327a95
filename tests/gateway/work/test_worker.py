"""Jobs are deferred, taken, tried again, and buried; on both databases."""

import asyncio
import time
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from gateway.errors import GatewayError, ServiceUnavailable
from gateway.store import Database, jobs
from gateway.work.jobs import Unrecoverable
from gateway.work.loops import Loops
from gateway.work.tasks import Tasks
from tests.support.books import ACTOR
from tests.support.jobs import (
    KEYS,
    NOTE,
    OUTBOX,
    SLOW,
    Note,
    Notes,
    at_rest,
    defer,
    done,
    eventually,
    pass_time,
    stored,
    worker,
)


async def test_a_job_runs_once_and_is_gone(database: Database) -> None:
    notes = Notes()
    await defer(database, "a", "b", "c", account_id=None)
    async with done(database, worker(database, notes.tasks())):
        pass
    assert sorted(notes.texts) == ["a", "b", "c"]
    assert {job.attempt for job in notes.ran} == {1}
    assert await stored(database) == []


async def test_a_job_of_a_rolled_back_transaction_never_runs(database: Database) -> None:
    notes = Notes()

    async def fail() -> None:
        async with database.writing(ACTOR) as transaction:
            await OUTBOX.defer(transaction, NOTE, Note(text="lost"))
            raise GatewayError("The business failed.")

    with pytest.raises(GatewayError):
        await fail()
    await defer(database, "kept")
    async with done(database, worker(database, notes.tasks())):
        pass
    assert notes.texts == ["kept"]


async def test_a_commit_wakes_the_worker_of_its_process(database: Database) -> None:
    notes = Notes()
    running = worker(database, notes.tasks(), poll_seconds=3_600)
    outbox = type(OUTBOX)(KEYS, running.wake)
    async with running.running():
        await asyncio.sleep(0.1)
        async with database.writing(ACTOR) as transaction:
            await outbox.defer(transaction, NOTE, Note(text="now"))
            await asyncio.sleep(0.05)
            assert notes.texts == []
        await eventually(lambda: notes.texts == ["now"])


async def test_a_delayed_job_is_taken_when_it_is_due(database: Database) -> None:
    notes = Notes()
    await defer(database, "later", delay_seconds=0.4)
    began = time.monotonic()
    async with worker(database, notes.tasks(), poll_seconds=3_600).running():
        await eventually(lambda: notes.texts == ["later"])
    assert time.monotonic() - began > 0.2


async def test_a_failed_job_is_tried_after_its_delays_then_dead(database: Database) -> None:
    notes = Notes(failing={"bad": GatewayError("The mail server refuses the address.")})
    await defer(database, "bad")
    for attempts, delay, state in ((1, 100, "WAITING"), (2, 1_000, "WAITING"), (3, 0, "DEAD")):
        async with done(database, worker(database, notes.tasks())):
            (row,) = await stored(database)
        assert (row["attempts"], row["state"]) == (attempts, state)
        assert row["reason"] == "The mail server refuses the address."
        wait = row["due_at"] - row["taken_at"]
        assert delay == 0 or timedelta() <= wait - timedelta(seconds=delay) < timedelta(seconds=60)
        await pass_time(database, delay + 1)
    assert [job.attempt for job in notes.ran] == [1, 2, 3]


async def test_unexpected_errors_name_their_class_alone(database: Database) -> None:
    notes = Notes(failing={"bad": ValueError("secret")})
    await defer(database, "bad")
    with capture_logs() as logs:
        async with done(database, worker(database, notes.tasks())):
            (row,) = await stored(database)
    assert row["reason"] == f"ValueError: the log explains it, job {row['id']}."
    assert any(line.get("exc_info") for line in logs)


async def test_an_unrecoverable_job_is_dead_at_once(database: Database) -> None:
    notes = Notes(failing={"gone": Unrecoverable("The address is gone.")})
    await defer(database, "gone")
    async with done(database, worker(database, notes.tasks())):
        (row,) = await stored(database)
    assert (row["state"], row["attempts"], row["reason"]) == ("DEAD", 1, "The address is gone.")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ('{"text": 7}', "text: Input should be a valid string."),
        ('{"text": "secret", "more": 1}', "more: Unexpected keyword argument."),
        (
            '{"text": "secret"',
            "JSON: Invalid JSON: EOF while parsing an object at line 1 column 17.",
        ),
    ],
)
async def test_a_poison_payload_is_dead_with_its_reason(
    database: Database, payload: str, reason: str
) -> None:
    notes = Notes()
    row = jobs.NewJob(KEYS.new(), None, NOTE.queue, NOTE.name, payload, None, None, 0)
    async with database.writing(ACTOR) as transaction:
        await jobs.defer(transaction, row)
    await defer(database, "good")
    async with done(database, worker(database, notes.tasks())):
        (row_of_job,) = await stored(database)
    assert row_of_job["state"] == "DEAD"
    assert row_of_job["reason"] == f"The payload does not fit the task: {reason}"
    assert notes.texts == ["good"]


async def test_a_failing_task_harms_no_neighbour(database: Database) -> None:
    blocked = asyncio.Event()
    notes = Notes(
        failing={"bad": RuntimeError("no"), "away": ServiceUnavailable("away")},
        until={"hangs": blocked},
    )
    await defer(database, "bad", "hangs", "away", "a", "b", "c")
    async with worker(database, notes.tasks()).running():
        await eventually(lambda: {"a", "b", "c"} <= set(notes.texts))
        await eventually(lambda: notes.running == {"hangs"})
        blocked.set()
        await at_rest(database)
    assert {row["reason"] is None for row in await stored(database)} == {False}
    assert len(await stored(database)) == 2


async def test_a_job_that_runs_too_long_fails(database: Database) -> None:
    notes = Notes(until={"slow": asyncio.Event()})
    await defer(database, "slow", task=SLOW)
    async with done(database, worker(database, notes.tasks())):
        (row,) = await stored(database)
    assert row["reason"] == "The job ran longer than 0.05 seconds."


async def test_each_queue_has_its_own_places(database: Database) -> None:
    blocked = asyncio.Event()
    notes = Notes(until={f"{number}": blocked for number in range(5)})
    await defer(database, *notes.until)
    await defer(database, "other", task=SLOW)
    async with worker(database, notes.tasks(), concurrency=2).running():
        await eventually(lambda: "other" in notes.texts)
        await asyncio.sleep(0.1)
        assert len(notes.running) == 2
        blocked.set()
        await at_rest(database)
    assert sorted(notes.texts) == ["0", "1", "2", "3", "4", "other"]


async def test_jobs_of_unknown_tasks_wait(database: Database) -> None:
    notes = Notes()
    await defer(database, "new")
    tasks = Tasks()
    tasks.add(SLOW, notes.run)
    async with worker(database, tasks).running():
        await asyncio.sleep(0.1)
    (row,) = await stored(database)
    assert (row["state"], row["attempts"]) == ("WAITING", 0)


async def test_a_lease_is_renewed_while_its_job_runs(database: Database) -> None:
    blocked = asyncio.Event()
    notes = Notes(until={"long": blocked})
    await defer(database, "long")
    first = worker(database, notes.tasks(), lease_seconds=1.2)
    second = worker(database, notes.tasks(), lease_seconds=1.2)
    async with first.running(), second.running():
        await eventually(lambda: notes.running == {"long"})
        await asyncio.sleep(1.5)
        assert notes.texts == ["long"]
        blocked.set()
        await at_rest(database)
    assert notes.texts == ["long"]
    assert await stored(database) == []


async def test_a_dead_workers_job_is_taken_when_its_lease_ends(database: Database) -> None:
    notes = Notes()
    await defer(database, "left")
    async with database.writing(ACTOR) as transaction:
        (left,) = await jobs.take(
            transaction,
            queue=NOTE.queue,
            tasks=[NOTE.name],
            most=5,
            lease=7,
            lease_milliseconds=60_000,
            worker="dead",
        )
    async with worker(database, notes.tasks()).running():
        await asyncio.sleep(0.1)
        assert notes.texts == []
        await pass_time(database, 61)
        await at_rest(database)
    assert [(job.id, job.attempt) for job in notes.ran] == [(left.id, 2)]
    async with database.writing(ACTOR) as transaction:
        lease = jobs.Lease(left.id, left.lease)
        assert not await jobs.finish(transaction, lease)
        assert not await jobs.bury(transaction, lease, reason="late")
        assert not await jobs.renew(transaction, [lease], lease_milliseconds=1)


async def test_a_job_that_ends_its_process_is_dead_in_the_end(database: Database) -> None:
    notes = Notes()
    await defer(database, "poison")
    for _ in range(NOTE.retry.attempts):
        async with database.writing(ACTOR) as transaction:
            assert await jobs.take(
                transaction,
                queue=NOTE.queue,
                tasks=[NOTE.name],
                most=1,
                lease=7,
                lease_milliseconds=1_000,
                worker="dies",
            )
        await pass_time(database, 2)
    async with done(database, worker(database, notes.tasks())):
        (row,) = await stored(database)
    assert notes.ran == []
    assert row["state"] == "DEAD"
    assert "in the last of 3 attempts" in row["reason"]


async def test_a_lost_lease_ends_the_job_here(database: Database) -> None:
    notes = Notes(until={"stolen": asyncio.Event()})
    await defer(database, "stolen")
    running = worker(database, notes.tasks(), lease_seconds=0.6)
    async with running.running():
        await eventually(lambda: notes.running == {"stolen"})
        (row,) = await stored(database)
        async with database.writing(ACTOR) as transaction:
            await jobs.finish(transaction, jobs.Lease(row["id"], row["lease"]))
        await eventually(lambda: not notes.running)
        await eventually(lambda: running.finished.get((NOTE.name, "lost")) == 1)


async def test_a_lease_that_cannot_be_renewed_ends_its_job(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> set[int]:
        raise ServiceUnavailable("The database is away.")

    monkeypatch.setattr(jobs, "renew", away)
    notes = Notes(until={"long": asyncio.Event()})
    await defer(database, "long")
    running = worker(database, notes.tasks(), lease_seconds=0.6)
    began = time.monotonic()
    async with running.running():
        await eventually(lambda: running.finished.get((NOTE.name, "lost")) == 1)
    assert time.monotonic() - began < 20


async def test_the_stop_waits_for_jobs_that_run(database: Database) -> None:
    blocked = asyncio.Event()
    notes = Notes(until={"a": blocked})
    await defer(database, "a", "b")
    running = worker(database, notes.tasks(), concurrency=1)
    async with running.running():
        await eventually(lambda: notes.running == {"a"})
        running.stop()
        asyncio.get_running_loop().call_later(0.1, blocked.set)
    assert notes.texts == ["a"]
    (row,) = await stored(database)
    assert (row["state"], row["attempts"]) == ("WAITING", 0)


async def test_the_stop_gives_back_jobs_that_do_not_end(database: Database) -> None:
    notes = Notes(until={"endless": asyncio.Event()})
    await defer(database, "endless")
    running = worker(database, notes.tasks(), grace_seconds=0)
    async with running.running():
        await eventually(lambda: notes.running == {"endless"})
    assert running.finished[NOTE.name, "released"] == 1
    (row,) = await stored(database)
    assert (row["state"], row["attempts"], row["lease"]) == ("WAITING", 0, None)
    assert row["due_at"] - row["taken_at"] < timedelta(seconds=30)


async def test_jobs_of_one_lock_run_in_order(database: Database) -> None:
    notes = Notes(until={text: asyncio.Event() for text in "abc"})
    await defer(database, *"abc", lock="acme")
    await defer(database, "d")
    workers = [worker(database, notes.tasks()) for _ in range(2)]
    async with workers[0].running(), workers[1].running():
        for number, text in enumerate("abc"):
            await notes.begun(text)
            await asyncio.sleep(0.05)
            assert notes.running == {text}
            assert [each for each in notes.texts if each != "d"] == list("abc")[: number + 1]
            notes.until[text].set()
        await at_rest(database)


async def test_one_job_waits_for_each_queueing_lock(database: Database) -> None:
    notes = Notes(until={"1": asyncio.Event()})
    await defer(database, "0", queueing_lock="acme", delay_seconds=3_600)
    await defer(database, "1", queueing_lock="acme")
    async with worker(database, notes.tasks()).running():
        await eventually(lambda: notes.running == {"1"})
        await defer(database, "2", "3", queueing_lock="acme", delay_seconds=3_600)
        assert len(await stored(database)) == 2
        notes.until["1"].set()
        await at_rest(database)
    assert notes.texts == ["1"]
    (row,) = await stored(database)
    assert row["payload"] == '{"text":"3"}'


async def test_a_failed_job_gives_way_to_its_successor(database: Database) -> None:
    notes = Notes(until={"1": asyncio.Event()}, failing={"1": GatewayError("no")})
    await defer(database, "1", queueing_lock="acme")
    async with worker(database, notes.tasks()).running():
        await eventually(lambda: notes.running == {"1"})
        await defer(database, "2", queueing_lock="acme", delay_seconds=3_600)
        notes.until["1"].set()
        await at_rest(database)
    (row,) = await stored(database)
    assert (row["payload"], row["attempts"]) == ('{"text":"2"}', 0)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_waiting_job_is_not_taken_before_a_second_deferral_commits(
    database: Database,
) -> None:
    notes = Notes()
    await defer(database, "1", queueing_lock="acme", delay_seconds=3_600)
    async with worker(database, notes.tasks()).running():
        async with database.writing(ACTOR) as transaction:
            await OUTBOX.defer(transaction, NOTE, Note(text="2"), queueing_lock="acme")
            await asyncio.sleep(0.1)
        await eventually(lambda: notes.texts == ["2"])
    assert await stored(database) == []


async def test_a_payload_has_a_greatest_length(database: Database) -> None:
    with pytest.raises(GatewayError, match=r"100,011 bytes; at most 65,536"):
        await defer(database, "x" * 100_000)
    assert await stored(database) == []


async def test_figures_count_due_running_and_dead_jobs(database: Database) -> None:
    notes = Notes(
        until={"runs": asyncio.Event()}, failing={"dies": Unrecoverable("No such address.")}
    )
    await defer(database, "runs", "dies")
    await defer(database, "later", delay_seconds=3_600)
    running = worker(database, notes.tasks())
    assert running.figures == (0, 0, 0, 0)
    async with running.running():
        await eventually(lambda: running.finished.get((NOTE.name, "dead")) == 1)
        await eventually(lambda: notes.running == {"runs"})
        running.stop()
        await defer(database, "due")
        await pass_time(database, 50)
        await running._count()
        assert running.figures[:3] == (1, 1, 1)
        assert 50 <= running.figures.oldest_due_seconds < 100
        notes.until["runs"].set()


def test_two_tasks_of_one_name_are_refused() -> None:
    tasks = Notes().tasks()
    with pytest.raises(ValueError, match=r"test\.note"):
        tasks.add(NOTE, Notes().run)
    assert Loops().counts == {}
