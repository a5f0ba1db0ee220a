"""Requests that wait for a job are woken once, counted exactly, and limited."""

from __future__ import annotations

import pytest

from dispatcher.errors import Unavailable
from dispatcher.node.waiters import Waiters

pytestmark = pytest.mark.gen_test(timeout=60)


async def test_all_who_wait_for_a_job_are_woken_and_nobody_else():
    waiters = Waiters(10)
    first, second, other = waiters.add("a"), waiters.add("a"), waiters.add("b")
    waiters.wake("a")
    assert (first.done(), second.done(), other.done(), len(waiters)) == (True, True, False, 1)


async def test_who_has_gone_is_not_woken_and_does_not_count():
    waiters = Waiters(10)
    gone, stays = waiters.add("a"), waiters.add("a")
    waiters.remove("a", gone)
    assert len(waiters) == 1
    waiters.wake("a")
    assert (gone.done(), stays.done(), len(waiters)) == (False, True, 0)


async def test_whoever_leaves_after_it_was_woken_is_not_counted_twice():
    waiters = Waiters(10)
    future = waiters.add("a")
    waiters.wake("a")
    waiters.remove("a", future)
    waiters.remove("a", future)
    assert len(waiters) == 0


@pytest.mark.parametrize("end", ["wake", "remove", "wake_all"])
async def test_room_comes_back_however_waiting_ends(end):
    waiters = Waiters(1)
    future = waiters.add("a")
    with pytest.raises(Unavailable):
        waiters.add("b")
    {"wake": lambda: waiters.wake("a"), "remove": lambda: waiters.remove("a", future), "wake_all": waiters.wake_all}[
        end
    ]()
    assert len(waiters) == 0
    waiters.add("b")


async def test_a_request_that_was_cancelled_stops_no_other_from_being_woken():
    waiters = Waiters(10)
    futures = [waiters.add("a") for _ in range(3)]
    futures[1].cancel()
    waiters.wake_all()
    assert [future.cancelled() for future in futures] == [False, True, False]
    assert all(future.done() for future in futures)
