"""Errors that nobody on the page catches, and what a task says while it is being cancelled."""

from __future__ import annotations

import pytest

from .harness import Message, Page, job, joined, ops

TASK = "var seen; var ends = []; Pagehand.task('slow', function (job, done) {{ ends.push(done); {body} }}, {options});"
THROWN = {"message": "Uncaught TypeError: x is undefined", "filename": "http://site.test/tasks/slow.js", "lineno": 7}


def running(count: int = 1, *, options: str = "{quick: true}", body: str = "", slots: int = 2) -> Page:
    page = joined(tasks=TASK.format(body=body, options=options), options={"slots": slots})
    for number in range(count):
        page.push(job(f"a{number + 1}", "slow"))
    return page


def rejected(page: Page, reason: str) -> None:
    page.js.eval(f"fakeWindow.fire('unhandledrejection', {{reason: {reason}}}); null;")


def thrown(page: Page, error: str) -> None:
    page.run(f"var event = {{message: 'Uncaught', error: {error}}}; fakeWindow.fire('error', event);")


def only(messages: list[Message]) -> Message:
    (message,) = messages
    return message


def test_an_error_in_a_callback_fails_the_attempt_at_once_as_old_engines_tell_it() -> None:
    page = running()
    page.fire("error", THROWN)
    report = only(page.take_all())
    assert (report["op"], report["attempt"], report["retry"]) == ("error", "a1", True)
    assert report["message"] == "Uncaught TypeError: x is undefined"
    assert report["stack"] == "at http://site.test/tasks/slow.js:7"
    assert page.error == "E-JOB-01"
    assert page.state == "ready"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("new TypeError('no printer')", {"message": "no printer", "retry": True}),
        ("Pagehand.fatal('no such label', 'bad_label')", {"code": "bad_label", "retry": False}),
        ("'a text'", {"message": "a text", "retry": True}),
    ],
)
def test_the_error_itself_is_reported_where_the_engine_gives_it(error: str, expected: Message) -> None:
    for fail in (thrown, rejected):
        page = running()
        fail(page, error)
        report = only(page.take_all())
        assert expected.items() <= report.items()


def test_a_rejection_without_a_reason_fails_the_attempt_too() -> None:
    page = running()
    rejected(page, "undefined")
    assert only(page.take_all())["message"] == "undefined"


def test_what_the_task_says_afterwards_counts_no_more() -> None:
    page = running()
    page.fire("error", THROWN)
    page.run("ends[0](null, 'late'); ends[0](null, 'later');")
    assert ops(page.take_all()) == ["error"]


def test_a_task_may_ask_for_a_line_in_its_log_instead() -> None:
    page = running(options="{quick: true, uncaught: 'log'}")
    page.fire("error", THROWN)
    rejected(page, "new Error('no printer')")
    page.run("ends[0](null, 'done all the same');")
    first, second, result = page.take_all()
    where = "(http://site.test/tasks/slow.js:7)"
    assert first["line"] == f"uncaught on the page: Uncaught TypeError: x is undefined {where}"
    assert second["line"] == "uncaught on the page: in a promise: no printer"
    assert result["value"] == "done all the same"


def test_with_two_tasks_nobody_knows_whose_it_is_and_both_have_it_in_their_logs() -> None:
    page = running(2)
    page.fire("error", THROWN)
    assert [(message["op"], message["attempt"]) for message in page.take_all()] == [("log", "a1"), ("log", "a2")]
    assert page.error == "E-JS-01"


def test_an_error_of_another_origin_s_script_is_a_line_in_the_log() -> None:
    page = running()
    page.fire("error", {"message": "Script error.", "filename": "", "lineno": 0, "error": None})
    assert only(page.take_all())["line"] == "uncaught on the page: Script error."
    assert page.state == "working"


def test_an_error_while_nothing_runs_is_only_shown() -> None:
    page = running(0)
    page.fire("error", THROWN)
    page.fire("error", {})
    assert page.requests("POST") == []
    assert page.error == "E-JS-01"
    assert "(http://site.test/tasks/slow.js:7)" in page.status()["error"]["detail"]


def test_an_error_does_not_end_an_attempt_that_waits_for_its_go() -> None:
    page = running(0, options="{}")
    page.push(job("a1", "slow", confirm=True))
    page.fire("error", THROWN)
    assert ops(page.take_all()) == ["accept"]


def test_a_cancelled_task_that_throws_gives_its_slot_back() -> None:
    page = running()
    page.push({"op": "cancel", "attempt": "a1", "reason": "wrong order"})
    page.fire("error", THROWN)
    assert ops(page.take_all()) == ["released"]


def test_lines_of_on_cancel_and_of_the_time_until_it_is_over_are_sent_before_the_release() -> None:
    on_cancel = "job.log('stopped: ' + why); job.progress(9); return false;"
    page = running(body=f"seen = job; job.onCancel(function (why) {{ {on_cancel} }});")
    page.push({"op": "cancel", "attempt": "a1", "reason": "wrong order"})
    page.run("seen.log('paper is out of the printer'); ends[0](null, 1); seen.log('too late');")
    first, second, third = page.take_all()
    assert (first["op"], first["line"]) == ("log", "stopped: wrong order")
    assert (second["op"], second["line"]) == ("log", "paper is out of the printer")
    assert third["op"] == "released"
