"""The dispatcher seen by submitters and operators: cancel, retry, waiting, limits, drain, views."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.errors import (
    BadRequest,
    Draining,
    JobNotFound,
    KeyConflict,
    QueueFull,
    StorageTrouble,
    Unavailable,
    WrongState,
)
from dispatcher.store.memory import MemoryStore
from tests.support.house import House, run_one
from tests.support.jobs import spec

pytestmark = pytest.mark.gen_test


async def test_cancel_of_a_running_job_revokes_its_attempt_at_once():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    cancelled = await house.dispatcher.cancel(job.id, "not needed")
    assert (cancelled.state, cancelled.detail) == (JobState.CANCELLED, "not needed")
    assert [(m["op"], m["reason"]) for m in await house.hear("s1")] == [("cancel", "not needed")]
    [told] = await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    assert told["verdict"] == "stale"
    with pytest.raises(WrongState):
        await house.dispatcher.cancel(job.id, "again")


async def test_a_cancel_without_a_reason_is_told_to_the_page_as_one():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    await house.hear("s1")
    await house.dispatcher.cancel(job.id, "")
    assert [(m["op"], m["reason"]) for m in await house.hear("s1")] == [("cancel", "cancelled")]


async def test_retry_gives_a_failed_job_another_round():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(max_attempts=1)
    [offer] = await house.hear("s1")
    await house.say("s1", op="error", attempt=offer["attempt"], message="no")
    assert (await house.dispatcher.retry(job.id)).state in (JobState.QUEUED, JobState.RUNNING)
    [again] = await house.hear("s1")
    assert again["number"] == 2
    with pytest.raises(JobNotFound):
        await house.dispatcher.retry("nobody")


async def test_a_waiter_gets_the_job_as_soon_as_it_has_settled():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    waiting = asyncio.ensure_future(house.dispatcher.wait(job.id, 30.0))
    await asyncio.sleep(0)
    await run_one(house)
    assert (await waiting).state is JobState.SUCCEEDED
    assert (await house.dispatcher.wait(job.id, 30.0)).state is JobState.SUCCEEDED, "one that has settled"
    open_job = await house.submit("other")
    assert (await house.dispatcher.wait(open_job.id, 0.0)).state is JobState.QUEUED


async def test_waiters_are_bounded():
    house = await House(waiters=1).start()
    job = await house.submit()
    waiting = asyncio.ensure_future(house.dispatcher.wait(job.id, 30.0))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await house.dispatcher.wait(job.id, 30.0)
    house.dispatcher.begin_drain()
    await house.dispatcher.close()
    assert (await waiting).state is JobState.QUEUED, "a server that stops answers who waits"


async def test_the_same_key_gives_the_same_job_and_another_body_a_conflict():
    house = await House().start()
    first = await house.submit(key="k1", fingerprint="a")
    assert (await house.submit(key="k1", fingerprint="a")).id == first.id
    with pytest.raises(KeyConflict):
        await house.submit(key="k1", fingerprint="b")


async def test_a_full_queue_refuses_and_keeps_what_it_has():
    house = await House(queue_depth=2).start()
    await house.submit()
    await house.submit()
    with pytest.raises(QueueFull):
        await house.submit()
    assert len((await house.dispatcher.jobs(JobFilter())).items) == 2


async def test_a_delayed_job_waits_for_the_wall_clock():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(delay_s=100.0)
    await house.pass_time(99)
    assert await house.state(job) == "scheduled"
    house.clock.step_wall(3_600)  # somebody corrects the clock: the timer looks at it twice a second
    await house.pass_time(0)
    assert [m["id"] for m in await house.hear("s1")] == [job.id]


async def test_an_expired_job_is_never_offered():
    house = await House().start()
    job = await house.submit(expires_s=5.0)
    await house.pass_time(5.1)
    await house.register("s1")
    assert await house.hear("s1") == []
    assert await house.state(job) == "expired"


async def test_equal_workers_get_exactly_equal_shares():
    house = await House().start()
    sids = [f"s{n}" for n in range(5)]
    for sid in sids:
        await house.register(sid)
    served = dict.fromkeys(sids, 0)
    for _ in range(23):
        await house.submit()
        for sid in sids:
            for offer in await house.hear(sid):
                served[sid] += 1
                await house.say(sid, op="result", attempt=offer["attempt"], value=1)
    assert sorted(served.values()) == [4, 4, 5, 5, 5]


async def test_drain_takes_no_jobs_makes_no_offers_and_records_results():
    house = await House().start()
    await house.register("s1", slots=2)
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    house.dispatcher.begin_drain()
    assert [m["op"] for m in await house.hear("s1")] == ["drain"]
    with pytest.raises(Draining):
        await house.submit()
    assert (house.dispatcher.ready(), house.dispatcher.busy()) == (False, 1)
    [told] = await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    assert told["verdict"] == "recorded"
    assert (await house.state(job), house.dispatcher.busy()) == ("succeeded", 0)


@pytest.mark.parametrize("error", [StorageTrouble("disk on fire"), ZeroDivisionError("an error of ours")])
@pytest.mark.expect_log("disk on fire|turn failed")
async def test_a_store_that_fails_answers_unknown_to_everybody_and_ends_the_process(error):
    house = await House().start()
    house.store.trouble = error
    results = await asyncio.gather(*(house.submit() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [StorageTrouble] * 3
    assert len(house.failures) == 1
    with pytest.raises(StorageTrouble):
        await house.submit()


async def test_workers_and_types_are_shown():
    house = await House().start()
    await house.register("s1", "echo", "print", name="FRONT-DESK", page={"mode": 11})
    await house.submit("odd")
    [worker] = house.dispatcher.workers().items
    assert (worker.name, worker.types, worker.page, worker.remote) == (
        "FRONT-DESK",
        ["echo", "print"],
        {"mode": "11"},
        "10.0.0.9",
    )
    types = {t.type: (t.offered_at is not None, t.workers) for t in (await house.dispatcher.types.page()).items}
    assert types == {"echo": (True, 1), "print": (True, 1), "odd": (False, 0), "shipped": (False, 0)}
    assert (await house.dispatcher.counts())["queued"] == 1


async def test_why_a_job_waits_is_said_in_words():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    job = await house.submit()
    why = house.dispatcher.why_waits
    shown = await house.dispatcher.job(job.id)
    assert why(shown) == "1 worker offers the type echo, and it is busy"
    await house.say("s1", op="pause")
    assert why(shown) == "1 worker offers the type echo, but it is paused"
    house.pages.away("s1", house.clock.monotonic())
    assert why(shown) == "1 worker offers the type echo, but it cannot be reached just now"
    later = await house.submit(delay_s=60.0)
    assert why(await house.dispatcher.job(later.id)) == "it was submitted with a delay"
    house.dispatcher.begin_drain()
    assert "stopping" in (why(shown) or "")


async def test_a_page_that_joins_while_the_server_stops_is_told_so():
    house = await House().start()
    house.dispatcher.begin_drain()
    await house.register("s1")
    assert [m["op"] for m in await house.hear("s1")] == ["drain"]


class _Counted:
    """A store that counts how often a whole job is read."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.reads = self.states = 0

    def __getattr__(self, name: str) -> Any:
        self.reads += name == "job"
        self.states += name == "state"
        return getattr(self._store, name)


@pytest.mark.parametrize("waits_at_once", [True, False])
async def test_a_job_that_its_submitter_waits_for_is_shown_by_the_turn_that_ends_it(waits_at_once: bool):
    store = _Counted(House().store)
    house = await House(store=store).start()
    await house.register("s1")
    if waits_at_once:
        waiting = asyncio.ensure_future(house.dispatcher.submit_and_wait(spec(), 60.0))
        await asyncio.sleep(0)  # it begins
        await house.dispatcher.idle(housekeeping=True)
        await run_one(house)
        _, job = await waiting
    else:
        job = await house.dispatcher.wait((await house.submit()).id, 0.0)
    seen = (job.state is JobState.SUCCEEDED, store.reads, store.states)
    assert seen == ((True, 0, 0) if waits_at_once else (False, 1, 1))


@pytest.mark.parametrize("passes", range(8))
async def test_a_wait_that_comes_with_a_submission_misses_no_end_of_its_job(passes: int):
    """The turn that ends the job may be the next one, whenever it is asked for."""
    house = await House().start()
    house.job_ids.append("j1")
    waiting = asyncio.ensure_future(house.dispatcher.submit_and_wait(spec(key="k"), 60.0))
    for _ in range(passes):
        await asyncio.sleep(0)
    cancelled = False
    while not cancelled:
        with contextlib.suppress(JobNotFound, BadRequest):  # it is not there yet, or came with the same turn
            await house.dispatcher.cancel("j1", "at once")
            cancelled = True
    accepted, seen = await asyncio.wait_for(waiting, 10)
    assert (accepted.replayed, seen.state) == (False, JobState.CANCELLED)
    again, seen = await house.dispatcher.submit_and_wait(spec(key="k"), 60.0)
    assert (again.replayed, seen.state) == (True, JobState.CANCELLED)


async def test_who_waits_costs_no_read_of_the_job_and_who_cancels_none():
    store = _Counted(House().store)
    house = await House(store=store).start()
    await house.register("s1")
    job = await house.submit()
    waiting = asyncio.ensure_future(house.dispatcher.wait(job.id, 60.0))
    await run_one(house)
    assert ((await waiting).state, store.reads) == (JobState.SUCCEEDED, 0)
    other = await house.submit()
    await house.dispatcher.cancel(other.id, "no")
    assert store.reads == 0  # a turn tells what a command has made of the job
