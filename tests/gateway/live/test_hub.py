import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, NotFound
from gateway.live.hub import PUSHED_AT_ONCE, Update
from tests.gateway.live.feeds import ListSink, RevisionFeed, World, running_hub, until, update


async def test_the_snapshot_comes_before_updates() -> None:
    world, sink = World({1: 3}), ListSink()
    async with running_hub(world) as hub:
        await hub.join(RevisionFeed(1, world), sink)
        world.revisions[1] = 4
        hub.changed(1, 4)
        await until(lambda: sink.offered == [3, 4])


async def test_equal_feeds_are_read_once() -> None:
    world, sinks = World({1: 1}), [ListSink() for _ in range(50)]
    async with running_hub(world) as hub:
        await asyncio.gather(*(hub.join(RevisionFeed(1, world), sink) for sink in sinks))
        assert world.reads == 1
        world.revisions[1] = 2
        hub.changed(1, 2)
        await until(lambda: all(sink.offered == [1, 2] for sink in sinks))
        assert world.reads == 2
        assert (hub.groups, hub.members) == (1, 50)


async def test_other_accounts_and_known_revisions_read_nothing() -> None:
    world, sink = World({1: 5, 2: 1}), ListSink()
    async with running_hub(world) as hub:
        await hub.join(RevisionFeed(1, world), sink)
        hub.changed(2, 9)
        hub.changed(1, 4)
        hub.changed(1, 5)
        await asyncio.sleep(0.05)
        assert (world.reads, sink.offered) == (1, [5])


async def test_simultaneous_changes_are_read_at_most_twice() -> None:
    world, sink = World({1: 1}), ListSink()
    async with running_hub(world) as hub:
        await hub.join(RevisionFeed(1, world), sink)
        for revision in range(2, 100):
            world.revisions[1] = revision
            hub.changed(1, revision)
        await until(lambda: sink.offered[-1] == 99)
        assert world.reads <= 3


async def test_a_change_between_snapshot_and_joining_is_not_lost() -> None:
    world, sink = World({1: 1}), ListSink()

    class Slow(RevisionFeed):
        async def first(self) -> tuple[int, Update | None]:
            found = await super().first()
            world.revisions[1] = 2
            hub.changed(1, 2)
            return found

    async with running_hub(world) as hub:
        await hub.join(Slow(1, world), sink)
        await until(lambda: sink.offered == [1, 2])


async def test_a_late_subscriber_misses_no_update() -> None:
    world, early, late = World({1: 1}), ListSink(), ListSink()
    async with running_hub(world) as hub:
        await hub.join(RevisionFeed(1, world), early)
        world.revisions[1] = 2
        hub.changed(1, 2)
        await until(lambda: early.offered == [1, 2])
        # The shared snapshot of revision 1 is fresh still, and yet too old.
        await hub.join(RevisionFeed(1, world), late)
        assert late.offered == [2]


async def test_an_absent_database_is_waited_for() -> None:
    world, sink = World({1: 1}), ListSink()
    async with running_hub(world) as hub:
        await hub.join(RevisionFeed(1, world), sink)
        world.away, world.revisions[1] = True, 2
        hub.changed(1, 2)
        await asyncio.sleep(0.25)
        assert (sink.offered, sink.ended) == ([1], [])
        world.away = False
        await until(lambda: sink.offered == [1, 2])


async def test_a_resync_finds_missed_changes() -> None:
    world, sinks = World({1: 1, 2: 1}), [ListSink(), ListSink()]
    async with running_hub(world) as hub:
        for account_id, sink in enumerate(sinks, start=1):
            await hub.join(RevisionFeed(account_id, world), sink)
        world.away, world.revisions[2] = True, 7
        hub.missed()
        await asyncio.sleep(0.05)
        world.away = False
        await until(lambda: sinks[1].offered == [1, 7])
        assert sinks[0].offered == [1]


async def test_many_feeds_of_an_account_keep_no_other_waiting() -> None:
    world, sink = World({1: 1, 2: 1}), ListSink()
    reading = asyncio.Event()

    class Dear(RevisionFeed):
        """Each is a subscription of its own, which reads for long."""

        async def first(self) -> tuple[int, Update | None]:
            await reading.wait()
            return await super().first()

        def __hash__(self) -> int:
            return id(self)

        def __eq__(self, other: object) -> bool:
            return self is other

    async with running_hub(world) as hub:
        dear = [asyncio.create_task(hub.join(Dear(1, world), ListSink())) for _ in range(20)]
        await asyncio.sleep(0)
        await hub.join(RevisionFeed(2, world), sink)
        world.revisions[2] = 2
        hub.changed(2, 2)
        await until(lambda: sink.offered == [1, 2])
        assert not any(task.done() for task in dear)
        reading.set()
        await asyncio.gather(*dear)
        assert hub.members == 21


async def test_a_refused_snapshot_leaves_no_group() -> None:
    world = World({1: 1})

    class Refused(RevisionFeed):
        async def first(self) -> tuple[int, Update | None]:
            raise NotFound("no")

    async with running_hub(world) as hub:
        with pytest.raises(NotFound):
            await hub.join(Refused(1, world), ListSink())
        assert (hub.groups, hub.members) == (0, 0)


async def test_a_read_error_ends_only_its_group() -> None:
    world, sink, other = World({1: 1}), ListSink(), ListSink()

    class Gone(RevisionFeed):
        async def since(self, revision: int) -> tuple[int, list[Update]]:
            raise NotFound("no")

    async with running_hub(world) as hub:
        await hub.join(Gone(1, world, "gone"), sink)
        await hub.join(RevisionFeed(1, world), other)
        world.revisions[1] = 2
        hub.changed(1, 2)
        await until(lambda: bool(sink.ended) and other.offered == [1, 2])
        assert isinstance(sink.ended[0], NotFound)
        assert (hub.groups, hub.members) == (1, 1)


async def test_a_failing_feed_ends_its_group() -> None:
    world, sink = World({1: 1}), ListSink()

    class Broken(RevisionFeed):
        async def since(self, revision: int) -> tuple[int, list[Update]]:
            raise RuntimeError

    async with running_hub(world) as hub:
        await hub.join(Broken(1, world), sink)
        hub.changed(1, 2)
        await until(lambda: sink.ended)
    assert [error.code for error in sink.ended if error] == ["INTERNAL_SERVER_ERROR"]


async def test_the_last_subscriber_ends_the_group() -> None:
    world, sinks = World({1: 1}), [ListSink(), ListSink()]
    async with running_hub(world) as hub:
        leave = [await hub.join(RevisionFeed(1, world), sink) for sink in sinks]
        leave[0]()
        leave[0]()
        world.revisions[1] = 2
        hub.changed(1, 2)
        await until(lambda: sinks[1].offered == [1, 2])
        assert sinks[0].offered == [1]
        leave[1]()
        assert (hub.groups, hub.members) == (0, 0)


async def test_leaving_during_a_push_ends_the_updates() -> None:
    world, count = World({1: 1}), PUSHED_AT_ONCE + 2
    sinks = [ListSink() for _ in range(count)]
    async with running_hub(world) as hub:
        leave = [await hub.join(RevisionFeed(1, world), sink) for sink in sinks]

        class Leaves(ListSink):
            def offer(self, update: Update) -> None:
                super().offer(update)
                asyncio.get_running_loop().call_soon(leave[-1])

        first = next(iter(hub._by_account[1])).members
        next(iter(first)).sink = Leaves()
        world.revisions[1] = 2
        hub.changed(1, 2)
        await until(lambda: sinks[-2].offered == [1, 2])
        await until(lambda: hub.members == count - 1)
    assert sinks[-1].offered == [1]


async def test_a_stop_ends_every_subscriber() -> None:
    world, sink = World({1: 1}), ListSink()
    async with running_hub(world) as hub:
        await hub.join(RevisionFeed(1, world), sink)
    assert sink.ended == [None]


async def test_all_updates_of_one_revision_arrive() -> None:
    world, sink = World({1: 1}), ListSink()

    class Two(RevisionFeed):
        async def since(self, revision: int) -> tuple[int, list[Update]]:
            now = await world.revision(1)
            return now, [update(now, key) for key in (1, 2)] if now > revision else []

    async with running_hub(world) as hub:
        await hub.join(Two(1, world), sink)
        world.revisions[1] = 2
        hub.changed(1, 2)
        await until(lambda: sink.offered == [1, 2, 2])


STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "signal", "join", "leave", "look", "away", "back"])).map(
        lambda step: step[0]
    ),
    max_size=30,
)


@given(steps=STEPS)
async def test_subscribers_end_with_the_latest_and_never_go_back(steps: list[str]) -> None:
    world, sinks, leaves = World({1: 1}), [], []
    async with running_hub(world) as hub:
        for step in steps:
            match step:
                case "write":
                    world.revisions[1] += 1
                case "signal":
                    hub.changed(1, world.revisions[1])
                case "join" if not world.away:
                    sinks.append(ListSink())
                    leaves.append(await hub.join(RevisionFeed(1, world), sinks[-1]))
                case "leave" if leaves:
                    leaves.pop()()
                    sinks.pop()
                case "look":
                    hub.missed()
                case "away":
                    world.away = True
                case "back":
                    world.away = False
            await asyncio.sleep(0)
        world.away = False
        hub.missed()
        await until(lambda: all(sink.offered[-1] == world.revisions[1] for sink in sinks))
        assert hub.members == len(sinks)
        for sink in sinks:
            assert sink.offered == sorted(set(sink.offered))
            assert sink.ended == []


async def test_a_stop_cancels_the_reads() -> None:
    world, begun = World({1: 1}), asyncio.Event()
    ended: list[bool] = []

    class Endless(RevisionFeed):
        async def first(self) -> tuple[int, Update | None]:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)
            raise AssertionError

    async with running_hub(world) as hub:
        joining = asyncio.create_task(hub.join(Endless(1, world), ListSink()))
        await begun.wait()
    assert ended == [True]
    await asyncio.gather(joining, return_exceptions=True)


async def test_a_failing_sink_does_not_affect_others() -> None:
    world = World({1: 1})
    before, after = ListSink(), ListSink()

    class Broken(ListSink):
        def offer(self, update: Update) -> None:
            super().offer(update)
            if update.revision > 1:
                raise RuntimeError

    broken = Broken()
    async with running_hub(world) as hub:
        for sink in (before, broken, after):
            await hub.join(RevisionFeed(1, world), sink)
        for revision in (2, 3):
            world.revisions[1] = revision
            hub.changed(1, revision)
            await until(lambda: before.offered[-1] == after.offered[-1] == world.revisions[1])
        assert broken.offered == [1, 2]
        assert len(broken.ended) == 1
        assert hub.members == 2


async def test_a_sink_failing_at_its_end_does_not_affect_others() -> None:
    world = World({1: 1, 2: 1})
    before, after, elsewhere = ListSink(), ListSink(), ListSink()

    class Broken(ListSink):
        def end(self, error: GatewayError | None) -> None:
            super().end(error)
            raise RuntimeError

    broken = Broken()
    async with running_hub(world) as hub:
        for account_id, sink in ((1, before), (1, broken), (1, after), (2, elsewhere)):
            await hub.join(RevisionFeed(account_id, world), sink)
    for sink in (before, broken, after, elsewhere):
        assert sink.ended == [None]
    assert (hub.members, hub.groups) == (0, 0)
