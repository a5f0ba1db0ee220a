"""Idle pages, queued jobs and connections delay a job by no more than a turn (promises S29, S30, S31)."""

from __future__ import annotations

import uuid
from functools import partial
from pathlib import Path

import pytest

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cause, Demand, Ended, Turn
from dispatcher.store.applier.hand import Ids
from dispatcher.store.opening import open_store
from dispatcher.store.port import Limits, Store
from tests.core.workers.support import left
from tests.support.house import House
from tests.support.jobs import numbered
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test(timeout=60)

ENDED = 1_000


@pytest.mark.parametrize(("idle", "pools"), [(1_023, 1), (1_024, 1), (1_100, 1), (12_000, 1_000)])
async def test_a_job_with_an_idle_page_of_its_own_runs_beside_a_thousand_others(idle: int, pools: int):
    house = await House().start()
    for number in range(idle):
        house.enlist(f"a{number}", "other", f"other-{number % pools}")
    assert len({worker.pool for worker in house.dispatcher.machine.workers.values()}) == pools
    await house.register("b", "mine")
    jobs = [await house.submit("mine") for _ in range(3)]
    told = await house.hear("b")
    for job in jobs:
        (offer,) = [message for message in told if message["op"] == "job"]
        assert offer["id"] == job.id
        told = await house.say("b", op="result", attempt=offer["attempt"], value=1)
    assert [await house.state(job) for job in jobs] == ["succeeded"] * 3


async def test_why_a_job_waits_costs_the_same_beside_100_and_3_000_pages():
    costs = []
    for pages in (100, 3_000):
        house = await House().start()
        for number in range(pages):
            await house.register(f"a{number}", "other")
        await house.register("b", "mine")
        await house.say("b", op="pause")
        job = await house.submit("mine")
        shown = await house.dispatcher.job(job.id)
        assert house.dispatcher.why_waits(shown) == "1 worker offers the type mine, but it is paused"
        costs.append(operations(partial(house.dispatcher.why_waits, shown)))
    assert costs[0] == costs[1]


async def test_why_a_job_waits_costs_the_same_beside_100_and_3_000_pools_of_its_type():
    costs = []
    for pages in (100, 3_000):
        house = await House().start()
        for number in range(pages):
            house.enlist(f"a{number}", "mine", f"other-{number}")
            house.dispatcher.machine.pause(f"a{number}", True, house.clock.monotonic())
        job = await house.submit("mine")
        shown = await house.dispatcher.job(job.id)
        assert house.dispatcher.why_waits(shown) == f"{pages:,} workers offer the type mine, but all are paused"
        costs.append(operations(partial(house.dispatcher.why_waits, shown)))
    assert costs[0] == costs[1]


async def _outlived(place: Path) -> Store:
    """A store, opened anew, with jobs whose retention passed long ago."""
    store = await _open(place)
    specs = [JobSpec(type="echo", data="1") for _ in range(ENDED)]
    demand = [Demand(1, ("echo",), ENDED)]
    claims = (await store.apply(Turn(epoch=1, now_at=1.0, elapsed_s=1.0, submissions=specs, demand=demand))).claims
    ends = [Ended(claim.attempt, Cause.SUCCEEDED, Event.SUCCEED, value="1", implies_accept=True) for claim in claims]
    await store.apply(Turn(epoch=1, now_at=2.0, elapsed_s=2.0, reports=list(ends)))
    await store.apply(Turn(epoch=1, now_at=9_000.0, elapsed_s=9_000.0, submissions=specs[:1]))
    await store.close()
    return await _open(place)


async def _open(place: Path) -> Store:
    return await open_store(
        f"sqlite:///{place}/jobs.db",
        limits=Limits(retention_s=60.0),
        ids=Ids(lambda: str(uuid.uuid4()), numbered().attempt),
        new_key=lambda: b"k" * 32,
    )


async def test_a_start_waits_for_its_first_turn_and_not_for_housekeeping(tmp_path: Path):
    house = House(store=await _outlived(tmp_path))
    await house.dispatcher.start()
    assert (await house.dispatcher.counts())["succeeded"] > ENDED / 2
    await house.dispatcher.idle(housekeeping=True)
    assert (await house.dispatcher.counts())["succeeded"] == 0
    await house.dispatcher.close()


async def test_a_stop_does_not_wait_for_housekeeping(tmp_path: Path):
    house = House(store=await _outlived(tmp_path))
    await house.dispatcher.start()
    await house.dispatcher.close()
    store = await _open(tmp_path)
    assert (await store.counts())["succeeded"] > 0, "some of it is left for the next life"
    await store.close()


async def test_the_grace_of_what_an_earlier_run_left_begins_when_pages_can_come():
    house = House(restart_grace_s=10.0)
    house.dispatcher.machine.restore([left("a1")], house.clock.monotonic())
    house.clock.advance(9.0)
    house.dispatcher.let_in()
    assert house.dispatcher.machine.next_deadline() == house.clock.monotonic() + 10.0
    await house.dispatcher.idle(housekeeping=True)
