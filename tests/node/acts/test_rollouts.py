"""Rollouts: pages with old tasks load anew, some at a time, and something that is wrong stops them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.core.fleet.rolling import BACK_S, REST_S
from dispatcher.core.jobs.acts.rollouts import (
    ENOUGH_JOBS,
    WATCH_S,
    RolloutOrder,
    RolloutState,
    RolloutView,
    TryTally,
    harm,
)
from dispatcher.errors import Draining, WrongState
from tests.support.house import House

pytestmark = pytest.mark.gen_test(timeout=30)

ANN = Actor("ann", "", "")
OLD, NEW, NEWER = "aaaaaaaaaaaa-1764489600", "bbbbbbbbbbbb-1764493200", "cccccccccccc-1764496800"


class Farm:
    """Pages with names and an old task; a page that is told to load anew does so when the test says it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.page: dict[str, tuple[str, dict[str, Any]]] = {}
        self._numbers = itertools.count(1)

    @classmethod
    async def of(cls, pages: int, **fields: Any) -> Farm:
        farm = cls(await House(reconnect_grace_s=30.0).start())
        farm.house.shipped = {"echo": NEW}
        for number in range(pages):
            await farm.join(f"DESK-{number}", versions={"echo": OLD}, **fields)
        await farm.house.pass_time(REST_S)
        return farm

    async def join(self, name: str, *types: str, **fields: Any) -> None:
        sid = f"s{next(self._numbers)}"
        known = await self.house.register(sid, *(types or ("echo",)), name=name, **fields)
        self.page[name] = (sid, {"worker": known["worker"], "secret": known["secret"], "after": f"boot-{sid}"})

    async def begin(self, at_a_time: int = 2, *, canary: bool = False, without: str = "") -> RolloutView:
        left_out = (("name", without),) if without else ()
        return await self.house.dispatcher.rollouts.begin(
            RolloutOrder(at_a_time=at_a_time, canary=canary, without=left_out, actor=ANN, reason="new labels")
        )

    @property
    def view(self) -> RolloutView:
        view = self.house.dispatcher.rollouts.view
        assert view is not None
        return view

    def told(self) -> list[str]:
        """The names of the pages that were told to load anew since the last call."""
        found = []
        for name, (sid, _) in self.page.items():
            orders = [message for message in self.house.told.get(sid, []) if message["op"] == "reload"]
            for order in orders:
                assert order == {"op": "reload", "idle": True}
                self.house.told[sid].remove(order)
                found.append(name)
        return found

    async def back(
        self, *names: str, types: tuple[str, ...] = (), version: str = NEW, versions: dict[str, str] | None = None
    ) -> None:
        """These pages have loaded anew; a second later the rollout looks."""
        for name in names:
            sid, known = self.page[name]
            self.house.pages.away(sid, self.house.clock.monotonic())
            await self.join(name, *types, versions=versions or {"echo": version}, **known)
        await self.house.pass_time(1.0)

    async def work(self, name: str, *, type_name: str = "echo", fails: bool = False) -> None:
        """This page runs a job of its own."""
        sid, _ = self.page[name]
        await self.house.submit(type_name, requires=(("name", (name,)),), max_attempts=1)
        offer = next(message for message in await self.house.hear(sid) if message["op"] == "job")
        await self.house.say(sid, op="accept", attempt=offer["attempt"])
        end = {"op": "error", "message": "no paper"} if fails else {"op": "result", "value": 1}
        await self.house.say(sid, attempt=offer["attempt"], **end)


async def test_no_more_pages_are_loading_anew_at_once_and_it_ends_when_none_is_old() -> None:
    farm = await Farm.of(5)
    view = await farm.begin(2)
    assert (view.state, view.left, view.reloading) == (RolloutState.RUNNING, 3, ["DESK-0", "DESK-1"])
    assert farm.told() == ["DESK-0", "DESK-1"]
    await farm.house.pass_time(1.0)
    assert farm.told() == []
    await farm.back("DESK-1")
    assert farm.told() == ["DESK-2"]
    await farm.back("DESK-0", "DESK-2")
    assert farm.told() == ["DESK-3", "DESK-4"]
    await farm.back("DESK-3")
    assert (farm.view.reloaded, farm.view.reloading, farm.view.left) == (4, ["DESK-4"], 0)
    await farm.back("DESK-4")
    assert (farm.view.state, farm.view.reloaded, farm.view.types, farm.view.stopped) == (
        *(RolloutState.DONE, 5),
        *(["echo"], None),
    )
    assert farm.house.dispatcher.rollouts.next_at is None


async def test_a_page_without_a_version_or_with_the_newest_one_is_let_be() -> None:
    farm = await Farm.of(1)
    await farm.join("SILENT")
    await farm.join("NEW", versions={"echo": NEW})
    await farm.house.pass_time(REST_S)
    await farm.begin(10)
    assert farm.told() == ["DESK-0"]
    await farm.back("DESK-0")
    assert farm.view.state is RolloutState.DONE


async def test_idle_pages_come_first_and_a_busy_one_finishes_its_job_before_the_minute_begins() -> None:
    farm = await Farm.of(2)
    sid, _ = farm.page["DESK-0"]
    await farm.house.submit("echo", requires=(("name", ("DESK-0",)),), timeout_s=3600.0)
    offer = next(message for message in await farm.house.hear(sid) if message["op"] == "job")
    await farm.house.say(sid, op="accept", attempt=offer["attempt"])
    await farm.begin(1)
    assert farm.told() == ["DESK-1"]
    await farm.back("DESK-1")
    assert farm.told() == ["DESK-0"]
    for _ in range(3):
        await farm.house.pass_time(BACK_S)
    assert farm.view.stopped is None
    await farm.house.say(sid, op="result", attempt=offer["attempt"], value=1)
    await farm.back("DESK-0")
    assert farm.view.state is RolloutState.DONE


async def test_a_page_that_has_just_loaded_waits_for_its_minute() -> None:
    farm = await Farm.of(1)
    await farm.join("YOUNG", versions={"echo": OLD})
    await farm.begin(10)
    assert (farm.told(), farm.view.left) == (["DESK-0"], 1)
    await farm.back("DESK-0")
    assert (farm.told(), farm.view.state) == ([], RolloutState.RUNNING)
    await farm.house.pass_time(REST_S)
    assert farm.told() == ["YOUNG"]


@pytest.mark.parametrize("leaves", [True, False])
async def test_it_stops_if_a_page_does_not_come_back_within_a_minute(leaves: bool) -> None:
    farm = await Farm.of(3)
    await farm.begin(1)
    if leaves:
        await farm.house.say(farm.page["DESK-0"][0], op="bye")
    for _ in range(int(BACK_S) + 1):
        assert farm.view.state is RolloutState.RUNNING
        await farm.house.pass_time(1.0)
    assert (farm.view.state, farm.view.stopped) == (RolloutState.STOPPED, "not_back")
    assert farm.view.detail == "DESK-0 was told to load anew and has not come back within a minute"
    await farm.house.pass_time(5.0)
    assert set(farm.told()) <= {"DESK-0"}


async def test_it_stops_if_a_page_still_has_an_old_file() -> None:
    farm = await Farm.of(3)
    await farm.begin(1)
    await farm.back("DESK-0", version=OLD)
    assert (farm.view.stopped, farm.view.reloaded) == ("still_old", 0)
    assert farm.view.detail is not None
    assert "DESK-0 has loaded anew and still has an old file" in farm.view.detail


async def test_a_file_that_changes_once_more_meanwhile_is_no_fault_of_the_page() -> None:
    farm = await Farm.of(1)
    await farm.begin(1)
    farm.house.shipped = {"echo": NEWER}
    await farm.back("DESK-0")
    assert (farm.view.state, farm.view.reloaded, farm.view.left) == (RolloutState.RUNNING, 0, 1)
    farm.told()
    await farm.house.pass_time(REST_S)
    assert farm.told() == ["DESK-0"]
    await farm.back("DESK-0", version=NEWER)
    assert (farm.view.state, farm.view.reloaded) == (RolloutState.DONE, 1)


async def test_it_stops_if_a_page_offers_a_type_no_more_whose_file_is_still_there() -> None:
    farm = await Farm.of(2, types=("echo", "fax"))
    farm.house.shipped["fax"] = NEW
    await farm.begin(1)
    await farm.back("DESK-0", types=("echo",))
    assert farm.view.state is RolloutState.RUNNING
    for _ in range(int(BACK_S)):
        await farm.house.pass_time(1.0)
    assert (farm.view.state, farm.view.stopped) == (RolloutState.STOPPED, "type_gone")
    assert farm.view.detail is not None
    assert farm.view.detail.startswith("DESK-0 has loaded anew and does not offer fax any more")


async def test_a_type_whose_file_was_removed_is_not_missed() -> None:
    farm = await Farm.of(1, types=("echo", "fax"))
    await farm.begin(1)
    await farm.back("DESK-0", types=("echo",))
    assert farm.view.state is RolloutState.DONE


async def test_a_person_stops_it_and_who_began_and_stopped_it_is_noted() -> None:
    farm = await Farm.of(3)
    await farm.begin(1)
    with pytest.raises(WrongState, match="runs already"):
        await farm.begin(1)
    view = await farm.house.dispatcher.rollouts.stop(Actor("bob", "", ""))
    assert (view.state, view.stopped, view.detail) == (RolloutState.STOPPED, "asked", "bob stopped it")
    with pytest.raises(WrongState, match="no rollout runs"):
        await farm.house.dispatcher.rollouts.stop(ANN)
    await farm.back("DESK-0")
    assert farm.told() == []
    page = await farm.house.store.acts(AuditFilter())
    assert [(entry.action, entry.actor.name, entry.detail) for entry in page.items] == [
        ("rollout.stop", "bob", ""),
        ("rollout.begin", "ann", '{"at_a_time":1,"canary":false,"reason":"new labels"}'),
    ]
    await farm.begin(1)
    assert farm.view.state is RolloutState.RUNNING


async def test_a_rollout_that_ends_by_itself_is_noted_with_what_became_of_it() -> None:
    farm = await Farm.of(1)
    await farm.begin(1)
    await farm.back("DESK-0")
    assert farm.view.state is RolloutState.DONE
    await farm.house.dispatcher.idle()
    [act] = (await farm.house.store.acts(AuditFilter(action="rollout.end"))).items
    assert (act.actor.name, act.detail) == ("server", '{"state":"done","reloaded":1}')


async def test_there_must_be_an_old_page_and_a_server_that_goes_on() -> None:
    farm = await Farm.of(1)
    farm.house.shipped = {"echo": OLD}
    with pytest.raises(WrongState, match="no connected page is known to have an old task"):
        await farm.begin()
    farm.house.shipped = {"echo": NEW}
    farm.house.dispatcher.begin_drain()
    with pytest.raises(Draining):
        await farm.begin()


@pytest.mark.parametrize("drains", [True, False])
async def test_it_ends_with_the_server(drains: bool) -> None:
    farm = await Farm.of(2)
    await farm.begin(1)
    if drains:
        farm.house.dispatcher.begin_drain()
        await farm.back("DESK-0")
    else:
        await farm.house.dispatcher.close()
    assert (farm.view.state, farm.view.stopped) == (RolloutState.STOPPED, "server_stopped")


async def test_old_pages_are_counted_with_the_types_that_are_old_on_them() -> None:
    farm = await Farm.of(2)
    await farm.join("OTHER", "echo", "fax", versions={"echo": NEW, "fax": OLD})
    farm.house.shipped |= {"fax": NEW, "same": NEW}
    pages, types = farm.house.dispatcher.rollouts.deployed()
    assert (pages, [(one.type, one.old) for one in types]) == (3, [("echo", 2), ("fax", 1)])


# -- the canary


async def test_a_canary_begins_with_one_page_then_three_then_all() -> None:
    farm = await Farm.of(9)
    await farm.begin(10, canary=True)
    assert farm.told() == ["DESK-0"]
    await farm.back("DESK-0")
    assert (farm.told(), farm.view.watching) == ([], True)
    for _ in range(ENOUGH_JOBS):
        await farm.work("DESK-0")
    await farm.house.pass_time(1.0)
    assert farm.view.new == TryTally(ENOUGH_JOBS, 0)
    assert farm.told() == ["DESK-1", "DESK-2", "DESK-3"]
    await farm.back("DESK-1", "DESK-2", "DESK-3")
    assert farm.told() == []
    for _ in range(ENOUGH_JOBS):
        await farm.work("DESK-2")
    await farm.house.pass_time(1.0)
    assert farm.told() == [f"DESK-{number}" for number in range(4, 9)]
    assert not farm.view.watching


async def test_a_canary_without_jobs_goes_on_after_its_time() -> None:
    farm = await Farm.of(2)
    await farm.begin(10, canary=True)
    await farm.back("DESK-0")
    await farm.house.pass_time(WATCH_S - 2.0)
    assert farm.told() == []
    await farm.house.pass_time(3.0)
    assert farm.told() == ["DESK-1"]


async def test_a_canary_stops_when_the_new_files_fail_and_nobody_has_kept_the_old_ones() -> None:
    farm = await Farm.of(4)
    await farm.begin(10, canary=True)
    await farm.back("DESK-0")
    for _ in range(3):
        await farm.work("DESK-0", fails=True)
        await farm.work("DESK-1")
    await farm.house.pass_time(1.0)
    assert (farm.view.state, farm.view.stopped) == (RolloutState.STOPPED, "failures")
    assert farm.view.detail is not None
    assert farm.view.detail.startswith(
        "3 of 3 tries failed on the reloaded pages (echo on DESK-0), and 0 of 3 on the others; "
        "it cannot go back, because this server has not kept the files of echo"
    )
    assert farm.told() == []


async def test_a_canary_goes_on_when_old_and_new_files_fail_alike() -> None:
    farm = await Farm.of(4)
    await farm.begin(10, canary=True)
    await farm.back("DESK-0")
    for number in range(ENOUGH_JOBS):
        await farm.work("DESK-0", fails=number % 2 == 0)
        await farm.work("DESK-1", fails=number % 2 == 0)
    await farm.house.pass_time(1.0)
    assert (farm.view.state, farm.view.new, farm.view.rest) == (
        *(RolloutState.RUNNING, TryTally(ENOUGH_JOBS, ENOUGH_JOBS // 2)),
        TryTally(ENOUGH_JOBS, ENOUGH_JOBS // 2),
    )
    assert farm.told() == ["DESK-1", "DESK-2", "DESK-3"]


async def test_a_file_that_is_mended_while_the_canary_watches_is_tried_anew() -> None:
    farm = await Farm.of(3)
    await farm.begin(10, canary=True)
    farm.told()
    await farm.back("DESK-0")
    await farm.work("DESK-0", fails=True)
    await farm.work("DESK-0", fails=True)
    farm.house.shipped = {"echo": NEWER}
    await farm.house.pass_time(1.0)
    assert (farm.view.new, farm.view.reloaded, farm.told()) == (TryTally(), 0, ["DESK-1"])
    await farm.work("DESK-0", fails=True)
    await farm.house.pass_time(1.0)
    assert (farm.view.state, farm.view.new) == (RolloutState.RUNNING, TryTally())


async def test_jobs_of_other_types_and_rollouts_without_a_canary_stop_nothing() -> None:
    farm = await Farm.of(2)
    await farm.begin(1)
    await farm.back("DESK-0")
    for _ in range(5):
        await farm.work("DESK-0", fails=True)
    await farm.house.pass_time(1.0)
    assert (farm.view.state, farm.view.new) == (RolloutState.RUNNING, TryTally(5, 5))


@pytest.mark.parametrize(
    ("new", "rest", "harms"),
    [
        (TryTally(2, 2), TryTally(100, 0), False),
        (TryTally(3, 3), TryTally(), True),
        (TryTally(100, 5), TryTally(), False),
        (TryTally(100, 6), TryTally(), True),
        (TryTally(100, 25), TryTally(100, 10), False),
        (TryTally(100, 26), TryTally(100, 10), True),
    ],
)
def test_harm_is_a_share_well_above_that_of_the_others(new: TryTally, rest: TryTally, harms: bool) -> None:
    assert bool(harm(new, rest)) is harms


async def test_a_page_that_is_left_out_keeps_its_old_task_and_the_rollout_ends_without_it():
    farm = await Farm.of(3)
    view = await farm.begin(5, without="DESK-1")
    assert (farm.told(), view.left, view.left_out) == (["DESK-0", "DESK-2"], 0, 1)
    await farm.back("DESK-0", "DESK-2")
    assert (farm.view.state, farm.view.reloaded, farm.view.left_out) == (RolloutState.DONE, 2, 1)
    assert farm.told() == []
    assert farm.house.dispatcher.rollouts.old() == (1, ["echo"])
    [act] = (await farm.house.dispatcher.access.acts(AuditFilter(action="rollout.begin"))).items
    assert '"without":["name:DESK-1"]' in act.detail
