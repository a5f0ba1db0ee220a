"""The page's Engine.IO client in trouble: bad answers, lost requests, sleep, backoff, the page's own end."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from .harness import HANDSHAKE, REGISTERED, SEPARATOR, Page, job, joined, ops

SLOW = "Pagehand.task('slow', function (job, done) { window.end = done; }); "

BAD_ANSWERS: dict[str, tuple[int, str, str]] = {
    "a login page": (200, "<!doctype html><title>Log in</title>", "text/html"),
    "a login page without a type": (200, "<html>", ""),
    "html that begins like a packet": (200, "4{}", "text/html; charset=utf-8"),
    "an empty body": (200, "", "text/plain"),
    "an unknown packet": (200, "9x", "text/plain"),
    "a good packet and a bad one": (200, "2" + SEPARATOR + "<html>", "text/plain"),
    "a second handshake": (200, "0{}", "text/plain"),
    "an empty packet": (200, "2" + SEPARATOR, "text/plain"),
}


@pytest.mark.parametrize(("status", "body", "kind"), list(BAD_ANSWERS.values()), ids=list(BAD_ANSWERS))
def test_a_poll_s_answer_that_is_not_engine_io_ends_the_session(status: int, body: str, kind: str) -> None:
    page = joined()
    page.answer(page.poll, status, body, kind)
    assert (page.state, page.error) == ("reconnecting", "E-NET-04")
    assert page.requests("POST") == []


@pytest.mark.parametrize(
    "body",
    ["", "0", "0{}", "2", '0{"sid":""}', '0{"sid":"a","pingInterval":0,"pingTimeout":1}', '0{"sid":5}', "0null", "<h>"],
)
def test_a_handshake_that_is_none_ends_the_session(body: str) -> None:
    page = Page().load()
    page.answer(page.poll, 200, body)
    assert (page.state, page.error) == ("reconnecting", "E-NET-04")


@pytest.mark.parametrize("body", ["<html>log in</html>", "", "okay", "not ok"])
def test_a_post_s_answer_that_is_not_ok_ends_the_session_and_the_message_comes_again(body: str) -> None:
    page = joined()
    page.push(job())
    page.answer(page.post, 200, body)
    assert page.error == "E-NET-04"
    page.advance(2_000)
    assert page.open(sid="s2")["finished"] == ["a1"]
    page.push(REGISTERED)
    assert ops(page.take_all()) == ["result"]


@pytest.mark.parametrize("status", [0, 1223, 12002, 12029, 12030, 12031, 12152])
def test_a_failed_request_is_the_network_s_fault_also_when_wininet_says_so(status: int) -> None:
    page = joined()
    page.answer(page.poll, status, "")
    assert (page.state, page.error) == ("reconnecting", "E-NET-01")


def test_a_request_whose_status_cannot_be_read_is_the_network_s_fault() -> None:
    page = joined()
    page.answer(page.poll, 200, "2", throws=True)
    assert (page.state, page.error) == ("reconnecting", "E-NET-01")


@pytest.mark.parametrize("status", [403, 404, 500, 502, 503])
def test_another_status_is_an_error_of_the_server(status: int) -> None:
    page = joined()
    page.answer(page.poll, status, "x")
    assert page.error == "E-NET-06"


def test_a_browser_that_forbids_requests_is_said_so_and_tried_again() -> None:
    page = Page(openThrows=True).load()
    page.advance(1)
    assert (page.state, page.error) == ("reconnecting", "E-NET-10")


def test_an_unknown_session_is_replaced_at_once_but_only_once_in_a_row() -> None:
    page = joined()
    page.advance(15_000)
    page.answer(page.poll, 400, "x")
    page.advance(0)
    assert "sid" not in parse_qs(urlsplit(page.poll["url"]).query)
    page.open(sid="s2")
    page.answer(page.poll, 400, "x")
    page.advance(500)
    assert page.requests("GET") == []


def test_the_server_s_close_packet_ends_the_session() -> None:
    page = joined()
    page.push_packets("1")
    assert (page.state, page.error) == ("reconnecting", "E-NET-07")
    assert page.requests("GET") == []


def test_a_poll_that_is_never_answered_is_given_up_after_both_ping_times_and_the_slack() -> None:
    page = joined()
    page.advance(44_900)
    assert page.state == "ready"
    page.advance(2_200)
    assert page.state == "reconnecting"
    assert page.error in ("E-NET-02", "E-NET-08")


def test_a_post_that_is_never_answered_is_given_up_after_15_s() -> None:
    page = joined()
    page.push(job())
    page.advance(15_500)
    assert page.state == "ready"
    page.advance(1_000)
    assert (page.state, page.error) == ("reconnecting", "E-NET-03")


def test_a_large_post_is_given_more_time() -> None:
    page = joined()
    page.push(job(data="x" * 320_000))
    page.advance(19_000)
    page.push_packets("2")
    page.advance(11_000)
    assert page.state == "ready"
    page.advance(10_000)
    assert page.error == "E-NET-03"


def test_a_post_that_waits_for_a_connection_gets_that_of_the_page_s_own_poll() -> None:
    page = joined()
    page.push(job())
    page.advance(1_999)
    assert page.requests("GET"), "it may only be slow"
    page.advance(1)
    assert page.requests("GET") == []
    assert ops(page.take()) == ["result"]
    page.push({"op": "recorded", "attempt": "a1", "verdict": "recorded"})
    assert page.status()["unreported"] == 0, "the session goes on"


def test_room_that_did_not_help_is_made_later_the_next_time() -> None:
    """Then the server is slow, and giving up a poll in vain makes it no faster."""
    page = joined()
    for wait_ms in (2_000, 4_000, 8_000):
        page.push(job(f"a{wait_ms}"))
        page.advance(wait_ms - 1)
        assert page.requests("GET")
        page.advance(1)
        assert not page.requests("GET")
        page.advance(1_500)
        page.take()
        page.push({"op": "recorded", "attempt": f"a{wait_ms}", "verdict": "recorded"})


def test_where_every_answer_takes_long_a_post_is_given_time_before_the_poll_makes_room() -> None:
    page = Page().load()
    page.advance(3_000)
    page.push_packets("0" + json.dumps(HANDSHAKE))
    page.advance(3_000)
    page.take()
    page.advance(3_000)
    page.push(REGISTERED)
    page.advance(3_000)
    page.push(job())
    page.advance(13_999)
    assert page.requests("GET")
    page.advance(1)
    assert page.requests("GET") == []


def test_a_page_that_was_held_for_long_reads_the_answer_that_waits_before_it_gives_up() -> None:
    page = joined()
    page.run("fakeWindow.freeze(120000);")
    page.advance(1)
    assert page.state == "ready"
    page.push_packets("2")
    assert page.packets() == ["3"]
    page.take()
    page.advance(10_000)
    assert page.state == "ready"


def test_a_page_that_slept_and_hears_nothing_makes_a_new_session_soon() -> None:
    page = joined()
    page.run("fakeWindow.freeze(3600000);")
    page.advance(3_000)
    assert page.state == "reconnecting"


def test_requests_are_aborted_when_the_session_ends() -> None:
    page = joined()
    page.push(job())
    assert page.requests("POST")
    page.answer(page.poll, 500, "")
    assert page.requests("GET") == page.requests("POST") == []


def test_the_wait_before_a_new_session_has_full_jitter_and_doubles_up_to_30_s() -> None:
    for fraction, expected in ((0.0, [1_000] * 7), (0.999_999, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])):
        page = joined()
        for wait in expected:
            page.run(f"fakeWindow.plan({json.dumps(json.dumps([fraction] * 3))});")
            page.answer(page.poll, 0, "")
            assert page.status()["retryMs"] == pytest.approx(wait, abs=1)
            page.run("fakeWindow.plan('[]');")
            page.advance(wait + 1)


def test_the_waits_of_many_pages_are_spread() -> None:
    page = joined()
    waits = []
    for _ in range(60):
        page.answer(page.poll, 0, "")
        wait = page.status()["retryMs"]
        waits.append(wait)
        page.advance(wait + 1)
    late = waits[10:]
    assert min(waits) >= 1_000
    assert max(waits) <= 30_000
    assert min(late) < 8_000
    assert max(late) > 23_000


def test_a_session_that_lasts_ends_the_doubling() -> None:
    page = joined()
    for _ in range(5):
        page.answer(page.poll, 0, "")
        page.advance(page.status()["retryMs"] + 1)
    page.open(sid="s9")
    page.push(REGISTERED)
    assert page.status()["failures"] == 5
    page.advance(11_000)
    assert page.status()["failures"] == 0


def test_a_network_that_comes_back_ends_the_wait() -> None:
    page = joined()
    page.fire("offline")
    page.answer(page.poll, 0, "")
    page.fire("online")
    assert page.poll


def test_a_session_from_before_the_network_was_away_is_replaced() -> None:
    page = joined()
    page.fire("offline")
    assert page.state == "ready"
    page.fire("online")
    assert page.error == "E-NET-09"
    assert "sid" not in parse_qs(urlsplit(page.poll["url"]).query)


def test_a_page_that_goes_aborts_its_requests_and_says_no_bye() -> None:
    page = joined(SLOW)
    page.push(job(type_="slow"))
    page.fire("pagehide")
    assert page.requests("GET") == page.requests("POST") == []


def test_a_page_that_hid_and_lives_on_connects_again() -> None:
    page = joined()
    page.fire("pagehide")
    page.fire("pageshow")
    assert page.open(sid="s2")["worker"] == "w1"


def test_a_page_that_was_told_to_hide_and_never_shown_connects_again_by_itself() -> None:
    page = joined()
    page.fire("pagehide")
    page.advance(1_001)
    assert page.poll


def test_unload_is_listened_to_only_where_there_is_a_document_mode() -> None:
    assert joined().run("return fakeWindow.hooked('unload');") == 0
    assert joined(documentMode=11).run("return fakeWindow.hooked('unload');") == 1


def test_reconnect_now_closes_the_old_session_and_makes_a_new_one() -> None:
    page = joined()
    page.run("worker.reconnect();")
    assert page.packets() == ["1"]
    assert "sid=s1" in page.post["url"]
    assert "sid" not in page.poll["url"]


def test_stopping_says_bye_and_close_in_one_post_and_nothing_after() -> None:
    page = joined()
    page.run("worker.stop();")
    assert page.packets() == ['4{"op":"bye"}', "1"]
    assert page.state == "stopped"
    page.advance(600_000)
    assert page.requests("GET") == []


def test_random_bodies_never_break_the_client() -> None:
    """Whatever answers a poll, the page shows a state, and polls or waits to poll."""
    bodies: list[Any] = ["4", "4null", "4[]", "4{}", '4{"op":5}', '4{"op":"job"}', '4{"op":"nope"}', "3", "b4"]
    bodies += ["2probe", "\x00", "4{\x1e4}", "1", "6", '4{"op":"registered"}', '4{"op":"__proto__"}']
    bodies += ['4{"op":"go","attempt":null}']
    for body in bodies:
        page = joined()
        page.push_packets(body)
        page.run("fakeWindow.advance(40000);")
        assert page.requests("GET") or page.status()["retryMs"] is not None, body
        assert re.fullmatch("ready|reconnecting|connecting", page.state)
