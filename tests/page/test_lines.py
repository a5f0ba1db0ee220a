"""The lines that a task logs: each has its number, and they come in order, whatever becomes of the session."""

from __future__ import annotations

from typing import Any

from .harness import REGISTERED, Page, job, joined, ops
from .sockets import moved

LINES = "var say, end; Pagehand.task('lines', function (job, done) { say = job.log; end = done; });"


def logging() -> Page:
    """A page on a socket with a task that can log."""
    page = moved(LINES)
    page.tell(job(type_="lines"), {"op": "go", "attempt": "a1"})
    return page


def again(page: Page) -> list[dict[str, Any]]:
    """Its connection has broken, and it comes back by polling; what it then says."""
    page.advance(2_000)
    page.open(sid="s2", upgrades=[])
    page.push(REGISTERED)
    return page.take_all()


def numbered(messages: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(message["n"], message["line"]) for message in messages if message["op"] == "log"]


def test_a_line_that_is_said_again_has_the_number_that_it_had_and_the_next_one_goes_on() -> None:
    page = logging()
    page.run("say('one'); say('one');")
    page.socket_does("close", 1006)
    assert numbered(again(page)) == [(1, "one"), (2, "one")]
    page.run("say('three');")
    assert numbered(page.take_all()) == [(3, "three")]


def test_each_attempt_counts_its_own_lines() -> None:
    page = logging()
    page.run("say('one'); say('two'); end(null, 1);")
    page.tell({"op": "recorded", "attempt": "a1", "verdict": "recorded"}, job("a2", "lines"))
    page.tell({"op": "go", "attempt": "a2"})
    page.run("say('of the next');")
    page.socket_does("close", 1006)
    assert numbered(again(page)) == [(1, "one"), (2, "two"), (1, "of the next")]


def test_lines_that_may_be_lost_are_said_again_before_those_of_a_time_without_registration() -> None:
    """The server takes no line behind one with a higher number."""
    page = logging()
    page.run("say('one'); say('two');")
    page.run("Pagehand.task('another', function () {});")  # it registers again, in the same session
    page.run("say('three');")
    page.socket_does("close", 1006)
    assert numbered(again(page)) == [(1, "one"), (2, "two"), (3, "three")]


def test_the_lines_of_a_task_come_before_its_report() -> None:
    """Behind the report the server would take none of them."""
    page = joined(LINES)
    page.push(job(type_="lines"))
    page.take_all()
    page.answer(page.poll, 0, "")
    page.run("say('while away'); end(null, 1);")
    assert ops(again(page)) == ["log", "result"]
