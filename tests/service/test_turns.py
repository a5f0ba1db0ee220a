"""Turns: nothing that does not fit is dropped, nobody waits for nothing, and answers come after the commit."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable

import pytest

from dispatcher.core.states import JobState
from dispatcher.core.turn import Turn, TurnReport
from dispatcher.errors import StorageTrouble
from dispatcher.store.memory import MemoryStore
from dispatcher.store.rows import Limits
from dispatcher.store.turn import PURGE
from dispatcher.turns import MOST_ITEMS
from tests.service.house import House, run_one

pytestmark = pytest.mark.gen_test


class SlowStore(MemoryStore):
    """A store whose turns commit when ``gate`` says so."""

    def __init__(self, **limits: int) -> None:
        numbers = itertools.count(1)
        super().__init__(
            new_job_id=lambda: f"job-{next(numbers)}",
            new_attempt_id=lambda: f"{next(numbers):032x}",
            key=b"k" * 32,
            limits=Limits(**limits),
        )
        self.turns: list[Turn] = []
        self.gate: Callable[[], Awaitable[None]] | None = None

    async def apply(self, turn: Turn) -> TurnReport:
        self.turns.append(turn)
        if self.gate is not None:
            await self.gate()
        return await super().apply(turn)


async def _a_round_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_jobs_that_do_not_fit_into_one_turn_go_into_the_next():
    house = await House(store=SlowStore()).start()
    jobs = await asyncio.gather(*(house.submit() for _ in range(MOST_ITEMS + 3)))
    assert len({job.id for job in jobs}) == MOST_ITEMS + 3
    assert max(len(turn.submissions) for turn in house.store.turns) <= MOST_ITEMS


async def test_reports_that_do_not_fit_into_one_turn_go_into_the_next():
    house = await House(store=SlowStore()).start()
    await house.register("s1")
    await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    for number in range(MOST_ITEMS + 3):
        line = {"op": "log", "attempt": offer["attempt"], "line": str(number)}
        house.pages.message("s1", json.dumps(line), house.clock.monotonic())
    house.dispatcher.changed()
    await house.dispatcher.idle()
    [lines] = house.store.rows.logs.values()
    assert [line.line for line in lines] == [str(number) for number in range(MOST_ITEMS + 3)]


async def test_one_turn_is_in_flight_and_what_comes_meanwhile_goes_into_the_next():
    house = await House(store=SlowStore()).start()
    opened, house.store.gate = asyncio.Event(), lambda: opened.wait()
    before = len(house.store.turns)
    first = asyncio.ensure_future(house.submit())
    await _a_round_of_the_loop()
    others = [asyncio.ensure_future(house.submit()) for _ in range(3)]
    await _a_round_of_the_loop()
    assert len(house.store.turns) == before + 1
    assert not first.done(), "it is answered before it is stored"
    opened.set()
    await asyncio.wait_for(asyncio.gather(first, *others), 4.0)
    assert [len(turn.submissions) for turn in house.store.turns[before : before + 2]] == [1, 3]


async def test_a_result_and_an_accept_that_wants_go_are_answered_after_the_commit():
    house = await House(store=SlowStore()).start()
    await house.register("s1", slots=2)
    await house.submit(effects="once")
    await house.submit()
    offers = {offer["confirm"]: offer["attempt"] for offer in await house.hear("s1")}
    opened, house.store.gate = asyncio.Event(), lambda: opened.wait()
    for message in ({"op": "accept", "attempt": offers[True]}, {"op": "result", "attempt": offers[False], "value": 1}):
        house.pages.message("s1", json.dumps(message), house.clock.monotonic())
    house.dispatcher.changed()
    await _a_round_of_the_loop()
    assert house.told.get("s1", []) == []
    opened.set()
    assert [message["op"] for message in await house.hear("s1")] == ["go", "recorded"]


async def test_a_page_is_told_of_a_cancel_after_the_commit():
    house = await House(store=SlowStore()).start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    opened, house.store.gate = asyncio.Event(), lambda: opened.wait()
    cancelling = asyncio.ensure_future(house.dispatcher.cancel(job.id, "no"))
    await _a_round_of_the_loop()
    assert house.told.get("s1", []) == []
    opened.set()
    await asyncio.wait_for(cancelling, 4.0)
    assert [message["op"] for message in await house.hear("s1")] == ["cancel"]


@pytest.mark.expect_log("disk on fire")
async def test_who_waits_for_the_turn_after_the_one_that_failed_is_told_so_too():
    house = await House(store=SlowStore()).start()
    opened = asyncio.Event()

    async def fail() -> None:
        await opened.wait()
        raise StorageTrouble("disk on fire")

    house.store.gate = fail
    first = asyncio.ensure_future(house.submit())
    await _a_round_of_the_loop()
    second = asyncio.ensure_future(house.submit())
    third = asyncio.ensure_future(house.dispatcher.cancel("job-1", "no"))
    await _a_round_of_the_loop()
    opened.set()
    ends = await asyncio.wait_for(asyncio.gather(first, second, third, return_exceptions=True), 4.0)
    assert [type(end) for end in ends] == [StorageTrouble] * 3
    assert len(house.store.turns) == 2, "nothing is begun after it"


async def test_one_tick_removes_all_that_has_outlived_its_retention():
    house = await House(store=SlowStore(retention_s=100.0)).start()
    for _ in range(2 * PURGE + 1):
        job = await house.submit()
        await house.dispatcher.cancel(job.id, "no")
    await house.pass_time(200.0)
    assert sum((await house.dispatcher.counts()).values()) == 0


async def test_a_waiter_is_told_of_every_kind_of_end():
    house = await House().start()
    expiring, cancelled, doubtful = await house.submit(expires_s=5.0), await house.submit(), await house.submit("other")
    waiting = [asyncio.ensure_future(house.dispatcher.wait(job.id, 60.0)) for job in (expiring, cancelled, doubtful)]
    await _a_round_of_the_loop()
    await house.pass_time(5.1)
    assert (await asyncio.wait_for(waiting[0], 4.0)).state is JobState.EXPIRED
    await house.dispatcher.cancel(cancelled.id, "no")
    assert (await asyncio.wait_for(waiting[1], 4.0)).state is JobState.CANCELLED
    await house.register("s1", "other")
    await run_one(house)
    assert (await asyncio.wait_for(waiting[2], 4.0)).state is JobState.SUCCEEDED


async def test_a_job_that_settles_while_a_waiter_reads_it_is_not_missed():
    house = await House(store=SlowStore()).start()
    job = await house.submit()
    read = house.store.job

    async def settle_after_the_read(job_id):
        view = await read(job_id)
        house.store.job = read
        await house.dispatcher.cancel(job.id, "no")
        return view

    house.store.job = settle_after_the_read
    assert (await asyncio.wait_for(house.dispatcher.wait(job.id, 60.0), 4.0)).state is JobState.CANCELLED


async def test_what_a_turn_says_leaves_with_it():
    house = await House().start()
    flushed: list[int] = []
    said = lambda: sum(map(len, house.told.values()))  # noqa: E731
    nothing_due = {"next_deadline": lambda: None, "tick": lambda now: None}
    house.dispatcher.attach(flush=lambda now: flushed.append(said()), **nothing_due)
    await house.register("s1")
    await house.submit()
    assert said() == 1
    assert flushed[-1] == said(), "the offer waits in the outbox for somebody else's flush"


async def test_the_transport_has_its_ticks_from_the_one_timer():
    house = await House().start()
    start, ticks = house.clock.monotonic(), list[float]()
    house.dispatcher.attach(flush=lambda now: None, next_deadline=lambda: start + 20.0, tick=ticks.append)
    await house.pass_time(20.0)
    assert ticks == [start + 20.0]


async def test_while_a_turn_for_what_is_due_is_in_flight_the_timer_does_not_fire_again_and_again():
    house = await House(store=SlowStore()).start()
    await house.submit(delay_s=5.0)
    opened, house.store.gate = asyncio.Event(), lambda: opened.wait()
    ticks: list[float] = []
    house.dispatcher.attach(flush=lambda now: None, next_deadline=lambda: None, tick=ticks.append)
    house.dispatcher.tick(house.clock.advance(5.0))
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(ticks) <= 2
    opened.set()
    await house.dispatcher.idle()
    assert (await house.dispatcher.counts())["queued"] == 1
