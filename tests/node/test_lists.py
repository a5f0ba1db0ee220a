"""Lists of workers and types as handlers get them: the same work, however many pages stand open."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.core.jobs.model import TypeFilter, WorkerFilter
from dispatcher.errors import BadRequest
from dispatcher.node.views.cursors import cursor_of
from tests.support.house import House
from tests.support.jobs import spec
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test


async def house_of(count: int, jobs: int = 0) -> House:
    """A server with ``count`` pages; the even ones offer ``scan`` too."""
    house = await House().start()
    for number in range(count):
        register(house, number, "echo", *(("scan",) if number % 2 == 0 else ()))
    for _ in range(jobs):
        await house.submit("nobody-offers-it")
    await house.dispatcher.idle(housekeeping=True)
    return house


def register(house: House, number: int, *types: str) -> None:
    house.enlist(f"s{number}", *types, name=f"DESK-{number:05d}")


async def test_a_worker_is_shown_with_its_labels_and_found_by_one():
    house = await House().start()
    await house.register("s1", labels={"site": "berlin", "printer": "ze\0bra"})
    await house.register("s2", labels={"site": "paris"})
    [shown] = house.dispatcher.workers(WorkerFilter(label="site:berlin")).items
    assert shown.labels == {"printer": "ze\ufffdbra", "site": "berlin"}
    await house.say("s1", op="register", types=["echo"], boot="boot-s1", version=1, labels={"site": "rome"})
    assert [one.labels for one in house.dispatcher.workers().items] == [{"site": "rome"}, {"site": "paris"}]


async def test_the_pages_of_the_list_of_workers_show_each_once():
    house = await house_of(7)
    found, cursor = [], None
    for _ in range(4):
        page = house.dispatcher.workers(WorkerFilter(type="scan", limit=1, cursor=cursor))
        found += [view.name for view in page.items]
        cursor = page.next_cursor
    assert found == ["DESK-00000", "DESK-00002", "DESK-00004", "DESK-00006"]
    assert cursor is None
    assert house.dispatcher.worker_counts() == {"connected": 7}


async def test_the_pages_of_the_list_of_types_show_each_once():
    house = await house_of(2, jobs=1)
    names, cursor = [], None
    for _ in range(4):
        page = await house.dispatcher.types.page(TypeFilter(limit=1, cursor=cursor))
        names += [(view.type, view.workers) for view in page.items]
        cursor = page.next_cursor
    assert names == [("echo", 2), ("nobody-offers-it", 0), ("scan", 1), ("shipped", 0)]
    assert cursor is None
    assert [view.type for view in (await house.dispatcher.types.page(TypeFilter(prefix="s"))).items] == [
        "scan",
        "shipped",
    ]


async def test_a_shipped_type_that_a_worker_offers_is_listed_once():
    house = await House().start()
    await house.register("s1", "shipped", "a")
    types = (await house.dispatcher.types.page()).items
    assert [(view.type, view.workers) for view in types] == [("a", 1), ("shipped", 1)]


async def test_types_that_jobs_wait_for_in_vain_are_named():
    house = await house_of(2, jobs=3)
    [view] = (await house.dispatcher.troubles(20)).unserved
    assert (view.type, view.counts["queued"]) == ("nobody-offers-it", 3)
    assert (await house.dispatcher.troubles(0)).unserved == []
    register(house, 9, "nobody-offers-it")
    assert (await house.dispatcher.troubles(20)).unserved == []


@pytest.mark.parametrize("cursor", ["x", "/", "é", "W10", "WyJhIl0=====", cursor_of("a", "b", "c"), "null", "e30"])
async def test_a_cursor_that_is_not_ours_is_refused(cursor):
    house = await house_of(1)
    with pytest.raises(BadRequest, match="cursor"):
        house.dispatcher.workers(WorkerFilter(cursor=cursor))
    with pytest.raises(BadRequest, match="cursor"):
        await house.dispatcher.types.page(TypeFilter(cursor=cursor))


async def test_a_page_that_names_too_many_types_is_told_so():
    house = await House().start()
    await house.register("s1", *(f"a-{n}" for n in range(1_000)))
    [told] = await house.say("s1", op="register", types=["one-more"], boot="boot-s1", version=1)
    assert (told["op"], told["code"]) == ("refused", "too_many_types")
    assert house.dispatcher.workers(WorkerFilter(type="a-7")).items


async def test_lists_and_counters_cost_the_same_with_a_hundred_pages_and_with_ten_thousand():
    few, many = await house_of(100, jobs=2), await house_of(10_000, jobs=2)
    asked = WorkerFilter(limit=20)
    assert len(many.dispatcher.workers(asked).items) == 20

    async def overview(house: House) -> None:
        await house.dispatcher.troubles(20)
        house.dispatcher.workers(asked), house.dispatcher.worker_counts()
        await house.dispatcher.types.page()

    def work(house: House) -> int:
        return operations(lambda: finish(overview(house)))

    assert work(many) == work(few)


async def test_a_page_of_types_and_the_overview_cost_the_same_with_a_hundred_types_and_with_ten_thousand():
    costs = []
    for count in (100, 10_000):
        house = await House().start()
        for first in range(0, count, 100):
            await house.dispatcher.submit_batch([spec(f"type-{first + n:05d}") for n in range(100)])
        await house.dispatcher.idle(housekeeping=True)
        dispatcher = house.dispatcher
        asked = TypeFilter(prefix="type-000", limit=40, cursor=cursor_of("type-00019"))
        assert [view.type for view in (await dispatcher.types.page(asked)).items] == [
            f"type-{n:05d}" for n in range(20, 60)
        ]
        assert [view.type for view in (await dispatcher.troubles(2)).unserved] == ["type-00000", "type-00001"]
        assert sum((await dispatcher.counts()).values()) == count
        reads = (partial(dispatcher.types.page, asked), partial(dispatcher.troubles, 20), dispatcher.counts)
        costs.append([cost(read) for read in reads])
    assert costs[0] == costs[1]


def cost(read) -> int:
    return operations(lambda: finish(read()))


def finish(coroutine) -> None:
    """Runs a coroutine that never waits: the store in memory answers at once."""
    with pytest.raises(StopIteration):
        coroutine.send(None)
