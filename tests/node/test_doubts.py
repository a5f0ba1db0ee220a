"""A page asks how its jobs in doubt stand, and says what the person there answers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from dispatcher.access.acts import AuditFilter
from dispatcher.core.jobs.acts.doubts import AnswerDoubt
from dispatcher.core.jobs.states import JobState
from dispatcher.errors import StorageTrouble
from dispatcher.node.doubts import MOST_ASKING, DeskDoubts
from tests.support.house import JSON, House
from tests.support.scenes import asked_for

pytestmark = pytest.mark.gen_test

QUESTION = "Did the label for order 4711 come out?"


class _Page:
    """A page that had a job with effects ``once`` and was told to go, and is loaded anew."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.known: JSON = {}
        self.attempt = ""

    async def goes(self, **terms: Any) -> None:
        registered = await self.house.register("s1", name="FRONT-DESK-07")
        self.known = {"worker": registered["worker"], "secret": registered["secret"], "name": "FRONT-DESK-07"}
        await self.house.submit(id="label", effects="once", **terms)
        [offer] = await self.house.hear("s1")
        self.attempt = offer["attempt"]
        assert [told["op"] for told in await self.house.say("s1", op="accept", attempt=self.attempt)] == ["go"]

    async def comes_back(self, sid: str = "s2") -> None:
        await self.house.register(sid, "other", after="boot-s1", **self.known)

    async def says(self, sid: str = "s2", **fields: Any) -> list[JSON]:
        asked = {"attempt": self.attempt, "job": "label"} | fields
        return await self.house.say(sid, op="doubt", **asked)

    async def hears(self, state: str, *, reason: str = "lost", **fields: Any) -> None:
        why = {"reason": reason} if state == "in_doubt" else {}
        assert await self.says(**fields) == [{"op": "doubt", "attempt": self.attempt, "state": state} | why]


async def _in_doubt() -> tuple[House, _Page]:
    house = await House().start()
    page = _Page(house)
    await page.goes()
    await page.comes_back()
    return house, page


async def _state(house: House) -> JobState:
    return (await house.dispatcher.job("label")).state


@pytest.mark.parametrize(("happened", "state"), [(True, "succeeded"), (False, "queued")])
async def test_what_the_person_answers_is_the_decision_signed_with_the_worker(happened: bool, state: str) -> None:
    house, page = await _in_doubt()
    await page.hears("in_doubt")
    await page.hears("noted", happened=happened, question=QUESTION)
    assert await _state(house) == state
    assert asked_for(house) == [(state, "worker FRONT-DESK-07")]
    [act] = (await house.dispatcher.access.acts(AuditFilter(target="label"))).items
    assert (act.actor.name, act.actor.remote) == ("worker FRONT-DESK-07", "10.0.0.9")
    assert act.detail.endswith(f"{QUESTION} {'Yes' if happened else 'No'}")
    await page.hears("over", happened=happened)


async def test_a_page_that_asks_in_the_session_in_which_its_job_came_to_be_in_doubt_hears_so() -> None:
    house = await House().start()
    page = _Page(house)
    await page.goes()
    house.open("s2")
    body = {"op": "register", "types": ["other"], "boot": "b2", "after": "boot-s1", "version": 1} | page.known
    now = house.clock.monotonic()
    for message in (body, {"op": "doubt", "attempt": page.attempt, "job": "label"}):
        house.pages.message("s2", json.dumps(message), now)  # in one POST: one turn for both
    told = await house.hear("s2")
    assert [(m["op"], m.get("state")) for m in told] == [("registered", None), ("doubt", "in_doubt")]


async def test_while_the_job_runs_the_page_hears_that_it_does() -> None:
    house = await House().start()
    page = _Page(house)
    await page.goes()
    await page.hears("running", sid="s1")
    await page.hears("running", sid="s1", happened=False)
    assert await _state(house) is JobState.RUNNING


async def test_a_page_that_stood_there_while_its_job_took_too_long_hears_that_this_is_why() -> None:
    house = await House().start()
    page = _Page(house)
    await page.goes(timeout_s=60.0)
    await house.pass_time(61.0)
    assert [told["op"] for told in await house.hear("s1")] == ["cancel"]
    await page.hears("in_doubt", sid="s1", reason="timed_out")


async def test_an_operator_who_decides_first_is_heard() -> None:
    house, page = await _in_doubt()
    await house.dispatcher.decide("label", None, "nothing came out")
    await page.hears("over", happened=True)
    assert await _state(house) is JobState.FAILED


async def test_another_worker_cannot_answer_even_with_the_right_attempt() -> None:
    house, page = await _in_doubt()
    await house.register("thief", "other", name="FRONT-DESK-07")
    for happened in (True, False):
        await page.hears("over", sid="thief", happened=happened)
    assert await _state(house) is JobState.IN_DOUBT
    assert (await house.dispatcher.access.acts(AuditFilter(target="label"))).items == []


async def test_a_page_of_the_worker_cannot_answer_without_the_attempt() -> None:
    house, page = await _in_doubt()
    right, page.attempt = page.attempt, "a-guess"
    await page.hears("over", happened=True)
    page.attempt = right
    await page.hears("over", job="no-such-job", happened=True)
    assert await _state(house) is JobState.IN_DOUBT


async def test_a_page_that_has_not_registered_is_told_to() -> None:
    house, page = await _in_doubt()
    house.open("s3")
    told = await page.says("s3", happened=True)
    assert [message["code"] for message in told] == ["not_registered"]


async def test_what_a_question_says_is_kept_without_what_no_store_can_hold() -> None:
    house, page = await _in_doubt()
    await page.hears("noted", happened=True, question="Did it\0come out?")
    assert (await house.dispatcher.job("label")).detail == "Did it\ufffdcome out? Yes"


async def test_a_page_that_leaves_before_the_turn_is_over_is_told_nothing() -> None:
    house, page = await _in_doubt()
    house.store.go.clear()
    message = {"op": "doubt", "attempt": page.attempt, "job": "label", "happened": True}
    house.pages.message("s2", json.dumps(message), house.clock.monotonic())
    house.pages.ended("s2", house.clock.monotonic())
    house.store.go.set()
    assert await house.hear("s2") == []
    assert await _state(house) is JobState.SUCCEEDED, "what the person said counts all the same"


class _Held:
    """Turns that never come, or that fail."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[Any]] = []
        self.refuses = False

    def order(self, command: AnswerDoubt) -> asyncio.Future[Any]:
        if self.refuses:
            raise StorageTrouble("the disk is full")
        self.asked.append(asyncio.get_running_loop().create_future())
        return self.asked[-1]


async def test_a_session_has_one_question_at_a_time_and_all_together_a_bounded_number() -> None:
    turns = _Held()
    told: list[str] = []

    def tell(state: str, reason: str) -> None:
        told.append(state + reason)

    doubts = DeskDoubts(turns)  # type: ignore[arg-type]
    command = AnswerDoubt(job="j", attempt="a", worker="w", happened=None)
    for number in range(MOST_ASKING + 5):
        doubts.heard(f"s{number}", command, tell)
        doubts.heard(f"s{number}", command, tell)
    assert len(turns.asked) == MOST_ASKING
    turns.asked[0].set_exception(StorageTrouble("the disk is full"))
    turns.asked[1].cancel()
    await asyncio.sleep(0)
    turns.refuses = True
    doubts.heard("s0", command, tell)
    turns.refuses = False
    for session in ("s0", "s1", "s2"):
        doubts.heard(session, command, tell)
    assert (len(turns.asked), told) == (MOST_ASKING + 2, []), "a turn that has failed gives its room back"
