"""The lines that a task logs: each has its number, and they come in order, whatever becomes of the session."""

from __future__ import annotations

from typing import Any

from .harness import job, joined, ops
from .sockets import LINES, again, logging


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
