"""Effects once, heartbeats, late answers, pages that heed no offers, and standstills."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.states import JobState
from dispatcher.errors import WrongState
from tests.support.house import House

pytestmark = pytest.mark.gen_test


async def start_once(house: House) -> tuple:
    """A job with effects ``once`` on a page that has been told to go; returns the job and the offer."""
    await house.register("s1")
    job = await house.submit(effects="once")
    [offer] = await house.hear("s1")
    assert offer["confirm"] is True
    told = await house.say("s1", op="accept", attempt=offer["attempt"])
    assert told == [{"op": "go", "attempt": offer["attempt"]}], "once the accept is durable"
    return job, offer


async def test_effects_once_wait_for_go_and_then_a_result():
    house = await House().start()
    job, offer = await start_once(house)
    again = await house.say("s1", op="accept", attempt=offer["attempt"])
    assert [m["op"] for m in again] == ["go"], "a repeated accept gets go again"
    await house.say("s1", op="result", attempt=offer["attempt"], value="printed")
    assert await house.state(job) == "succeeded"


async def test_effects_once_are_in_doubt_when_the_page_is_lost_after_go():
    house = await House().start()
    job, _ = await start_once(house)
    waiting = asyncio.ensure_future(house.dispatcher.wait(job.id, 60.0))
    await asyncio.sleep(0)
    await house.say("s1", op="bye")
    assert (await waiting).state is JobState.IN_DOUBT, "who waits is told"
    await house.register("s2")
    assert await house.hear("s2") == [], "it never runs again by itself"
    shown = await house.dispatcher.job(job.id)
    assert (shown.reason, house.dispatcher.why_waits(shown)) == (
        "lost",
        "its effect may or may not have happened: a person must decide",
    )


async def test_a_late_result_settles_a_job_in_doubt():
    house = await House().start()
    job, offer = await start_once(house)
    await house.pass_time(60.1)
    assert await house.state(job) == "in_doubt"
    told = await house.say("s1", op="result", attempt=offer["attempt"], value="printed")
    assert told[-1]["verdict"] == "recorded"
    assert await house.state(job) == "succeeded"


@pytest.mark.parametrize(("value", "state", "result"), [('"yes"', "succeeded", '"yes"'), (None, "failed", None)])
async def test_a_person_decides_what_became_of_a_job_in_doubt(value, state, result):
    house = await House().start()
    job, _ = await start_once(house)
    with pytest.raises(WrongState):
        await house.dispatcher.decide(job.id, value, "looked at the printer")
    await house.say("s1", op="bye")
    await house.dispatcher.decide(job.id, value, "looked at the printer")
    decided = await house.dispatcher.job(job.id)
    assert (decided.state, decided.result, decided.reason, decided.detail) == (
        state,
        result,
        "decided",
        "looked at the printer",
    )


async def test_a_job_in_doubt_can_be_run_again_by_a_person():
    house = await House().start()
    job, _ = await start_once(house)
    await house.say("s1", op="bye")
    await house.dispatcher.retry(job.id)
    await house.register("s2")
    [offer] = await house.hear("s2")
    assert (offer["id"], offer["number"]) == (job.id, 2)


async def test_who_follows_a_job_is_told_that_a_decision_was_taken_back():
    house = await House().start()
    job, _ = await start_once(house)
    await house.say("s1", op="bye")
    await house.dispatcher.retry(job.id)
    await house.dispatcher.reopen(job.id, "it came out", actor=Actor("anna"))
    change = house.store.reports[-1].changes[-1]
    assert (change.old, change.new, change.reason, change.actor) == ("queued", "in_doubt", "lost", "anna")
    assert (await house.dispatcher.wait(job.id, 60.0)).state == "in_doubt", "nobody waits for what is in doubt"
    await house.register("s2")
    assert await house.hear("s2") == [], "it is offered to nobody"
    await house.dispatcher.decide(job.id, "1", "")
    assert (await house.dispatcher.reopen(job.id, "no")).result is None


async def test_what_a_page_has_recorded_is_not_taken_back():
    house = await House().start()
    job, offer = await start_once(house)
    await house.say("s1", op="result", attempt=offer["attempt"], value="out")
    with pytest.raises(WrongState, match=r"the job is succeeded, and cannot be in doubt again: .* never changes"):
        await house.dispatcher.reopen(job.id, "no")


async def test_effects_once_are_not_tried_again_after_an_error():
    house = await House().start()
    job, offer = await start_once(house)
    await house.say("s1", op="error", attempt=offer["attempt"], message="no paper")
    assert await house.state(job) == "failed"


async def test_effects_once_go_to_another_page_if_the_first_was_lost_before_go():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(effects="once")
    await house.hear("s1")
    await house.say("s1", op="bye")
    await house.register("s2")
    assert [m["id"] for m in await house.hear("s2")] == [job.id]


async def test_a_page_that_comes_back_is_told_go_again():
    house = await House().start()
    who = await house.register("s1")
    job = await house.submit(effects="once")
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.register(
        "s2",
        boot="boot-s1",
        worker=who["worker"],
        secret=who["secret"],
        holding=[{"attempt": offer["attempt"], "elapsed_ms": 0}],
    )
    assert await house.hear("s2") == [{"op": "go", "attempt": offer["attempt"]}]
    assert await house.state(job) == "running"


async def test_silence_of_the_heartbeats_length_loses_the_attempt_and_progress_prevents_it():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(heartbeat_s=5.0)
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    for percent in (10, 20, 30):
        await house.pass_time(4.9)
        await house.say("s1", op="progress", attempt=offer["attempt"], percent=percent)
    await house.pass_time(5.0)
    lost = await house.dispatcher.job(job.id)
    assert (lost.state, lost.crashes, lost.attempts[0].state) == (JobState.QUEUED, 1, "lost")
    assert [(m["op"], m["reason"]) for m in await house.hear("s1")] == [("cancel", "no_heartbeat")]


async def test_progress_does_not_extend_the_timeout():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(heartbeat_s=5.0, timeout_s=8.0)
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.pass_time(4.0)
    await house.say("s1", op="progress", attempt=offer["attempt"], percent=50)
    await house.pass_time(4.1)
    assert (await house.dispatcher.job(job.id)).reason == "timed_out"


async def test_a_late_answer_of_a_failed_job_is_kept_and_a_person_may_adopt_it():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(timeout_s=5.0, max_attempts=1)
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.pass_time(5.1)
    told = await house.say("s1", op="result", attempt=offer["attempt"], value={"pages": 2})
    assert told[-1]["verdict"] == "stale"
    failed = await house.dispatcher.job(job.id)
    assert (failed.state, failed.result, failed.evidence) == (JobState.FAILED, None, '{"pages": 2}')
    await house.dispatcher.adopt(job.id)
    adopted = await house.dispatcher.job(job.id)
    assert (adopted.state, adopted.result, adopted.reason) == (JobState.SUCCEEDED, '{"pages": 2}', "adopted")
    with pytest.raises(WrongState):
        await house.dispatcher.adopt(job.id)


async def fetch_and_let_lapse(house: House) -> None:
    """The page fetches its offer, polls on, and does not accept."""
    assert [m["op"] for m in await house.hear("s1")] == ["job"]
    house.pages.polled("s1", house.clock.monotonic())
    await house.pass_time(10.1)


async def test_a_page_that_lets_two_offers_lapse_is_set_aside_and_tried_again_after_a_minute():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    await fetch_and_let_lapse(house)
    await fetch_and_let_lapse(house)
    assert await house.hear("s1") == []
    assert [worker.state for worker in house.dispatcher.workers().items] == ["set_aside"]
    assert "is skipped" in (house.dispatcher.why_waits(await house.dispatcher.job(job.id)) or "")
    await house.pass_time(60)
    await fetch_and_let_lapse(house)
    await house.pass_time(119)
    assert await house.hear("s1") == [], "twice as long the second time"
    await house.pass_time(1)
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    assert [worker.state for worker in house.dispatcher.workers().items] == ["connected"]


async def test_an_offer_that_the_network_lost_counts_against_nobody():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    for _ in range(5):
        assert [m["op"] for m in await house.hear("s1")] == ["job"]
        await house.pass_time(10.1)  # written into an answer, and no poll after it
    assert [worker.state for worker in house.dispatcher.workers().items] == ["connected"]


@pytest.mark.expect_log("the server did nothing for")
async def test_after_a_standstill_nobody_is_taken_for_gone_and_what_has_arrived_comes_first():
    house = await House().start()
    who = await house.register("s1", slots=2)
    job, other = await house.submit(timeout_s=20.0), await house.submit(timeout_s=500.0)
    offers = await house.hear("s1")
    for offer in offers:
        await house.say("s1", op="accept", attempt=offer["attempt"])
    house.pages.away("s1", house.clock.monotonic())
    house.dispatcher.tick(house.clock.advance(100.0), late_s=80.0)  # the machine slept
    await house.dispatcher.idle(housekeeping=True)
    assert (await house.state(job), await house.state(other)) == ("running", "running")
    await house.register(
        "s2", boot="boot-s1", worker=who["worker"], secret=who["secret"], slots=2,
        holding=[{"attempt": offer["attempt"], "elapsed_ms": 100_000} for offer in offers],
    )  # fmt: skip
    await house.say("s2", op="result", attempt=offers[0]["attempt"], value=1)
    assert await house.state(job) == "succeeded"


async def test_a_page_that_holds_what_is_over_gets_no_job_until_it_lets_go_of_it():
    """This happens after a restart of the server: the page's task hangs, and its job has gone on without it."""
    house = await House().start()
    held = {"attempt": "0000000001-000000-of-an-earlier-run", "elapsed_ms": 90_000}
    await house.register("s1", holding=[held])
    job = await house.submit()
    told = await house.hear("s1")
    assert not [message for message in told if message["op"] == "job"]
    [worker] = house.dispatcher.workers().items
    assert worker.jobs == [], "of a job that the server cannot name nothing is shown"
    assert "it is busy" in (house.dispatcher.why_waits(await house.dispatcher.job(job.id)) or "")
    told = await house.say("s1", op="released", attempt="0000000001-000000-of-an-earlier-run", reason="cancelled")
    assert [message["id"] for message in told if message["op"] == "job"] == [job.id]
