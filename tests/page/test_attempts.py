"""How an attempt ends in the page: errors, limits, cancels."""

from __future__ import annotations

import pytest

from .harness import REGISTERED, Message, Page, job, joined, ops
from .test_worker import SLOW, running

CANCEL = {"op": "cancel", "attempt": "a1", "reason": "not needed any more"}
TIMED_OUT = {"op": "cancel", "attempt": "a1", "reason": "timed_out"}
RELEASED = {"op": "released", "attempt": "a1", "reason": "cancelled"}


def outcome(body: str, **settings: int) -> Message:
    """What a page reports of a task with this body."""
    page = Page(tasks=f"Pagehand.task('t', function (job, done) {{ {body} }});").load()
    page.join(**settings)
    page.push(job(type_="t"))
    page.take()
    (report,) = page.take()
    return report


def test_a_task_that_throws_reports_the_error_with_its_stack() -> None:
    report = outcome("null.x;")
    assert report["op"] == "error"
    assert report["message"]
    assert report["stack"]
    assert report["retry"] is True


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("throw new Error('a');", {"message": "a", "retry": True}),
        ("throw 'text';", {"message": "text", "retry": True}),
        ("throw undefined;", {"message": "undefined", "retry": True}),
        ("throw null;", {"message": "null", "retry": True}),
        ("throw {message: 'm', code: 'c', retry: false};", {"message": "m", "code": "c", "retry": False}),
        ("throw {};", {"message": "[object Object]", "retry": True}),
        ("throw Object.create(null);", {"message": "a value that is not text", "retry": True}),
        ("throw {get message() { throw 1; }};", {"message": "an error that cannot be read", "retry": True}),
        ("done('bad');", {"message": "bad", "retry": True}),
        ("done(0);", {"message": "0", "retry": True}),
        ("done(false, 1);", {"message": "false", "retry": True}),
        ("done('', 1);", {"message": "the error that the task gave is an empty text", "retry": True}),
        ("done(NaN);", {"message": "NaN", "retry": True}),
        ("done(Pagehand.fatal('bad order'));", {"message": "bad order", "code": "fatal", "retry": False}),
        ("throw Pagehand.fatal('x', 'no_paper');", {"message": "x", "code": "no_paper", "retry": False}),
        ("return {then: function (ok, bad) { bad(new Error('later')); }};", {"message": "later", "retry": True}),
        ("return {then: function () { throw new Error('broken'); }};", {"message": "broken", "retry": True}),
        ("return {get then() { throw new Error('trap'); }};", {"message": "trap", "retry": True}),
    ],
)
def test_whatever_a_task_fails_with_becomes_an_error(body: str, expected: Message) -> None:
    report = outcome(body)
    assert report["op"] == "error"
    assert {key: report[key] for key in expected} == expected


def test_a_huge_error_is_cut_to_what_the_protocol_takes() -> None:
    report = outcome("var e = new Error(new Array(1e6).join('x')); e.stack = new Array(1e6).join('y'); throw e;")
    assert len(report["message"]) == 10_000
    assert len(report["stack"]) == 50_000


@pytest.mark.parametrize(
    "body",
    [
        "var a = {}; a.a = a; return a;",
        "return function () {};",
        "return {toJSON: function () { throw new Error('no'); }};",
        "return {toJSON: function () { return undefined; }};",
    ],
)
def test_a_result_that_is_no_json_fails_without_retry(body: str) -> None:
    report = outcome(body)
    assert (report["op"], report["code"], report["retry"]) == ("error", "unserialisable", False)


def test_a_result_over_the_server_s_limit_fails_without_retry() -> None:
    report = outcome("return new Array(1002).join('x');", result_limit=1_000)
    assert (report["op"], report["code"], report["retry"]) == ("error", "result_too_large", False)
    assert "1003" in report["message"]
    assert "1000" in report["message"]


def test_the_limit_counts_bytes_of_utf_8_and_quotes() -> None:
    assert outcome("return new Array(334).join('\\u20ac');", result_limit=1_001)["op"] == "result"
    assert outcome("return new Array(334).join('\\u20ac');", result_limit=1_000)["op"] == "error"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (r"'\ud83d'", "\ufffd"),
        (r"'a\ude00b'", "a\ufffdb"),
        (r"'\ud83d\ude00'", "\U0001f600"),
        (r"'\\ud83d'", r"\ud83d"),
        (r"'\\\ud83d'", "\\\ufffd"),
        (r"'\n\u001f\ud800\u2028'", "\n\x1f\ufffd\u2028"),
    ],
)
def test_half_a_surrogate_pair_is_sent_as_the_replacement_character(text: str, sent: str) -> None:
    assert outcome(f"return {text};")["value"] == sent


def test_a_result_that_fits_the_limit_but_no_post_is_too_large_as_well() -> None:
    report = outcome("return new Array(600).join('x');", result_limit=10_000, post_limit=500)
    assert report["code"] == "result_too_large"


def test_an_error_is_repeated_until_there_is_a_verdict() -> None:
    page = running()
    page.run("end(new Error('x'));")
    assert ops(page.take()) == ["error"]
    page.advance(6_000)
    assert ops(page.take()) == ["error"]
    page.push({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    page.advance(20_000)
    assert page.requests("POST") == []


def test_a_failed_job_is_shown_with_its_code() -> None:
    page = running()
    page.run("end(new Error('out of paper'));")
    error = page.status()["error"]
    assert error["code"] == "E-JOB-01"
    assert "out of paper" in error["detail"]


def test_a_cancel_of_an_unknown_attempt_is_released_at_once() -> None:
    page = joined()
    page.push(CANCEL)
    assert page.take() == [RELEASED]


def test_a_cancel_before_the_task_has_begun_releases_it_and_it_never_runs() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow", confirm=True))
    page.take()
    page.push(CANCEL)
    assert page.take() == [RELEASED]
    page.push({"op": "go", "attempt": "a1"})
    assert page.run("return runs;") == 0
    assert page.state == "ready"


def test_a_cancel_while_the_accept_is_on_its_way_drops_the_task() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow"))
    page.push(CANCEL)
    assert ops(page.take_all()) == ["accept", "released"]
    assert page.run("return runs;") == 0


def test_a_task_without_on_cancel_keeps_its_slot_until_it_ends() -> None:
    page = running()
    page.push(CANCEL)
    assert page.requests("POST") == []
    assert page.state == "stuck"
    assert page.run("return seen.cancelled;") is True
    page.push(job("a2", type_="slow"))
    assert page.take() == [{"op": "released", "attempt": "a2", "reason": "declined"}]
    page.run("end(null, 1);")
    assert page.take() == [RELEASED]
    assert page.state == "ready"
    assert page.status()["done"] == 0


def test_on_cancel_hears_the_reason_and_the_task_counts_as_ended_then() -> None:
    page = running()
    page.js.eval("var why = []; seen.onCancel(function (reason) { why.push(reason); }); null;")
    page.push(TIMED_OUT)
    assert page.run("return why;") == ["timed_out"]
    assert page.take() == [RELEASED]
    page.run("end(null, 1);")
    assert page.requests("POST") == []


@pytest.mark.parametrize("reason", ["cancelled", "", "a duplicate", "constructor", "__proto__"])
def test_on_cancel_hears_the_words_of_whoever_cancelled_and_a_value_is_of_no_use_whatever_they_are(reason: str) -> None:
    page = running()
    page.js.eval("var why = []; seen.onCancel(function (reason) { why.push(reason); return false; }); null;")
    page.push(CANCEL | {"reason": reason})
    assert page.run("return why;") == [reason]
    page.run("end(null, 1);")
    assert page.take() == [RELEASED]


def test_an_on_cancel_that_needs_time_returns_false_and_the_slot_is_held() -> None:
    page = running()
    page.run("seen.onCancel(function () { return false; }); seen.onCancel(function () {});")
    page.push(CANCEL)
    assert page.requests("POST") == []
    page.run("end(new Error('stopped'));")
    assert page.take() == [RELEASED]


def test_an_on_cancel_that_throws_does_not_free_the_slot() -> None:
    page = running()
    page.run("seen.onCancel(function () { throw new Error('x'); });")
    page.push(CANCEL)
    assert page.requests("POST") == []
    assert page.error == "E-JOB-01"


def test_an_on_cancel_that_ends_the_task_itself_releases_once() -> None:
    page = running()
    page.run("seen.onCancel(function () { end(new Error('stopped')); });")
    page.push(CANCEL)
    assert page.take_all() == [RELEASED]


def test_an_on_cancel_given_after_the_cancel_is_called_at_once() -> None:
    page = running()
    page.push(CANCEL)
    page.run("seen.onCancel(function () {});")
    assert page.take() == [RELEASED]


def test_a_repeated_cancel_calls_nobody_twice() -> None:
    page = running()
    page.js.eval("var calls = 0; seen.onCancel(function () { calls += 1; return false; }); null;")
    page.push(CANCEL, CANCEL)
    page.push(CANCEL)
    assert page.run("return calls;") == 1


def test_a_value_that_comes_after_the_timeout_is_sent_because_it_may_still_count() -> None:
    page = running()
    page.push(TIMED_OUT)
    page.run("end(null, 'late');")
    assert page.take() == [{"op": "result", "attempt": "a1", "value": "late"}]
    page.push({"op": "recorded", "attempt": "a1", "verdict": "stale"})
    assert page.state == "ready"


def test_an_error_that_comes_after_the_timeout_is_only_a_release() -> None:
    page = running()
    page.push(TIMED_OUT)
    page.run("end(new Error('x'));")
    assert page.take() == [RELEASED]


def test_a_value_of_a_cancelled_job_is_not_sent_also_when_the_cancel_follows_a_timeout() -> None:
    page = running()
    page.push(TIMED_OUT, CANCEL)
    page.run("end(null, 1);")
    assert page.take() == [RELEASED]


def test_a_cancelled_task_that_still_runs_is_held_in_the_next_session() -> None:
    page = running()
    page.push(CANCEL)
    assert page.reconnect()["holding"][0]["attempt"] == "a1"
    page.push(CANCEL)
    page.run("end(null, 1);")
    assert page.take() == [RELEASED]


def test_a_release_of_a_time_without_session_is_said_in_the_next() -> None:
    page = running()
    page.push(CANCEL)
    page.answer(page.poll, 0, "")
    page.run("end(null, 1);")
    page.advance(2_000)
    assert page.open(sid="s2")["holding"] == []
    page.push(REGISTERED)
    assert page.take() == [RELEASED]


def test_a_cancel_that_crosses_the_result_waits_for_the_verdict() -> None:
    page = running()
    page.run("end(null, 1);")
    page.push(CANCEL)
    assert ops(page.take_all()) == ["result"]
    page.push({"op": "recorded", "attempt": "a1", "verdict": "stale"})
    assert page.state == "ready"


def test_a_refusal_of_an_unknown_running_attempt_is_a_cancel() -> None:
    page = running()
    page.push({"op": "refused", "code": "unknown_attempt", "detail": "x", "attempt": "a1"})
    assert page.run("return seen.cancelled;") is True


UNREADABLE = {"op": "refused", "code": "bad_message", "detail": "not a message: nested too deep"}


@pytest.mark.parametrize("refusal", [UNREADABLE, UNREADABLE | {"attempt": "a1"}])
def test_a_result_that_the_server_cannot_read_becomes_an_error_instead_of_being_repeated_for_ever(refusal) -> None:
    page = running()
    page.run("end(null, 1);")
    page.take()
    page.push(refusal)
    (report,) = page.take()
    assert (report["op"], report["attempt"], report["retry"]) == ("error", "a1", False)
    assert "nested too deep" in report["message"]
    page.push(refusal)
    page.advance(30_000)
    assert page.requests("POST") == []
    assert page.status()["unreported"] == 0


def test_with_several_open_results_only_those_that_keep_coming_back_become_errors() -> None:
    page = joined(options={"slots": 4})
    page.push(job("a1"), job("a2"))
    page.take()
    page.push(UNREADABLE)
    assert page.requests("POST") == []
    page.push({"op": "recorded", "attempt": "a2", "verdict": "recorded"})
    page.advance(6_000)
    assert ops(page.take()) == ["result"]
    page.push(UNREADABLE)
    assert [(report["op"], report["attempt"]) for report in page.take()] == [("error", "a1")]


def test_a_refusal_without_a_name_leaves_a_running_task_alone() -> None:
    page = running()
    page.push(UNREADABLE)
    page.run("end(null, 1);")
    assert ops(page.take()) == ["result"]


def test_every_attempt_has_the_same_fields_at_every_time() -> None:
    fields = "return Object.keys(worker._attempts.a1).sort();"
    page = joined(tasks="var end; Pagehand.task('slow', function (job, done) { end = done; job.progress(5, 'x'); });")
    page.push(job(type_="slow"))
    offered = page.run(fields)
    page.take()
    assert page.status()["jobs"][0]["percent"] == 5
    assert page.run(fields) == offered, "while it runs"
    page.take_all()
    page.run("end(null, 1);")
    assert page.run(fields) == offered, "while its report is on the way"
    page.load()
    assert page.run(fields) == offered, "out of the stash"
