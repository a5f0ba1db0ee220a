"""A WebSocket carries a session: what it sends, what it proves, and how it ends."""

from __future__ import annotations

import pytest

from .harness import REGISTERED, Page, job, ops
from .sockets import LINES, again, begun, logging, moved, said, settle

MANY = {"slots": 64}

#: What the server closes with, and what a person is shown.
CLOSES = {
    1000: ("E-NET-07", "code 1000: ended in good order"),
    1001: ("E-NET-07", "code 1001: the server stops"),
    1002: ("E-NET-07", "code 1002: a frame that was none"),
    1005: ("E-NET-07", "code 1005: no reason given"),
    1007: ("E-NET-07", "code 1007: text that is not UTF-8"),
    1009: ("E-NET-07", "code 1009: a message that was too large"),
    1011: ("E-NET-06", "code 1011: internal error"),
    1013: ("E-NET-06", "code 1013: too many sessions, try again later"),
    4001: ("E-NET-05", "code 4001: this page did not answer in time"),
    4002: ("E-NET-07", "code 4002: another connection has taken the session"),
    4003: ("E-NET-08", "code 4003: this page did not read what was sent"),
    4004: ("E-NET-07", "code 4004: the upgrade was not finished in time"),
    4999: ("E-NET-07", "code 4999: no reason given"),
    1006: ("E-NET-01", "the socket to http://site.test broke after 7 s"),
}


#: A task that counts how often it has started.
COUNTS = "var started = 0; Pagehand.task('t', function (job, done) { started += 1; });"
#: The answer to an accept.
GO = {"op": "go", "attempt": "a1"}


def again_lines(page: Page) -> list[object]:
    """The lines that it then says."""
    return [message["line"] for message in again(page) if message["op"] == "log"]


# -- what it carries


def test_one_frame_is_one_packet_and_each_message_is_answered_with_its_own() -> None:
    page = moved(options=MANY)
    for number in range(3):
        page.tell(job(f"a{number}"))
    assert [message["attempt"] for message in said(page)] == ["a0", "a1", "a2"]
    assert page.requests("GET") == page.requests("POST") == []


def test_a_ping_is_answered_at_once() -> None:
    page = moved()
    page.frame("2")
    assert page.socket["frames"][-1] == "3"
    page.frame("6")
    assert page.socket["frames"][-1] == "3"


@pytest.mark.parametrize("frame", ["", "9x", "0{}", "3", "b4", "<html>", None, 5, {}])
def test_a_frame_that_is_no_packet_ends_the_session(frame: object) -> None:
    page = moved()
    page.socket_does("frame", frame)
    assert (page.state, page.error) == ("reconnecting", "E-NET-04")
    assert page.socket["closed"]


def test_a_task_starts_when_its_accept_has_been_answered() -> None:
    """No frame is answered by the transport: ``go`` says that it has arrived."""
    page = moved(COUNTS)
    page.tell(job(type_="t"))
    assert (ops(said(page)), page.run("return started;")) == (["accept"], 0)
    page.tell(GO)
    page.tell(GO)
    assert page.run("return started;") == 1


def test_an_accept_that_is_not_answered_is_said_again() -> None:
    page = moved(COUNTS)
    page.tell(job(type_="t"))
    page.advance(6_000)
    assert ops(said(page)) == ["accept", "accept"]
    page.tell(GO)
    page.advance(6_000)
    assert ops(said(page)) == ["accept", "accept"]


def test_silence_ends_a_session_on_a_socket_as_it_does_by_polling() -> None:
    page = moved()
    page.advance(20_000)
    page.frame("2")
    page.advance(44_000)
    assert page.state == "ready"
    page.advance(3_000)
    assert (page.state, page.error) == ("reconnecting", "E-NET-08")
    assert page.socket["closed"]


def test_the_contact_that_a_person_sees_is_the_last_frame() -> None:
    page = moved()
    page.advance(5_000)
    page.frame("6")
    page.advance(1_000)
    assert page.status()["heardMs"] == 1_000


def test_a_slow_line_is_given_no_more_than_about_one_post_at_a_time() -> None:
    page = moved(options=MANY, settings={"post_limit": 1_000})
    page.js.eval("fakeWindow.slowLine(); null;")
    for number in range(30):
        page.tell(job(f"a{number:02}", data="x" * 100))
    given = len(said(page))
    assert 3 < given < 10
    page.run("worker.pause();")
    page.socket_does("drain", 500)
    page.advance(50)
    more = len(said(page))
    assert given < more < 2 * given
    page.run("fakeWindow.slowLine = null;")
    for _ in range(30):
        page.socket_does("drain", 0)
        page.advance(50)
    assert [message.get("attempt") for message in said(page)] == [*(f"a{n:02}" for n in range(30)), None]


def test_a_message_that_does_not_fit_waits_for_room() -> None:
    page = moved(options=MANY, settings={"post_limit": 400})
    page.js.eval("fakeWindow.slowLine(); null;")
    page.tell(job("a1", data="x" * 300), job("a2", data="y" * 300))
    assert len(said(page)) == 1
    page.socket_does("drain", 100)
    page.advance(60)
    assert len(said(page)) == 1
    page.socket_does("drain", 0)
    page.advance(60)
    assert len(said(page)) == 2


def test_a_message_that_is_larger_than_the_room_goes_alone() -> None:
    page = moved(options=MANY)
    page.js.eval("fakeWindow.slowLine(); null;")
    page.tell(job("a1", data="x" * 1_048_560), job("a2"))
    assert len(said(page)) == 1
    page.socket_does("drain", 0)
    page.advance(60)
    assert len(said(page)) == 2


def test_a_pong_does_not_wait_for_room() -> None:
    page = moved(options=MANY, settings={"post_limit": 400})
    page.js.eval("fakeWindow.slowLine(); null;")
    page.tell(job("a1", data="x" * 300), job("a2", data="y" * 300))
    page.frame("2")
    assert page.socket["frames"][-1] == "3"
    assert len(said(page)) == 1


def test_nothing_is_given_to_a_socket_that_closes() -> None:
    page = logging()
    page.socket_does("closing")
    page.run("say('late');")
    page.socket_does("close", 1006)
    assert again_lines(page) == ["late"]


def test_an_accept_that_a_closing_socket_would_throw_away_starts_no_task() -> None:
    page = moved(COUNTS)
    page.socket_does("closing")
    page.tell(job(type_="t"))
    assert page.run("return started;") == 0
    page.socket_does("close", 1006)
    page.advance(2_000)
    (held,) = page.open(sid="s2", upgrades=[])["holding"]
    assert held == {"attempt": "a1", "elapsed_ms": 0}
    page.push(REGISTERED)
    assert ops(page.take()) == ["accept"]
    assert page.run("return started;") == 1


# -- what has arrived


def test_a_line_is_said_again_unless_a_later_ping_has_proved_that_it_arrived() -> None:
    page = logging()
    page.run("say('before the first ping');")
    page.frame("2")
    page.run("say('before the second');")
    page.frame("2")  # proves what was said before the first pong
    page.run("say('after it');")
    page.socket_does("close", 1006)
    assert again_lines(page) == ["before the second", "after it"]


def test_a_ping_proves_nothing_that_was_said_after_the_pong_before_it() -> None:
    page = logging()
    page.frame("2")
    page.run("say('after the pong');")
    page.frame("2")
    page.socket_does("close", 1006)
    assert again_lines(page) == ["after the pong"]


def test_a_release_that_may_be_lost_is_said_again_and_what_is_repeated_anyway_is_not() -> None:
    page = moved()
    page.run("worker.pause();")
    page.tell(job("a1"))
    assert ops(said(page)) == ["pause", "released"]
    page.socket_does("close", 1006)
    assert ops(again(page)) == ["released", "pause"]


def test_a_resume_that_may_be_lost_is_said_in_the_next_session() -> None:
    """The server remembers a pause longer than a session."""
    page = moved()
    page.run("worker.pause(); worker.resume();")
    page.socket_does("close", 1006)
    assert ops(again(page)) == ["resume"]


def test_a_resume_that_has_arrived_is_not_said_again() -> None:
    page = moved()
    page.run("worker.pause(); worker.resume();")
    page.frame("2", "2")
    page.socket_does("close", 1006)
    assert again(page) == []


def test_a_pause_whose_post_was_not_answered_is_taken_back_in_the_next_session() -> None:
    page = begun(options={"transport": "polling"})
    page.run("worker.pause();")
    page.answer(page.poll, 0, "")
    page.run("worker.resume();")
    assert ops(again(page)) == ["resume"]


def test_so_many_lines_are_kept_and_no_more() -> None:
    page = logging()
    page.run("for (var i = 0; i < 2000; i += 1) { say(String(i)); }")
    page.socket_does("close", 1006)
    page.advance(2_000)
    page.open(sid="s2", upgrades=[])
    page.push({**REGISTERED, "settings": {"packet_limit": 1_000}})
    lines = [message["line"] for message in page.take_all() if message["op"] == "log"]
    assert lines == [str(number) for number in range(1_500, 2_000)]


def test_an_accept_that_a_socket_may_have_lost_is_said_again_and_only_then_its_task_starts() -> None:
    page = moved(COUNTS)
    page.tell(job(type_="t"))
    page.socket_does("close", 1006)
    page.advance(2_000)
    (held,) = page.open(sid="s2", upgrades=[])["holding"]
    assert held == {"attempt": "a1", "elapsed_ms": 0}
    page.push(REGISTERED)
    assert ops(page.take_all()) == ["accept"]
    assert page.run("return started;") == 1


def test_an_accept_that_was_answered_is_not_said_again() -> None:
    page = logging()
    page.socket_does("close", 1006)
    assert again(page) == []
    assert page.state == "working"


def test_an_accept_whose_post_was_answered_is_not_said_again() -> None:
    page = begun(LINES, {"transport": "polling"})
    page.push(job(type_="lines"))
    page.take_all()
    page.answer(page.poll, 0, "")
    assert again(page) == []


def test_a_result_is_said_again_in_the_next_session() -> None:
    page = moved()
    page.tell(job())
    page.socket_does("close", 1006)
    page.advance(2_000)
    assert page.open(sid="s2", upgrades=[])["finished"] == ["a1"]
    page.push(REGISTERED)
    assert ops(page.take_all()) == ["result"]


# -- how it ends


@pytest.mark.parametrize("code", list(CLOSES))
def test_a_close_is_said_with_its_code_and_in_words(code: int) -> None:
    page = moved()
    page.advance(7_000)
    page.socket_does("close", code)
    error = page.status()["error"]
    assert (error["code"], error["detail"]) == CLOSES[code]
    assert page.requests("GET") or page.status()["retryMs"] is not None


def test_the_server_s_own_words_are_shown() -> None:
    page = moved()
    page.socket_does("close", 1011, "the store is full")
    assert page.status()["error"]["detail"] == "code 1011: the store is full"


def test_a_close_packet_waits_a_moment_for_the_code_that_says_why() -> None:
    page = moved()
    page.frame("1")
    assert page.state == "ready"
    page.socket_does("close", 4003)
    assert page.error == "E-NET-08"


def test_a_close_packet_without_a_close_ends_the_session_too() -> None:
    page = logging()
    page.frame("1")
    page.run("say('too late');")
    assert "log" not in ops(said(page))
    page.advance(1_000)
    assert (page.state, page.error) == ("reconnecting", "E-NET-07")
    assert again_lines(page) == ["too late"]


def test_a_close_packet_before_a_broken_socket_is_the_server_s_end_all_the_same() -> None:
    page = moved()
    page.frame("1")
    page.socket_does("close", 1006)
    assert page.error == "E-NET-07"
    assert page.status()["error"]["detail"] == "code 1000: ended in good order"


def test_a_server_that_stops_is_in_maintenance_and_the_page_comes_back() -> None:
    page = moved()
    page.tell({"op": "drain"})
    page.socket_does("close", 1001)
    assert page.state == "maintenance"
    again(page)
    assert page.state == "ready"


def test_sockets_that_are_cut_at_the_same_age_again_and_again_are_named_as_that() -> None:
    page = moved()
    for _ in range(3):
        page.advance(20_000)
        page.frame("2")
        page.advance(20_000)
        page.frame("2")
        page.advance(20_000)
        page.frame("2")
        page.advance(10_000)
        page.socket_does("close", 1006)
        page.advance(2_000)
        if page.error != "E-NET-12":
            page.open(sid="s2", upgrades=["websocket"])
            page.push(REGISTERED)
            settle(page)
    assert page.error == "E-NET-12"


def test_stopping_says_bye_over_the_socket_and_closes_it() -> None:
    page = moved()
    page.run("worker.stop();")
    assert page.socket["frames"][-2:] == ['4{"op":"bye"}', "1"]
    assert page.socket["closed"]
    assert page.requests("POST") == []


def test_a_page_that_goes_closes_its_socket_and_says_nothing() -> None:
    page = moved()
    page.fire("pagehide")
    assert page.socket["frames"] == ["2probe", "5"]
    assert page.socket["closed"]


def test_a_network_that_was_away_ends_the_socket() -> None:
    page = moved()
    page.fire("offline")
    page.fire("online")
    assert page.error == "E-NET-09"
    assert page.socket["closed"]
