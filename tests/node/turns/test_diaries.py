"""What workers did lately outlives their going and the server's end, and costs no turn of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.diaries import KeepDiaries
from dispatcher.core.jobs.model import OneWorkerView, WorkerStatus
from dispatcher.errors import StorageAway, WorkerNotFound, WrongState
from dispatcher.node.turns.diaries import KEPT_S, MOST_AT_ONCE
from tests.support.house import House
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test

ANNA = Actor("anna", remote="10.0.0.1")


async def arrive(house: House, sid: str, name: str, **given: Any) -> str:
    """A page comes, and its diary goes on."""
    house.enlist(sid, "echo", name=name, **given)
    await house.pass_time(house.settings.store_check_s)
    await house.pass_time(house.settings.store_check_s)
    return f"w-{sid}"


async def work(house: House, sid: str, *, fails: bool = False) -> str:
    """It does a job; returns the job's id."""
    job = await house.submit()
    [offer] = [told for told in await house.hear(sid) if told["op"] == "job"]
    await house.say(sid, op="accept", attempt=offer["attempt"])
    if fails:
        await house.say(sid, op="error", attempt=offer["attempt"], message="no paper", retry=False)
    else:
        await house.say(sid, op="result", attempt=offer["attempt"], value=1)
    return job.id


async def leave(house: House, sid: str) -> None:
    await house.say(sid, op="bye")
    house.pages.ended(sid, house.clock.monotonic())
    await house.pass_time(house.settings.store_check_s)


async def one(house: House, worker: str) -> OneWorkerView:
    return await house.dispatcher.orders.one(worker)


async def recent(house: House, worker: str) -> list[str]:
    return [job.id for job in await house.dispatcher.recent_of(await one(house, worker))]


async def after_a_restart(house: House) -> House:
    await house.dispatcher.close()
    again = await House(house.store, clock=house.clock).start()
    again.dispatcher.let_in()
    return again


def written(house: House) -> list[KeepDiaries]:
    return [command for turn in house.store.turns for command in turn.commands if isinstance(command, KeepDiaries)]


async def test_a_renamed_worker_keeps_its_jobs_and_is_missed_under_no_former_name() -> None:
    house = await House().start()
    worker = await arrive(house, "s", "KASSE-1")
    job = await work(house, "s")
    await house.dispatcher.orders.describe(worker, name="KASSE-9", actor=ANNA)
    await house.pass_time(house.settings.store_check_s)
    assert await house.store.names.missing() == []
    assert (await recent(house, worker), (await one(house, "name:KASSE-9")).shown.id) == ([job], worker)
    await house.dispatcher.orders.describe(worker, name="", actor=ANNA)
    await house.pass_time(house.settings.store_check_s)
    assert [found.name for found in await house.store.names.known([worker])] == ["KASSE-1"]


async def test_a_worker_that_gives_up_its_name_for_none_is_not_missed() -> None:
    house = await House().start()
    worker = await arrive(house, "s", "")
    await house.dispatcher.orders.describe(worker, name="DESK", actor=ANNA)
    await house.pass_time(house.settings.store_check_s)
    await house.dispatcher.orders.describe(worker, name="", actor=ANNA)
    await house.pass_time(house.settings.store_check_s)
    assert await house.store.names.known([worker]) == []


async def test_of_a_worker_that_has_gone_all_is_known_by_id_and_by_name() -> None:
    house = await House().start()
    worker = await arrive(house, "s", "DESK", labels=(("site", "berlin"),))
    jobs = [await work(house, "s"), await work(house, "s", fails=True)]
    await leave(house, "s")
    gone = await one(house, worker)
    assert gone == await one(house, "name:DESK")
    shown = gone.shown
    assert (shown.name, shown.state, shown.labels) == ("DESK", WorkerStatus.GONE, {"site": "berlin"})
    assert (shown.types, shown.done, shown.failed, shown.gone_at) == (["echo"], 1, 1, house.clock.utc())
    assert await recent(house, worker) == jobs[::-1]
    assert [what for what, _ in gone.lately] == ["away", "connected"]
    await house.dispatcher.orders.forget("name:DESK", "scrapped", actor=ANNA)
    with pytest.raises(WorkerNotFound, match="nothing is known of one"):
        await one(house, worker)
    with pytest.raises(WorkerNotFound, match="no worker with the name 'DESK' is here, or was here"):
        await one(house, "name:DESK")


async def test_who_is_paused_while_gone_is_paused_when_it_is_back() -> None:
    house = await House().start()
    worker = await arrive(house, "s", "DESK")
    await leave(house, "s")
    await house.dispatcher.orders.pause("name:DESK", "broken", actor=ANNA)
    assert (await one(house, worker)).shown.held is not None
    with pytest.raises(WrongState, match="is not connected"):
        await house.dispatcher.orders.reload("name:DESK", actor=ANNA)


async def test_of_one_of_which_nobody_has_noted_the_id_the_name_is_known_and_it_can_be_forgotten() -> None:
    house = await House().start()
    house.store.names.went("OLD", 1.0, 1.0)  # as an older version has left it
    assert (await one(house, "name:OLD")).shown.gone_at == 1.0
    with pytest.raises(WrongState, match="it can only be forgotten"):
        await house.dispatcher.orders.pause("name:OLD", "", actor=ANNA)
    await house.dispatcher.orders.forget("name:OLD", "", actor=ANNA)
    assert await house.store.names.missing() == []


async def test_tries_of_today_and_last_jobs_outlive_a_restart_and_end_with_the_day() -> None:
    before = await House().start()
    worker = await arrive(before, "s", "DESK")
    jobs = [await work(before, "s"), await work(before, "s", fails=True)]
    house = await after_a_restart(before)
    await arrive(house, "s", "DESK", boot="another")
    jobs.append(await work(house, "s"))
    shown = (await one(house, worker)).shown
    assert (shown.done, shown.failed) == (2, 1)
    assert await recent(house, worker) == jobs[::-1]
    await house.pass_time(86_400.0)
    shown = house.dispatcher.workers().items[0]
    assert (shown.done, shown.failed) == (0, 0)


async def counts(house: House, worker: str) -> tuple[int | None, int | None, int]:
    """Its tries of today, and those of its last day."""
    known = await one(house, worker)
    return known.shown.done, known.shown.failed, sum(part.tries for part in house.dispatcher.day_of(known, []))


async def test_a_try_that_timed_out_has_failed_also_after_a_restart_and_its_late_result_adds_nothing() -> None:
    before = await House().start()
    worker = await arrive(before, "s", "DESK")
    await work(before, "s")
    await before.submit(timeout_s=1.0, max_attempts=1)
    [offer] = [told for told in await before.hear("s") if told["op"] == "job"]
    await before.say("s", op="accept", attempt=offer["attempt"])
    await before.pass_time(1.0)
    await before.say("s", op="result", attempt=offer["attempt"], value=1)
    assert await counts(before, worker) == (1, 1, 2)
    house = await after_a_restart(before)
    await arrive(house, "s", "DESK", boot="another")
    assert await counts(house, worker) == (1, 1, 2)


async def test_a_diary_goes_with_turns_that_come_anyway_and_at_most_every_ten_seconds() -> None:
    house = await House().start()
    await arrive(house, "s", "DESK")
    turns, before = len(house.store.turns), len(written(house))
    for _ in range(4):
        await work(house, "s")
    assert len(written(house)) - before <= 1
    await house.pass_time(KEPT_S)
    await house.pass_time(KEPT_S)
    assert len(written(house)) - before <= 2
    still = len(written(house))
    await house.pass_time(10 * KEPT_S)
    assert len(written(house)) == still, "nothing has happened"
    assert len(house.store.turns) - turns < 40


async def test_many_diaries_are_written_some_at_a_time() -> None:
    house = await House().start()
    for number in range(MOST_AT_ONCE + 50):
        house.enlist(f"s{number}", name=f"D{number:03}")
    for _ in range(6):
        await house.pass_time(KEPT_S)
    sizes = [len(one.diaries) for one in written(house)]
    assert max(sizes) <= MOST_AT_ONCE
    assert sum(sizes) == MOST_AT_ONCE + 50
    for number in range(MOST_AT_ONCE + 50):
        house.pages.message(f"s{number}", '{"op":"bye"}', house.clock.monotonic())
    await house.pass_time(house.settings.store_check_s)
    await house.pass_time(house.settings.store_check_s)
    assert max(len(one.diaries) for one in written(house)) <= MOST_AT_ONCE


async def test_while_the_store_is_away_nothing_takes_the_place_of_a_diary_that_could_not_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = await House().start()
    worker = await arrive(before, "s", "DESK")
    job = await work(before, "s")
    house = await after_a_restart(before)
    known = house.store.names.known

    async def away(*_: object) -> None:
        raise StorageAway("no")

    monkeypatch.setattr(house.store.names, "known", away)
    await arrive(house, "s", "DESK", boot="another")
    monkeypatch.setattr(house.store.names, "known", known)
    await leave(house, "s")
    assert await recent(house, worker) == [job]


async def test_what_a_turn_costs_does_not_depend_on_how_many_diaries_there_are() -> None:
    async def use(workers: int) -> int:
        house = await House().start()
        for number in range(workers):
            house.enlist(f"s{number}", name=f"D{number:04}")
        for _ in range(workers // 50):
            await house.pass_time(KEPT_S)
        house.dispatcher.diaries.take()
        return operations(partial(house.dispatcher.diaries.take))

    assert await use(1_000) == await use(100)
