"""The dispatcher seen by submitters of batches: they wait for all of its jobs, and cost others nothing."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.views.batches import BatchView
from dispatcher.errors import BatchNotFound, Unavailable
from dispatcher.store.batches import MemoryBatches
from tests.support.house import House
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test


async def submitted(house: House, count: int = 2) -> str:
    """The id of a new batch."""
    taken = await house.dispatcher.submit_batch([JobSpec(type="echo", data="1")] * count)
    [batch_id] = {accepted.job.batch for accepted in taken if accepted.job is not None}
    assert batch_id is not None
    return batch_id


async def test_a_waiter_gets_the_batch_as_soon_as_all_of_its_jobs_have_settled():
    house = await House().start()
    await house.register("s1", slots=3)
    batch_id = await submitted(house, 3)
    offers = await house.hear("s1")
    waiting = asyncio.ensure_future(house.dispatcher.wait_for_batch(batch_id, 30.0))
    for offer in offers:
        assert not waiting.done()
        await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    batch = await waiting
    assert (batch.counts, batch.pending) == ({"succeeded": 3}, None)
    assert (await house.dispatcher.wait_for_batch(batch_id, 30.0)).counts == {"succeeded": 3}, "one that has ended"


async def test_who_does_not_wait_gets_the_batch_as_it_is():
    house = await House().start()
    batch_id = await submitted(house)
    assert (await house.dispatcher.wait_for_batch(batch_id, 0.0)).counts == {"queued": 2}
    assert (await house.dispatcher.wait_for_batch(batch_id, 0.001)).counts == {"queued": 2}
    for call in (house.dispatcher.batch, lambda name: house.dispatcher.wait_for_batch(name, 1.0)):
        with pytest.raises(BatchNotFound):
            await call("nope")


class CountedReads(MemoryBatches):
    """A store's reads of batches; it counts."""

    views = 0

    async def view(self, batch_id: str) -> BatchView | None:
        self.views += 1
        return await super().view(batch_id)


@pytest.mark.parametrize("count", [1, 300])
async def test_a_job_that_ends_costs_one_read_however_many_wait_for_its_batch(count: int):
    house = await House(waiters=300).start()
    house.store.batches = reads = CountedReads(house.store.rows.by_seq, house.store.rows.results)
    states: list[None] = []

    async def state_was_read() -> None:
        states.append(None)

    house.store.after_read = state_was_read
    batch_id = await submitted(house, 4)
    waiting = [asyncio.ensure_future(house.dispatcher.wait_for_batch(batch_id, 30.0)) for _ in range(count)]
    await eventually(lambda: len(house.dispatcher._waiters) == count)
    await house.dispatcher.idle()
    before = reads.views + len(states)
    for ended, job in enumerate(("job-4", "job-3", "job-2", "job-1")):  # the newest first: each was waited for
        await house.dispatcher.cancel(job, "")
        await eventually(lambda least=ended: reads.views + len(states) > before + least)  # type: ignore[misc]
    assert {batch.counts["cancelled"] for batch in await asyncio.gather(*waiting)} == {4}
    assert reads.views + len(states) - before == 4
    assert len(house.dispatcher._waiters) == len(house.dispatcher._batch_looks) == 0


async def test_who_waits_keeps_its_place_when_a_job_ends():
    house = await House(waiters=1).start()
    batch_id = await submitted(house)
    waiting = asyncio.ensure_future(house.dispatcher.wait_for_batch(batch_id, 30.0))
    await eventually(lambda: len(house.dispatcher._waiters) == 1)
    await house.dispatcher.cancel("job-2", "")
    with pytest.raises(Unavailable):
        await house.dispatcher.wait_for_batch(batch_id, 30.0)
    await house.dispatcher.cancel("job-1", "")
    assert (await waiting).pending is None


async def test_each_batch_has_an_id_of_its_own_and_a_job_alone_has_none():
    house = await House().start()
    assert await submitted(house) != await submitted(house)
    assert (await house.submit()).batch is None


async def test_a_server_that_stops_answers_who_waits_for_a_batch():
    house = await House(waiters=1).start()
    batch_id = await submitted(house)
    waiting = asyncio.ensure_future(house.dispatcher.wait_for_batch(batch_id, 30.0))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await house.dispatcher.wait_for_batch(batch_id, 30.0)
    house.dispatcher.begin_drain()
    await house.dispatcher.close()
    assert (await waiting).counts == {"queued": 2}
