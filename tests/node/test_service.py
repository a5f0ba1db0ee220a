"""The dispatcher as a whole: store in memory, clock by hand, pages played by the test."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from dispatcher.core.jobs.news import Hint
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel, Turn, TurnReport
from dispatcher.errors import Draining
from dispatcher.store.memory import MemoryStore
from tests.support.house import House, TroubledStore, memory_store, run_one
from tests.support.jobs import NOW

pytestmark = pytest.mark.gen_test

_TOLD = pytest.mark.expect_log("(unknown_op|bad_message|bad_version): ")


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


async def test_who_waits_for_a_job_whose_end_another_node_hints_at_waits_for_no_turn():
    store = memory_store(TroubledStore)
    house = await House(store=store).start()
    house.dispatcher.let_in()
    job = await house.submit()
    waiting = asyncio.ensure_future(house.dispatcher.wait(job.id, 60.0))
    await house.dispatcher.idle(housekeeping=True)
    ends = Turn(node=store.node, epoch=store.epoch, now_at=NOW, elapsed_s=1.0, commands=[Cancel(job.id, "no")])
    await MemoryStore.apply(store, ends)
    store.go.clear()
    assert store.hinted is not None
    store.hinted(Hint([], [job.id, "nobody's"]))
    assert (await waiting).state is JobState.CANCELLED
    store.go.set()
    await house.dispatcher.close()


async def test_an_offer_carries_what_was_said_of_the_job():
    house = await House().start()
    await house.register("s1", slots=2)
    told: dict[str, Any] = {"tags": ("b", "a"), "summary": "order 7", "traceparent": "00-1-2-01"}
    await house.submit(owner="office", **told)
    await house.submit(summary="order 8", owner="office")
    offers = await house.hear("s1")
    fields = [{name: offer[name] for name in (*told, "owner") if name in offer} for offer in offers]
    assert fields == [told | {"tags": ["b", "a"]}, {"summary": "order 8"}]


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
    assert len(house.dispatcher.workers().items) == 1


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


@pytest.mark.expect_log(r"bad_token: .* \(from 10.0.0.9; 1 since")
async def test_a_page_without_the_token_is_told_so_and_gets_nothing():
    house = await House(token="sesame").start()
    house.open("s1")
    sent_none = "the page sent no token: open it with #token=... at the end of its address"
    for token, why in ((None, sent_none), ("", sent_none), ("wrong", "what the page sent is not this server's token")):
        [refused] = await house.say("s1", op="register", types=["echo"], boot="b", version=1, token=token)
        assert (refused["code"], refused["detail"]) == ("bad_token", why)
    assert (await house.register("s1", token="sesame"))["op"] == "registered"


@pytest.mark.expect_log("bad_token|unknown_op")
async def test_refusals_of_a_kind_are_told_once_a_minute_with_their_number_and_without_what_was_sent(caplog):
    house = await House(token="sesame").start()
    house.open("s1")
    for _ in range(3):
        for _ in range(100):
            await house.say("s1", op="register", types=["echo"], boot="b", version=1, token="guessed")
        await house.say("s1", op="dance")
        await house.pass_time(60.0)
    lines = [record.getMessage() for record in caplog.records if record.name == "pagehand.pages"]
    counts = [(line.split(":")[0], line.rsplit(";")[1]) for line in lines]
    often, once = " 100 since the last such line)", " 1 since the last such line)"
    first = [("bad_token", once), ("unknown_op", once)]
    assert counts == [*first, *[("bad_token", often), ("unknown_op", once)] * 2]
    assert not any("sesame" in line or "guessed" in line for line in lines)


async def test_a_page_that_the_server_does_not_know_after_a_restart_is_nothing_to_tell(caplog):
    house = await House().start()
    house.open("s1")
    await house.say("s1", op="pause")
    assert not caplog.records


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"op":"accept","attempt":"x"}', "not_registered"),
        pytest.param('{"op":"dance"}', "unknown_op", marks=_TOLD),
        pytest.param("[1,2]", "bad_message", marks=_TOLD),
        pytest.param("nonsense", "bad_message", marks=_TOLD),
        pytest.param('{"op":"register","types":["echo"],"boot":"b","version":9}', "bad_version", marks=_TOLD),
        pytest.param('{"op":"register","types":["not this"],"boot":"b","version":1}', "bad_message", marks=_TOLD),
    ],
)
async def test_a_message_that_cannot_be_obeyed_is_refused_with_a_reason_and_ends_nothing(text, code):
    house = await House().start()
    house.open("s1")
    house.pages.message("s1", text, house.clock.monotonic())
    assert [m["code"] for m in await house.hear("s1")] == [code]
    assert house.ended == []


@_TOLD
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


class ClosingStore:
    """A store that takes its time to close; meanwhile the page says something."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.closing = asyncio.Event()
        self.turns_too_late = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def apply(self, turn: Turn) -> TurnReport:
        self.turns_too_late += self.closing.is_set()
        return await self._store.apply(turn)

    async def close(self) -> None:
        self.closing.set()
        for _ in range(5):
            await asyncio.sleep(0)


async def test_what_pages_and_people_say_while_the_store_closes_begins_no_turn_and_fails_nothing():
    store = ClosingStore(House().store)
    house = await House(store).start()
    await house.register("s1")
    job = await house.submit()
    [offer] = await house.hear("s1")
    closing = asyncio.ensure_future(house.dispatcher.close())
    await store.closing.wait()
    house.pages.message("s1", json.dumps({"op": "result", "attempt": offer["attempt"], "value": 1}), 1.0)
    house.dispatcher.changed()
    with pytest.raises(Draining):
        await house.dispatcher.cancel(job.id, "changed my mind")
    await closing
    assert store.turns_too_late == 0
    assert house.failures == []
    assert house.told == {}, "no verdict: the page keeps its result for the next server"
