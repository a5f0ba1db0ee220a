"""The person at a worker page ends the pause of an operator: durably, no other one, and signed with the worker."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.errors import StorageFull, StorageTrouble
from dispatcher.node.acts.orders import BY_PERSON
from dispatcher.node.holds import MOST_ENDING, DeskHolds
from dispatcher.node.turns.turns import FULL_PAUSE_S
from tests.node.nodes import two_nodes
from tests.support.house import JSON, House

pytestmark = pytest.mark.gen_test(timeout=60)

ANN, PERSON = Actor("ann"), Actor("worker FRONT-DESK-07", remote="10.0.0.9")


async def _paused(house: House, sid: str = "s1", **terms: Any) -> tuple[str, int]:
    """A worker that ann pauses; its id, and when the hold began."""
    worker = (await house.register(sid, name="FRONT-DESK-07"))["worker"]
    await house.dispatcher.orders.pause(worker, "lunch", actor=ANN, **terms)
    [told] = await house.hear(sid)
    assert (told["op"], told["paused"], told["by"], told["reason"]) == ("hold", True, "ann", "lunch")
    return worker, told["since_ms"]


async def _resumes(house: House, since_ms: int, sid: str = "s1") -> list[JSON]:
    """What the page hears when it says that its person goes on."""
    await house.say(sid, op="resume", held_since_ms=since_ms)
    for _ in range(5):  # the order waits behind others, and then for its turn
        await asyncio.sleep(0)
    return await house.hear(sid)


async def _acts(house: House, worker: str) -> list[tuple[str, str, str]]:
    page = await house.dispatcher.access.acts(AuditFilter(target=worker))
    return [(act.action, act.actor.name, act.detail) for act in page.items]


def _is_held(house: House, worker: str) -> bool:
    return house.dispatcher.machine.workers[worker].held is not None


async def test_the_person_at_the_page_ends_an_operators_pause_and_is_the_author() -> None:
    house = await House().start()
    worker, since_ms = await _paused(house)
    assert await house.say("s1", op="pause") == []
    assert await _resumes(house, since_ms) == [{"op": "hold", "paused": False}]
    assert not house.dispatcher.machine.workers[worker].wants_none(), "its own pause is over, too"
    assert await _acts(house, worker) == [
        ("worker.resume", "worker FRONT-DESK-07", BY_PERSON),
        ("worker.pause", "ann", "lunch"),
    ]
    assert await house.store.kept.workers("", 10) == []


async def test_what_was_said_late_or_twice_ends_no_other_pause() -> None:
    house = await House().start()
    worker, since_ms = await _paused(house)
    house.clock.advance(60.0)
    await house.dispatcher.orders.pause(worker, "still at lunch", actor=ANN)
    [told] = await house.hear("s1")
    assert await _resumes(house, since_ms) == []
    assert _is_held(house, worker)
    assert await _resumes(house, told["since_ms"]) == [{"op": "hold", "paused": False}]
    assert await _resumes(house, told["since_ms"]) == []
    assert [act[0] for act in await _acts(house, worker)] == ["worker.resume", "worker.pause", "worker.pause"]


async def test_a_page_of_an_older_version_ends_its_own_pause_alone() -> None:
    house = await House().start()
    worker, _ = await _paused(house)
    await house.say("s1", op="pause")
    assert await house.say("s1", op="resume") == []
    assert (_is_held(house, worker), house.dispatcher.machine.workers[worker].paused) == (True, False)


async def test_a_drain_is_the_operators_to_end() -> None:
    house = await House().start()
    worker, since_ms = await _paused(house, leaves=True)
    assert await _resumes(house, since_ms) == []
    assert _is_held(house, worker)


async def test_what_else_operators_have_said_of_the_worker_stays() -> None:
    house = await House().start()
    worker, since_ms = await _paused(house)
    house.store.go.clear()
    renaming = asyncio.ensure_future(house.dispatcher.orders.describe(worker, actor=ANN, note="by the door"))
    house.pages.message("s1", json.dumps({"op": "resume", "held_since_ms": since_ms}), house.clock.monotonic())
    await asyncio.sleep(0)
    house.store.go.set()
    await renaming
    assert await house.hear("s1") == [{"op": "hold", "paused": False}]
    kept = house.dispatcher.machine.operators.kept[worker]
    assert (kept.note, kept.paused) == ("by the door", None)


@pytest.mark.expect_log("no room")
async def test_it_holds_over_a_restart_and_a_page_that_was_not_heard_says_it_again() -> None:
    house = await House().start()
    worker, since_ms = await _paused(house)
    house.store.trouble = StorageFull("no room")
    assert await _resumes(house, since_ms) == []
    house.store.trouble = None
    assert _is_held(house, worker)
    await house.pass_time(FULL_PAUSE_S)
    assert await _resumes(house, since_ms) == [{"op": "hold", "paused": False}]
    again = await House(store=house.store, first_worker=7).start()
    assert again.dispatcher.machine.operators.kept == {}


async def test_a_page_ends_at_one_node_what_an_operator_has_ordered_at_another() -> None:
    async with two_nodes() as nodes:
        worker = (await nodes.a.register("s1", name="FRONT-DESK-07"))["worker"]
        await nodes.beat()
        await nodes.b.dispatcher.orders.pause(worker, "lunch", actor=ANN)
        await nodes.beat()
        [told] = await nodes.a.hear("s1")
        assert await _resumes(nodes.a, told["since_ms"]) == [{"op": "hold", "paused": False}]
        await nodes.beat()
        assert nodes.b.dispatcher.machine.operators.kept == {}
        assert (await _acts(nodes.b, worker))[0] == ("worker.resume", "worker FRONT-DESK-07", BY_PERSON)


class _Orders:
    """Orders that wait until the test says."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()

    async def end_hold(self, worker_id: str, since_ms: int, *, actor: Actor) -> None:
        self.asked.append(worker_id)
        await self.go.wait()
        raise StorageTrouble("no turn can be had now")


async def test_a_worker_has_one_such_order_at_a_time_and_there_are_so_many() -> None:
    orders = _Orders()
    holds = DeskHolds(orders)  # type: ignore[arg-type]
    for number in range(MOST_ENDING + 1):
        holds.ended(f"w{number}", 1, PERSON)
        holds.ended(f"w{number}", 1, PERSON)
    await asyncio.sleep(0)
    assert orders.asked == [f"w{number}" for number in range(MOST_ENDING)]
    orders.go.set()
    for _ in range(3):
        await asyncio.sleep(0)
    holds.ended("w0", 1, PERSON)
    await asyncio.sleep(0)
    assert orders.asked[MOST_ENDING:] == ["w0"], "the one before has failed, and it is said again"
