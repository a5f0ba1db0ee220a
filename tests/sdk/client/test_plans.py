"""What a client does, step by step, with a network and a clock that the test plays."""

from __future__ import annotations

import asyncio
import random

import pytest

from dispatcher.sdk import AsyncClient, Client
from dispatcher.sdk.client.errors import NotFound, QueueFull, Unreachable, WrongState
from dispatcher.sdk.client.exchange import ConnectionLost, HttpCall
from dispatcher.sdk.client.retrying import RetryRule, may_pass, retry_after_s
from tests.sdk.client.played import LOST, Play, job, problem, says


def test_pauses_have_full_jitter_and_double_up_to_a_limit() -> None:
    rule, rng = RetryRule(), random.Random(5)
    pauses = [[rule.pause_s(failures, 0.0, rng) for _ in range(300)] for failures in (0, 3, 99)]
    assert [max(drawn) <= most for drawn, most in zip(pauses, (0.1, 0.8, 10.0), strict=True)] == [True] * 3
    assert [max(drawn) > 0.9 * most for drawn, most in zip(pauses, (0.1, 0.8, 10.0), strict=True)] == [True] * 3
    assert min(pauses[2]) < 1.0
    assert rule.pause_s(0, 30.0, rng) >= 30.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("-5", 0.0),
    ],
)
def test_a_server_says_in_seconds_or_as_a_date_when_it_wants_to_be_asked(value: str, seconds: float) -> None:
    assert retry_after_s(says(503, **{"retry-after": value}), 10.0) == seconds


def test_what_time_does_not_heal_is_not_asked_again() -> None:
    assert [may_pass(problem(status, "x")) for status in (429, 502, 503, 504, 500, 422, 200)] == [True] * 4 + [
        False
    ] * 3
    assert not may_pass(problem(503, "too_many_types"))


def test_a_server_that_stays_away_is_given_up_after_the_time_for_retries() -> None:
    play = Play(LOST)
    with pytest.raises(Unreachable, match="the key 'k'"):
        play.run(play.plans.submit(b"{}", "k"))
    assert 30 < sum(play.delays) <= 60
    assert {send.call for send in play.sent} == {HttpCall("POST", "/api/v1/jobs", b"{}", "k")}


def test_a_full_queue_is_waited_for_and_then_said() -> None:
    play = Play(problem(503, "queue_full", **{"retry-after": "25"}))
    with pytest.raises(QueueFull, match="--queue-depth") as error:
        play.run(play.plans.submit(b"{}", "k"))
    assert [int(delay) for delay in play.delays] == [25, 25]
    assert (error.value.code, error.value.status, error.value.key) == ("queue_full", 503, "k")


def test_waiting_for_a_job_ends_at_the_deadline_whatever_the_server_does() -> None:
    for answer in (job("running"), LOST, problem(503, "draining")):
        play = Play(answer, each_s=1.0)
        assert play.run(play.plans.over("j1", 1_005.5)) is None
        assert play.now_s <= 1_005.5 + 1e-6, answer


def test_the_server_waits_in_whole_seconds_and_the_last_part_is_cut_off_here() -> None:
    play = Play(job("running"), job("running"), job("succeeded"), each_s=2.0)
    assert play.run(play.plans.over("j1", 1_004.5))["state"] == "succeeded"
    assert [send.call.target.partition("=")[2] for send in play.sent] == ["4", "2", "1"]
    assert play.sent[-1].timeout_s == pytest.approx(0.5)


def test_a_job_that_is_in_doubt_is_waited_for_no_longer() -> None:
    play = Play(job("queued"), job("in_doubt"))
    assert play.run(play.plans.over("j1", None))["state"] == "in_doubt"


def test_a_run_waits_in_the_submission_and_never_cuts_it_off() -> None:
    play = Play(job("queued"), job("succeeded"))
    assert play.run(play.plans.run(b"{}", "k", 1_010.0))["state"] == "succeeded"
    assert play.sent[0].call.headers()["Prefer"] == "wait=10"
    assert play.sent[0].timeout_s == 40.0


@pytest.mark.parametrize(("action", "state"), [("cancel", "cancelled"), ("retry", "queued"), ("retry", "running")])
def test_an_action_whose_answer_was_lost_may_be_refused_the_second_time_and_is_done(action: str, state: str) -> None:
    play = Play(LOST, problem(409, "wrong_state"), job(state))
    assert play.run(play.plans.act("j1", action, {}))["state"] == state


def test_an_action_that_is_refused_is_refused() -> None:
    for answers in ([problem(409, "wrong_state")], [LOST, problem(409, "wrong_state"), job("succeeded")]):
        play = Play(*answers)
        with pytest.raises(WrongState):
            play.run(play.plans.act("j1", "cancel", {"reason": None}))


def test_a_job_that_is_not_there_is_said() -> None:
    play = Play(problem(404, "not_found"))
    with pytest.raises(NotFound, match="removed after its time"):
        play.run(play.plans.job("j1"))


def test_a_kept_connection_that_was_closed_is_free_once() -> None:
    stale = ConnectionLost("closed", stale=True)
    play = Play(stale, stale, job("queued"))
    play.run(play.plans.job("j1"))
    assert len(play.delays) == 1


def test_filters_and_cursors_stand_in_the_address() -> None:
    play = Play(says(200, {"items": [], "next_cursor": None}))
    play.run(play.plans.page("jobs", {"requires": ["site:berlin", "a:b"], "state": None}, "c=1"))
    assert play.sent[0].call.target == "/api/v1/jobs?requires=site%3Aberlin&requires=a%3Ab&cursor=c%3D1"


@pytest.mark.parametrize("key", ["", "Bestellung \N{EURO SIGN}", "a\nb", "x" * 256])
def test_a_key_that_no_header_can_carry_is_refused_before_anything_is_sent(key: str) -> None:
    client, twin = Client("http://127.0.0.1:1", retry_for=0), AsyncClient("http://127.0.0.1:1", retry_for=0)

    async def mapped() -> None:
        async for _ in twin.map("echo", [1], key=key):
            pass

    for ask in (client.submit, client.run):
        with pytest.raises(ValueError, match="1 to 255 printable ASCII characters"):
            ask("echo", key=key)
    with pytest.raises(ValueError, match="printable"):
        client.submit_batch("echo", [1], key=key)
    with pytest.raises(ValueError, match="printable"):
        client.map("echo", [1], key=key)
    for work in (twin.submit("echo", key=key), twin.run("echo", key=key), twin.submit_batch("echo", [1], key=key)):
        with pytest.raises(ValueError, match="printable"):
            asyncio.run(work)
    with pytest.raises(ValueError, match="printable"):
        asyncio.run(mapped())
