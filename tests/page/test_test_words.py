"""What the worker page says of a test of its connection: lines that a person reads aloud by telephone."""

from __future__ import annotations

from typing import Any

import pytest

from .test_page_words import AT, say_value

FINE = {"state": "fine"}
WRONG = {"state": "wrong"}
CUT = {"name": "waiting", "pollMs": 20_000, "why": "status 504", "cutMs": 10_000, "longestS": 5}
SILENT = CUT | {"cutMs": None, "why": "no answer within 55 s"}

LINES: list[tuple[dict[str, Any], str]] = [
    ({"name": "server", "ms": 23, **FINE}, "Server: OK. It answers in 23 ms."),
    ({"name": "server", "why": "no answer", **WRONG}, "Server: NO. It does not answer: no answer."),
    (
        {"name": "sending", "bytes": 1_114_112, **FINE},
        "Sending: OK. 1088 kB come through, as much as the server takes.",
    ),
    (
        {"name": "sending", "bytes": 65_536, "failed": 262_144, "why": "status 413: Too Large.", **WRONG},
        "Sending: NO. 64 kB come through, 256 kB do not: status 413: Too Large. "
        "Something on the way refuses large messages, probably a proxy.",
    ),
    (
        {"name": "sending", "failed": 1_024, "why": "no answer", **WRONG},
        "Sending: NO. Not even 1 kB comes through: no answer.",
    ),
    ({"name": "waiting", "longestS": 45, "why": "", "cutMs": None, **FINE}, "Waiting: OK. Requests may wait 45 s."),
    (
        CUT | FINE | {"longestS": 25, "cutMs": 30_400},
        "Waiting: OK. Requests may wait 25 s. Longer ones are cut after about 30 s. This page waits at most 20 s.",
    ),
    (
        CUT | WRONG,
        "Waiting: NO. Something on the way cuts waiting requests after about 10 s, probably a proxy (E-NET-12). "
        "5 s come through.",
    ),
    (
        SILENT | WRONG | {"longestS": 0},
        "Waiting: NO. Something on the way keeps back the answers to waiting requests: no answer within 55 s.",
    ),
    (
        {"name": "socket", "ms": 12, "why": "", **FINE},
        "WebSocket: OK. It opens, and the server answers in 12 ms.",
    ),
    (
        {"name": "socket", "why": "it is refused (code 1006)", **WRONG},
        "WebSocket: NO. There is none: it is refused (code 1006). The page works without.",
    ),
    ({"name": "clock", "aheadMs": -400, **FINE}, "Clock: OK. This PC and the server tell the same time."),
    (
        {"name": "clock", "aheadMs": 180_000, **WRONG},
        "Clock: NO. The clock of this PC is 3 min ahead of the server\u2019s.",
    ),
    (
        {"name": "clock", "aheadMs": -7_200_000, **WRONG},
        "Clock: NO. The clock of this PC is 2 h behind the server\u2019s.",
    ),
    ({"name": "storage", **FINE}, "Storage: OK. This browser keeps what the page stores."),
    (
        {"name": "storage", "session": False, "local": False, **WRONG},
        "Storage: NO. This browser keeps nothing in sessionStorage and localStorage.",
    ),
    (
        {"name": "storage", "session": True, "local": False, **WRONG},
        "Storage: NO. This browser keeps nothing in localStorage.",
    ),
    ({"name": "sending", "state": "testing"}, "Sending: testing \u2026"),
    ({"name": "sending", "state": "testing", "bytes": 65_536}, "Sending: testing \u2026 64 kB come through so far."),
    ({"name": "waiting", "state": "testing", "longestS": 5}, "Waiting: testing \u2026 5 s come through so far."),
    (
        {"name": "waiting", "state": "untested", "skipped": "stopped", "longestS": 5},
        "Waiting: not tested, because the test was stopped. 5 s come through so far.",
    ),
    (
        {"name": "socket", "state": "untested", "skipped": "polling"},
        "WebSocket: not tested, because this server refuses WebSocket.",
    ),
    (
        {"name": "clock", "state": "untested", "skipped": "server"},
        "Clock: not tested, because the server does not answer.",
    ),
]


@pytest.mark.parametrize(("line", "words"), LINES, ids=[f"{line['name']} {line['state']}" for line, _ in LINES])
def test_each_outcome_has_a_sentence_of_its_own(line: dict[str, Any], words: str) -> None:
    assert say_value("testLine", line) == words


def test_a_state_is_a_mark_and_a_word_and_not_a_colour_alone() -> None:
    marks = {state: say_value("testMark", {"state": state}) for state in ("fine", "wrong", "testing", "untested")}
    assert marks == {"fine": "\u2714", "wrong": "\u2718", "testing": "\u2026", "untested": "\u2013"}


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("fine", "fine"), "all is OK."),
        (("fine", "wrong", "untested"), "1 of 3 not OK."),
        (("wrong", "testing"), "it takes about a minute. The page goes on working."),
        (("fine", "untested"), "not all was tested."),
    ],
)
def test_the_title_says_how_it_stands(states: tuple[str, ...], words: str) -> None:
    assert say_value("testTitle", [{"state": state} for state in states], AT) == f"Connection test at 10:30: {words}"


def test_the_server_is_told_in_few_words() -> None:
    lines = [
        {"name": "server", "ms": 23, **FINE},
        {"name": "sending", "bytes": 65_536, "failed": 262_144, **WRONG},
        CUT | WRONG,
        {"name": "socket", "why": "it is refused", **WRONG},
        {"name": "clock", "aheadMs": 720_000, **WRONG},
        {"name": "storage", "state": "untested", "skipped": "stopped"},
    ]
    words = say_value("testShort", lines, AT)
    assert words == (
        "2026-11-23 10:30: server OK 23 ms, sending NO 64 kB, waiting NO 5 s cut after 10 s, websocket NO, "
        "clock NO 12 min ahead, storage not tested"
    )
    assert len(words) < 200, "the server keeps no more"
