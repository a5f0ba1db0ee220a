"""Jobs in doubt: the page keeps its question, asks the server whether it must be asked, and says what was answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.core.jobs.test_doubturl import BAD, GOOD

from .harness import REGISTERED, Message, Page, job, joined

QUESTION = "Did the label for order 4711 come out?"
ASKS = """
var seen = null, end = null, asked = 0;
Pagehand.task('label', function (job, done) { seen = job; end = done; }, {
  doubt: 'ask',
  ask: function (data) { asked += 1; return 'Did the label for order ' + data.order + ' come out?'; }
});
Pagehand.task('mute', function (job, done) { end = done; });
"""
KNOWN = {**REGISTERED, "settings": {"doubt_ms": 15_000, "repeat_ms": 5_000}}


def label(attempt: str = "a1", order: int = 4711, type_: str = "label", **fields: Any) -> Message:
    return job(attempt, type_, {"order": order}, **{"confirm": True, **fields})


def at_desk(tasks: str = ASKS, **options: Any) -> Page:
    page = Page(tasks=tasks, options=options).load()
    page.open()
    page.push(KNOWN)
    return page


def starts(page: Page, *offers: Message) -> None:
    for offer in offers:
        page.push(offer)
        page.take_all()
        page.push({"op": "go", "attempt": offer["attempt"]})


def comes_again(page: Page) -> list[Message]:
    """The page is loaded anew; what it says when it has registered."""
    page.load()
    page.open(sid="s2")
    page.push(KNOWN)
    page.advance(1_000)
    return page.take_all()


def asks(*attempts: str) -> list[Message]:
    return [{"op": "doubt", "attempt": attempt, "job": f"job-{attempt}"} for attempt in attempts]


def doubt(page: Page, state: str, attempt: str = "a1", reason: str | None = "lost") -> None:
    page.push({"op": "doubt", "attempt": attempt, "state": state} | ({"reason": reason} if reason else {}))


def shown(page: Page) -> Any:
    return page.status()["doubt"]


def lost(page: Page) -> Page:
    """It was loaded anew while its job ran."""
    starts(page, label())
    assert comes_again(page) == asks("a1")
    return page


def test_a_page_that_was_lost_with_its_job_asks_the_person_when_the_server_says_that_it_is_in_doubt() -> None:
    page = lost(at_desk())
    assert shown(page) is None, "nobody is asked before the server has said that there is a doubt"
    doubt(page, "in_doubt")
    assert shown(page) == {
        "attempt": "a1", "question": QUESTION, "why": "lost", "state": "asked", "happened": None, "more": 0,
    }  # fmt: skip
    doubt(page, "in_doubt", reason=None)
    assert shown(page)["why"] == "", "an older server does not say"


@pytest.mark.parametrize("happened", [True, False])
def test_the_answer_goes_to_the_server_until_it_is_noted_and_the_person_is_thanked(happened: bool) -> None:
    page = lost(at_desk())
    doubt(page, "in_doubt")
    page.run(f"worker.answer('a1', {json.dumps(happened)});")
    said = [{**asks("a1")[0], "happened": happened, "question": QUESTION}]
    assert page.take_all() == said
    assert shown(page)["state"] == "telling"
    page.advance(5_000)
    assert page.take_all() == said, "it is repeated"
    page.run(f"worker.answer('a1', {json.dumps(not happened)});")
    assert page.take_all() == [], "the first answer counts"
    doubt(page, "noted")
    assert (shown(page)["state"], shown(page)["happened"]) == ("noted", happened)
    page.advance(10_000)
    assert (shown(page), page.take_all()) == (None, [])


def test_an_answer_outlives_a_reload_before_the_server_has_heard_it() -> None:
    page = lost(at_desk())
    doubt(page, "in_doubt")
    page.run("worker.answer('a1', true);")
    assert comes_again(page) == [{**asks("a1")[0], "happened": True, "question": QUESTION}]


def test_a_question_outlives_the_window_with_the_identity_of_its_worker() -> None:
    page = at_desk()
    starts(page, label())
    page.js.eval("fakeWindow.unload(); fakeWindow.otherWindow(); null;")  # its browser crashed
    page.advance(20_000)
    assert comes_again(page) == asks("a1")


def test_what_an_operator_decides_first_ends_the_question_in_silence() -> None:
    page = lost(at_desk())
    doubt(page, "in_doubt")
    page.advance(15_000)
    assert page.take_all() == asks("a1"), "it asks again and again"
    doubt(page, "over")
    assert shown(page) is None
    page.advance(60_000)
    assert [message for message in page.take_all() if message["op"] == "doubt"] == []


def test_who_has_answered_too_late_is_told_so() -> None:
    page = lost(at_desk())
    doubt(page, "in_doubt")
    page.run("worker.answer('a1', false);")
    doubt(page, "over")
    assert shown(page)["state"] == "decided"


def test_while_the_server_believes_that_the_job_runs_nobody_is_asked() -> None:
    page = lost(at_desk())
    doubt(page, "running")
    assert shown(page) is None
    page.advance(15_000)
    assert page.take_all() == asks("a1")
    doubt(page, "in_doubt")
    assert shown(page)["question"] == QUESTION


def test_a_job_that_runs_here_is_not_asked_about_and_one_that_is_recorded_is_forgotten() -> None:
    page = at_desk()
    starts(page, label())
    page.advance(60_000)
    assert "doubt" not in [message["op"] for message in page.take_all()]
    page.run("end(null, 'printed');")
    page.take_all()
    page.push({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    assert "doubt" not in [message["op"] for message in comes_again(page)]


def test_a_page_that_has_stopped_asks_nothing_until_it_is_started_again() -> None:
    page = lost(at_desk())
    doubt(page, "in_doubt")
    page.run("worker.stop();")
    assert shown(page) is None
    page.take_all()
    page.run("worker.start();")
    assert shown(page)["question"] == QUESTION


def test_an_error_that_comes_too_late_leaves_the_question() -> None:
    page = at_desk()
    starts(page, label())
    page.push({"op": "cancel", "attempt": "a1", "reason": "timed_out"})
    page.run("end('no paper');")
    page.advance(1_000)
    assert [message["op"] for message in page.take_all()] == ["released", "doubt"]
    doubt(page, "in_doubt", reason="timed_out")
    assert (shown(page)["question"], shown(page)["why"]) == (QUESTION, "timed_out")


@pytest.mark.parametrize(
    "offer", [label(confirm=False), label(type_="mute")], ids=["may run twice", "a task that does not ask"]
)
def test_only_a_job_that_may_be_done_once_of_a_task_that_asks_is_asked_about(offer: Message) -> None:
    page = at_desk()
    starts(page, offer)
    assert "doubt" not in [message["op"] for message in comes_again(page)]


def test_a_job_that_never_began_is_not_asked_about() -> None:
    page = at_desk()
    page.push(label())
    page.take_all()
    assert page.run("return asked;") == 0
    assert comes_again(page) == []


def test_an_older_server_is_not_asked() -> None:
    page = joined(ASKS)
    starts(page, label())
    page.load()
    page.join()
    page.advance(30_000)
    assert "doubt" not in [message["op"] for message in page.take_all()]
    assert page.error is None


def test_several_questions_are_asked_one_after_the_other_and_none_is_passed_over() -> None:
    page = at_desk(slots=20)
    names = [f"a{number:02d}" for number in range(20)]
    starts(page, *(label(name, number) for number, name in enumerate(names)))
    first = comes_again(page)
    asked: list[str] = []
    for _ in range(25):
        page.advance(1_000)
        asked += [message["attempt"] for message in page.take_all() if message["op"] == "doubt"]
    assert set(names) == {message["attempt"] for message in first} | set(asked)
    for name in names[:3]:
        doubt(page, "in_doubt", name)
    assert (shown(page)["attempt"], shown(page)["more"]) == (names[0], 2)
    page.run(f"worker.answer('{names[0]}', true);")
    doubt(page, "noted", names[0])
    assert (shown(page)["state"], shown(page)["more"]) == ("noted", 2)
    page.advance(10_000)
    assert (shown(page)["attempt"], shown(page)["more"]) == (names[1], 1)


def test_the_newest_twenty_questions_are_kept() -> None:
    page = at_desk(slots=30)
    names = [f"a{number:02d}" for number in range(25)]
    starts(page, *(label(name) for name in names))
    kept = json.loads(page.world()["session"]["pagehand.worker"])["doubts"]
    assert sorted(kept) == names[5:]


@pytest.mark.parametrize(
    ("options", "summary", "question"),
    [
        ("{doubt: 'ask'}", "order 7", "Was this done: order 7?"),
        ("{doubt: 'ask'}", None, "Was this done: label?"),
        ("{doubt: 'ask', ask: 'Did it come out?'}", None, "Did it come out?"),
        ("{doubt: 'ask', ask: function (data, job) { return job.summary + '?'; }}", "order 7", "order 7?"),
        ("{doubt: 'ask', ask: function () { return new Array(1000).join('x'); }}", None, "x" * 300),
    ],
)
def test_the_task_says_what_is_asked(options: str, summary: str | None, question: str) -> None:
    page = at_desk(f"Pagehand.task('label', function (job, done) {{}}, {options});")
    more: Message = {"summary": summary} if summary else {}
    starts(page, label(**more))
    assert comes_again(page) == asks("a1")
    doubt(page, "in_doubt")
    assert shown(page)["question"] == question


def test_a_question_that_fails_is_a_line_of_the_job_s_log_and_the_task_runs() -> None:
    page = at_desk("Pagehand.task('label', function () { return 1; }, {doubt: 'ask', ask: function (d) { d.x.y(); }});")
    page.push(label(order=1))
    page.take_all()
    page.push({"op": "go", "attempt": "a1"})
    log, result = page.take_all()
    assert log["line"].startswith("nobody will be asked, as the task's ask failed: ")
    assert (result["op"], result["value"]) == ("result", 1)


def test_the_page_tells_where_people_look_and_no_more_than_the_server_takes() -> None:
    named = "Pagehand.task('%s', function () {}, {doubt_url: 'https://erp.example/{order}'});"
    page = Page(tasks=named % "label" + "Pagehand.task('mute', function () {});").load()
    assert page.open()["doubt_urls"] == {"label": "https://erp.example/{order}"}
    assert "doubt_urls" not in Page(tasks="Pagehand.task('mute', function () {});").load().open()
    for url in GOOD:
        tasks = f"Pagehand.task('label', function () {{}}, {{doubt_url: {json.dumps(url)}}});"
        assert Page(tasks=tasks).load().open()["doubt_urls"] == {"label": url}
    many = Page(tasks="".join(named % f"t{number}" for number in range(101))).load()
    assert len(many.open()["doubt_urls"]) == 100


@pytest.mark.parametrize(
    "options",
    [
        "{doubt: 'Ask'}", "{doubt: true}", "{ask: 'Did it?'}", "{doubt: 'ask', ask: 5}", "{doubt: null}",
        "{doubt_url: 7}", "{doubt_url: null}", *(f"{{doubt_url: {json.dumps(url)}}}" for url in BAD),
    ],
)  # fmt: skip
def test_a_slip_in_the_task_is_told_where_it_is_made(options: str) -> None:
    page = at_desk()
    code = page.run(
        f"try {{ Pagehand.task('x', function () {{}}, {options}); return null; }} catch (e) {{ return e.code; }}"
    )
    assert code == "bad_task"


@pytest.mark.parametrize(
    "kept", ["5", '{"a1": 5}', '{"a1": {"job": 5, "question": "x", "happened": null}}', '{"a1": {"job": "j"}}', "null"]
)
def test_what_is_stored_and_makes_no_sense_is_passed_over(kept: str) -> None:
    page = at_desk()
    page.run("worker.stop();")
    page.run(
        "var s = fakeWindow.env({}).session, r = JSON.parse(s.getItem('pagehand.worker'));"
        f"r.doubts = {kept}; s.setItem('pagehand.worker', JSON.stringify(r));"
    )
    assert comes_again(page) == []
    assert page.state == "ready"


def test_an_answer_to_what_nobody_asked_changes_nothing() -> None:
    page = at_desk()
    page.run("worker.answer('a9', true);")
    doubt(page, "in_doubt", "a9")
    assert (shown(page), page.take_all(), page.error) == (None, [], None)
