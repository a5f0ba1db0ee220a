"""The worker in the page: it registers, accepts, runs, reports, and repeats until it is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .harness import REGISTERED, Page, job, joined, ops

SLOW = """
var end = null, runs = 0, seen = null;
Pagehand.task('slow', function (job, done) { runs += 1; seen = job; end = done; });
"""
QUICK = "var runs = 0; Pagehand.task('quick', function (job) { runs += 1; return job.data; }, {quick: true});"


def running(**config: Any) -> Page:
    """A page that runs attempt a1 of the task slow."""
    page = joined(SLOW, **config)
    page.push(job(type_="slow", data={"n": 1}))
    assert ops(page.take()) == ["accept"]
    return page


def test_register_says_who_the_page_is_and_what_it_can_do() -> None:
    page = Page(options={"name": "DESK", "slots": 3, "token": "t", "labels": {"floor": "2"}}, documentMode=11).load()
    register = page.open()
    assert register["version"] == 1
    assert register["types"] == ["echo"]
    assert (register["name"], register["slots"], register["token"]) == ("DESK", 3, "t")
    assert register["labels"] == {"floor": "2"}
    assert register["page"]["document_mode"] == 11
    assert register["page"]["user_agent"] == "Fake/1.0"
    assert register["holding"] == register["finished"] == []
    assert register["sessions"] == 1
    assert "worker" not in register
    assert len(register["boot"]) == 32


def test_only_the_types_that_were_asked_for_are_offered() -> None:
    tasks = "['a', 'b', 'c'].forEach(function (name) { Pagehand.task(name, function () {}); });"
    assert Page(tasks=tasks, options={"types": ["c", "a", "x"]}).load().open()["types"] == ["a", "c"]


def test_a_page_without_tasks_says_so_and_connects_when_one_comes() -> None:
    page = Page(tasks="null;").load()
    assert (page.state, page.error) == ("stopped", "E-TYP-01")
    assert page.requests("GET") == []
    page.js.eval("Pagehand.task('late', function () {}); null;")
    assert page.open()["types"] == ["late"]


def test_a_task_that_comes_later_is_offered_too() -> None:
    page = joined()
    page.js.eval("Pagehand.task('late', function () {}); null;")
    (register,) = page.take()
    assert register["types"] == ["echo", "late"]


def test_tasks_that_come_while_register_is_unanswered_are_offered_after_it() -> None:
    page = Page().load()
    page.open()
    page.js.eval("Pagehand.task('late', function () {}); null;")
    assert page.requests("POST") == []
    page.push(REGISTERED)
    assert page.take()[0]["types"] == ["echo", "late"]


@pytest.mark.parametrize("name", ["", "a b", "x" * 101, "ü", "a/b"])
def test_a_task_s_name_is_checked_when_it_is_registered(name: str) -> None:
    page = Page().load()
    assert page.run(f"try {{ Pagehand.task({json.dumps(name)}, function () {{}}); }} catch (e) {{ return e.code; }}")


def test_register_is_repeated_until_registered() -> None:
    page = Page().load()
    page.open()
    assert page.state == "connecting"
    page.advance(4_000)
    assert page.requests("POST") == []
    page.advance(2_000)
    assert ops(page.take()) == ["register"]
    page.push(REGISTERED)
    page.advance(60_000)
    assert "register" not in ops(page.take_all())


def test_repeats_follow_the_server_s_repeat_ms() -> None:
    page = Page().load()
    page.join(repeat_ms=20_000)
    page.push(job())
    page.take()
    page.advance(19_000)
    assert page.requests("POST") == []
    page.advance(2_000)
    assert ops(page.take()) == ["result"]


def test_a_task_starts_only_when_the_post_of_its_accept_was_answered() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow"))
    assert json.loads(page.packets()[0][1:]) == {"op": "accept", "attempt": "a1"}
    assert page.run("return runs;") == 0
    assert page.state == "working"
    page.take()
    assert page.run("return runs;") == 1


def test_a_task_sees_its_job() -> None:
    page = running()
    seen = page.run("return [seen.id, seen.type, seen.data, seen.number, seen.timeoutMs, seen.cancelled];")
    assert seen == ["job-a1", "slow", {"n": 1}, 1, 60_000, False]


ABOUT = "return [seen.tags, seen.summary, seen.traceparent];"


def test_a_task_sees_what_its_job_carries() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow", tags=["a", "b"], summary="order 7", traceparent="00-1-2-01"))
    page.take()
    assert page.run(ABOUT) == [["a", "b"], "order 7", "00-1-2-01"]


def test_a_task_sees_nothing_where_its_job_carries_nothing_or_what_is_no_text() -> None:
    nothing: list[dict[str, Any]] = [{}, {"tags": "a", "summary": 7, "traceparent": None}]
    for fields in nothing:
        page = joined(SLOW)
        page.push(job(type_="slow", **fields))
        page.take()
        assert page.run(ABOUT) == [[], None, None]


def test_an_accept_that_was_lost_is_repeated_in_the_next_session_and_the_task_starts_then() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow"))
    page.answer(page.post, 0, "")
    assert page.run("return runs;") == 0
    page.advance(2_000)
    again = page.open(sid="s2")
    assert (again["sessions"], again["holding"]) == (2, [{"attempt": "a1", "elapsed_ms": 0}])
    page.push(REGISTERED)
    assert page.run("return runs;") == 0
    assert ops(page.take()) == ["accept"]
    assert page.run("return runs;") == 1


def test_a_quick_task_starts_at_once_and_sends_only_its_result() -> None:
    page = joined(QUICK)
    page.push(job(type_="quick", data=[1]))
    assert page.run("return runs;") == 1
    assert page.take() == [{"op": "result", "attempt": "a1", "value": [1]}]


def test_a_quick_task_that_takes_long_sends_an_accept_after_all() -> None:
    page = joined("var end; Pagehand.task('quick', function (job, done) { end = done; }, {quick: true});")
    page.push(job(type_="quick"))
    assert page.requests("POST") == []
    page.advance(1_100)
    assert ops(page.take()) == ["accept"]
    page.run("end(null, 5);")
    assert page.take() == [{"op": "result", "attempt": "a1", "value": 5}]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("return 7;", 7),
        ("return null;", None),
        ("return false;", False),
        ("return '';", ""),
        ("done(null, 8);", 8),
        ("done(undefined, 8);", 8),
        ("done(null);", None),
        ("return {then: function (ok) { ok(9); }};", 9),
        ("return {then: function (ok, bad) { ok(9); bad(1); ok(2); }};", 9),
        ("done(null, 1); return 2;", 1),
        ("done(null, 1); done(null, 2);", 1),
        ("done(null, 1); done(new Error('x'));", 1),
        ("done(null, 1); throw new Error('x');", 1),
    ],
)
def test_the_first_end_of_a_task_counts(body: str, value: object) -> None:
    page = joined(f"Pagehand.task('t', function (job, done) {{ {body} }});")
    page.push(job(type_="t"))
    page.take()
    assert page.take_all() == [{"op": "result", "attempt": "a1", "value": value}]
    assert page.status()["done"] == 1


def test_a_task_of_one_argument_gives_its_value_or_a_thenable() -> None:
    page = joined("Pagehand.task('t', function (job) { return job.data + 1; });")
    page.push(job(type_="t", data=1))
    page.take()
    assert page.take()[0]["value"] == 2


def test_a_task_that_returns_nothing_and_takes_no_done_is_told_of_in_the_job_s_log() -> None:
    page = joined("Pagehand.task('t', function (job) { });")
    page.push(job(type_="t"))
    page.take()
    (line,) = page.take()
    assert "has no parameter done" in line["line"]


def test_an_end_after_the_end_is_ignored_and_noted() -> None:
    page = running()
    page.run("end(null, 1); end(null, 2);")
    assert ops(page.take_all()) == ["result"]
    assert page.error == "E-JOB-04"


def test_a_result_is_repeated_until_there_is_a_verdict() -> None:
    page = running()
    page.run("end(null, 1);")
    for _ in range(3):
        assert page.take() == [{"op": "result", "attempt": "a1", "value": 1}]
        page.advance(6_000)
    page.take()
    page.push({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    page.advance(30_000)
    assert page.requests("POST") == []
    assert page.status()["unreported"] == 0


@pytest.mark.parametrize("verdict", ["recorded", "duplicate", "stale", "refused", "a later one"])
def test_every_verdict_ends_the_repeating(verdict: str) -> None:
    page = running()
    page.run("end(null, 1);")
    page.take()
    page.push({"op": "recorded", "attempt": "a1", "verdict": verdict})
    page.push({"op": "recorded", "attempt": "a1", "verdict": verdict})
    page.advance(30_000)
    assert page.requests("POST") == []


def test_a_verdict_that_was_lost_with_its_poll_is_asked_for_again_in_the_next_session() -> None:
    page = running()
    page.run("end(null, 1);")
    page.take()
    page.answer(page.poll, 0, "")
    page.advance(2_000)
    assert page.open(sid="s2")["finished"] == ["a1"]
    page.push(REGISTERED)
    assert ops(page.take()) == ["result"]


def test_a_result_that_is_ready_while_there_is_no_session_waits_for_the_next() -> None:
    page = running()
    page.answer(page.poll, 0, "")
    page.run("end(null, 1);")
    page.advance(2_000)
    assert page.open(sid="s2")["finished"] == ["a1"]
    assert page.requests("POST") == []
    page.push(REGISTERED)
    assert page.take() == [{"op": "result", "attempt": "a1", "value": 1}]


def test_a_task_runs_on_through_a_reconnect_and_is_held() -> None:
    page = running()
    page.advance(1_500)
    boot = page.run("return worker._boot;")
    register = page.reconnect()
    (held,) = register["holding"]
    assert held["attempt"] == "a1"
    assert held["elapsed_ms"] >= 1_500
    assert register["boot"] == boot
    assert (register["worker"], register["secret"]) == ("w1", "x1")
    assert page.requests("POST") == []
    assert page.run("return runs;") == 1


def test_an_offer_that_is_sent_again_does_not_start_its_task_again() -> None:
    page = running(options={"slots": 2})
    page.push(job(type_="slow"))
    assert page.take_all() == [], "its `holding` has said that it runs"
    assert page.run("return runs;") == 1


def test_an_offer_that_is_sent_again_to_a_page_that_is_full_is_not_declined() -> None:
    page = running()
    page.push(job(type_="slow"))
    assert page.take_all() == []


def test_an_offer_of_an_attempt_that_has_its_verdict_is_not_run_again() -> None:
    page = joined()
    page.push(job())
    page.take()
    page.push({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    page.push(job())
    assert page.take() == [{"op": "released", "attempt": "a1", "reason": "declined"}]


def test_a_job_of_an_unknown_type_is_declined() -> None:
    page = joined()
    page.push(job(type_="nope"))
    assert page.take() == [{"op": "released", "attempt": "a1", "reason": "declined"}]


def test_a_job_beyond_the_slots_is_declined() -> None:
    page = running()
    page.push(job("a2", type_="slow"))
    assert page.take() == [{"op": "released", "attempt": "a2", "reason": "declined"}]


def test_a_page_with_slots_runs_that_many() -> None:
    page = joined(SLOW, {"slots": 2})
    page.push(job("a1", type_="slow"), job("a2", type_="slow"), job("a3", type_="slow"))
    assert ops(page.take()) == ["accept", "accept", "released"]
    assert page.run("return runs;") == 2


def test_a_job_that_wants_a_go_waits_for_it() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow", confirm=True))
    assert ops(page.take()) == ["accept"]
    assert page.run("return runs;") == 0
    page.push({"op": "go", "attempt": "a1"})
    assert page.run("return runs;") == 1
    page.push({"op": "go", "attempt": "a1"})
    assert page.run("return runs;") == 1


def test_a_quick_task_waits_for_go_too() -> None:
    page = joined(QUICK)
    page.push(job(type_="quick", confirm=True))
    assert ops(page.take()) == ["accept"]
    assert page.run("return runs;") == 0
    page.push({"op": "go", "attempt": "a1"})
    assert page.run("return runs;") == 1


def test_a_go_that_overtakes_the_answer_to_the_accept_starts_the_task_once() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow", confirm=True))
    page.push({"op": "go", "attempt": "a1"})
    assert page.run("return runs;") == 1
    page.take()
    assert page.run("return runs;") == 1


def test_a_lost_go_is_asked_for_by_repeating_the_accept() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow", confirm=True))
    page.take()
    page.advance(6_000)
    assert ops(page.take()) == ["accept"]
    register = page.reconnect()
    assert register["holding"] == [{"attempt": "a1", "elapsed_ms": 0}]
    assert ops(page.take()) == ["accept"]


def test_a_go_for_nothing_is_ignored() -> None:
    page = running()
    page.push({"op": "go", "attempt": "zz"}, {"op": "go", "attempt": "a1"})
    assert page.run("return runs;") == 1
