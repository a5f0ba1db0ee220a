"""Who follows changes gets each once and in order, sleeps at no cost, and is told what it has missed."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.changes import ChangeFilter
from dispatcher.core.jobs.views.telling import RollEvent
from dispatcher.errors import Unavailable
from dispatcher.node.changes.events import Ring
from dispatcher.node.changes.followers import BEAT_S, MOST_TAKEN, WOKEN_AT_ONCE, Feed, Follower
from tests.support.clock import ManualClock
from tests.support.house import House, run_one
from tests.support.operations import operations
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)

ALL = ChangeFilter()


def change(job: str = "j", type: str = "echo", state: JobState = JobState.QUEUED, worker: str | None = None) -> Change:
    return Change(job, type, None, state, 1.0, None, worker, None)


def a_feed(kept: int = 1_000, most: int = 10_000, clock: ManualClock | None = None) -> Feed:
    return Feed(Ring(kept, "life"), clock or ManualClock(), most)


class Client:
    """Follows until it has been told to end; notes the numbers of what it gets."""

    def __init__(self, feed: Feed, wanted: ChangeFilter = ALL, after: str | None = None) -> None:
        self.follower: Follower = feed.follow(wanted, after)
        self.numbers: list[int] = []
        self.gaps: list[str] = []
        self.beats = 0
        self.wakes = 0
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        with self.follower:
            while True:
                page = self.follower.take()
                self.gaps += [page.gap.reason] if page.gap else []
                self.numbers += [item.number for item in page.items]
                if self.follower.is_over:
                    return
                self.beats += not await self.follower.wait()
                self.wakes += 1

    async def asleep(self) -> Client:
        await eventually(lambda: self.follower.alarm is not None)
        return self

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


async def rounds(count: int = 5) -> None:
    """Lets the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_house_tells_every_transition_of_a_job_once_it_is_durable():
    house = await House().start()
    with house.dispatcher.feed.follow(ALL, None) as follower:
        house.store.go.clear()
        submitting = asyncio.create_task(house.submit())
        await rounds(20)
        assert follower.take().items == []
        house.store.go.set()
        await submitting
        await house.register("s1", "echo")
        await run_one(house)
        events = [item.event for item in follower.take().items]
        told = [(event.old, event.new) for event in events if isinstance(event, Change)]
    assert told == [(None, "queued"), ("queued", "running"), ("running", "succeeded")]
    noted = [change for report in house.store.reports for change in report.changes]
    assert [(change.old, change.new) for change in noted] == told


async def test_all_changes_of_one_turn_reach_whoever_slept():
    feed = a_feed()
    client = await Client(feed).asleep()
    feed.told([change("a"), change("b"), change("c")])
    await eventually(lambda: client.numbers == [1, 2, 3])
    await client.leave()


@pytest.mark.parametrize("seed", range(10))
async def test_fifty_followers_that_come_and_go_get_each_change_once_and_in_order(seed):
    """Each has an own filter; whoever leaves comes back with the number of the last change that it got."""
    rng = random.Random(seed)
    feed = a_feed(kept=5_000)
    filters = [ALL] + [
        ChangeFilter(
            type=frozenset(rng.sample("abc", rng.randint(0, 2))),
            state=frozenset(rng.sample([*JobState], rng.randint(0, 3))),
            job=frozenset(str(rng.randint(0, 9)) for _ in range(rng.choice([0, 0, 3]))),
            worker=frozenset(rng.sample("vw", rng.choice([0, 0, 1]))),
        )
        for _ in range(49)
    ]
    clients = [Client(feed, wanted) for wanted in filters]
    lives: list[list[int]] = [[] for _ in filters]
    await rounds()
    told: list[Change] = []
    for _ in range(300):
        turn = [
            change(str(rng.randint(0, 9)), rng.choice("abc"), rng.choice([*JobState]), rng.choice(["v", "w", None]))
            for _ in range(rng.choice([0, 1, 1, 2, 3, 10]))
        ]
        told += turn
        feed.told(turn)
        for index in rng.sample(range(50), rng.randint(0, 3)):
            await clients[index].leave()
            lives[index] += clients[index].numbers
            last = lives[index][-1] if lives[index] else 0
            clients[index] = Client(feed, filters[index], f"life-{last}")
        await rounds(rng.randint(0, 3))
    closing = asyncio.create_task(feed.close())
    await asyncio.gather(closing, *(client.task for client in clients))
    for wanted, life, client in zip(filters, lives, clients, strict=True):
        assert life + client.numbers == [number for number, one in enumerate(told, 1) if wanted.passes(one)]
        assert client.gaps == []
    assert (len(feed), feed._asleep) == (0, {})


async def test_only_those_are_woken_for_whom_there_is_something():
    feed = a_feed()
    mine = [Client(feed, ChangeFilter(type=frozenset({"mine"}), state=frozenset({JobState.FAILED}))) for _ in range(3)]
    others = [Client(feed, ChangeFilter(job=frozenset({f"j{number}"}))) for number in range(20)]
    await rounds()
    feed.told([change(type="mine")])
    await rounds(10)
    assert [client.wakes for client in mine] == [0] * 3
    feed.told([change(type="mine"), change(type="mine", state=JobState.FAILED)])
    feed.told([change(type="mine", state=JobState.FAILED)])
    await rounds(10)
    assert [client.numbers for client in mine] == [[3, 4]] * 3
    assert [client.wakes for client in mine] == [1] * 3, "two turns before it was awake are one wakeup"
    assert [client.wakes for client in others] == [0] * 20
    for client in [*mine, *others]:
        await client.leave()


async def test_whoever_slept_long_does_not_look_at_what_came_meanwhile():
    feed = a_feed(kept=10)
    client = await Client(feed, ChangeFilter(job=frozenset({"mine"}))).asleep()
    for _ in range(100):
        feed.told([change()])
    feed.told([change(), change("mine"), change()])
    assert client.follower.after == 101
    await eventually(lambda: client.numbers == [102])
    assert client.gaps == [], "it was asleep, and nothing that passed was for it"
    await client.leave()


@pytest.mark.parametrize("wanted", [ALL, ChangeFilter(type=frozenset({"other"}), state=frozenset({JobState.FAILED}))])
async def test_a_turn_costs_the_same_beside_10_and_2_000_followers_that_sleep_for_something_else(wanted):
    costs = []
    for sleeping in (10, 2_000):
        feed = a_feed()
        others = [Client(feed, ChangeFilter(job=frozenset({f"other{number}"}))) for number in range(sleeping)]
        client = await Client(feed, wanted).asleep()
        costs.append(operations(partial(feed.told, [change(), change("k")])))
        closing = asyncio.create_task(feed.close())
        await asyncio.gather(closing, *(one.task for one in [client, *others]))
    assert costs[0] == costs[1]


async def test_a_turn_costs_the_same_for_those_who_are_awake():
    feed = a_feed()
    clients = [await Client(feed).asleep() for _ in range(50)]
    first = operations(partial(feed.told, [change()]))
    again = operations(partial(feed.told, [change()]))
    assert again < first / 10, "they are told once"
    for one in clients:
        await one.leave()


async def test_followers_are_woken_some_at_a_time():
    feed = a_feed()
    rare = ChangeFilter(type=frozenset({"rare"}))
    clients = [await Client(feed, wanted).asleep() for wanted in (ALL, rare) for _ in range(2 * WOKEN_AT_ONCE)]
    feed.told([change()])
    feed.told([change(type="rare")])
    await rounds(1)
    assert sum(client.follower.alarm.done() for client in clients if client.follower.alarm) == WOKEN_AT_ONCE
    await eventually(lambda: all(client.numbers[-1:] == [2] for client in clients))
    for one in clients:
        await one.leave()


async def test_a_follower_that_is_slow_holds_nothing_and_is_told_of_the_gap():
    feed = a_feed(kept=10)
    with feed.follow(ALL, None) as follower:
        for _ in range(30):
            feed.told([change()])
        page = follower.take()
        assert page.gap is not None
        assert (page.gap.reason, [item.number for item in page.items]) == ("passed", [*range(21, 31)])
        assert follower.take().gap is None
        assert feed.gaps == 1


async def test_the_gap_of_another_life_is_said_once():
    feed = a_feed()
    feed.told([change()])
    with feed.follow(ALL, "other-5") as follower:
        page = follower.take()
        assert page.gap is not None
        assert (page.gap.reason, len(page.items)) == ("other_life", 1)
        assert follower.take().gap is None


async def test_no_more_is_taken_at_once_than_one_write_may_have():
    feed = a_feed()
    feed.told([change()] * (2 * MOST_TAKEN))
    with feed.follow(ALL, "oldest") as follower:
        assert [len(follower.take().items) for _ in range(3)] == [MOST_TAKEN, MOST_TAKEN, 0]


async def test_who_hears_nothing_is_woken_now_and_then_and_stands_at_the_end():
    clock = ManualClock()
    feed = a_feed(clock=clock)
    client = await Client(feed, ChangeFilter(job=frozenset({"mine"}))).asleep()
    feed.told([change()])
    feed.tick(clock.advance(BEAT_S - 1))
    await rounds()
    assert client.wakes == 0
    feed.told([change("mine")])
    await eventually(lambda: client.numbers == [2])
    await client.asleep()
    feed.told([change()])
    feed.tick(clock.advance(BEAT_S - 1))
    await rounds()
    assert client.beats == 0, "it has heard something since"
    feed.tick(clock.advance(1))
    await eventually(lambda: client.beats == 1)
    assert client.follower.after == 3
    await client.leave()


async def test_whoever_is_woken_by_time_alone_has_missed_nothing():
    clock = ManualClock()
    feed = a_feed(kept=10, clock=clock)
    client = await Client(feed, ChangeFilter(job=frozenset({"mine"}))).asleep()
    feed.told([change()] * 50)
    feed.tick(clock.advance(BEAT_S))
    await eventually(lambda: client.beats == 1)
    assert (client.gaps, client.follower.after) == ([], 50)
    await client.leave()


async def test_a_tick_of_the_house_is_what_wakes_them():
    house = await House().start()
    client = await Client(house.dispatcher.feed).asleep()
    await house.pass_time(BEAT_S + 1)
    await eventually(lambda: client.beats == 1)
    await client.leave()


async def test_there_is_a_bound_on_followers_and_room_comes_back():
    feed = a_feed(most=1)
    client = await Client(feed).asleep()
    with pytest.raises(Unavailable, match="1 clients follow the changes already"):
        feed.follow(ALL, None)
    await client.leave()
    feed.follow(ALL, None)


async def test_at_the_end_everybody_gets_the_last_changes_and_leaves():
    house = await House().start()
    clients = [Client(house.dispatcher.feed) for _ in range(3)]
    await rounds()
    house.dispatcher.begin_drain()
    await rounds()
    assert [client.task.done() for client in clients] == [False] * 3, "jobs still end"
    house.dispatcher.feed.told([change()])
    await house.dispatcher.close()
    assert [(client.numbers, client.task.done()) for client in clients] == [([1], True)] * 3


async def test_a_page_comes_at_once_if_there_is_something_and_else_when_there_is():
    feed = a_feed()
    empty = await feed.page(ALL, None, 0)
    assert (empty.items, empty.id_of(empty.after), empty.gap) == ([], "life-0", None)
    waiting = asyncio.create_task(feed.page(ChangeFilter(job=frozenset({"mine"})), "life-0", 60))
    await rounds()
    feed.told([change()])
    await rounds()
    assert not waiting.done()
    feed.told([change("mine"), change()])
    page = await waiting
    assert ([item.number for item in page.items], page.after) == ([2], 3)
    again = await feed.page(ALL, "life-1", 60)
    assert [item.number for item in again.items] == [2, 3]
    assert len(feed) == 0


async def test_a_page_of_a_rare_filter_says_how_far_it_has_looked():
    feed = a_feed(kept=9_000)
    feed.told([change()] * 7_000)
    feed.told([change("mine")])
    wanted, after, asked = ChangeFilter(job=frozenset({"mine"})), "life-0", 0
    while True:
        page = await feed.page(wanted, after, 0)
        after, asked = page.id_of(page.after), asked + 1
        if page.items:
            break
    assert [item.number for item in page.items] == [7_001]
    assert 1 < asked < 6


async def test_a_page_that_waits_is_answered_when_the_server_stops():
    feed = a_feed()
    waiting = asyncio.create_task(feed.page(ALL, None, 60))
    await rounds()
    await feed.close()
    assert (await waiting).items == []


async def test_a_roll_event_wakes_those_alone_that_asked_for_it_whatever_else_they_asked_for() -> None:
    feed, both = a_feed(), frozenset({"job", "workers.missed"})
    plain = await Client(feed).asleep()
    roll = await Client(feed, ChangeFilter(event=frozenset({"workers.missed"}), type=frozenset({"mine"}))).asleep()
    mixed = await Client(feed, ChangeFilter(event=both, type=frozenset({"mine"}))).asleep()
    feed.told([RollEvent("workers.complete", 1.0, 3, 3, 0)])
    feed.told([RollEvent("workers.missed", 1.0, 3, 2, 1)])
    await rounds()
    assert [client.numbers for client in (plain, roll, mixed)] == [[], [2], [2]]
    feed.told([change(type="mine")])
    await eventually(lambda: plain.numbers == [3] and mixed.numbers == [2, 3])
    assert (roll.numbers, plain.wakes) == ([2], 1)
    for client in (plain, roll, mixed):
        await client.leave()
    assert (len(feed), feed._asleep) == (0, {})
