"""One look at the node: everything in it is bounded, and it costs the same however much there is."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.acts.backups import Backup, BackupState
from dispatcher.core.jobs.matching import requirement_of
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.overview import HookHealth, Overview, Present
from dispatcher.errors import BackupFailed
from dispatcher.node.views.overview import MOST_DOUBTFUL, MOST_TYPES
from tests.support.house import House, run_one
from tests.support.jobs import spec
from tests.support.operations import operations
from tests.support.scenes import a_job

pytestmark = pytest.mark.gen_test


async def look(house: House) -> Overview:
    return await house.dispatcher.overview()


async def test_a_server_with_nothing_to_do_shows_nothing():
    seen = await look(await House().start())
    assert (seen.types, seen.waits, seen.all_waits, seen.hooks, seen.backup) == ([], {}, True, HookHealth(), None)
    assert seen.present == Present(0, 0, 0, 0, 0)
    assert (seen.takes_jobs, seen.draining, seen.has_space) == (True, False, True)


async def test_each_busy_type_has_a_line_with_its_last_hour_and_its_workers():
    house = await House().start()
    await house.register("s1", "sum", name="A")
    await house.register("s2", "sum", name="B")
    await house.say("s2", op="pause")
    await house.submit("sum")
    await run_one(house)
    await house.submit("fax")
    begun = house.clock.utc()
    await house.pass_time(30.0)
    fax, total = (await look(house)).types
    assert (fax.known.type, fax.known.counts["queued"], fax.since, fax.present) == ("fax", 1, begun - 0.0, fax.present)
    assert fax.present == Present(0, 0, 0, 0, 0)
    assert (total.known.type, total.hour.total.succeeded, total.since) == ("sum", 1, None)
    assert total.present == Present(ready=1, busy=0, paused=1, aside=0, away=0)
    seen = await look(house)
    assert (seen.hour.total.jobs, seen.present, seen.more_types) == (1, total.present, False)
    assert seen.waits == {"fax": begun}


async def test_of_many_types_the_busiest_are_shown_by_name():
    house = await House().start()
    for number in range(MOST_TYPES + 1):
        await house.submit(f"t{number:02d}")
        if number:
            await house.submit(f"t{number:02d}")
    seen = await look(house)
    assert [line.known.type for line in seen.types] == [f"t{number:02d}" for number in range(1, MOST_TYPES + 1)]
    assert seen.more_types


async def test_after_a_restart_the_hour_is_still_known():
    before = await House().start()
    await before.register("s1", "sum")
    await before.submit("sum")
    await run_one(before)
    house = await House(before.store).start()
    [line] = (await look(house)).types
    assert line.hour.total.succeeded == 1


async def leave(house: House, *sids: str) -> None:
    """These pages say goodbye; the next turn, which housekeeping makes, tells the store."""
    for sid in sids:
        await house.say(sid, op="bye")
    await house.pass_time(house.settings.store_check_s)


async def test_those_that_have_gone_are_counted_and_those_that_are_missed_are_told():
    house = await House().start()
    for sid, name in (("s1", "GONE"), ("s2", "HERE")):
        await house.register(sid, "a", name=name)
    for _ in range(30):
        await house.pass_time(3_600.0)
    await leave(house, "s1")
    await house.pass_time(130.0)
    seen = await look(house)
    assert [one.name for one in seen.roll.some] == ["GONE"]
    assert (seen.gone, seen.roll.usual, seen.roll.here) == (1, 2, 1)


async def test_the_oldest_job_in_doubt_tells_since_when():
    house = await House().start()
    await a_job(house, JobState.IN_DOUBT, "first")
    doubtful_at = (await house.dispatcher.job("first")).stopped_at
    await house.pass_time(60.0)
    await a_job(house, JobState.IN_DOUBT, "second")
    looks: Any = house.dispatcher._overviews
    assert (await look(house)).in_doubt_since == doubtful_at
    assert await looks._in_doubt_since(MOST_DOUBTFUL + 1) is None


class Shelf:
    """Backups as a test wants them."""

    def __init__(self, *backups: Backup, fault: Exception | None = None) -> None:
        self._backups, self._fault = list(backups), fault

    async def all(self) -> list[Backup]:
        if self._fault is not None:
            raise self._fault
        return self._backups


async def test_the_newest_backup_is_told_and_a_shelf_that_cannot_be_read_is_no_fault():
    house = await House().start()
    newest = Backup(name="b", state=BackupState.DONE, bytes=1, copied_bytes=1, begun_at=5.0)
    looks: Any = house.dispatcher._overviews
    looks._backups = Shelf(newest)
    assert (await look(house)).backup is newest
    for fault in (PermissionError(), BackupFailed("no")):
        looks._backups = Shelf(fault=fault)
        assert (await look(house)).backup is None


async def test_a_webhook_that_the_server_has_given_up_is_told_and_one_that_a_person_switched_off_is_not():
    house = await House(webhook_allow=("shop.example",)).start()
    hooks = house.dispatcher.webhooks
    for name in ("given up", "off"):
        hook = await hooks.make(
            "https://shop.example/x", events=["job.failed"], types=[], name=name, made_by="", actor=Actor("test")
        )
        await hooks.change(hook.id, {"enabled": False}, Actor("test"))
        if name == "given up":
            hooks._endpoints[hook.id] = type(hook)(
                **{field: getattr(hook, field) for field in hook.__struct_fields__}
                | {"enabled": False, "reason": "it answered 410"}
            )
    assert (await look(house)).hooks == HookHealth(given_up=[("given up", "it answered 410")])


async def test_a_look_costs_the_same_with_a_hundred_types_and_with_ten_thousand():
    costs = []
    for count in (100, 9_900):  # and there may be no more than 10,000
        house = await House().start()
        house.enlist("s1", "fax", name="DESK")
        for first in range(0, count, 100):
            await house.dispatcher.submit_batch([spec(f"type-{first + n:05d}") for n in range(100)])
        wanted = [requirement_of({"desk": str(number)}) for number in range(60)]
        await house.dispatcher.submit_batch([spec("fax", requires=requirement) for requirement in wanted])
        await house.dispatcher.submit_batch([spec(f"type-{n:05d}") for n in range(40)] * 3)  # the busiest
        await house.dispatcher.idle(housekeeping=True)
        seen = await look(house)
        assert len(seen.types) == MOST_TYPES
        assert not seen.all_waits
        costs.append(operations(partial(finish, house)))
    assert costs[0] == costs[1]


def finish(house: House) -> None:
    """Looks, and never waits: the store in memory answers at once."""
    with pytest.raises(StopIteration):
        look(house).send(None)
