"""What somebody must look at, as the dispatcher finds it."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change, LaneReady
from dispatcher.core.jobs.views.troubles import OftenFailing, Troubles
from dispatcher.node.turns.failing import IN_A_ROW, LATELY_S, MOST_TYPES, OFTEN, TOLD_S, Failing, Run
from tests.support.house import House
from tests.support.operations import operations
from tests.support.scenes import submit, take

pytestmark = pytest.mark.gen_test


async def troubles(house: House, most: int = 20) -> Troubles:
    return await house.dispatcher.troubles(most)


async def failing(house: House) -> list[tuple[str, int, bool]]:
    return [(one.type, one.jobs, one.all) for one in (await troubles(house)).failing]


async def fail(house: House, *names: str, type: str = "fax") -> None:
    for name in names:
        tried = await take(house, await submit(house, name, type=type), name)
        await tried.error(retry=False)


async def succeed(house: House, name: str, type: str = "fax") -> None:
    await (await take(house, await submit(house, name, type=type), name)).result("1")


async def test_a_server_with_nothing_to_do_has_no_troubles():
    assert await troubles(await House().start()) == Troubles()


async def test_a_type_whose_workers_are_all_paused_is_told_with_its_jobs_that_wait():
    house = await House().start()
    for sid in ("s1", "s2"):
        await house.register(sid, "fax")
        await house.say(sid, op="pause")
    await submit(house, type="fax")
    [shut] = (await troubles(house)).shut
    assert (shut.type, shut.queued, shut.paused, shut.aside, len(shut.workers)) == ("fax", 1, True, False, 2)
    assert (await troubles(house, 0)).shut == []
    await house.say("s1", op="resume")
    assert (await troubles(house)).shut == []


async def test_a_type_is_told_when_three_jobs_have_failed_in_a_row_until_one_succeeds():
    house = await House().start()
    await fail(house, *(f"f{number}" for number in range(IN_A_ROW - 1)))
    assert (await troubles(house)).failing == []
    await fail(house, "last")
    assert await failing(house) == [("fax", IN_A_ROW, True)]
    await succeed(house, "good")
    assert (await troubles(house)).failing == []
    await fail(house, "a", "b", "c", "d")
    assert await failing(house) == [("fax", 4, False)]


async def test_a_type_that_fails_is_told_for_an_hour_and_not_when_its_jobs_are_tried_again():
    house = await House().start()
    await fail(house, "a", "b", "c")
    await fail(house, "x", "y", "z", type="mail")
    for name in "abc":
        await house.dispatcher.retry(name)
    assert await failing(house) == [("mail", 3, True)]
    await house.pass_time(TOLD_S)
    assert await failing(house) == []


async def test_what_failed_in_an_earlier_run_is_told_after_a_restart_with_its_true_time_and_no_longer():
    before = await House().start()
    await fail(before, "a", "b")
    await fail(before, "x", "y", "z", type="mail")
    await fail(before, "k", "l", "m", type="copy")
    began = before.clock.utc()
    await before.pass_time(600.0)
    await succeed(before, "good", "mail")
    await fail(before, "c")
    failed_at = before.clock.utc()
    await before.pass_time(1_500.0)
    house = await House(before.store, clock=before.clock).start()
    told = {one.type: one for one in (await troubles(house)).failing}
    assert told.keys() == {"fax", "copy"}
    assert (told["fax"].jobs, told["fax"].all) == (3, True)
    assert began - 60.0 <= told["fax"].since <= began
    assert failed_at - 60.0 <= told["fax"].at <= failed_at
    await house.pass_time(TOLD_S - 1_650.0)
    assert [name for name, *_ in await failing(house)] == ["fax"], "it is not told anew"
    again = await House(before.store, clock=before.clock).start()
    assert [name for name, *_ in await failing(again)] == ["fax"]


async def test_a_job_that_a_free_worker_is_not_given_is_told_after_a_second():
    house = await House().start()
    await house.register("s1", "fax")
    house.dispatcher.machine.ready([LaneReady("fax", 1, 1.0)], claimed=False)
    house.clock.advance(1.0)
    assert (await troubles(house)).stalled == []
    house.clock.advance(0.5)
    assert (await troubles(house)).stalled == [("fax", 1.5)]


def failed(type_name: str, old: JobState = JobState.RUNNING) -> Change:
    return Change("j", type_name, old, JobState.FAILED, 1.0, None, None, "error")


def test_what_a_person_decided_has_not_failed_by_itself():
    failing = Failing()
    failing.seen([failed("fax", JobState.IN_DOUBT)] * 5)
    assert failing.worst(5, 1.0) == {}


def test_a_bounded_number_of_types_is_counted_and_looked_at():
    failing = Failing()
    for number in range(MOST_TYPES + 10):
        failing.seen([failed(f"t{number}")] * IN_A_ROW)
    assert failing.worst(1, 1.0) == {f"t{MOST_TYPES + 9}": Run(IN_A_ROW, 1.0, 1.0)}
    assert len(failing._runs) == MOST_TYPES


async def test_the_troubles_cost_the_same_with_a_hundred_paused_pages_and_failed_jobs_and_with_thousands():
    costs = []
    for count in (100, 4_000):
        house = await House().start()
        for number in range(count):
            house.enlist(f"s{number}", "fax", f"own-{number}", name=f"DESK-{number:05d}")
            house.dispatcher.machine.pause(f"s{number}", True, house.clock.monotonic())
            house.dispatcher._failing.seen([failed(f"own-{number}")] * 3)
        await submit(house, type="fax")
        await house.dispatcher.idle(housekeeping=True)
        assert len((await troubles(house)).shut) == 20
        costs.append(operations(partial(finish, house)))
    assert costs[0] == costs[1]


def finish(house: House) -> None:
    """Asks for the troubles, and never waits: the store in memory answers at once."""
    with pytest.raises(StopIteration):
        troubles(house).send(None)


async def test_five_failed_jobs_within_a_quarter_of_an_hour_are_told_if_they_are_a_share_of_all():
    house = await House().start()
    for number in range(4):
        await fail(house, f"f{number}")
        await succeed(house, f"g{number}")
    assert (await troubles(house)).often == []
    await fail(house, "f5")
    await succeed(house, "g5")
    assert (await troubles(house)).often == [OftenFailing("fax", 5, 10)]
    house.clock.advance(600.0)
    again = await House(house.store, clock=house.clock).start()
    assert (await troubles(again)).often == [OftenFailing("fax", 5, 10)], "a restart hides nothing"
    for number in range(91):
        await succeed(house, f"more-{number}")
    assert (await troubles(house)).often == [], "they are less than one of twenty"


async def test_failures_of_the_last_quarter_of_an_hour_are_told_and_no_others():
    house = await House().start()
    await fail(house, *(f"f{number}" for number in range(OFTEN)))
    await house.pass_time(LATELY_S - 1.0)
    assert [one.type for one in (await troubles(house)).often] == ["fax"]
    await house.pass_time(2.0)
    assert (await troubles(house)).often == []
    await fail(house, "last")
    assert (await troubles(house)).often == []


async def test_jobs_that_no_worker_takes_because_of_what_they_require_are_told_with_the_cause():
    house = await House().start()
    await house.register("s1", "fax", name="DESK-1", labels={"site": "rome"})
    await house.register("s2", "fax", name="DESK-2")
    begun = house.clock.utc()
    await submit(house, "a", type="fax", requires=requirement_of({"site": "berlin"}))
    await submit(house, "b", type="fax", requires=requirement_of({"name": "DESK-9"}))
    await house.say("s1", op="pause")
    await submit(house, "c", type="fax", requires=requirement_of({"name": "DESK-1"}))
    await submit(house, "d", type="fax", requires=requirement_of({"site": "rome", "name": "DESK-1"}))
    found = {one.requires: one for one in (await troubles(house)).untaken}
    assert [(one.code, one.queued, one.why) for one in found.values()] == [
        ("no_match", 1, "2 workers offer fax, but none has site:berlin"),
        ("no_match", 1, "no connected worker is called DESK-9"),
        ("paused", 2, "the only worker that matches is paused"),
    ]
    assert {one.since for one in found.values()} == {begun}
    await house.say("s1", op="bye")
    await house.register("s3", "fax", name="DESK-1", labels={"site": "berlin"})
    assert [one.why for one in (await troubles(house)).untaken] == [
        "no connected worker is called DESK-9",
        "1 worker is called DESK-1, but does not have site:rome",
    ]


async def test_of_a_type_that_nobody_takes_it_is_told_since_when_its_first_job_waits():
    house = await House().start()
    begun = house.clock.utc()
    await submit(house, "a", type="fax", requires=requirement_of({"site": "berlin"}))
    await submit(house, "h", type="held")
    await house.dispatcher.types.pause("held", "", actor=Actor("test"))
    await house.pass_time(60.0)
    await submit(house, "b", type="fax")
    told = await troubles(house)
    assert [view.type for view in told.unserved] == ["fax"]
    assert [one.type for one in told.paused] == ["held"]
    assert told.since == {"fax": begun, "held": begun}
