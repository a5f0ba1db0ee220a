"""What the page showed as its task failed, in the job's log: only where the task wants that."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import Page, job, joined, ops

_TASK = "var ends = []; Pagehand.task('slow', function (job, done) {{ ends.push(done); }}, {options});"


def running(shows: Any, options: str = "{quick: true, snapshot: true}") -> Page:
    page = joined(tasks=_TASK.format(options=options), shows=shows)
    page.push(job("a1", "slow"))
    return page


def test_a_failure_leaves_the_page_s_text_in_the_log_before_its_report() -> None:
    page = running("\n  Host says:\r\n paper jam  in tray 2 \n")
    page.run("ends[0]('no paper');")
    line, report = page.take_all()
    shown = "the page showed (1 of 1): Host says: | paper jam  in tray 2"
    assert line == {"op": "log", "attempt": "a1", "line": shown, "n": 1}
    assert (report["op"], report["message"]) == ("error", "no paper")


@pytest.mark.parametrize("options", ["{quick: true}", "{quick: true, snapshot: false}"])
def test_without_the_option_and_after_a_success_nothing_of_it_is_told(options: str) -> None:
    page = running("secret", options)
    page.run("ends[0]('no paper');")
    assert ops(page.take_all()) == ["error"]
    page = running("secret")
    page.run("ends[0](null, 1);")
    assert ops(page.take_all()) == ["result"]


def test_a_long_text_is_told_in_four_lines_and_no_more() -> None:
    page = running("x" * 7_000)
    page.run("ends[0]('no paper');")
    *lines, _ = page.take_all()
    assert [line["line"] for line in lines] == [f"the page showed ({n} of 4): {'x' * 1_500}" for n in (1, 2, 3, 4)]


def test_what_is_no_part_of_the_task_s_is_left_out_wherever_it_stands() -> None:
    body = {
        "tag": "BODY",
        "text": "not looked at: it has all",
        "inside": [
            {"data": "no", "text": "READY | Did the label for order 4712 come out? | Last error: no such order 4713"},
            " drawn by the task ",
            {"text": "all of it", "inside": [{"data": "no", "text": "4714"}, {"text": "paper jam"}]},
            {"text": "4715", "drawn": False},
            {"tag": "script", "text": "secret()"},
            {"text": "tray 2", "data": "yes"},
        ],
    }
    page = running(body)
    page.run("ends[0]('no paper');")
    line, _ = page.take_all()
    assert line["line"] == "the page showed (1 of 1): drawn by the task | paper jam | tray 2"


def test_a_page_that_cannot_be_read_loses_no_report() -> None:
    page = running({"text": "secret", "drawn": None})
    page.run("ends[0]('no paper');")
    assert ops(page.take_all()) == ["error"]


@pytest.mark.parametrize("shows", ["", " \n ", None])
def test_a_page_that_shows_nothing_leaves_no_line(shows: Any) -> None:
    page = running(shows)
    page.run("ends[0]('no paper');")
    assert ops(page.take_all()) == ["error"]


def test_a_result_that_cannot_be_written_and_an_error_that_nobody_catches_are_failures_too() -> None:
    page = running("here")
    page.run("var loop = {}; loop.loop = loop; ends[0](null, loop);")
    assert ops(page.take_all()) == ["log", "error"]
    page = running("here")
    page.fire("error", {"message": "x is undefined", "filename": "http://site.test/tasks/slow.js", "lineno": 7})
    assert ops(page.take_all()) == ["log", "error"]
