"""The last five jobs of a worker, for the person at the page: what they were and what became of them, over a reload."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import REGISTERED, Message, Page, job, joined
from .test_page_words import say
from .test_worker import running


def past(page: Page) -> list[Message]:
    return [{name: one[name] for name in ("type", "summary", "outcome", "code")} for one in page.status()["past"]]


def ended(outcome: str, code: str = "", **fields: str) -> Message:
    return {"type": "echo", "summary": "", "outcome": outcome, "code": code} | fields


def counts(page: Page) -> tuple[int, int]:
    """Its tries of today: done, and failed."""
    status = page.status()
    return status["done"], status["failed"]


def test_each_job_is_told_with_what_became_of_it_and_the_newest_five_stay_over_a_reload() -> None:
    page = joined()
    assert past(page) == []
    for number in range(7):
        page.push(job(f"a{number}", id=f"job-{number}", summary=f"order {number}"))
        page.take_all()
    expected = [ended("done", summary=f"order {number}") for number in (6, 5, 4, 3, 2)]
    assert past(page) == expected
    page.load()
    assert past(page) == expected
    assert {name for one in page.status()["past"] for name in one} == {
        *("at", "attempt", "id", "type", "summary", "outcome", "code")
    }


@pytest.mark.parametrize(
    ("code", "end"),
    [
        ("E-JOB-01", "end(new Error('no paper'));"),
        ("E-JOB-02", "end(null, new Array(2000000).join('x'));"),
        ("E-JOB-03", "var a = {}; a.a = a; end(null, a);"),
    ],
)
def test_a_failure_has_its_code(code: str, end: str) -> None:
    page = running()
    page.run(end)
    assert past(page) == [ended("failed", code, type=page.status()["past"][0]["type"])]


@pytest.mark.parametrize(("reason", "outcome"), [("timed_out", "timed_out"), ("not needed", "cancelled")])
def test_a_job_that_was_ended_from_elsewhere_is_told_so(reason: str, outcome: str) -> None:
    page = running()
    page.push({"op": "cancel", "attempt": "a1", "reason": reason})
    page.run("end(new Error('stopped'));")
    assert [one["outcome"] for one in past(page)] == [outcome]


@pytest.mark.parametrize("reason", ["timed_out", "no_heartbeat"])
def test_a_job_that_hangs_is_told_and_has_failed_when_its_time_is_over_and_a_reload_says_why(reason: str) -> None:
    page = running()
    page.push({"op": "cancel", "attempt": "a1", "reason": reason})
    assert (past(page), counts(page)) == ([ended("timed_out", type="slow")], (0, 1))
    page.push({"op": "cancel", "attempt": "a1", "reason": reason})  # after a reconnect
    page.push({"op": "reload"})
    page.load()
    assert (past(page), counts(page)) == ([ended("timed_out", type="slow")], (0, 1))
    assert page.error == "E-JOB-05"
    why = "A job that was cancelled or timed out does not stop. (slow, so this page was loaded anew)"
    assert f"E-JOB-05 {why}" in [event["text"] for event in page.status()["events"]]
    page.load()
    assert page.error is None


def test_a_reload_while_nothing_hangs_is_no_error() -> None:
    page = running()
    page.push({"op": "reload"})
    page.load()
    assert (page.error, past(page)) == (None, [])


@pytest.mark.parametrize(("verdict", "outcome"), [("recorded", "done"), ("stale", "too_late")])
def test_a_task_that_ends_after_its_time_is_told_once_and_counted_once(verdict: str, outcome: str) -> None:
    page = running()
    page.push({"op": "cancel", "attempt": "a1", "reason": "timed_out"})
    page.run("end(null, 1);")
    assert (past(page), counts(page)) == ([ended("timed_out", type="slow")], (0, 1))
    page.push({"op": "recorded", "attempt": "a1", "verdict": verdict})
    assert (past(page), counts(page)) == ([ended(outcome, type="slow")], (0, 1))


def test_a_result_that_meets_the_word_of_its_timeout_is_no_try_that_was_done() -> None:
    page = running()
    page.run("end(null, 1);")
    assert counts(page) == (1, 0)
    page.push({"op": "cancel", "attempt": "a1", "reason": "timed_out"})
    page.push({"op": "recorded", "attempt": "a1", "verdict": "stale"})
    assert (past(page), counts(page)) == ([ended("too_late", type="slow")], (0, 1))


def test_a_result_of_which_the_server_knows_nothing_counts_for_nothing_also_after_a_reload() -> None:
    page = joined()
    page.push(job("a1"))
    assert counts(page) == (1, 0)
    page.load()
    page.open(sid="s2")
    page.push(REGISTERED, {"op": "recorded", "attempt": "a1", "verdict": "stale"})
    assert counts(page) == (0, 0)


def test_an_offer_that_has_not_begun_is_no_job_that_was_done() -> None:
    page = Page(tasks="Pagehand.task('echo', function (job, done) {});").load()
    page.join()
    page.push(job("a1", confirm=True))
    page.take_all()
    page.push({"op": "cancel", "attempt": "a1", "reason": "not needed"})
    assert past(page) == []


@pytest.mark.parametrize(("verdict", "outcome"), [("recorded", "done"), ("duplicate", "done"), ("stale", "too_late")])
def test_a_result_that_does_not_count_any_more_came_too_late_also_if_a_reload_is_between(
    verdict: str, outcome: str
) -> None:
    page = joined()
    page.push(job("a1"))
    page.load()
    page.open(sid="s2")
    page.push(REGISTERED, {"op": "recorded", "attempt": "a1", "verdict": verdict})
    assert past(page) == [ended(outcome)]
    page.load()
    assert past(page) == [ended(outcome)]


def test_what_another_version_has_kept_there_is_passed_over() -> None:
    page = joined()
    page.push(job("a1"))
    for odd in ("'x'", "{}", "[null, 1, {at: 'x'}, []]"):
        page.run(f"worker._identity.record.past = {odd}; worker._identity.save();")
        page.load()
        assert past(page) == []


AT = "new Date(2026, 10, 23, 10, 30, 5).getTime()"


def test_a_line_says_when_what_and_how_it_ended() -> None:
    one: dict[str, Any] = {"at": AT, "type": "print-label", "id": "0" * 24 + "a1b2c3d4", "summary": "", "code": ""}
    jobs = [one | {"outcome": "failed", "summary": "order 4711", "code": "E-JOB-01"}, one | {"outcome": "done"}]
    assert say("pastText", "\n", past=jobs).split("\n") == [
        "2026-11-23 10:30:05 print-label (order 4711): failed (E-JOB-01)",
        "2026-11-23 10:30:05 print-label \u2026a1b2c3d4: done",
    ]
    assert say("pastText", "\n", past=[]) == "-"
