"""A node is gone: its pages go on at another one with what they have, and what nobody comes for is lost (S26)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.node.nodes import Nodes, credentials, two_nodes
from tests.support.house import JSON

pytestmark = [pytest.mark.gen_test(timeout=60)]
_TAKEN_OVER = "1 attempts of a node that is gone are taken over"


async def _running_at_a(nodes: Nodes, **terms: Any) -> tuple[JSON, str, str]:
    """A page of ``a`` has accepted a job: what the page was told, the job, the attempt."""
    who = await nodes.a.register("s1", boot="b1")
    job = await nodes.a.submit(**terms)
    [offer] = [message for message in await nodes.a.hear("s1") if message["op"] == "job"]
    await nodes.a.say("s1", op="accept", attempt=offer["attempt"])
    return who, job.id, offer["attempt"]


async def _state(nodes: Nodes, job: str) -> str:
    return str((await nodes.b.dispatcher.job(job)).state)


@pytest.mark.expect_log(_TAKEN_OVER)
async def test_a_page_of_a_node_that_is_gone_goes_on_at_another_one() -> None:
    async with two_nodes(restart_grace_s=60.0) as nodes:
        who, job, attempt = await _running_at_a(nodes)
        nodes.falls_silent("a")
        await nodes.beat(nodes.b)
        await nodes.b.pass_time(30.0)
        holding = [{"attempt": attempt, "elapsed_ms": 31_000}]
        await nodes.b.register("s2", boot="b1", holding=holding, **credentials(who))
        await nodes.b.pass_time(1.0)
        told = await nodes.b.say("s2", op="result", attempt=attempt, value=1)
        assert [message["verdict"] for message in told if message["op"] == "recorded"] == ["recorded"]
        assert len((await nodes.b.dispatcher.job(job)).attempts) == 1


@pytest.mark.expect_log(_TAKEN_OVER)
async def test_an_attempt_of_a_node_that_is_gone_whose_page_does_not_come_is_lost_and_uses_up_nothing() -> None:
    async with two_nodes(restart_grace_s=60.0) as nodes:
        _, job, _ = await _running_at_a(nodes)
        nodes.falls_silent("a")
        await nodes.beat(nodes.b)
        await nodes.b.pass_time(58.0)
        assert await _state(nodes, job) == "running"
        await nodes.b.pass_time(3.0)
        view = await nodes.b.dispatcher.job(job)
        assert (view.state, view.crashes, view.errors) == ("queued", 0, 0)


@pytest.mark.expect_log(_TAKEN_OVER)
async def test_an_offer_of_a_node_that_is_gone_lapses_at_once() -> None:
    async with two_nodes() as nodes:
        await nodes.a.register("s1", boot="b1")
        job = await nodes.a.submit()
        nodes.falls_silent("a")
        await nodes.b.register("s2")
        await nodes.beat(nodes.b, nodes.b)
        offers = [message for message in await nodes.b.hear("s2") if message["op"] == "job"]
        assert [offer["id"] for offer in offers] == [job.id]


@pytest.mark.expect_log(_TAKEN_OVER)
@pytest.mark.expect_log("life 1 of node 'a' is over, its life 3 has begun")
async def test_a_node_that_wakes_after_others_have_taken_over_does_no_harm_and_ends() -> None:
    async with two_nodes(restart_grace_s=60.0) as nodes:
        who, job, attempt = await _running_at_a(nodes, timeout_s=100.0)
        nodes.falls_silent("a")
        await nodes.beat(nodes.b)
        holding = [{"attempt": attempt, "elapsed_ms": 1_000}]
        await nodes.b.register("s2", boot="b1", holding=holding, **credentials(who))
        nodes.a.pages.message("s1", '{"op":"bye"}', nodes.a.clock.monotonic())
        await nodes.a.pass_time(1.0)
        assert len(nodes.a.failures) == 1, "it must end"
        assert await _state(nodes, job) == "running"
        await nodes.b.say("s2", op="result", attempt=attempt, value=1)
        assert await _state(nodes, job) == "succeeded"


async def test_a_node_that_was_stopped_in_good_order_leaves_its_pages_to_the_others() -> None:
    async with two_nodes() as nodes:
        who, job, attempt = await _running_at_a(nodes)
        await nodes.close("a")
        holding = [{"attempt": attempt, "elapsed_ms": 1_000}]
        await nodes.b.register("s2", boot="b1", holding=holding, **credentials(who))
        await nodes.b.say("s2", op="result", attempt=attempt, value=1)
        view = await nodes.b.dispatcher.job(job)
        assert (view.state, len(view.attempts)) == ("succeeded", 1)
