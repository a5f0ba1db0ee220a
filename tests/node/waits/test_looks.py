"""Looks at a batch are shared by those who wait, never answer for what came after them, and leave nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from dispatcher.core.jobs.views.batches import BatchView
from dispatcher.errors import BatchNotFound
from dispatcher.node.waits.looks import BatchLook, BatchLooks
from dispatcher.node.waits.waiters import Waiters

pytestmark = pytest.mark.gen_test

ENDED = BatchView(id="b", created_at=0.0, counts={"succeeded": 1}, types=frozenset({"echo"}), pending=None)
OPEN = BatchView(id="b", created_at=0.0, counts={"queued": 1}, types=frozenset({"echo"}), pending="j1")


class Room:
    """Looks whose reads end when the test says so."""

    def __init__(self) -> None:
        self.waiters = Waiters(10)
        self.looks = BatchLooks(self.read, self.waiters)
        self.reads: list[asyncio.Future[BatchView]] = []
        #: Who uses a look, in the order of their coming.
        self.users: list[ExitStack] = []

    async def read(self, batch_id: str) -> BatchView:
        self.reads.append(asyncio.get_running_loop().create_future())
        return await self.reads[-1]

    def come(self) -> BatchLook:
        self.users.append(ExitStack())
        return self.users[-1].enter_context(self.looks.joined("b"))

    async def begun(self) -> None:
        """Whatever can begin has begun."""
        for _ in range(5):
            await asyncio.sleep(0)

    def is_empty(self) -> bool:
        return (len(self.looks), self.waiters._by_job, self.waiters._notes, len(self.waiters)) == (0, {}, [], 0)

    def all_leave(self) -> None:
        for user in self.users:
            user.close()


async def test_all_who_come_before_it_begins_share_one_look():
    room = Room()
    looks = [room.come() for _ in range(5)]
    await room.begun()
    assert len(room.reads) == 1
    room.reads[0].set_result(ENDED)
    assert [await look.batch() for look in looks] == [ENDED] * 5
    room.all_leave()
    assert room.is_empty()


async def test_who_comes_after_it_has_begun_gets_the_next_which_begins_when_it_ends():
    room = Room()
    early = room.come()
    await room.begun()
    late, later = room.come(), room.come()
    await room.begun()
    assert late is later
    assert len(room.reads) == 1
    room.reads[0].set_result(OPEN)
    assert await early.batch() == OPEN
    await room.begun()
    room.reads[1].set_result(ENDED)
    assert await late.batch() == ENDED, "what has changed since the first look began"
    room.all_leave()
    assert room.is_empty()


async def test_the_end_of_the_pending_job_is_seen_after_the_look_and_while_it_runs():
    room = Room()
    before, after = room.come(), None
    await room.begun()
    room.reads[0].set_result(OPEN)
    await before.batch()
    assert before.waiter is not None
    assert not before.waiter.future.done()
    after = room.come()
    await room.begun()
    room.waiters.wake("j1")
    room.waiters.wake("another")
    room.reads[1].set_result(OPEN)
    await after.batch()
    assert after.waiter is not None
    assert (before.waiter.future.done(), after.waiter.future.done()) == (True, True)
    room.all_leave()
    assert room.is_empty()


@pytest.mark.parametrize("far", ["not begun", "begun", "done"])
async def test_nothing_stays_of_a_look_that_everybody_has_left(far: str):
    room = Room()
    look = room.come()
    if far != "not begun":
        await room.begun()
    if far == "done":
        room.reads[0].set_result(OPEN)
        await look.batch()
    room.all_leave()
    await room.begun()
    assert room.is_empty()
    assert look.reading.done(), "nobody reads for nobody"
    assert room.come() is not look
    room.all_leave()


async def test_who_leaves_stops_no_other():
    room = Room()
    first, second = room.come(), room.come()
    gone = asyncio.ensure_future(first.batch())
    await room.begun()
    gone.cancel()
    room.users[0].close()
    await room.begun()
    room.reads[0].set_result(ENDED)
    assert await second.batch() == ENDED
    room.all_leave()


async def test_an_error_is_told_to_all_and_the_next_look_begins_anew():
    room = Room()
    looks = [room.come(), room.come()]
    await room.begun()
    after = room.come()
    room.reads[0].set_exception(BatchNotFound("there is no batch 'b'"))
    for look in looks:
        with pytest.raises(BatchNotFound):
            await look.batch()
    await room.begun()
    room.reads[1].set_result(ENDED)
    assert await after.batch() == ENDED
    room.all_leave()
    assert room.is_empty()
