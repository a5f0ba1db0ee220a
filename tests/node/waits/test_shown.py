"""Who waits for a job is answered with the job that its turn shows: nothing is read for it after the turn."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import Cause, Ended, Turn, TurnReport
from dispatcher.node.turns.foreseen import MOST_SHOWN, wanted
from dispatcher.node.waits.waiters import Waiters
from tests.support.house import House, TroubledStore, memory_store, run_one
from tests.support.jobs import spec
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test(timeout=60)


class _Counting(TroubledStore):
    """It counts the reads of whole jobs, and may show none."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.reads = 0
        self.shows = True

    async def apply(self, turn: Turn) -> TurnReport:
        report = await super().apply(turn)
        return report if self.shows else replace(report, shown=[])

    async def job(self, job_id: str) -> JobView | None:
        self.reads += 1
        return await super().job(job_id)


async def _house() -> tuple[House, _Counting]:
    store = memory_store(_Counting)
    house = await House(store=store).start()
    await house.register("s1")
    return house, store


async def _answered(house: House) -> JobView:
    """The answer to a submission that waits, when a page has done the job."""
    waiting = asyncio.ensure_future(house.dispatcher.submit_and_wait(spec(), 60.0))
    await asyncio.sleep(0)  # it begins
    await house.dispatcher.idle(housekeeping=True)
    await run_one(house)
    return (await waiting)[1]


async def test_the_answer_to_a_submission_that_waits_takes_no_read_after_the_turn():
    house, store = await _house()
    job = await _answered(house)
    assert (job.state, job.result, store.reads) == (JobState.SUCCEEDED, '{"ok": 1.0}', 0)
    assert job == await house.store.job(job.id)


async def test_what_a_store_does_not_show_is_read_after_the_turn():
    house, store = await _house()
    store.shows = False
    job = await _answered(house)
    assert (job.state, store.reads) == (JobState.SUCCEEDED, 1)


async def test_all_who_wait_for_a_job_are_answered_with_one_read():
    house, store = await _house()
    job = await house.submit()
    waiting = [asyncio.ensure_future(house.dispatcher.wait(job.id, 60.0)) for _ in range(3)]
    await asyncio.sleep(0)  # they begin
    await run_one(house)
    assert [(await each).state for each in waiting] == [JobState.SUCCEEDED] * 3
    assert store.reads == 0


async def test_nobody_pays_for_a_job_that_is_not_asked_for():
    house, store = await _house()
    job = await house.submit()
    waiting = asyncio.ensure_future(house.dispatcher.wait_for([job.id], first=False, timeout_s=60.0))
    await asyncio.sleep(0)  # it begins
    await run_one(house)
    assert (await waiting)[job.id].state is JobState.SUCCEEDED
    await house.submit()
    await run_one(house)
    assert [turn.shown for turn in store.turns if turn.shown] == []


def _success(job: str) -> Ended:
    return Ended(f"attempt of {job}", Cause.SUCCEEDED, Event.SUCCEED, value="1", job=job)


async def test_a_turn_shows_so_many_jobs_at_most():
    waiters, jobs = Waiters(100), [f"job-{number}" for number in range(MOST_SHOWN + 3)]
    for job in jobs:
        waiters.add(job, wants_job=True)
    assert wanted(map(_success, jobs), waiters) == tuple(jobs[:MOST_SHOWN])


async def test_a_turn_costs_nothing_more_if_nobody_waits_and_the_same_however_many_wait_for_other_jobs():
    reports = [_success(f"job-{number}") for number in range(50)]
    nobody = operations(lambda: wanted(reports, Waiters(1)))
    costs = []
    for others in (100, 10_000):
        waiters = Waiters(others)
        for number in range(others):
            waiters.add(f"other-{number}", wants_job=True)
        costs.append(operations(lambda: wanted(reports, waiters)))  # noqa: B023  # it is called at once
    assert costs[0] == costs[1]
    assert nobody == operations(lambda: wanted([], Waiters(1)))
