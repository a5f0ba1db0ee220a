"""Which transport a page uses: sockets that break twice leave it with polling for a day, and it says so."""

from __future__ import annotations

from typing import Any

import pytest

from .harness import REGISTERED, Message, Page, joined, ops
from .sockets import begun, direct, moved, settle
from .test_page_words import say_value, words_engine

DAY_MS = 86_400_000


def reason(page: Page) -> str:
    return str(page.status()["connection"]["reason"])


def until(page: Page) -> int | None:
    return page.status()["connection"]["until"]


def come_back(page: Page) -> Message:
    """The page makes another session by polling, in which sockets are offered; its `register`."""
    page.advance(page.status()["retryMs"] or 0)
    register = page.open(sid="s2", upgrades=["websocket"])
    page.push(REGISTERED)
    return register


def keep_polling(page: Page, seconds: int) -> bool:
    """Answer what is asked, so that the session lives on; whether another socket has come meanwhile."""
    before = len(page.sockets())
    for second in range(seconds):
        if second % 10 == 0:
            page.push_packets("2")
        if "register" in ops(page.take_all()):
            page.push(REGISTERED)
        page.advance(1_000)
        if len(page.sockets()) > before:
            return True
    return False


def live_on(page: Page, seconds: int) -> None:
    """Frames come over its socket."""
    for _ in range(seconds // 10):
        page.advance(10_000)
        page.frame("2")


def broken_twice(code: int = 1006, after_ms: int = 5_000) -> Page:
    """A page that has tried two sockets, a minute apart; both broke."""
    page = moved()
    for number in range(2):
        page.advance(after_ms)
        page.socket_does("close", code)
        come_back(page)
        if number == 0:
            assert keep_polling(page, 65), "it tries a second one, in the same session"
            settle(page)
    return page


def test_two_sockets_that_broke_soon_leave_the_page_with_polling_for_a_day() -> None:
    page = broken_twice()
    assert reason(page) == "sockets failed twice (E-NET-01, after 5 s)"
    assert until(page) is not None
    assert "stays with long-polling for a day: sockets failed twice" in str(page.status()["events"])
    assert not keep_polling(page, 3_600)
    page.run("worker.reconnect();")
    page.take()
    come_back(page)
    assert not keep_polling(page, 600)


def test_it_says_so_when_it_registers() -> None:
    page = broken_twice()
    page.run("worker.reconnect();")
    page.take()
    told = come_back(page)["page"]
    assert (told["transport"], told["transport_reason"]) == ("polling", reason(page))


def test_it_says_so_in_a_session_that_lives_on() -> None:
    page = begun()
    assert keep_polling(page, 65), "the first was not answered in 3 s"
    page.advance(3_100)
    page.push_packets("2")
    page.advance(1_000)
    page.take()  # the pong
    (register,) = page.take()
    assert register["page"]["transport_reason"] == "no WebSocket could be set up (no answer within 3 s)"
    page.push(REGISTERED)
    assert page.state == "ready"


def test_a_reload_does_not_make_it_forget_and_a_day_does() -> None:
    page = broken_twice()
    page.load()
    come_back(page)
    assert not keep_polling(page, 600)
    assert reason(page) == "sockets failed twice (E-NET-01, after 5 s)"
    page.js.eval(f"fakeWindow.stepDate({DAY_MS}); null;")
    assert keep_polling(page, 2), "in the same session"
    settle(page)
    assert page.status()["connection"]["transport"] == "websocket"


def test_after_the_day_it_takes_two_again() -> None:
    page = broken_twice()
    page.js.eval(f"fakeWindow.stepDate({DAY_MS}); null;")
    assert keep_polling(page, 65)
    settle(page)
    page.socket_does("close", 1006)
    come_back(page)
    assert until(page) is None
    assert keep_polling(page, 65)
    settle(page)
    page.socket_does("close", 1006)
    come_back(page)
    assert until(page) is not None


def test_a_clock_that_was_set_back_ends_the_day() -> None:
    page = broken_twice()
    page.js.eval("fakeWindow.stepDate(-7200000); null;")
    assert until(page) is None


def test_a_first_break_survives_a_reload() -> None:
    page = moved()
    page.socket_does("close", 1006)
    come_back(page)
    page.load()
    come_back(page)
    settle(page)
    page.socket_does("close", 1006)
    come_back(page)
    assert until(page) is not None


def test_a_socket_that_lived_longer_between_them_resets_the_count() -> None:
    page = moved()
    page.socket_does("close", 1006)
    come_back(page)
    assert keep_polling(page, 65)
    settle(page)
    live_on(page, 70)
    page.socket_does("close", 1006)
    come_back(page)
    settle(page)
    page.socket_does("close", 1006)
    come_back(page)
    assert until(page) is None


def test_a_socket_that_lives_makes_the_page_forget_while_it_lives() -> None:
    page = moved()
    page.socket_does("close", 1006)
    come_back(page)
    assert "pagehand.sockets" in page.world()["session"]
    assert keep_polling(page, 65)
    settle(page)
    live_on(page, 80)
    assert "pagehand.sockets" not in page.world()["session"]


@pytest.mark.parametrize("code", [1000, 1001, 1013])
def test_the_server_s_ordinary_ends_do_not_count(code: int) -> None:
    page = moved()
    for _ in range(3):
        page.advance(5_000)
        page.socket_does("close", code)
        come_back(page)
        settle(page)
    assert until(page) is None
    assert page.status()["connection"]["transport"] == "websocket"


@pytest.mark.parametrize("code", [1002, 1006, 1009, 1011, 4001, 4002, 4003, 4004])
def test_other_ends_do(code: int) -> None:
    assert until(broken_twice(code)) is not None


def test_a_server_that_is_down_does_not_speak_against_sockets() -> None:
    page = moved()
    for _ in range(3):
        page.socket_does("close", 1006)
        page.advance(2_000)
        page.answer(page.poll, 0, "")
        page.advance(page.status()["retryMs"])
        come_back(page)
        if page.socket["state"] == 3:
            assert keep_polling(page, 65)
        settle(page)
    assert until(page) is None
    assert page.status()["connection"]["transport"] == "websocket"


def test_a_network_that_was_away_does_not_speak_against_sockets() -> None:
    page = moved()
    for _ in range(3):
        page.fire("offline")
        page.fire("online")
        come_back(page)
        settle(page)
    assert page.status()["connection"] == {"transport": "websocket", "reason": None, "until": None}


def test_a_machine_that_slept_does_not_speak_against_sockets() -> None:
    page = moved()
    for _ in range(3):
        page.run("fakeWindow.freeze(3600000);")
        page.advance(3_000)
        assert page.error == "E-NET-08"
        come_back(page)
        settle(page)
    assert page.status()["connection"] == {"transport": "websocket", "reason": None, "until": None}


def test_frames_that_are_swallowed_without_a_word_count() -> None:
    page = moved()
    page.advance(47_000)
    assert page.error == "E-NET-08"
    come_back(page)
    assert keep_polling(page, 65)
    settle(page)
    page.advance(47_000)
    come_back(page)
    assert reason(page) == "sockets failed twice (E-NET-08, after 0 s)"


def test_the_page_s_own_close_does_not_count() -> None:
    page = moved()
    for _ in range(3):
        page.run("worker.reconnect();")
        come_back(page)
        settle(page)
    assert page.status()["connection"] == {"transport": "websocket", "reason": None, "until": None}


@pytest.mark.parametrize("config", [{}, {"socketThrows": True}])
def test_an_upgrade_that_is_not_answered_is_tried_once_more_a_minute_later(config: dict[str, Any]) -> None:
    page = begun(**config)
    tried = len(page.sockets())
    keep_polling(page, 55)
    assert until(page) is None
    keep_polling(page, 15)
    assert len(page.sockets()) == (0 if config else 2)
    assert not keep_polling(page, 600)
    assert until(page) is not None
    assert page.state == "ready"
    assert tried <= 1


def test_an_upgrade_that_fails_while_the_server_goes_down_does_not_count() -> None:
    page = begun()
    for _ in range(3):
        page.socket_does("close", 1006)
        page.answer(page.poll, 0, "")
        come_back(page)
        if page.socket["state"] == 3:
            assert keep_polling(page, 65)
    assert until(page) is None


@pytest.mark.parametrize("code", [1000, 1001, 1013, 4004])
def test_an_upgrade_that_the_server_ends_in_good_order_does_not_count(code: int) -> None:
    page = begun()
    for _ in range(3):
        page.socket_does("close", code)
        assert keep_polling(page, 65)
    assert until(page) is None


def test_without_a_shelf_it_remembers_as_long_as_the_page_lives() -> None:
    page = begun(blockSession=True)
    keep_polling(page, 65)
    keep_polling(page, 20)
    assert until(page) is not None


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"failures":"x","at":null}', '{"failures":9,"at":9e99}'])
def test_a_record_that_is_none_of_ours_stops_nothing(kept: str) -> None:
    page = Page()
    page.run(f"fakeWindow.env({{}}).session.setItem('pagehand.sockets', {kept!r});")
    page.load().open(upgrades=["websocket"])
    assert len(page.sockets()) == 1


@pytest.mark.parametrize("value", ["ws", "", 5, ["polling"], {}, "Polling"])
def test_an_option_that_is_unknown_is_auto_and_said(value: object) -> None:
    page = begun(options={"transport": value})
    error = page.status()["error"]
    assert (error["code"], error["detail"]) == (
        "E-ADR-01",
        "transport is auto, polling or websocket, so auto is taken",
    )
    assert len(page.sockets()) == 1


def test_a_page_that_is_told_to_poll_says_nothing_of_a_day() -> None:
    page = broken_twice()
    page.options["transport"] = "polling"
    page.load()
    come_back(page)
    assert (reason(page), until(page)) == ("this page was told so", None)


def test_a_page_that_was_told_to_poll_says_so() -> None:
    page = joined(options={"transport": "polling"})
    assert page.status()["connection"] == {"transport": "polling", "reason": "this page was told so", "until": None}


def test_a_page_without_a_session_says_nothing_of_a_connection() -> None:
    page = joined()
    page.answer(page.poll, 0, "")
    assert page.status()["connection"] is None
    assert direct().status()["connection"]["transport"] == "websocket"


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        (None, "-"),
        ({"transport": "websocket", "reason": None, "until": None}, "WebSocket"),
        ({"transport": "polling", "reason": None, "until": None}, "long-polling"),
        (
            {"transport": "polling", "reason": "this server refuses WebSocket", "until": None},
            "long-polling, because this server refuses WebSocket",
        ),
    ],
)
def test_the_page_says_in_one_line_how_it_talks_with_the_server(connection: Message | None, words: str) -> None:
    assert say_value("connectionText", connection) == words


@pytest.mark.parametrize(("hours", "day"), [(0, "today"), (24, "tomorrow")])
def test_the_page_says_when_it_tries_a_socket_again(hours: int, day: str) -> None:
    js = words_engine()
    js.eval(f"var until = new Date().getTime() + {hours * 3_600_000};")
    words = js.eval("pagehandWords.connectionText({transport: 'polling', reason: 'sockets broke', until: until})")
    clock = js.eval("pagehandWords.clock(until)")[:5]
    assert words == f"long-polling, because sockets broke; tries a WebSocket again {day} at {clock}"
