"""A canary whose new files fail goes back: they are withheld, and its pages load anew once more."""

from __future__ import annotations

import pytest

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.core.fleet.rolling import BACK_S, REST_S
from dispatcher.core.jobs.acts.rollouts import ENOUGH_JOBS, RolloutState
from dispatcher.core.jobs.views.deployed import WithheldTask
from dispatcher.errors import WrongState
from tests.node.acts.test_rollouts import ANN, NEW, NEWER, OLD, Farm

pytestmark = [pytest.mark.gen_test(timeout=30), pytest.mark.expect_log("the rollout goes back: ")]

BOB = Actor("bob", "", "")
WHY = "3 of 3 tries failed on the reloaded pages (echo on DESK-0), and 0 of 0 on the others"


async def failing_farm(pages: int = 3) -> Farm:
    """Its canary has just seen that the new file fails on DESK-0."""
    farm = await Farm.of(pages)
    farm.house.former = {OLD}
    await farm.begin(10, canary=True)
    assert farm.told() == ["DESK-0"]
    await farm.back("DESK-0")
    await fail(farm, "DESK-0")
    return farm


async def fail(farm: Farm, name: str) -> None:
    for _ in range(3):
        await farm.work(name, fails=True)
    await farm.house.pass_time(1.0)


async def test_the_page_that_had_the_new_file_loads_anew_after_its_minute_and_the_others_are_left_alone() -> None:
    farm = await failing_farm()
    assert (farm.view.state, farm.view.stopped, farm.view.left) == (RolloutState.GOING_BACK, None, 1)
    assert farm.view.withheld == farm.house.dispatcher.rollouts.withheld() == [WithheldTask("echo", OLD, NEW)]
    assert farm.told() == [], "nobody loads anew twice within a minute"
    for _ in range(int(REST_S) - 3):
        await farm.house.pass_time(1.0)
    assert farm.told() == []
    await farm.house.pass_time(2.0)
    assert farm.told() == ["DESK-0"]
    await farm.back("DESK-0", version=OLD)
    assert (farm.view.state, farm.view.stopped, farm.view.reloaded) == (RolloutState.STOPPED, "went_back", 1)
    assert farm.view.detail == WHY.replace("0 of 0", "no job")
    await farm.house.pass_time(2 * REST_S)
    assert farm.told() == []
    assert farm.house.dispatcher.rollouts.old() == (0, [])
    one = farm.house.dispatcher.types.deployed("echo")
    assert (one.version, one.withheld, one.old) == (OLD, NEW, 0)


async def test_the_server_notes_that_it_went_back() -> None:
    farm = await failing_farm()
    page = await farm.house.store.acts(AuditFilter(action="rollout.back"))
    [entry] = page.items
    assert entry.actor == Actor("server")
    assert entry.detail.startswith('{"types":["echo"],"why":"3 of 3 tries failed')


async def test_pages_that_were_told_and_are_not_back_yet_are_waited_for() -> None:
    farm = await failing_farm_of_the_second_step()
    assert farm.view.state is RolloutState.GOING_BACK
    # One loaded its files before they were withheld, two afterwards: these have never had the new one.
    await farm.back("DESK-1", version=NEW)
    await farm.back("DESK-2", "DESK-3", version=OLD)
    assert farm.view.reloading == ["DESK-0"], "it has had its minute"
    assert farm.told() == ["DESK-0"]
    await farm.house.pass_time(REST_S - 5)
    assert farm.told() == []
    await farm.back("DESK-0", version=OLD)
    await farm.house.pass_time(5.0)
    assert farm.told() == ["DESK-1"]
    await farm.back("DESK-1", version=OLD)
    assert (farm.view.stopped, farm.view.reloaded, farm.view.lost) == ("went_back", 4, [])


async def failing_farm_of_the_second_step() -> Farm:
    farm = await Farm.of(6)
    farm.house.former = {OLD}
    await farm.begin(10, canary=True)
    assert farm.told() == ["DESK-0"]
    await farm.back("DESK-0")
    for _ in range(ENOUGH_JOBS):
        await farm.work("DESK-0")
    await farm.house.pass_time(REST_S)
    assert farm.told() == ["DESK-1", "DESK-2", "DESK-3"]
    await fail(farm, "DESK-0")
    return farm


async def test_a_page_that_is_stuck_holds_up_no_other() -> None:
    farm = await failing_farm_of_the_second_step()
    await farm.back("DESK-2", "DESK-3", version=OLD)
    for _ in range(int(2 * BACK_S)):
        await farm.house.pass_time(1.0)
    assert (farm.view.stopped, farm.view.lost) == ("went_back", ["DESK-0", "DESK-1"])
    assert farm.view.reloaded == 2


async def test_a_file_that_changes_meanwhile_ends_it_and_the_next_rollout_takes_it() -> None:
    farm = await failing_farm()
    farm.house.shipped = {"echo": NEWER}
    await farm.house.pass_time(1.0)
    assert (farm.view.state, farm.view.stopped) == (RolloutState.STOPPED, "changed")
    await farm.house.pass_time(REST_S)
    assert farm.house.dispatcher.rollouts.old() == (3, ["echo"])
    view = await farm.begin(10, canary=True)
    assert (view.state, view.withheld, farm.told()) == (RolloutState.RUNNING, [], ["DESK-0"])
    await farm.back("DESK-0", version=NEWER)
    await fail(farm, "DESK-0")
    assert farm.view.withheld == [WithheldTask("echo", OLD, NEWER)], "what most pages have"


async def test_a_person_has_the_new_file_offered_all_the_same() -> None:
    farm = await failing_farm()
    await farm.house.dispatcher.rollouts.release(BOB)
    assert (farm.view.stopped, farm.view.detail) == ("released", "bob has the new files offered all the same")
    assert farm.house.dispatcher.rollouts.withheld() == []
    assert farm.house.dispatcher.rollouts.old() == (2, ["echo"])
    with pytest.raises(WrongState, match="no task file is withheld"):
        await farm.house.dispatcher.rollouts.release(BOB)
    entry = (await farm.house.store.acts(AuditFilter())).items[0]
    assert (entry.action, entry.actor.name, entry.detail) == ("rollout.release", "bob", '{"types":["echo"]}')


async def test_after_it_has_gone_back_a_release_changes_nothing_of_how_it_ended() -> None:
    farm = await failing_farm()
    await farm.house.pass_time(REST_S)
    await farm.back("DESK-0", version=OLD)
    await farm.house.dispatcher.rollouts.release(BOB)
    assert farm.view.stopped == "went_back"


async def test_who_stops_it_on_its_way_back_has_the_file_withheld_still() -> None:
    farm = await failing_farm()
    with pytest.raises(WrongState, match="runs already"):
        await farm.begin()
    await farm.house.dispatcher.rollouts.stop(ANN)
    await farm.house.pass_time(REST_S)
    assert (farm.view.stopped, farm.told()) == ("asked", [])
    assert len(farm.house.dispatcher.rollouts.withheld()) == 1


async def test_it_goes_back_only_if_the_former_text_of_what_fails_is_kept() -> None:
    farm = await Farm.of(3, types=("echo", "fax"))
    farm.house.former = {OLD}
    farm.house.shipped = {"echo": NEW, "fax": NEWER}
    for name, (sid, known) in list(farm.page.items()):
        farm.house.pages.away(sid, farm.house.clock.monotonic())
        await farm.join(name, "echo", "fax", versions={"echo": OLD, "fax": "dddddddddddd-1"}, **known)
    await farm.house.pass_time(REST_S)
    await farm.begin(10, canary=True)
    sid, known = farm.page["DESK-0"]
    farm.house.pages.away(sid, farm.house.clock.monotonic())
    await farm.join("DESK-0", "echo", "fax", versions={"echo": NEW, "fax": NEWER}, **known)
    await farm.house.pass_time(1.0)
    await fail(farm, "DESK-0")
    assert farm.view.state is RolloutState.GOING_BACK
    assert [one.type for one in farm.view.withheld] == ["echo"]
