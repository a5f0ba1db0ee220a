"""The dispatcher seen by submitters of batches: they wait for all of its jobs, and cost others nothing."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.core.jobs.model import JobSpec
from dispatcher.errors import BatchNotFound, Unavailable
from tests.support.house import House

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
