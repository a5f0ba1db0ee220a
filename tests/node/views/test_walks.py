"""Those who read the whole list of jobs: each job once, one page at a time, and not too many of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from dispatcher.core.jobs.model import JobFilter, JobPage
from dispatcher.errors import BadParameter, Draining, Unavailable
from dispatcher.node.views.walks import PAGE, Walk, Walks
from dispatcher.store.views import cursor_of
from tests.support.house import House
from tests.support.jobs import spec
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test(timeout=60)


async def house_of(count: int, **settings: Any) -> House:
    """A server with so many jobs."""
    house = await House(**settings).start()
    while count > 0:
        await house.dispatcher.submit_batch([spec()] * min(count, 1_000))
        count -= 1_000
    return house


async def whole(walk: Walk) -> list[str]:
    found: list[str] = []
    with walk:
        while (jobs := await walk.next()) is not None:
            found += [job.id for job in jobs]
    return found


async def test_a_walk_meets_each_job_once_newest_first_and_none_that_comes_later():
    house = await house_of(250)
    with house.dispatcher.walks.begin(JobFilter(limit=1)) as walk:
        first = await walk.next()
        await house.submit("later")
        rest = [job for _ in range(2) for job in await walk.next() or ()]
        assert await walk.next() is None
        assert await walk.next() is None
    assert first is not None
    assert len(first) == PAGE
    assert [job.id for job in first + rest] == [f"job-{number}" for number in range(250, 0, -1)]


async def test_only_so_many_read_at_once_and_who_has_left_does_not_count():
    house = await house_of(3, waiters=2)
    walks = house.dispatcher.walks
    with walks.begin(JobFilter()), walks.begin(JobFilter()), pytest.raises(Unavailable, match="2 clients read"):
        walks.begin(JobFilter())
    assert len(await whole(walks.begin(JobFilter()))) == 3
    assert walks.count == 0


async def test_a_hundred_who_read_take_one_page_between_two_turns_of_the_loop():
    house = await house_of(500)
    made = 0

    async def read(wanted: JobFilter) -> JobPage:
        nonlocal made
        made += 1
        return await house.dispatcher.jobs(wanted)

    walks = Walks(read, 100)
    readers = [asyncio.create_task(whole(walks.begin(JobFilter()))) for _ in range(100)]
    most, before = 0, 0
    while not all(reader.done() for reader in readers):
        await asyncio.sleep(0)
        most, before = max(most, made - before), made
    assert {len(reader.result()) for reader in readers} == {500}
    assert most == 1


async def test_a_cursor_that_is_not_ours_is_refused_and_one_above_all_jobs_begins_with_the_newest():
    house = await house_of(2)
    with house.dispatcher.walks.begin(JobFilter(cursor="odd")) as walk, pytest.raises(BadParameter):
        await walk.next()
    assert await whole(house.dispatcher.walks.begin(JobFilter(cursor=cursor_of(1 << 61)))) == ["job-2", "job-1"]


async def test_a_walk_ends_in_a_fault_when_the_server_stops():
    house = await house_of(150)
    with house.dispatcher.walks.begin(JobFilter()) as walk:
        await walk.next()
        await house.dispatcher.close()
        with pytest.raises(Draining):
            await walk.next()


def run_now(work: Coroutine[Any, Any, object]) -> None:
    """Runs what never waits."""
    with pytest.raises(StopIteration):
        work.send(None)


async def test_a_page_in_the_depth_of_a_list_costs_the_same_among_100_jobs_and_10_000():
    costs = []
    for count in (200, 10_000):
        store = (await house_of(count)).store
        deep = JobFilter(limit=PAGE, cursor=cursor_of(150))
        costs.append(operations(lambda: run_now(store.jobs(deep))))  # noqa: B023  # it is called at once
    assert costs[0] == costs[1]


async def test_a_page_of_a_store_in_memory_looks_at_so_many_numbers_and_its_cursor_goes_on():
    house = await House().start()
    await house.submit("first")
    house.store.rows.last_seq = 100_000
    await house.submit("last")
    page = await house.store.jobs(JobFilter(type="first"))
    assert page.items == []
    assert page.next_cursor == cursor_of(60_002)
    assert len(await whole(house.dispatcher.walks.begin(JobFilter()))) == 2
