"""A slow store, or one without room: waiting requests are limited, and pages' messages are kept (S22, S23)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from dispatcher.errors import StorageFull, Unavailable
from dispatcher.node.turns.turns import FULL_PAUSE_S, MOST_REPORTS
from tests.support.house import House, run_one

pytestmark = pytest.mark.gen_test


async def _waiting(house: House, count: int, data: str = "1") -> list[asyncio.Task]:
    """One submission whose turn lasts, and ``count`` that wait for the next."""
    house.store.go.clear()
    before = len(house.store.turns)
    tasks = [asyncio.ensure_future(house.submit(data=data))]
    while len(house.store.turns) == before:
        await asyncio.sleep(0)
    tasks += [asyncio.ensure_future(house.submit(data=data)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_who_waits_for_a_slow_disk_is_bounded_and_those_who_came_in_time_are_served():
    house = await House(intake_queue=3).start()
    tasks = await _waiting(house, 3)
    with pytest.raises(Unavailable, match="more jobs come than can be stored"):
        await house.submit()
    assert not any(task.done() for task in tasks)
    house.store.go.set()
    assert len({(await task).id for task in tasks}) == 4
    await house.submit()


async def test_the_bytes_that_wait_for_a_slow_disk_are_bounded():
    house = await House(intake_bytes=1 << 20).start()
    tasks = await _waiting(house, 3, data=f'"{"x" * 500_000}"')
    with pytest.raises(Unavailable):
        await house.submit()
    house.store.go.set()
    await asyncio.gather(*tasks)
    for task in await _waiting(house, 2, data=f'"{"x" * 500_000}"'):
        house.store.go.set()
        await task
    await house.submit()


@pytest.mark.expect_log("no room; what pages say waits")
async def test_on_a_full_disk_what_pages_said_waits_in_order_and_no_page_hears_that_it_is_recorded():
    house = await House().start()
    await house.register("s1", slots=2)
    jobs = [await house.submit(), await house.submit()]
    offers = await house.hear("s1")
    for offer in offers:
        await house.say("s1", op="accept", attempt=offer["attempt"])
    house.store.trouble = StorageFull("no room")
    assert await house.say("s1", op="result", attempt=offers[1]["attempt"], value=2) == []
    assert await house.say("s1", op="result", attempt=offers[0]["attempt"], value=1) == []
    with pytest.raises(StorageFull):
        await house.submit()
    with pytest.raises(StorageFull):
        await house.dispatcher.cancel(jobs[0].id, "no")
    assert not house.dispatcher.ready()
    tried = len(house.store.turns)
    for number in range(3):
        await house.pass_time(FULL_PAUSE_S)
        assert len(house.store.turns) == tried + number + 1
    assert [report.attempt for report in house.store.turns[-1].reports] == [o["attempt"] for o in reversed(offers)]
    assert await house.say("s1", op="result", attempt=offers[0]["attempt"], value=1) == [], "it repeats"
    house.store.trouble = None
    await house.pass_time(FULL_PAUSE_S)
    assert [told["verdict"] for told in await house.hear("s1") if told["op"] == "recorded"] == ["recorded"] * 2
    assert [await house.state(job) for job in jobs] == ["succeeded", "succeeded"]
    assert house.dispatcher.ready()
    await house.submit()
    await run_one(house)


def _say(house: House, sid: str, **message: Any) -> None:
    """A page's message, while a turn is in flight."""
    house.pages.message(sid, json.dumps(message), house.clock.monotonic())
    house.dispatcher.changed()


async def _answers_while_a_turn_lasts(house: House) -> list[str]:
    """The first two are in a turn that lasts until ``store.go``; the others come meanwhile. Returns the attempts."""
    await house.register("s1", slots=4)
    for _ in range(4):
        await house.submit()
    attempts = [offer["attempt"] for offer in await house.hear("s1")]
    for attempt in attempts:
        await house.say("s1", op="accept", attempt=attempt)
    house.store.go.clear()
    before = len(house.store.turns)
    for attempt in attempts[:2]:
        _say(house, "s1", op="result", attempt=attempt, value=1)
    while len(house.store.turns) == before:
        await asyncio.sleep(0)
    for attempt in attempts[2:]:
        _say(house, "s1", op="result", attempt=attempt, value=2)
    return attempts


@pytest.mark.expect_log("no room; what pages say waits")
async def test_what_came_while_the_full_disk_was_tried_stands_behind_what_is_given_again():
    house = await House().start()
    attempts = await _answers_while_a_turn_lasts(house)
    assert [report.attempt for report in house.store.turns[-1].reports] == attempts[:2]
    house.store.trouble = StorageFull("no room")
    house.store.go.set()
    await house.dispatcher.idle()
    for _ in range(2):
        await house.pass_time(FULL_PAUSE_S)
        assert [report.attempt for report in house.store.turns[-1].reports] == attempts
    house.store.trouble = None
    await house.pass_time(FULL_PAUSE_S)
    assert [report.attempt for report in house.store.turns[-1].reports] == attempts


async def test_a_dispatcher_that_closes_stores_what_was_said_while_its_last_turn_lasted():
    house = await House().start()
    attempts = await _answers_while_a_turn_lasts(house)
    closing = asyncio.ensure_future(house.dispatcher.close())
    await asyncio.sleep(0)
    house.store.go.set()
    await closing
    stored = [report.attempt for turn in house.store.turns[-2:] for report in turn.reports]
    assert stored == attempts
    assert [told["op"] for told in house.told["s1"]] == ["recorded"] * 4


@pytest.mark.expect_log("no room; what pages say waits")
async def test_progress_and_log_lines_are_not_kept_for_ever_on_a_full_disk_and_results_are():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    house.store.trouble = StorageFull("no room")
    for number in range(MOST_REPORTS + 100):
        house.dispatcher.pages.message(
            "s1", f'{{"op":"log","attempt":"{offer["attempt"]}","line":"{number}"}}', house.clock.monotonic()
        )
    assert await house.say("s1", op="result", attempt=offer["attempt"], value=1) == []
    assert len(house.dispatcher._turns._reports) == MOST_REPORTS + 1
    house.store.trouble = None
    await house.pass_time(FULL_PAUSE_S)
    assert await house.state(job) == "succeeded"
    await house.dispatcher.close()


@pytest.mark.expect_log("no room; what pages say waits")
async def test_a_server_can_be_closed_while_its_disk_is_full():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    house.store.trouble = StorageFull("no room")
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await asyncio.wait_for(house.dispatcher.close(), 5)
