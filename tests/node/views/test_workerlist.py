"""Workers that have gone, in the list of workers."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.core.jobs.model import WorkerFilter, WorkerStatus
from tests.support.house import House
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test


async def leave(house: House, *sids: str) -> None:
    for sid in sids:
        await house.say(sid, op="bye")
        house.pages.ended(sid, house.clock.monotonic())
    await house.pass_time(house.settings.store_check_s)


async def desks(house: House, *names: str) -> None:
    for name in names:
        await house.register(name, "echo", name=name)


async def listed(house: House, **asked) -> list[tuple[str, str]]:
    """The whole list, page by page: name and state."""
    found, cursor = [], None
    for _ in range(100):
        page = await house.dispatcher.known_workers(WorkerFilter(cursor=cursor, **asked))
        assert len(page.items) <= asked.get("limit", 100)
        found += [(view.name, str(view.state)) for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


async def test_a_worker_that_goes_away_stays_in_the_list_with_since_when():
    house = await House().start()
    await desks(house, "DESK-1", "DESK-2")
    at = house.clock.utc()
    await leave(house, "DESK-1")
    [gone, here] = (await house.dispatcher.known_workers(WorkerFilter())).items
    assert (gone.name, gone.state, gone.gone_at) == ("DESK-1", WorkerStatus.GONE, at + 5.0)
    assert (await house.dispatcher.orders.one(gone.id)).shown.name == "DESK-1"
    assert (here.name, here.gone_at) == ("DESK-2", None)
    assert gone.last_contact_s == 0.0
    assert house.dispatcher.worker_counts() == {"connected": 1}


async def test_it_is_not_missing_when_it_is_back_even_before_the_store_has_heard_of_it():
    house = await House().start()
    await desks(house, "DESK-1")
    await leave(house, "DESK-1")
    house.enlist("again", "echo", name="DESK-1")
    assert await listed(house) == [("DESK-1", "connected")]
    await house.pass_time(house.settings.store_check_s)
    assert await house.store.names.missing() == []


async def test_a_worker_without_a_name_of_its_own_is_not_missed():
    house = await House().start()
    await house.register("s1", "echo", name="")
    [here] = house.dispatcher.workers().items
    assert here.name.startswith("page-")
    await leave(house, "s1")
    assert await listed(house) == []


async def test_of_two_workers_of_one_name_both_must_go():
    house = await House().start()
    await house.register("s1", "echo", name="DESK")
    await house.register("s2", "echo", name="DESK")
    await leave(house, "s1")
    assert await house.store.names.missing() == []
    assert await listed(house) == [("DESK", "connected")]
    await leave(house, "s2")
    assert await listed(house) == [("DESK", "gone")]


async def test_a_worker_that_has_another_name_now_is_not_missed_under_its_old_one():
    house = await House().start()
    await desks(house, "OLD")
    await house.say("OLD", op="register", types=["echo"], boot="boot-OLD", version=1, name="NEW")
    await house.pass_time(house.settings.store_check_s)
    assert await listed(house) == [("NEW", "connected")], "it is the same worker: nobody misses it under its old name"


async def test_after_a_restart_those_are_missing_that_do_not_come_back():
    before = await House().start()
    await desks(before, "A", "B")
    await before.pass_time(before.settings.store_check_s)
    house = await House(before.store, first_worker=3).start()
    assert await house.store.names.missing() == []
    house.dispatcher.let_in()
    await desks(house, "B")
    assert await listed(house) == [("A", "gone"), ("B", "connected")]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
async def test_the_pages_of_the_list_show_each_once_in_order(limit):
    house = await House().start()
    names = [f"D{number}" for number in range(9)]
    await desks(house, *names)
    await leave(house, "D0", "D1", "D2", "D4", "D8")
    house.enlist("back", "echo", name="D1")  # the store has not heard of it
    states = {"D0": "gone", "D2": "gone", "D4": "gone", "D8": "gone"}
    wanted = [(name, states.get(name, "connected")) for name in names]
    assert await listed(house, limit=limit) == wanted
    assert await listed(house, limit=limit, name="D4") == [("D4", "gone")]
    assert await listed(house, limit=limit, state="gone") == [pair for pair in wanted if pair[1] == "gone"]
    assert await listed(house, limit=limit, state="connected") == [pair for pair in wanted if pair[1] == "connected"]
    assert ("D0", "gone") not in await listed(house, limit=limit, type="echo")


async def test_those_that_are_back_and_not_yet_heard_of_hide_nobody_before_them():
    house = await House().start()
    await desks(house, "A", "B", "C", "X", "Y", "Z")
    await leave(house, "X", "Y", "Z")
    for name in "XYZ":
        house.enlist(f"again-{name}", "echo", name=name)
    assert [name for name, _ in await listed(house, limit=1)] == ["A", "B", "C", "X", "Y", "Z"]


async def test_who_comes_and_goes_makes_no_turn_of_its_own():
    house = await House().start()
    await desks(house, "A")
    await house.pass_time(house.settings.store_check_s)
    turns = len(house.store.turns)
    await house.register("B", "echo", name="B")
    await house.say("B", op="bye")
    assert len(house.store.turns) == turns


async def test_the_list_costs_the_same_with_ten_missing_and_with_thousands():
    costs = []
    for count in (30, 5_000):
        house = await House().start()
        for number in range(count):
            house.enlist(f"s{number}", "echo", name=f"DESK-{number:05d}")
            house.dispatcher.machine.bye(f"s{number}", house.clock.monotonic())
        await house.pass_time(house.settings.store_check_s)
        assert len(await house.store.names.missing("", None, 9_999)) == count
        costs.append(operations(partial(finish, house)))
    assert costs[0] == costs[1]


def finish(house: House) -> None:
    """Asks for a page, and never waits: the store in memory answers at once."""
    with pytest.raises(StopIteration):
        house.dispatcher.known_workers(WorkerFilter(limit=20)).send(None)


async def test_those_that_are_here_and_those_that_have_gone_stand_in_one_order_as_people_count():
    house = await House().start()
    names = [f"DESK-{number}" for number in range(1, 13)]
    await desks(house, *names)
    await leave(house, *names[1::2])
    assert [name for name, _ in await listed(house, limit=3)] == names
    assert [name for name, state in await listed(house, limit=2) if state == "gone"] == names[1::2]
    assert [name for name, _ in await listed(house, limit=2, name="DESK-1")] == [
        "DESK-1",
        "DESK-10",
        "DESK-11",
        "DESK-12",
    ]
