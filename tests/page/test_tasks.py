"""The shipped tasks, in QuickJS; test_browsers.py has those that need a canvas."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .harness import STATIC, Message, Page, job


def load(name: str, before: str = "") -> Page:
    """A page with one shipped task, registered."""
    source = (STATIC / "tasks" / f"{name}.js").read_text(encoding="utf-8")
    globals_ = "var window = this; function setTimeout(fn, ms) { return fakeTimer(fn, ms); } function clearTimeout() {}"
    timers = "var waiting = []; function fakeTimer(fn) { waiting.push(fn); return waiting.length; }"
    page = Page(tasks=f"{timers} {globals_} {before} {source}").load()
    page.join()
    return page


def outcome(page: Page, type_: str, data: Any) -> Message:
    """What the page reports of one job."""
    page.push(job(type_=type_, data=data))
    reports: list[Message] = []
    while not reports:
        if not page.requests("POST"):
            page.run("waiting.shift()();")
        reports = [message for message in page.take() if message["op"] in ("result", "error")]
    return reports[0]


def example(name: str) -> Any:
    first = (STATIC / "tasks" / f"{name}.js").read_text(encoding="utf-8").split("\n")[0]
    return json.loads(first.removeprefix("// pagehand:"))["example"]


@pytest.mark.parametrize("data", [None, 0, "", [1, {"a": None}], {"hello": "wörld"}])
def test_echo_gives_its_data_back(data: Any) -> None:
    assert outcome(load("echo"), "echo", data)["value"] == data


def test_word_count_counts_its_example() -> None:
    value = outcome(load("word-count"), "word-count", example("word-count"))["value"]
    assert (value["words"], value["characters"], value["lines"]) == (6, 18, 1)
    assert value["top"][:2] == [{"word": "be", "count": 2}, {"word": "to", "count": 2}]


@pytest.mark.parametrize(
    ("text", "words", "lines"),
    [
        ("", 0, 0),
        ("one", 1, 1),
        ("one\ntwo\r\nthree\rfour", 4, 4),
        ("a\n", 1, 2),
        ("Übergröße naïve Ελληνικά русский 日本語", 5, 1),
        ("don't stop", 2, 1),
        ("... --- !!!", 0, 1),
        ("__proto__ constructor toString", 3, 1),
    ],
)
def test_word_count_knows_words_and_lines(text: str, words: int, lines: int) -> None:
    value = outcome(load("word-count"), "word-count", text)["value"]
    assert (value["words"], value["lines"]) == (words, lines)
    assert sum(item["count"] for item in value["top"]) == words


def test_word_count_gives_as_many_top_words_as_asked_for() -> None:
    value = outcome(load("word-count"), "word-count", {"text": "a b b c c c", "top": 2})["value"]
    assert value["top"] == [{"word": "c", "count": 3}, {"word": "b", "count": 2}]


def test_word_count_works_on_a_long_text_in_slices_and_tells_its_progress() -> None:
    page = load("word-count")
    page.push(job(type_="word-count", data="word " * 120_000))
    page.take()
    slices = 0
    while page.run("return waiting.length;"):
        slices += 1
        page.run("waiting.shift()();")
    assert slices == 2
    messages = page.take_all()
    assert [message["op"] for message in messages] == ["progress", "result"]
    assert messages[1]["value"]["words"] == 120_000


def test_word_count_stops_when_it_is_cancelled() -> None:
    page = load("word-count")
    page.push(job(type_="word-count", data="word " * 120_000))
    page.take()
    page.push({"op": "cancel", "attempt": "a1", "reason": "cancelled"})
    assert [message["op"] for message in page.take_all()] == ["progress", "released"]


@pytest.mark.parametrize("data", [None, 5, {}, {"text": 5}, {"text": "a", "top": -1}, {"text": "a", "top": "x"}])
def test_word_count_refuses_data_that_is_no_text_for_good(data: Any) -> None:
    report = outcome(load("word-count"), "word-count", data)
    assert (report["op"], report["code"], report["retry"]) == ("error", "bad_data", False)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"width": 5},
        {"image": "http://x/y.png", "width": 5},
        {"image": "data:text/html,x", "width": 5},
        {"image": "data:image/png;base64,AA"},
        {"image": "data:image/png;base64,AA", "width": 0},
        {"image": "data:image/png;base64,AA", "width": 5, "height": 5_000},
    ],
)
def test_thumbnail_refuses_bad_data_for_good(data: Any) -> None:
    report = outcome(load("thumbnail"), "thumbnail", data)
    assert (report["op"], report["code"], report["retry"]) == ("error", "bad_data", False)


HOST = """
Pagehand.hostCall = ['Add', 'Fail', 'Gone', 'Thing'];
window.external = {
  Add: function (a, b) { return a + b; }, Secret: function () { return 1; },
  Fail: function () { throw new Error('printer is off'); }, Thing: function () { return {}; }
};
"""


def host_call(data: Any, host: str = HOST) -> Message:
    return outcome(load("host-call", host), "host-call", data)


def test_host_call_calls_a_listed_method() -> None:
    assert host_call({"method": "Add", "args": [2, 3]})["value"] == 5


def test_host_call_gives_null_for_what_is_no_plain_value() -> None:
    assert host_call({"method": "Thing"})["value"] is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"method": "Secret"}, "not_allowed"),
        ({"method": "toString"}, "not_allowed"),
        ({"method": "Gone"}, "no_host"),
        ({"method": "Add", "args": [{}]}, "bad_data"),
        ({"method": "Add", "args": "x"}, "bad_data"),
        ({"method": "Add", "args": list(range(11))}, "bad_data"),
        ({}, "bad_data"),
        (None, "bad_data"),
    ],
)
def test_host_call_refuses_what_is_not_allowed_or_not_there_for_good(data: Any, code: str) -> None:
    report = host_call(data)
    assert (report["op"], report["code"], report["retry"]) == ("error", code, False)


def test_host_call_says_so_where_there_is_no_host() -> None:
    report = host_call({"method": "Add"}, "Pagehand.hostCall = ['Add']; window.external = undefined;")
    assert (report["code"], report["retry"]) == ("no_host", False)


def test_host_call_calls_nothing_without_a_list() -> None:
    assert host_call({"method": "Add"}, "window.external = {Add: function () {}};")["code"] == "not_allowed"


def test_an_error_of_the_host_s_own_is_tried_again() -> None:
    report = host_call({"method": "Fail"})
    assert (report["message"], report["retry"]) == ("printer is off", True)
