"""A page that nobody looks at: hidden, with late timers, or standing still. That is noted and told; it is no crash."""

from __future__ import annotations

import time
from typing import Any

from .harness import REGISTERED, Message, Page, joined
from .test_page_words import AT, say
from .test_worker import running

TOLD = ("hidden_for_ms", "slow_timers", "stood_still_ms", "stood_still_ago_ms")


def freeze(page: Page, ms: int) -> None:
    """The next timer comes so late."""
    page.js.eval(f"fakeWindow.freeze({ms + 1_000}); null;")
    page.advance(0)


def comes_back(page: Page) -> Message:
    """In another session; its `register`."""
    page.run("worker.reconnect();")
    return page.open(sid="s2")


def hide(page: Page, hidden: bool) -> None:
    page.run(f"worker._env.document.hidden = {str(hidden).lower()};")


def notes(page: Page) -> list[str]:
    return [event["text"] for event in page.status()["events"] if "page" in event["text"]]


def told(messages: list[Message]) -> list[dict[str, Any]]:
    """What the server hears of it."""
    registers = [message["page"] for message in messages if message["op"] == "register"]
    return [{name: page[name] for name in TOLD if name in page} for page in registers]


def test_a_page_that_stood_still_says_so_and_for_how_long_and_its_job_does_too() -> None:
    page = running()
    began = page.run("return fakeWindow.env({}).date();")
    freeze(page, 40_000)
    still = page.status()["slowness"]["still"]
    assert (still["ms"], still["at"]) == (40_000, began + 41_000)
    assert notes(page) == ["the page stood still for 40 s"]
    lines = [message for message in page.take_all() if message["op"] == "log"]
    assert lines == [{"op": "log", "attempt": "a1", "line": "the page stood still for 40 s", "n": 1}]


def test_a_line_about_it_is_kept_for_the_next_session_if_this_one_is_over() -> None:
    page = running()
    freeze(page, 40_000)
    page.answer(page.post, 400, "")
    page.advance(2_000)
    page.open(sid="s2")
    page.push(REGISTERED)
    assert [message["op"] for message in page.take_all()] == ["log"]


def test_the_server_is_told_how_long_it_was_and_how_long_ago_for_an_hour() -> None:
    page = joined()
    freeze(page, 30_000)
    assert page.requests("POST") == [], "what had waited for the page comes first"
    page.advance(5_000)
    assert told(page.take_all()) == [{"stood_still_ms": 30_000, "stood_still_ago_ms": 5_000}]
    page.advance(5_000)
    assert page.run("return worker._describe().stood_still_ago_ms;") == 10_000
    page.advance(3_600_000)
    assert page.run("return worker._describe().stood_still_ago_ms;") is None


def test_a_page_in_the_background_is_noted_after_a_while_and_told_at_once_and_again_when_it_is_in_sight() -> None:
    page = joined()
    hide(page, True)
    page.advance(5_000)
    hide(page, False)
    page.fire("visibilitychange")
    page.advance(20_000)
    assert (notes(page), page.take_all() if page.requests("POST") else []) == ([], []), "who looks away for a moment"
    hide(page, True)
    page.fire("visibilitychange")
    since = page.run("return fakeWindow.env({}).date();")
    page.advance(11_000)
    assert page.status()["slowness"]["hiddenSince"] == since
    assert page.status()["events"][-1] == {"at": since, "text": "the page is in the background"}
    assert told(page.take_all()) == [{"hidden_for_ms": 10_000}]
    page.push(REGISTERED)
    hide(page, False)
    page.fire("visibilitychange")
    assert notes(page)[-1] == "the page is in sight again"
    page.advance(10_000)
    assert told(page.take_all() if page.requests("POST") else []) == [], "no more often than every 30 s"
    page.advance(20_000)
    assert told(page.take_all()) == [{}]


def test_timers_that_come_once_a_minute_in_the_background_are_slow_and_no_standstill() -> None:
    page = joined()
    hide(page, True)
    for _ in range(4):
        freeze(page, 59_000)
    assert notes(page) == ["the timers of the page come late", "the page is in the background"]
    slowness = page.status()["slowness"]
    assert (slowness["still"], slowness["slowSince"] is None) == (None, False)
    assert told([comes_back(page)])[0]["slow_timers"] is True
    freeze(page, 70_000)
    assert page.status()["slowness"]["still"]["ms"] == 70_000
    hide(page, False)
    page.advance(5_000)
    assert page.status()["slowness"]["slowSince"] is None
    assert notes(page)[-1] == "the timers of the page come in time again"


def test_one_late_timer_is_nothing_and_three_in_a_row_are_slow() -> None:
    page = joined()
    for _ in range(5):
        freeze(page, 3_000)
        page.advance(1_000)
    assert notes(page) == []
    for _ in range(3):
        freeze(page, 3_000)
    assert notes(page) == ["the timers of the page come late"]


def test_one_faint_line_says_so_while_it_is_so() -> None:
    nothing = {"hiddenSince": None, "slowSince": None, "still": None}
    assert say("slownessText", slowness=None) == say("slownessText", slowness=nothing) == ""
    assert say("slownessText", slowness={**nothing, "hiddenSince": AT}) == "This page is in the background since 10:30."
    assert say("slownessText", slowness={**nothing, "slowSince": AT}) == (
        "The timers of this page come late since 10:30: the browser or the PC slows it down."
    )
    just_now = {**nothing, "still": {"ms": 40_000, "at": time.time() * 1_000}}
    assert say("slownessText", slowness=just_now).startswith("This page stood still for 40 s, until ")
    assert say("slownessText", slowness={**nothing, "still": {"ms": 40_000, "at": AT}}) == "", "that was long ago"
