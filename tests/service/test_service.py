"""The dispatcher as a whole: store in memory, clock by hand, pages played by the test."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.core.model import JobFilter
from dispatcher.core.states import JobState
from dispatcher.errors import Draining, JobNotFound, KeyConflict, QueueFull, StorageTrouble, Unavailable, WrongState
from tests.service.house import House

pytestmark = pytest.mark.gen_test


async def run_one(house: House, sid: str = "s1") -> dict:
    """Takes the offer that waits for a page, accepts it and answers; returns the offer."""
    offer = next(m for m in await house.hear(sid) if m["op"] == "job")
    await house.say(sid, op="accept", attempt=offer["attempt"])
    await house.say(sid, op="result", attempt=offer["attempt"], value={"ok": 1.0})
    return offer


async def test_a_job_goes_to_a_page_and_its_result_comes_back():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    assert offer == {
        "op": "job",
        "attempt": offer["attempt"],
        "id": job.id,
        "type": "echo",
        "data": {"x": 1.0},
        "number": 1,
        "timeout_ms": 60_000,
        "confirm": False,
    }
    assert await house.say("s1", op="accept", attempt=offer["attempt"]) == []
    assert (await house.dispatcher.job(job.id)).state is JobState.RUNNING
    answer = await house.say("s1", op="result", attempt=offer["attempt"], value={"ok": 1.0})
    assert answer == [{"op": "recorded", "attempt": offer["attempt"], "verdict": "recorded"}]
    done = await house.dispatcher.job(job.id)
    assert (done.state, done.result, done.number) == (JobState.SUCCEEDED, '{"ok": 1.0}', 1)


async def test_a_page_that_comes_later_gets_the_job_that_waits():
    house = await House().start()
    job = await house.submit()
    assert house.dispatcher.why_waits(await house.dispatcher.job(job.id)) == "no connected worker offers the type echo"
    await house.register("s1")
    assert [m["id"] for m in await house.hear("s1")] == [job.id]


async def test_a_repeated_result_is_a_duplicate_and_changes_nothing():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    offer = await run_one(house)
    again = await house.say("s1", op="result", attempt=offer["attempt"], value="another")
    assert again == [{"op": "recorded", "attempt": offer["attempt"], "verdict": "duplicate"}]
    assert (await house.dispatcher.job(job.id)).result == '{"ok": 1.0}'


async def test_the_verdict_on_an_accept_does_not_answer_a_result_that_is_on_its_way():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    [offer] = await house.hear("s1")
    now = house.clock.monotonic()
    attempt = offer["attempt"]
    house.pages.message("s1", f'{{"op":"accept","attempt":"{attempt}"}}', now)
    house.dispatcher.changed()
    await asyncio.sleep(0)  # the turn with the accept has begun
    house.pages.message("s1", f'{{"op":"result","attempt":"{attempt}","value":1}}', now)
    assert [m["op"] for m in await house.hear("s1")] == ["recorded"]


async def test_an_error_is_tried_again_after_its_backoff_and_then_fails_the_job():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(max_attempts=2)
    [offer] = await house.hear("s1")
    told = await house.say("s1", op="error", attempt=offer["attempt"], message="no paper", code="E-7")
    assert told[0]["verdict"] == "recorded"
    waiting = await house.dispatcher.job(job.id)
    assert waiting.state is JobState.SCHEDULED
    assert waiting.run_at is not None
    assert 1.6 <= waiting.run_at - house.clock.utc() <= 2.4
    await house.pass_time(2.5)
    [offer] = await house.hear("s1")
    assert offer["number"] == 2
    await house.say("s1", op="error", attempt=offer["attempt"], message="no paper")
    failed = await house.dispatcher.job(job.id)
    assert (failed.state, failed.reason, failed.detail, failed.errors) == (JobState.FAILED, "error", "no paper", 2)


async def test_an_error_that_says_so_is_not_tried_again():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="error", attempt=offer["attempt"], message="bad order", retry=False)
    assert (await house.dispatcher.job(job.id)).reason == "no_retry"


async def test_a_timeout_counts_from_the_accept_and_the_page_keeps_its_slot_until_it_answers():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(timeout_s=5.0)
    other = await house.submit()
    [offer] = await house.hear("s1")
    await house.pass_time(4)
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.pass_time(4.9)
    assert await house.state(job) == "running"
    await house.pass_time(0.2)
    assert await house.state(job) == "scheduled"
    assert [m["op"] for m in await house.hear("s1")] == ["cancel"]
    assert await house.state(other) == "queued"
    [next_offer] = await house.say("s1", op="released", attempt=offer["attempt"], reason="cancelled")
    assert next_offer["id"] == other.id


async def test_an_offer_that_nobody_accepts_lapses_and_uses_up_nothing():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    await house.hear("s1")
    await house.pass_time(10.1)
    [again] = await house.hear("s1")
    assert (again["id"], again["number"]) == (job.id, 1)
    lapsed = await house.dispatcher.job(job.id)
    assert [(a.state, a.number) for a in lapsed.attempts] == [("lapsed", None), ("offered", 1)]
    assert (lapsed.errors, lapsed.crashes, lapsed.number) == (0, 0, 0)


async def test_a_page_that_went_away_has_its_grace_and_then_the_job_goes_to_another():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.register("s2")
    house.pages.away("s1", house.clock.monotonic())
    await house.pass_time(29.9)
    assert await house.hear("s2") == []
    await house.pass_time(0.2)
    [second] = await house.hear("s2")
    assert (second["id"], second["number"]) == (job.id, 2)
    assert (await house.dispatcher.job(job.id)).crashes == 1


async def test_a_page_frozen_past_its_ping_keeps_its_lease_and_its_late_session_delivers():
    house = await House().start()
    who = await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    house.pages.quiet("s1", house.clock.monotonic())
    await house.pass_time(50)
    assert await house.state(job) == "running"
    await house.register(
        "s2",
        boot="boot-s1",
        worker=who["worker"],
        secret=who["secret"],
        holding=[{"attempt": offer["attempt"], "elapsed_ms": 50_000}],
    )
    await house.say("s2", op="result", attempt=offer["attempt"], value=7)
    assert await house.state(job) == "succeeded"


async def test_a_new_boot_ends_the_old_pages_attempt_at_once_but_takes_its_stashed_result():
    house = await House().start()
    who = await house.register("s1", slots=2)
    lost, kept = await house.submit(), await house.submit()
    offers = await house.hear("s1")
    for offer in offers:
        await house.say("s1", op="accept", attempt=offer["attempt"])
    house.pages.away("s1", house.clock.monotonic())
    await house.register(
        "s2", boot="fresh", worker=who["worker"], secret=who["secret"], finished=[offers[1]["attempt"]], slots=2
    )
    assert {m["id"] for m in await house.hear("s2") if m["op"] == "job"} == {lost.id}
    told = await house.say("s2", op="result", attempt=offers[1]["attempt"], value="from the stash")
    assert told[0]["verdict"] == "recorded"
    assert await house.state(kept) == "succeeded"


async def test_a_second_window_of_a_worker_becomes_a_worker_of_its_own_and_steals_nothing():
    house = await House().start()
    who = await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    house.open("s2")
    house.pages.message(
        "s2",
        f'{{"op":"register","types":["echo"],"boot":"copy","version":1,"worker":"{who["worker"]}",'
        f'"secret":"{who["secret"]}"}}',
        house.clock.monotonic(),
    )
    assert house.probed == ["s1"]
    assert "s2" not in house.told, "registered is withheld until this is decided"
    house.pages.heard("s1", house.clock.monotonic())
    [answer] = await house.hear("s2")
    assert answer["worker"] != who["worker"]
    assert await house.state(job) == "running"


async def test_a_boot_whose_first_answer_was_lost_with_its_session_stays_one_worker():
    house = await House().start()
    who = await house.register("s1")
    again = await house.register("s2", boot="boot-s1")
    assert again["worker"] == who["worker"]
    assert len(house.dispatcher.workers()) == 1


async def test_a_late_result_shows_on_its_attempt():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(timeout_s=5.0)
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    await house.pass_time(5.1)
    await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    done = await house.dispatcher.job(job.id)
    assert [(a.state, a.late_at is not None) for a in done.attempts] == [("timed_out", True)]
    assert (done.state, done.errors) == (JobState.SUCCEEDED, 1)


async def test_a_forged_identity_becomes_a_new_worker():
    house = await House().start()
    who = await house.register("s1")
    other = await house.register("s2", worker=who["worker"], secret="0" * 64)
    assert other["worker"] != who["worker"]


async def test_a_page_without_the_token_is_told_so_and_gets_nothing():
    house = await House(token="sesame").start()
    house.open("s1")
    for token in (None, "wrong"):
        [refused] = await house.say("s1", op="register", types=["echo"], boot="b", version=1, token=token)
        assert refused["code"] == "bad_token"
    assert (await house.register("s1", token="sesame"))["op"] == "registered"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"op":"accept","attempt":"x"}', "not_registered"),
        ('{"op":"dance"}', "unknown_op"),
        ("[1,2]", "bad_message"),
        ("nonsense", "bad_message"),
        ('{"op":"register","types":["echo"],"boot":"b","version":9}', "bad_version"),
        ('{"op":"register","types":["no spaces allowed"],"boot":"b","version":1}', "bad_message"),
    ],
)
async def test_a_message_that_cannot_be_obeyed_is_refused_with_a_reason_and_ends_nothing(text, code):
    house = await House().start()
    house.open("s1")
    house.pages.message("s1", text, house.clock.monotonic())
    assert [m["code"] for m in await house.hear("s1")] == [code]
    assert house.ended == []


async def test_a_result_that_cannot_be_read_is_refused_by_its_attempt_so_that_it_is_not_repeated():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    [offer] = await house.hear("s1")
    deep = "[" * 3_000 + "]" * 3_000
    house.pages.message("s1", f'{{"op":"result","attempt":"{offer["attempt"]}","value":{deep}}}', 0.0)
    [told] = await house.hear("s1")
    assert (told["op"], told["code"], told["attempt"]) == ("refused", "bad_message", offer["attempt"])


async def test_a_result_over_the_limit_fails_the_job_and_ends_its_repeating():
    house = await House(body_limit=1_024).start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    [told] = await house.say("s1", op="result", attempt=offer["attempt"], value="x" * 2_000)
    assert told["op"] == "recorded"
    failed = await house.dispatcher.job(job.id)
    assert failed.state is JobState.FAILED
    assert '"result_too_large"' in (failed.error or "")


async def test_cancel_of_a_running_job_revokes_its_attempt_at_once():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    cancelled = await house.dispatcher.cancel(job.id, "not needed")
    assert (cancelled.state, cancelled.detail) == (JobState.CANCELLED, "not needed")
    assert [(m["op"], m["reason"]) for m in await house.hear("s1")] == [("cancel", "not needed")]
    [told] = await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    assert told["verdict"] == "stale"
    with pytest.raises(WrongState):
        await house.dispatcher.cancel(job.id, "again")


async def test_retry_gives_a_failed_job_another_round():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(max_attempts=1)
    [offer] = await house.hear("s1")
    await house.say("s1", op="error", attempt=offer["attempt"], message="no")
    assert (await house.dispatcher.retry(job.id)).state in (JobState.QUEUED, JobState.RUNNING)
    [again] = await house.hear("s1")
    assert again["number"] == 2
    with pytest.raises(JobNotFound):
        await house.dispatcher.retry("nobody")


async def test_a_waiter_gets_the_job_as_soon_as_it_has_settled():
    house = await House().start()
    await house.register("s1")
    job = await house.submit()
    waiting = asyncio.ensure_future(house.dispatcher.wait(job.id, 30.0))
    await asyncio.sleep(0)
    await run_one(house)
    assert (await waiting).state is JobState.SUCCEEDED
    assert (await house.dispatcher.wait(job.id, 30.0)).state is JobState.SUCCEEDED, "one that has settled"
    open_job = await house.submit("other")
    assert (await house.dispatcher.wait(open_job.id, 0.0)).state is JobState.QUEUED


async def test_waiters_are_bounded():
    house = await House(waiters=1).start()
    job = await house.submit()
    waiting = asyncio.ensure_future(house.dispatcher.wait(job.id, 30.0))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await house.dispatcher.wait(job.id, 30.0)
    house.dispatcher.begin_drain()
    await house.dispatcher.close()
    assert (await waiting).state is JobState.QUEUED, "a server that stops answers who waits"


async def test_the_same_key_gives_the_same_job_and_another_body_a_conflict():
    house = await House().start()
    first = await house.submit(key="k1", fingerprint="a")
    assert (await house.submit(key="k1", fingerprint="a")).id == first.id
    with pytest.raises(KeyConflict):
        await house.submit(key="k1", fingerprint="b")


async def test_a_full_queue_refuses_and_keeps_what_it_has():
    house = await House(queue_depth=2).start()
    await house.submit()
    await house.submit()
    with pytest.raises(QueueFull):
        await house.submit()
    assert len((await house.dispatcher.jobs(JobFilter())).items) == 2


async def test_a_delayed_job_waits_for_the_wall_clock():
    house = await House().start()
    await house.register("s1")
    job = await house.submit(delay_s=100.0)
    await house.pass_time(99)
    assert await house.state(job) == "scheduled"
    house.clock.step_wall(3_600)  # somebody corrects the clock: the timer looks at it every 30 s
    await house.pass_time(0)
    assert [m["id"] for m in await house.hear("s1")] == [job.id]


async def test_an_expired_job_is_never_offered():
    house = await House().start()
    job = await house.submit(expires_s=5.0)
    await house.pass_time(5.1)
    await house.register("s1")
    assert await house.hear("s1") == []
    assert await house.state(job) == "expired"


async def test_equal_workers_get_exactly_equal_shares():
    house = await House().start()
    sids = [f"s{n}" for n in range(5)]
    for sid in sids:
        await house.register(sid)
    served = dict.fromkeys(sids, 0)
    for _ in range(23):
        await house.submit()
        for sid in sids:
            for offer in await house.hear(sid):
                served[sid] += 1
                await house.say(sid, op="result", attempt=offer["attempt"], value=1)
    assert sorted(served.values()) == [4, 4, 5, 5, 5]


async def test_drain_takes_no_jobs_makes_no_offers_and_records_results():
    house = await House().start()
    await house.register("s1", slots=2)
    job = await house.submit()
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    house.dispatcher.begin_drain()
    assert [m["op"] for m in await house.hear("s1")] == ["drain"]
    with pytest.raises(Draining):
        await house.submit()
    assert (house.dispatcher.ready(), house.dispatcher.busy()) == (False, 1)
    [told] = await house.say("s1", op="result", attempt=offer["attempt"], value=1)
    assert told["verdict"] == "recorded"
    assert (await house.state(job), house.dispatcher.busy()) == ("succeeded", 0)


class BrokenStore:
    """A store that fails at the n-th turn."""

    location, created, key = "nowhere", True, b"k" * 32

    def __init__(self, house: House, good_turns: int, error: Exception) -> None:
        self._inner, self._left, self._error = house.store, good_turns, error

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def apply(self, turn):
        self._left -= 1
        if self._left < 0:
            raise self._error
        return await self._inner.apply(turn)


@pytest.mark.parametrize("error", [StorageTrouble("disk on fire"), ZeroDivisionError("an error of ours")])
@pytest.mark.expect_log("disk on fire|turn failed")
async def test_a_store_that_fails_answers_unknown_to_everybody_and_ends_the_process(error):
    house = await House(store=BrokenStore(House(), 1, error)).start()
    results = await asyncio.gather(*(house.submit() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [StorageTrouble] * 3
    assert len(house.failures) == 1
    with pytest.raises(StorageTrouble):
        await house.submit()


async def test_workers_and_types_are_shown():
    house = await House().start()
    await house.register("s1", "echo", "print", name="FRONT-DESK", page={"mode": 11})
    await house.submit("odd")
    [worker] = house.dispatcher.workers()
    assert (worker.name, worker.types, worker.page, worker.remote) == (
        "FRONT-DESK",
        ["echo", "print"],
        {"mode": "11"},
        "10.0.0.9",
    )
    types = {t.type: (t.offered_at is not None, t.workers) for t in await house.dispatcher.types()}
    assert types == {"echo": (True, 1), "print": (True, 1), "odd": (False, 0), "shipped": (False, 0)}
    assert (await house.dispatcher.counts())["queued"] == 1


async def test_why_a_job_waits_is_said_in_words():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    job = await house.submit()
    why = house.dispatcher.why_waits
    shown = await house.dispatcher.job(job.id)
    assert why(shown) == "1 worker offers the type echo, and every one is busy"
    await house.say("s1", op="pause")
    assert why(shown) == "1 worker offers the type echo, but every one is paused"
    house.pages.away("s1", house.clock.monotonic())
    assert why(shown) == "1 worker offers the type echo, but none can be reached just now"
    later = await house.submit(delay_s=60.0)
    assert why(await house.dispatcher.job(later.id)) == "it was submitted with a delay"
    house.dispatcher.begin_drain()
    assert "stopping" in (why(shown) or "")


async def test_a_page_that_joins_while_the_server_stops_is_told_so():
    house = await House().start()
    house.dispatcher.begin_drain()
    await house.register("s1")
    assert [m["op"] for m in await house.hear("s1")] == ["drain"]


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
    decided = await house.dispatcher.decide(job.id, value, "looked at the printer")
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
    adopted = await house.dispatcher.adopt(job.id)
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
    assert [worker.state for worker in house.dispatcher.workers()] == ["set aside"]
    assert "set aside" in (house.dispatcher.why_waits(await house.dispatcher.job(job.id)) or "")
    await house.pass_time(60)
    await fetch_and_let_lapse(house)
    await house.pass_time(119)
    assert await house.hear("s1") == [], "twice as long the second time"
    await house.pass_time(1)
    [offer] = await house.hear("s1")
    await house.say("s1", op="accept", attempt=offer["attempt"])
    assert [worker.state for worker in house.dispatcher.workers()] == ["connected"]


async def test_an_offer_that_the_network_lost_counts_against_nobody():
    house = await House().start()
    await house.register("s1")
    await house.submit()
    for _ in range(5):
        assert [m["op"] for m in await house.hear("s1")] == ["job"]
        await house.pass_time(10.1)  # written into an answer, and no poll after it
    assert [worker.state for worker in house.dispatcher.workers()] == ["connected"]


@pytest.mark.expect_log("stood still")
async def test_after_a_standstill_nobody_is_taken_for_gone_and_what_has_arrived_comes_first():
    house = await House().start()
    who = await house.register("s1", slots=2)
    job, other = await house.submit(timeout_s=20.0), await house.submit(timeout_s=500.0)
    offers = await house.hear("s1")
    for offer in offers:
        await house.say("s1", op="accept", attempt=offer["attempt"])
    house.pages.away("s1", house.clock.monotonic())
    house.dispatcher.tick(house.clock.advance(100.0), late_s=80.0)  # the machine slept
    await house.dispatcher.idle()
    assert (await house.state(job), await house.state(other)) == ("running", "running")
    await house.register(
        "s2", boot="boot-s1", worker=who["worker"], secret=who["secret"], slots=2,
        holding=[{"attempt": offer["attempt"], "elapsed_ms": 100_000} for offer in offers],
    )  # fmt: skip
    await house.say("s2", op="result", attempt=offers[0]["attempt"], value=1)
    assert await house.state(job) == "succeeded"
