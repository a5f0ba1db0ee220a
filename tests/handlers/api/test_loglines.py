"""The lines of a job's log: those that hold a text, as text to keep, and at an address of their own."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.model import LogLine
from handlers.api.loglines import as_text, lines_gone, lines_with
from tests.handlers.conftest import Ask, body_of
from tests.support.house import House
from tests.support.scenes import submit, take

LINES = [
    LogLine(line_no=58, at=1_795_469_037.456, line="printer STRASSE-1", number=1),
    LogLine(line_no=59, at=1_795_469_038.0, line="two\r\nlines", number=2),
]


def test_a_text_is_found_whatever_its_capitals() -> None:
    assert [line.line_no for line in lines_with("straße", LINES)] == [58]
    assert lines_with("", LINES) == LINES
    assert lines_with("three", LINES) == []


def test_the_first_number_tells_how_many_lines_are_gone() -> None:
    assert (lines_gone(LINES), lines_gone([])) == (57, 0)


def test_each_line_of_the_text_has_its_number_and_its_instant() -> None:
    assert as_text(LINES) == (
        "58 2026-11-23T21:23:57.456Z printer STRASSE-1\n59 2026-11-23T21:23:58.000Z two\n\tlines\n"
    )


@pytest.mark.gen_test
async def test_an_address_has_the_lines_as_text_to_keep(ask: Ask, house: House) -> None:
    tried = await take(house, await submit(house, "j"))
    for line in ("accept", "no paper", "<b>paper</b>"):
        await (tried.say("accept") if line == "accept" else tried.say("log", line=line))
    whole = await ask("/api/v1/jobs/J/log")
    assert whole.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert whole.headers["Content-Disposition"] == 'attachment; filename="pagehand-j.log"'
    assert [line.split(" ", 2)[::2] for line in whole.body.decode().splitlines()] == [
        ["1", "no paper"], ["2", "<b>paper</b>"],
    ]  # fmt: skip
    some = await ask("/api/v1/jobs/j/log?q=NO+p")
    assert some.body.decode().startswith("1 ")
    assert some.body.decode().count("\n") == 1
    refused = await ask("/api/v1/jobs/j/log?q=" + "x" * 201)
    assert (refused.code, body_of(refused)["code"]) == (400, "bad_parameter")
    assert (await ask("/api/v1/jobs/nope/log")).code == 404
