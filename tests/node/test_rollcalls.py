"""The roll is called at each full hour, and who is missed is told: on the overview, and to webhooks."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.habits import Roll, hour_of
from dispatcher.core.jobs.views.changes import ChangeFilter
from dispatcher.core.jobs.views.telling import EVENTS, RollEvent
from dispatcher.errors import StorageAway
from dispatcher.node.changes.followers import Follower
from dispatcher.node.rollcalls import LOOK_S, MOST_MISSED, RETURNS_S, RollCalls
from dispatcher.store.names import MemoryNames
from tests.node.webhooks.receivers import ADMIN, Receiver, quiet
from tests.support.house import House
from tests.support.operations import operations

pytestmark = pytest.mark.gen_test

HOUR_S, DAY_H = 3_600.0, 24
ANNA = Actor("anna", remote="10.0.0.1")


async def hours(house: House, count: int) -> None:
    """The clock begins at a full hour."""
    for _ in range(count):
        await house.pass_time(HOUR_S)


async def look(house: House) -> Roll:
    """What a look finds a moment later."""
    await house.pass_time(LOOK_S)
    await quiet(house)
    return house.dispatcher.rolls.latest


def told(roll: Roll) -> tuple[int, int, list[str]]:
    return roll.usual, roll.here, [one.name for one in roll.some]


def seen(follower: Follower) -> list[tuple[str, int, int, list[str]]]:
    """What somebody who follows roll events gets."""
    events = [item.event for item in follower.take().items]
    rolls = [event for event in events if isinstance(event, RollEvent)]
    assert rolls == events
    return [(roll.name, roll.usual, roll.here, [one.name for one in roll.workers]) for roll in rolls]


async def farm(*names: str, hours_here: int = 30, **given: Any) -> House:
    """Workers that have been here all the time."""
    house = await House(**given).start()
    for name in names:
        await house.register(f"s-{name}", "sum", name=name)
    await hours(house, hours_here)
    return house


async def leave(house: House, *names: str) -> None:
    for name in names:
        await house.say(f"s-{name}", op="bye")
    await house.pass_time(house.settings.store_check_s)


async def test_who_is_usually_here_and_has_gone_is_missed_until_it_is_back() -> None:
    house = await farm("A", "B", "C")
    assert told(await look(house)) == (3, 3, [])
    await leave(house, "B")
    assert told(await look(house)) == (3, 3, []), "it may only be loading anew"
    await house.pass_time(RETURNS_S)
    assert told(await look(house)) == (3, 2, ["B"])
    await house.register("s2", "sum", name="B")
    assert told(await look(house)) == (3, 3, [])


async def test_who_comes_for_the_first_time_today_is_not_usual_yet() -> None:
    house = await farm("A", hours_here=3)
    await leave(house, "A")
    await house.pass_time(RETURNS_S)
    assert told(await look(house)) == (0, 0, [])


async def test_the_habit_outlives_a_restart_and_counts_again_when_pages_have_had_time_to_come() -> None:
    before = await farm("A", "B")
    house = await House(before.store, clock=before.clock, first_worker=10).start()
    house.dispatcher.let_in()
    await house.register("s-A", "sum", name="A")
    await house.pass_time(1.0)
    assert told(await look(house)) == (2, 2, [])
    await house.pass_time(RETURNS_S)
    assert told(await look(house)) == (2, 1, ["B"])


async def test_a_roll_that_nobody_was_there_to_call_in_time_is_not_called() -> None:
    house = await farm("A")
    await leave(house, "A")
    before = dict(house.store.rows.names._habits)
    await house.pass_time(10.6 * HOUR_S)  # the machine slept
    assert told(await look(house)) == (1, 0, ["A"])
    assert house.store.rows.names._habits == before


async def test_who_loads_anew_while_the_roll_is_called_was_here() -> None:
    house = await farm("A", "B")
    await house.pass_time(HOUR_S / 2)
    await leave(house, "B")
    await house.pass_time(HOUR_S / 2 - house.settings.store_check_s - 40.0)
    await leave(house, "A")
    await house.pass_time(3_600.0 - house.clock.utc() % HOUR_S)
    now_at, habits = house.clock.utc(), house.store.rows.names._habits
    assert {name: habits[name].signs[hour_of(now_at)] for name in ("A", "B")} == {"A": "1", "B": "0"}


@pytest.mark.parametrize("order", ["pause", "block"])
async def test_whom_an_operator_keeps_away_nobody_misses(order: str) -> None:
    house = await farm("A", "B")
    worker = next(one.id for one in house.dispatcher.machine.workers.values() if one.name == "A")
    orders = house.dispatcher.orders
    await getattr(orders, order)(worker, "repaired", actor=ANNA)
    await leave(house, *(["A", "B"] if order == "pause" else ["B"]))
    await house.pass_time(RETURNS_S)
    assert told(await look(house)) == (1, 0, ["B"])
    await getattr(orders, {"pause": "resume", "block": "unblock"}[order])(worker, actor=ANNA)
    assert told(await look(house)) == (2, 0, ["A", "B"])


async def test_the_hours_are_those_of_the_clocks_on_the_walls() -> None:
    """In the night to 25 October 2026 clocks in Berlin go back from 3 to 2; the office opens at the same hour."""
    zone = ZoneInfo("Europe/Berlin")
    house = House()
    house.clock.zone = lambda at: datetime.fromtimestamp(at, zone).utcoffset().total_seconds()  # type: ignore[union-attr]
    monday = datetime(2026, 10, 19, 6, 0, tzinfo=zone).timestamp()
    house.clock.step_wall(monday - house.clock.utc())
    await house.start()
    missed_at: list[int] = []
    for number in range(8 * DAY_H):
        wall = datetime.fromtimestamp(house.clock.utc(), zone)
        if wall.weekday() < 5 and wall.hour in (7, 17) and number < 7 * DAY_H:
            opens = wall.hour == 7
            await (house.register(f"s-{number}", "sum", name="A") if opens else house.say(f"s-{number - 10}", op="bye"))
        await house.pass_time(HOUR_S / 2)
        if number >= 7 * DAY_H and (await look(house)).missed:
            missed_at.append(wall.hour)
        await house.pass_time(HOUR_S - house.clock.utc() % HOUR_S)
    assert missed_at == list(range(8, 17)), "the next Monday nobody comes"


async def test_receivers_of_webhooks_are_told_of_who_is_newly_missed_and_when_nobody_is_any_more() -> None:
    receiver = Receiver()
    house = await farm("A", "B", "C", poster=receiver)
    await house.dispatcher.webhooks.make(
        "https://example.com/", events=EVENTS[-2:], types=["sum"], name="", made_by="anna", actor=ADMIN
    )
    await house.dispatcher.webhooks.make(
        "https://example.org/", events=EVENTS[:1], types=[], name="", made_by="anna", actor=ADMIN
    )
    await leave(house, "B")
    gone_at = house.clock.utc()
    await house.pass_time(RETURNS_S)
    for _ in range(3):
        await look(house)
    await leave(house, "C")
    await house.pass_time(RETURNS_S)
    await look(house)
    for sid, name in (("s8", "B"), ("s9", "C")):
        await house.register(sid, "sum", name=name)
        await look(house)
    heard = [json.loads(one.body) for one in receiver.heard]
    assert {one.url for one in receiver.heard} == {"https://example.com/"}
    counts = [(one["type"], *(one["data"][name] for name in ("usual", "here", "missed"))) for one in heard]
    assert counts == [("workers.missed", 3, 2, 1), ("workers.missed", 3, 1, 2), ("workers.complete", 3, 3, 0)]
    assert [[worker["name"] for worker in one["data"]["workers"]] for one in heard] == [["B"], ["C"], []]
    first = datetime.fromisoformat(heard[0]["data"]["workers"][0]["gone_at"]).timestamp()
    assert gone_at - 60.0 <= first <= gone_at


async def test_followers_are_told_what_webhooks_are_told_and_a_new_life_tells_once_more_who_is_still_missed() -> None:
    before = await farm("A", "B")
    wanted = ChangeFilter(event=frozenset(EVENTS[-2:]))
    follower = before.dispatcher.feed.follow(wanted, None)
    await leave(before, "B")
    await before.pass_time(RETURNS_S)
    for _ in range(3):
        await look(before)
    await before.register("s-B", "sum", name="B")
    await look(before)
    assert seen(follower) == [("workers.missed", 2, 1, ["B"]), ("workers.complete", 2, 2, [])]
    await leave(before, "B")
    await before.pass_time(RETURNS_S)
    await look(before)
    assert seen(follower) == [("workers.missed", 2, 1, ["B"])]
    house = await House(before.store, clock=before.clock, first_worker=10).start()
    house.dispatcher.let_in()
    follower = house.dispatcher.feed.follow(wanted, "oldest")
    await house.register("s-A", "sum", name="A")
    await house.pass_time(RETURNS_S)
    await look(house)
    assert seen(follower) == [("workers.missed", 2, 1, ["B"])]


async def test_one_node_of_several_calls_and_tells() -> None:
    receiver = Receiver()
    house = await farm("A", poster=receiver)
    await house.dispatcher.webhooks.make(
        "https://example.com/", events=EVENTS[-2:], types=[], name="", made_by="anna", actor=ADMIN
    )
    house.dispatcher._turns.outcomes.leads = False
    house.dispatcher._turns.outcomes.heard = lambda heard, now: []  # type: ignore[method-assign]
    follower = house.dispatcher.feed.follow(ChangeFilter(event=frozenset(EVENTS[-2:])), None)
    before = dict(house.store.rows.names._habits)
    await hours(house, 2)
    await leave(house, "A")
    await house.pass_time(RETURNS_S)
    assert told(await look(house)) == (1, 0, ["A"])
    assert house.store.rows.names._habits == before
    assert receiver.heard == []
    assert seen(follower) == [("workers.missed", 1, 0, ["A"])], "each shows it to those who follow its events"


async def test_while_the_store_is_away_it_knows_what_it_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    house = await farm("A")
    known = await look(house)

    async def away(*asked: object) -> object:
        raise StorageAway("away", retry_after_s=1)

    monkeypatch.setattr(MemoryNames, "usual", away)
    assert await look(house) == known != Roll()


async def test_it_costs_the_loop_the_same_however_many_workers_there_are() -> None:
    costs = []
    for count in (10, 1_000):
        house = await House().start()
        for number in range(count):
            house.enlist(f"s{number}", "sum", name=f"DESK-{number}")
        await hours(house, 2)
        rolls: RollCalls = house.dispatcher.rolls
        now = house.clock.advance(HOUR_S)
        costs.append(operations(partial(rolls.tick, now)))
        await house.dispatcher.idle(housekeeping=True)
    assert costs[0] == costs[1] < 300


async def test_of_very_many_that_are_missed_all_are_counted_and_some_named() -> None:
    house = await House().start()
    names = [f"DESK-{number}" for number in range(MOST_MISSED + 5)]
    for name in names:
        house.enlist(name, "sum", name=name)
    await hours(house, 30)
    for name in names:
        house.pages.message(name, '{"op": "bye"}', house.clock.monotonic())
    await house.pass_time(house.settings.store_check_s)
    await house.pass_time(RETURNS_S)
    roll = await look(house)
    assert (roll.usual, roll.missed, len(roll.some)) == (len(names), len(names), MOST_MISSED)
