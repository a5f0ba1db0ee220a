"""Two nodes on one database: pages of one do what the other takes in, and pages move with what they have."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.acts.rollouts import RolloutOrder, RolloutState
from dispatcher.core.jobs.model import JobView
from dispatcher.node.acts.rollouts import Rollouts
from tests.node.nodes import Nodes, credentials, two_nodes
from tests.support.house import JSON, House
from tests.support.waiting import eventually

pytestmark = pytest.mark.gen_test(timeout=60)


async def _offer(house: House, sid: str) -> JSON:
    """The offer that the page has got."""
    return next(message for message in await house.hear(sid) if message["op"] == "job")


async def test_a_job_that_one_node_takes_in_is_done_by_a_page_of_another_one() -> None:
    async with two_nodes() as nodes:
        await nodes.b.register("s1")
        job = await nodes.a.submit()
        await nodes.beat(nodes.b)
        offer = await _offer(nodes.b, "s1")
        await nodes.b.say("s1", op="result", attempt=offer["attempt"], value={"ok": 1.0})
        assert await nodes.a.state(job) == await nodes.b.state(job) == "succeeded"


async def test_a_job_that_becomes_due_is_done_whichever_node_has_made_it_wait() -> None:
    async with two_nodes() as nodes:
        await nodes.b.register("s1")
        job = await nodes.a.submit(delay_s=30.0)
        await nodes.b.pass_time(31.0)
        await nodes.beat(nodes.b)
        assert (await _offer(nodes.b, "s1"))["id"] == job.id


async def test_who_waits_at_one_node_is_woken_by_a_result_that_comes_to_another() -> None:
    async with two_nodes() as nodes:
        await nodes.b.register("s1")
        job = await nodes.a.submit()
        waiting = asyncio.ensure_future(nodes.a.dispatcher.wait(job.id, 60.0))
        await nodes.beat(nodes.b)
        offer = await _offer(nodes.b, "s1")
        await nodes.b.say("s1", op="result", attempt=offer["attempt"], value=1)
        await nodes.beat(nodes.a)
        assert (await waiting).state == "succeeded"


async def test_a_job_of_another_node_is_claimed_in_the_turn_that_hears_of_it_if_there_was_a_hint() -> None:
    async with two_nodes() as nodes:
        await nodes.b.register("s1")
        job = await nodes.a.submit()
        [before] = nodes.sql("SELECT turns FROM nodes WHERE node = 'b'")
        nodes.hint(nodes.b, lanes=["echo", "nobody's"])
        await nodes.b.dispatcher.idle(housekeeping=True)
        assert (await _offer(nodes.b, "s1"))["id"] == job.id
        assert nodes.sql("SELECT turns FROM nodes WHERE node = 'b'") == [(before[0] + 1,)]


async def test_the_result_of_an_attempt_of_another_node_is_recorded_and_that_node_lets_go_of_it() -> None:
    async with two_nodes() as nodes:
        await nodes.a.register("s1")
        await nodes.b.register("s2", types=["other"])
        job = await nodes.a.submit()
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        [answer] = await nodes.b.say("s2", op="result", attempt=attempt, value=7)
        assert (answer["op"], answer["verdict"]) == ("recorded", "recorded")
        assert await nodes.b.state(job) == "succeeded"
        await nodes.beat(nodes.a)
        assert [attempt.node for attempt in (await nodes.b.dispatcher.job(job.id)).attempts] == ["a"]
        assert not nodes.a.dispatcher.machine.attempts
        second = await nodes.a.submit()
        assert (await _offer(nodes.a, "s1"))["id"] == second.id, "its slot is free"


async def test_a_page_that_comes_to_another_node_keeps_its_attempt() -> None:
    async with two_nodes(reconnect_grace_s=30.0) as nodes:
        who = await nodes.a.register("s1", boot="b1")
        job = await nodes.a.submit()
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        await nodes.a.say("s1", op="accept", attempt=attempt)
        line = {"op": "log", "attempt": attempt, "line": "page 1", "n": 1}
        await nodes.a.say("s1", **line)
        nodes.a.pages.away("s1", nodes.a.clock.monotonic())
        holding = [{"attempt": attempt, "elapsed_ms": 1_000}]
        again = await nodes.b.register("s2", boot="b1", holding=holding, **credentials(who))
        await nodes.b.say("s2", **line)
        assert nodes.sql("SELECT line FROM logs") == [("page 1",)], "it does not know that it has arrived"
        assert again["worker"] == who["worker"]
        assert nodes.sql("SELECT node FROM jobs") == [("b",)]
        await nodes.beat(nodes.a)
        assert not nodes.a.dispatcher.machine.attempts
        assert not nodes.a.dispatcher.machine.workers, "its page is elsewhere"
        await nodes.a.pass_time(120.0)
        assert await nodes.a.state(job) == "running"
        told = await nodes.b.say("s2", op="result", attempt=attempt, value=1)
        assert [message["verdict"] for message in told if message["op"] == "recorded"] == ["recorded"]
        view = await nodes.a.dispatcher.job(job.id)
        assert (view.state, len(view.attempts), view.crashes) == ("succeeded", 1, 0)


async def test_a_page_that_comes_back_before_its_first_node_has_heard_of_it_keeps_its_attempt() -> None:
    async with two_nodes() as nodes:
        who = await nodes.a.register("s1", boot="b1")
        job = await nodes.a.submit()
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        await nodes.a.say("s1", op="accept", attempt=attempt)
        holding = [{"attempt": attempt, "elapsed_ms": 1_000}]
        await nodes.b.register("s2", boot="b1", holding=holding, **credentials(who))
        await nodes.a.register("s3", boot="b1", holding=holding, **credentials(who))
        assert nodes.sql("SELECT node FROM jobs") == [("a",)]
        await nodes.beat()
        assert not nodes.b.dispatcher.machine.attempts
        await nodes.a.say("s3", op="error", attempt=attempt, message="no", retry=False)
        assert await nodes.b.state(job) == "failed"


@pytest.mark.parametrize("begun", [False, True], ids=["before its turn", "in its turn"])
async def test_what_a_node_says_of_an_attempt_that_had_left_it_counts_no_more_when_that_comes_back(begun: bool) -> None:
    """Found by the simulator: it timed out in the row, and went on at the node."""
    async with two_nodes() as nodes:
        who = await nodes.a.register("s1", boot="b1")
        job = await nodes.a.submit(timeout_s=10.0)
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        await nodes.a.say("s1", op="accept", attempt=attempt)
        holding = [{"attempt": attempt, "elapsed_ms": 1_000}]
        await nodes.b.register("s2", boot="b1", holding=holding, **credentials(who))
        page = {"boot": "b1", "worker": who["worker"], "proved": True, "holding": ((attempt, 1.0),)}
        if begun:
            nodes.a.enlist("s3", "echo", **page)
            nodes.a.dispatcher.changed()
            turns = nodes.a.dispatcher._turns
            await eventually(lambda: turns._running and not turns._running.done(), what="the turn that moves it")
        nodes.a.clock.advance(10.0)
        nodes.a.dispatcher.tick(nodes.a.clock.monotonic())
        if not begun:
            nodes.a.enlist("s3", "echo", **page)
        await nodes.a.dispatcher.idle()
        assert await nodes.b.state(job) == "running"
        assert nodes.a.dispatcher.machine.attempts[attempt].live()
        await nodes.a.say("s3", op="result", attempt=attempt, value=1)
        view = await nodes.b.dispatcher.job(job.id)
        assert (view.state, len(view.attempts), view.errors) == ("succeeded", 1, 0)


async def _goes_on(nodes: Nodes) -> tuple[JSON, JobView, str]:
    """A page of ``a`` goes on at ``b`` with its third session, and accepts a job there: who it is, job and attempt."""
    who = await nodes.a.register("s1", boot="b1", sessions=1)
    await nodes.b.register("s2", boot="b1", sessions=3, **credentials(who))
    job = await nodes.b.submit()
    attempt = str((await _offer(nodes.b, "s2"))["attempt"])
    await nodes.b.say("s2", op="accept", attempt=attempt)
    return who, job, attempt


async def test_a_registration_that_was_long_on_its_way_moves_nothing_of_what_the_page_has_meanwhile() -> None:
    async with two_nodes() as nodes:
        who, job, attempt = await _goes_on(nodes)
        late = {"types": ["echo"], "boot": "b1", "version": 1, "sessions": 2, **credentials(who)}
        nodes.a.open("s3")
        assert await nodes.a.say("s3", op="register", **late) == []
        await nodes.beat()
        assert nodes.sql("SELECT node FROM jobs") == [("b",)]
        assert "b1" in [worker.boot for worker in nodes.b.dispatcher.machine.workers.values()]
        assert not nodes.a.dispatcher.machine.workers
        await nodes.b.say("s2", op="result", attempt=attempt, value=1)
        view = await nodes.a.dispatcher.job(job.id)
        assert (view.state, len(view.attempts), view.crashes) == ("succeeded", 1, 0)


async def test_what_a_node_still_tells_of_a_page_that_has_gone_on_does_not_hide_where_that_is() -> None:
    """Found by the simulator: the older node's word took the place of the newer one's, and a late register counted."""
    async with two_nodes() as nodes:
        who, job, attempt = await _goes_on(nodes)
        nodes.a.pages.message("s1", '{"op":"pause"}', nodes.a.clock.monotonic())
        await nodes.beat(nodes.a)
        assert nodes.sql("SELECT node, sessions FROM seen") == [("b", 3)]
        nodes.a.open("s3")
        late = {"types": ["echo"], "boot": "b1", "version": 1, "sessions": 2, **credentials(who)}
        assert await nodes.a.say("s3", op="register", **late) == []
        await nodes.beat()
        assert await nodes.a.state(job) == "running"
        assert attempt in nodes.b.dispatcher.machine.attempts


async def test_an_offer_whose_accept_was_lost_on_the_way_moves_with_the_page_that_has_it() -> None:
    async with two_nodes() as nodes:
        who = await nodes.a.register("s1", boot="b1")
        job = await nodes.a.submit()
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        holding = [{"attempt": attempt, "elapsed_ms": 500}]
        await nodes.b.register("s2", boot="b1", holding=holding, **credentials(who))
        [view] = (await nodes.b.dispatcher.job(job.id)).attempts
        assert view.state == "running"
        await nodes.beat(nodes.a)
        await nodes.b.say("s2", op="error", attempt=attempt, message="no", retry=False)
        assert await nodes.a.state(job) == "failed"


async def test_a_page_that_was_loaded_anew_at_another_node_ends_what_the_old_one_had() -> None:
    async with two_nodes(reconnect_grace_s=30.0) as nodes:
        who = await nodes.a.register("s1", boot="b1")
        job = await nodes.a.submit()
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        await nodes.a.say("s1", op="accept", attempt=attempt)
        nodes.a.pages.away("s1", nodes.a.clock.monotonic())
        await nodes.b.register("s2", boot="b2", **credentials(who))
        await nodes.beat(nodes.a, nodes.b)
        offer = await _offer(nodes.b, "s2")
        assert (offer["id"], offer["attempt"] != attempt) == (job.id, True)


async def test_a_second_window_at_another_node_ends_nothing_of_the_first() -> None:
    async with two_nodes() as nodes:
        who = await nodes.a.register("s1", boot="b1")
        job = await nodes.a.submit()
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        await nodes.a.say("s1", op="accept", attempt=attempt)
        await nodes.b.register("s2", boot="b2", **credentials(who))
        await nodes.beat(nodes.a, nodes.b)
        await nodes.a.say("s1", op="result", attempt=attempt, value=1)
        assert await nodes.b.state(job) == "succeeded"


async def test_a_cancel_at_one_node_reaches_the_page_of_another() -> None:
    async with two_nodes() as nodes:
        await nodes.a.register("s1")
        job = await nodes.a.submit()
        attempt = (await _offer(nodes.a, "s1"))["attempt"]
        await nodes.a.say("s1", op="accept", attempt=attempt)
        await nodes.b.dispatcher.cancel(job.id, "not needed")
        await nodes.beat(nodes.a)
        told = await nodes.a.hear("s1")
        assert ("cancel", attempt) in [(message["op"], message.get("attempt")) for message in told]


OLD, NEW = "aaaaaaaaaaaa-1764489600", "bbbbbbbbbbbb-1764493200"


async def _rolled(nodes: Nodes) -> tuple[JSON, Rollouts]:
    """Two pages with an old task at the first node, and a rollout there that has told one of them."""
    nodes.a.shipped = {"echo": NEW}
    first = await nodes.a.register("s1", name="DESK-1", versions={"echo": OLD})
    await nodes.a.register("s2", name="DESK-2", versions={"echo": OLD})
    await nodes.a.pass_time(60.0)
    rollouts = nodes.a.dispatcher.rollouts
    view = await rollouts.begin(RolloutOrder(at_a_time=1, actor=Actor("ann", "", "")))
    assert view.reloading == ["DESK-1"]
    return first, rollouts


async def test_a_rollout_goes_on_when_a_page_has_come_back_at_another_node() -> None:
    async with two_nodes(reconnect_grace_s=30.0) as nodes:
        first, rollouts = await _rolled(nodes)
        again = {"boot": "new", "after": "boot-s1", **credentials(first)}
        await nodes.b.register("s3", name="DESK-1", versions={"echo": NEW}, **again)
        await nodes.beat(nodes.a, nodes.a)
        assert rollouts.view is not None
        assert (rollouts.view.state, rollouts.view.reloading) == (RolloutState.RUNNING, ["DESK-2"])


async def test_a_rollout_tells_no_other_page_when_one_has_come_back_at_no_node() -> None:
    async with two_nodes(reconnect_grace_s=30.0) as nodes:
        _, rollouts = await _rolled(nodes)
        nodes.a.pages.away("s1", nodes.a.clock.monotonic())
        for _ in range(4):
            await nodes.a.pass_time(20.0)
        assert rollouts.view is not None
        assert (rollouts.view.stopped, rollouts.view.left) == ("not_back", 1)
