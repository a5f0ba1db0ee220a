"""The person at the page resumes: that ends the pause of an operator, too, if the server can be told which one."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import REGISTERED, Message, Page, joined

SINCE = 1_795_000_000_123
HOLD = {"op": "hold", "paused": True, "by": "ann", "reason": "lunch", "since_ms": SINCE}
ENDS = {"op": "resume", "held_since_ms": SINCE}


def held(**fields: Any) -> Page:
    """A page that has heard of a hold."""
    page = joined()
    page.push({**HOLD, **fields})
    return page


def events(page: Page) -> list[str]:
    return [event["text"] for event in page.status()["events"]]


def resumed(page: Page) -> list[Message]:
    page.run("worker.resume();")
    return page.take_all()


def test_resume_ends_the_pause_of_an_operator_and_the_page_waits_for_the_server_s_word() -> None:
    page = held()
    assert page.status()["hold"] == {
        "by": "ann", "reason": "lunch", "leave": False, "mayEnd": True, "ending": False, "again": None,
    }  # fmt: skip
    assert resumed(page) == [ENDS]
    assert resumed(page) == [], "once is enough"
    assert (page.state, page.status()["hold"]["ending"]) == ("paused", True)
    page.push({"op": "hold", "paused": False})
    assert (page.state, page.status()["hold"]) == ("ready", None)
    assert events(page)[-3:] == [
        "paused by an operator: lunch",
        "somebody here ends the pause of ann",
        "the pause of an operator is over",
    ]


def test_it_ends_both_pauses() -> None:
    page = held()
    page.run("worker.pause();")
    assert page.take_all() == [{"op": "pause"}]
    assert resumed(page) == [{"op": "resume"}, ENDS]


def test_it_is_repeated_while_the_server_does_not_answer() -> None:
    page = held()
    page.run("worker._settings.repeat_ms = 5000;")
    resumed(page)
    page.advance(4_000)
    assert page.take_all() == []
    page.advance(2_000)
    assert page.take_all() == [ENDS]
    page.push({"op": "hold", "paused": False})
    page.advance(6_000)
    assert page.take_all() == []


def test_a_reload_or_another_session_says_it_again_when_the_server_still_has_the_hold() -> None:
    page = held()
    resumed(page)
    page.load()
    page.open(sid="s2")
    page.push(REGISTERED, HOLD)
    assert page.take_all() == [ENDS]
    page.reconnect()
    page.push(REGISTERED)
    assert page.take_all() == [], "the server has heard it"


def test_a_later_pause_is_another_one() -> None:
    page = held()
    resumed(page)
    page.push({**HOLD, "since_ms": SINCE + 1})
    page.advance(10_000)
    assert page.take_all() == []
    assert page.status()["hold"]["ending"] is False


def test_whoever_pauses_here_meanwhile_ends_nothing_any_more() -> None:
    page = held()
    resumed(page)
    page.run("worker.pause();")
    page.advance(10_000)
    assert page.take_all() == [{"op": "pause"}]


@pytest.mark.parametrize("hold", [{"leave": True}, {"since_ms": None}], ids=["a drain", "of an older server"])
def test_an_order_to_leave_and_what_an_older_server_says_end_at_the_server_alone(hold: Message) -> None:
    page = held(**hold)
    assert ENDS not in resumed(page)
    assert (page.status()["hold"]["mayEnd"], page.status()["hold"]["ending"]) == (False, False)


def test_a_hold_that_is_told_again_is_noted_once() -> None:
    page = held()
    page.run("worker.mention('x', 'y');")
    page.take_all()
    page.push(REGISTERED, HOLD)
    assert [text for text in events(page) if "paused" in text] == ["paused by an operator: lunch"]
