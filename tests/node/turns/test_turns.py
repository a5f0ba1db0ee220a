"""Turns drop nothing that does not fit, make nobody wait for nothing, and answer after the commit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Turn, TurnReport
from dispatcher.errors import StorageTrouble
from dispatcher.node.turns.turns import MOST_CLAIMS, MOST_ITEMS
from dispatcher.pages.protocol import VERSION
from dispatcher.store.applier.turn import PURGE
from dispatcher.store.port import Limits
from dispatcher.store.views import MOST_LINES_KEPT
from tests.support.house import House, TroubledStore, memory_store, run_one

pytestmark = pytest.mark.gen_test(timeout=60)

#: Enough time for what comes at once, or never.
PATIENCE_S = 10.0


async def _a_round_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_jobs_that_do_not_fit_into_one_turn_go_into_the_next():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    jobs = await asyncio.gather(*(house.submit() for _ in range(MOST_ITEMS + 3)))
    assert len({job.id for job in jobs}) == MOST_ITEMS + 3
    assert max(len(turn.submissions) for turn in store.turns) <= MOST_ITEMS


async def _two_pages_with_a_job_each(**terms: Any) -> tuple[House, TroubledStore, list[str]]:
    """The turn that claimed the second job has just ended, and took 8 ms: the next waits for answers for 4 ms."""
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    await house.register("s1")
    await house.register("s2")

    async def take_8_ms() -> None:
        house.clock.advance(0.008)

    store.gate = take_8_ms
    attempts = []
    for _ in range(2):
        await house.submit(**terms)
        attempts += [m["attempt"] for sid in ("s1", "s2") for m in house.told.pop(sid, []) if m["op"] == "job"]
    store.turns.clear()
    return house, store, attempts


def _answer(house: House, sid: str, attempt: str) -> None:
    said = {"op": "result", "attempt": attempt, "value": 1}
    house.pages.message(sid, json.dumps(said), house.clock.monotonic())
    house.dispatcher.changed()


async def test_a_turn_waits_for_pages_that_may_answer_any_moment():
    house, store, (first, second) = await _two_pages_with_a_job_each()
    _answer(house, "s1", first)
    await _a_round_of_the_loop()
    assert store.turns == []
    _answer(house, "s2", second)
    await _a_round_of_the_loop()
    assert [len(turn.reports) for turn in store.turns] == [2]


async def test_a_turn_waits_for_half_the_time_of_the_last_one_at_most():
    house, store, (first, _) = await _two_pages_with_a_job_each()
    _answer(house, "s1", first)
    house.dispatcher.tick(house.clock.advance(0.0039))
    await _a_round_of_the_loop()
    assert store.turns == []
    house.dispatcher.tick(house.clock.advance(0.0002))
    await _a_round_of_the_loop()
    assert [len(turn.reports) for turn in store.turns] == [1]


async def _submitters(*sizes: int) -> tuple[House, TroubledStore]:
    """Each has just been told that its jobs are stored, in turns of 8 ms."""
    store = memory_store(TroubledStore)
    house = await House(store=store).start()

    async def take_8_ms() -> None:
        house.clock.advance(0.008)

    store.gate = take_8_ms
    await asyncio.gather(*(_submits(house, size) for size in sizes))
    store.turns.clear()
    return house, store


def _submits(house: House, size: int = 1) -> asyncio.Future[object]:
    return asyncio.ensure_future(house.dispatcher.submit_batch([JobSpec(type="echo", data="1")] * size))


def _accept(house: House, sid: str, attempt: str) -> None:
    house.pages.message(sid, json.dumps({"op": "accept", "attempt": attempt}), house.clock.monotonic())
    house.dispatcher.changed()


async def test_an_accept_that_nobody_waits_for_goes_with_the_result_of_a_short_task():
    house, store, (first, second) = await _two_pages_with_a_job_each()
    _accept(house, "s1", first)
    _accept(house, "s2", second)
    house.dispatcher.tick(house.clock.advance(0.0045))  # longer than a turn waits for which a page waits
    await _a_round_of_the_loop()
    assert store.turns == []
    _answer(house, "s1", first)
    _answer(house, "s2", second)
    await _a_round_of_the_loop()
    assert [len(turn.reports) for turn in store.turns] == [4]


async def test_an_accept_waits_for_its_result_for_5_ms_at_most():
    house, store, (first, second) = await _two_pages_with_a_job_each()
    _accept(house, "s1", first)
    _accept(house, "s2", second)
    house.dispatcher.tick(house.clock.advance(0.0049))
    await _a_round_of_the_loop()
    assert store.turns == []
    house.dispatcher.tick(house.clock.advance(0.0002))
    await _a_round_of_the_loop()
    assert [len(turn.reports) for turn in store.turns] == [2]


async def test_an_accept_of_a_job_that_waits_for_go_waits_no_longer_than_a_result():
    house, store, (first, second) = await _two_pages_with_a_job_each(effects="once")
    _accept(house, "s1", first)
    _accept(house, "s2", second)
    house.dispatcher.tick(house.clock.advance(0.0041))
    await _a_round_of_the_loop()
    assert [len(turn.reports) for turn in store.turns] == [2]


async def test_a_job_that_comes_does_not_wait_with_an_accept():
    house, store, (first, _) = await _two_pages_with_a_job_each()
    _accept(house, "s1", first)
    submitted = _submits(house)
    house.dispatcher.tick(house.clock.advance(0.0041))
    await submitted
    assert [(len(turn.reports), len(turn.submissions)) for turn in store.turns] == [(1, 1)]


async def test_a_turn_waits_for_submitters_that_most_probably_come_again():
    house, store = await _submitters(1, 1)
    first = _submits(house)
    await _a_round_of_the_loop()
    assert store.turns == []
    await asyncio.gather(first, _submits(house))
    assert [len(turn.submissions) for turn in store.turns] == [2]


async def test_a_submitter_waits_for_another_for_half_the_time_of_the_last_turn_at_most():
    house, store = await _submitters(1, 1)
    submitted = _submits(house)
    await _a_round_of_the_loop()
    assert house.dispatcher._next_deadline() == pytest.approx(house.clock.monotonic() + 0.004)
    house.dispatcher.tick(house.clock.advance(0.0039))
    await _a_round_of_the_loop()
    assert store.turns == []
    house.dispatcher.tick(house.clock.advance(0.0002))
    await submitted
    assert [len(turn.submissions) for turn in store.turns] == [1]


async def test_the_timer_is_set_when_a_submitter_begins_to_wait():
    house, _ = await _submitters(1, 1)
    house.dispatcher._timer.stop()
    submitted = _submits(house)
    await _a_round_of_the_loop()
    assert house.dispatcher._timer._at == pytest.approx(house.clock.monotonic() + 0.004)
    house.clock.advance(0.004)
    await asyncio.wait_for(submitted, PATIENCE_S)


@pytest.mark.parametrize("sizes", [(1,), (1_000, 1_000)], ids=["alone", "with batches that fill a turn"])
async def test_a_submitter_that_nobody_can_join_does_not_wait(sizes: tuple[int, ...]):
    house, store = await _submitters(*sizes)
    await _submits(house, sizes[0])
    assert [len(turn.submissions) for turn in store.turns] == [sizes[0]]


async def test_reports_that_do_not_fit_into_one_turn_go_into_the_next():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    await house.register("s1")
    await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    for number in range(MOST_ITEMS + 3):
        line = {"op": "log", "attempt": offer["attempt"], "line": str(number)}
        house.pages.message("s1", json.dumps(line), house.clock.monotonic())
    house.dispatcher.changed()
    await house.dispatcher.idle(housekeeping=True)
    [lines] = store.rows.logs.values()
    said = [str(number) for number in range(MOST_ITEMS + 3)]
    assert [line for _, _, _, line in lines] == said[-MOST_LINES_KEPT:]


async def test_one_turn_is_in_flight_and_what_comes_meanwhile_goes_into_the_next():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    opened, store.gate = asyncio.Event(), lambda: opened.wait()
    before = len(store.turns)
    spec = JobSpec(type="echo", data="1")
    first = asyncio.ensure_future(house.dispatcher.submit(spec))
    await _a_round_of_the_loop()
    others = [asyncio.ensure_future(house.dispatcher.submit(spec)) for _ in range(3)]
    await _a_round_of_the_loop()
    assert len(store.turns) == before + 1
    assert not first.done(), "it is answered before it is stored"
    opened.set()
    for _ in range(5):
        await _a_round_of_the_loop()
    assert all(future.done() for future in (first, *others)), "the next turn waits for something else to happen"
    assert [len(turn.submissions) for turn in store.turns[before : before + 2]] == [1, 3]


class _Begun(TroubledStore):
    """It notes when a turn is given to it: some stores begin it then, and need no round of the loop."""

    def apply(self, turn: Turn) -> Coroutine[Any, Any, TurnReport]:
        self.begun = [*getattr(self, "begun", []), len(turn.submissions)]
        return super().apply(turn)


async def test_a_turn_begins_with_the_next_round_of_the_loop_and_takes_all_that_came_in_this_one():
    store = memory_store(_Begun)
    house = await House(store=store).start()
    before = len(store.begun)
    futures = [house.dispatcher._turns.submit([JobSpec(type="echo", data="1")]) for _ in range(3)]
    assert len(store.begun) == before
    await asyncio.sleep(0)
    assert store.begun[before:] == [3]
    await asyncio.wait(futures)


async def test_a_loop_that_ends_under_a_turn_logs_no_fault():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    store.go.clear()
    submitted = _submits(house)
    await _a_round_of_the_loop()
    assert house.dispatcher._turns._running is not None
    house.dispatcher._turns._running.cancel()
    await _a_round_of_the_loop()
    assert not submitted.done()
    submitted.cancel()


async def test_a_result_and_an_accept_that_wants_go_are_answered_after_the_commit():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    await house.register("s1", slots=2)
    await house.submit(effects="once")
    await house.submit()
    offers = {offer["confirm"]: offer["attempt"] for offer in await house.hear("s1")}
    opened, store.gate = asyncio.Event(), lambda: opened.wait()
    for message in ({"op": "accept", "attempt": offers[True]}, {"op": "result", "attempt": offers[False], "value": 1}):
        house.pages.message("s1", json.dumps(message), house.clock.monotonic())
    house.dispatcher.changed()
    await _a_round_of_the_loop()
    assert house.told.get("s1", []) == []
    opened.set()
    assert [message["op"] for message in await house.hear("s1")] == ["go", "recorded"]


async def test_a_page_is_told_of_a_cancel_after_the_commit():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    opened, store.gate = asyncio.Event(), lambda: opened.wait()
    cancelling = asyncio.ensure_future(house.dispatcher.cancel(job.id, "no"))
    await _a_round_of_the_loop()
    assert house.told.get("s1", []) == []
    opened.set()
    await asyncio.wait_for(cancelling, PATIENCE_S)
    assert [message["op"] for message in await house.hear("s1")] == ["cancel"]


@pytest.mark.expect_log("disk on fire")
async def test_who_waits_for_the_turn_after_the_one_that_failed_is_told_so_too():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    opened = asyncio.Event()

    async def fail() -> None:
        await opened.wait()
        raise StorageTrouble("disk on fire")

    store.gate = fail
    first = asyncio.ensure_future(house.submit())
    await _a_round_of_the_loop()
    second = asyncio.ensure_future(house.submit())
    third = asyncio.ensure_future(house.dispatcher.cancel("job-1", "no"))
    await _a_round_of_the_loop()
    opened.set()
    ends = await asyncio.wait_for(asyncio.gather(first, second, third, return_exceptions=True), PATIENCE_S)
    assert [type(end) for end in ends] == [StorageTrouble] * 3
    assert len(store.turns) == 2, "nothing is begun after it"


async def test_one_tick_removes_all_that_has_outlived_its_retention():
    store = memory_store(TroubledStore, limits=Limits(retention_s=100.0))
    house = await House(store=store).start()
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
    assert (await asyncio.wait_for(waiting[0], PATIENCE_S)).state is JobState.EXPIRED
    await house.dispatcher.cancel(cancelled.id, "no")
    assert (await asyncio.wait_for(waiting[1], PATIENCE_S)).state is JobState.CANCELLED
    await house.register("s1", "other")
    await run_one(house)
    assert (await asyncio.wait_for(waiting[2], PATIENCE_S)).state is JobState.SUCCEEDED


async def test_a_job_that_settles_while_a_waiter_reads_it_is_not_missed():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    job = await house.submit()

    async def settle() -> None:
        store.after_read = None
        await house.dispatcher.cancel(job.id, "no")

    store.after_read = settle
    assert (await asyncio.wait_for(house.dispatcher.wait(job.id, 60.0), PATIENCE_S)).state is JobState.CANCELLED


async def test_pages_beyond_the_claims_of_one_turn_have_their_jobs_without_anything_else_happening():
    house = await House().start()
    pages = [f"s{number}" for number in range(MOST_CLAIMS + 3)]
    for _ in range(2):
        await house.dispatcher.submit_batch([JobSpec(type="echo", data="1")] * (len(pages) // 2 + 1))
    await house.dispatcher.idle()
    for sid in pages:
        house.open(sid)
        message = {"op": "register", "types": ["echo"], "boot": f"boot-{sid}", "version": VERSION}
        house.pages.message(sid, json.dumps(message), house.clock.monotonic())
    house.dispatcher.changed()
    await house.dispatcher.idle()
    assert [sid for sid in pages if "job" not in [told["op"] for told in house.told[sid]]] == []


async def test_what_a_turn_says_leaves_with_it():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    assert house.transport.said() == 1
    assert house.transport.flushed[-1] == 1, "the offer waits in the outbox for somebody else's flush"


async def test_the_transport_has_its_ticks_from_the_one_timer():
    house = await House().start()
    house.transport.deadline = deadline = house.clock.monotonic() + 20.0
    await house.pass_time(20.0)
    assert house.transport.ticks == [deadline]
