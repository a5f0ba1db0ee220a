"""Requests that wait for a job are woken once, counted exactly, and limited."""

from __future__ import annotations

import pytest

from dispatcher.errors import Unavailable
from dispatcher.node.waits.waiters import Waiters
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test(timeout=60)


async def test_all_who_wait_for_a_job_are_woken_and_nobody_else():
    waiters = Waiters(10)
    first, second, other = waiters.add("a"), waiters.add("a"), waiters.add("b")
    waiters.wake("a")
    assert (first.future.done(), second.future.done(), other.future.done(), len(waiters)) == (True, True, False, 1)


async def test_who_has_gone_is_not_woken_and_does_not_count():
    waiters = Waiters(10)
    gone, stays = waiters.add("a"), waiters.add("a")
    waiters.remove(gone)
    assert len(waiters) == 1
    waiters.wake("a")
    assert (gone.future.done(), stays.future.done(), len(waiters)) == (False, True, 0)


async def test_whoever_leaves_after_it_was_woken_is_not_counted_twice():
    waiters = Waiters(10)
    waiter = waiters.add("a")
    waiters.wake("a")
    waiters.remove(waiter)
    waiters.remove(waiter)
    assert len(waiters) == 0


@pytest.mark.parametrize("end", ["wake", "remove", "wake_all"])
async def test_room_comes_back_however_waiting_ends(end):
    waiters = Waiters(1)
    waiter = waiters.add("a")
    with pytest.raises(Unavailable):
        waiters.add("b")
    {"wake": lambda: waiters.wake("a"), "remove": lambda: waiters.remove(waiter), "wake_all": waiters.wake_all}[end]()
    assert len(waiters) == 0
    waiters.add("b")


async def test_a_request_that_was_cancelled_stops_no_other_from_being_woken():
    waiters = Waiters(10)
    futures = [waiters.add("a").future for _ in range(3)]
    futures[1].cancel()
    waiters.wake_all()
    assert [future.cancelled() for future in futures] == [False, True, False]
    assert all(future.done() for future in futures)


async def test_who_waits_for_all_is_woken_by_the_last_and_counts_once():
    waiters = Waiters(1)
    waiter = waiters.add("a", "b", "c", "a")
    for job in ("a", "x", "c"):
        waiters.wake(job)
    assert (waiter.future.done(), len(waiters)) == (False, 1)
    waiters.wake("b")
    assert (waiter.future.done(), len(waiters)) == (True, 0)


async def test_who_waits_for_the_first_is_woken_by_any_and_leaves_nothing_behind():
    waiters = Waiters(1)
    waiter = waiters.add("a", "b", "c", first=True)
    waiters.wake("b")
    assert (waiter.future.done(), len(waiters)) == (True, 0)
    waiters.wake("c")
    waiters.remove(waiter)
    assert (len(waiters), waiters._by_job) == (0, {})


async def test_a_job_that_had_settled_before_is_not_counted_twice():
    waiters = Waiters(2)
    waiter, other = waiters.add("a", "b", "c"), waiters.add("a")
    waiters.wake("a")
    waiters.settled(waiter, ["a", "b"])
    assert (waiter.future.done(), other.future.done()) == (False, True)
    waiters.settled(waiter, ["c"])
    assert (waiter.future.done(), len(waiters), waiters._by_job) == (True, 0, {})


async def test_to_wake_costs_those_who_wait_for_the_job_however_many_jobs_and_others_there_are():
    costs = []
    for others in (100, 10_000):
        waiters = Waiters(others + 2)
        waiters.add("a", *(f"own-{number}" for number in range(others // 10)))
        for number in range(others):
            waiters.add(f"other-{number}")
        costs.append(operations(lambda: waiters.wake("a")))  # noqa: B023  # it is called at once
    assert costs[0] == costs[1]
