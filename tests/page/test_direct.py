"""A page that may use nothing but a WebSocket: it begins with one, and asks by polling only why it gets none."""

from __future__ import annotations

import json

import pytest

from .harness import HANDSHAKE, REGISTERED, job, ops
from .sockets import OFFERS, direct, said

REFUSED = json.dumps({"code": 4, "message": "The request comes from elsewhere."})


def test_a_page_that_wants_a_socket_begins_with_one_and_its_first_frame_is_open() -> None:
    page = direct()
    assert page.requests("GET") == []
    assert page.socket["url"] == "ws://site.test/engine.io/?EIO=4&transport=websocket"
    page.socket_does("open")
    page.frame("0" + json.dumps(HANDSHAKE))
    (register,) = said(page)
    assert (register["op"], register["page"]["transport"]) == ("register", "websocket")
    assert "transport_reason" not in register["page"]
    page.tell(REGISTERED)
    assert page.state == "ready"
    page.tell(job())
    assert ops(said(page)) == ["register", "result"]
    page.advance(20_000)
    assert page.state == "ready", "the wait for the first frame is over"
    assert page.requests("GET") == page.requests("POST") == []


def test_it_keeps_to_the_server_s_silence_and_limits() -> None:
    page = direct()
    page.socket_does("open")
    page.frame("0" + json.dumps({**HANDSHAKE, "pingInterval": 2_000, "pingTimeout": 1_000}))
    page.advance(8_000)
    assert page.state == "connecting"
    page.advance(2_500)
    assert page.error == "E-NET-08"


def test_a_refused_socket_is_asked_for_by_polling_once_and_the_server_s_words_are_shown() -> None:
    page = direct()
    page.socket_does("close", 1006)
    assert "transport=polling" in page.poll["url"]
    page.answer(page.poll, 403, REFUSED, "application/json")
    assert (page.state, page.error) == ("not_allowed", "E-ORG-01")
    assert page.status()["refusal"] == "The request comes from elsewhere."
    assert page.requests("GET") == []


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (503, '{"code":6,"message":"Too many sessions, try again later"}', "E-NET-06"),
        (0, "", "E-NET-01"),
        (200, "<title>Log in</title>", "E-NET-04"),
    ],
)
def test_other_trouble_of_a_refused_socket_is_shown_as_by_polling(status: int, body: str, code: str) -> None:
    page = direct()
    page.socket_does("close", 1006)
    page.answer(page.poll, status, body)
    assert (page.state, page.error) == ("reconnecting", code)
    assert page.requests("POST") == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (HANDSHAKE, "this server takes long-polling only"),
        (OFFERS, "the server offers it, so something on the way refuses it (code 1006)"),
    ],
)
def test_a_socket_that_is_refused_where_polling_works_says_by_whom_and_leaves_no_session(
    facts: dict[str, object], words: str
) -> None:
    page = direct()
    page.socket_does("close", 1006)
    page.push_packets("0" + json.dumps(facts))
    assert page.packets() == ["1"]
    assert "sid=s1" in page.post["url"]
    error = page.status()["error"]
    assert (error["code"], error["detail"]) == ("E-NET-13", words)
    page.take()
    page.advance(3_000)
    assert len(page.sockets()) == 2, "it tries again, with a socket"


def test_a_socket_that_stays_silent_is_given_up_and_asked_about() -> None:
    page = direct()
    page.socket_does("open")
    page.advance(15_100)
    assert page.socket["closed"]
    page.push_packets("0" + json.dumps(OFFERS))
    assert page.status()["error"]["detail"].endswith("refuses it (no answer within 15 s)")


def test_a_question_that_is_not_answered_either_ends_in_time() -> None:
    page = direct()
    page.advance(15_100)
    page.advance(15_100)
    assert page.error == "E-NET-02"


def test_a_first_frame_that_is_no_open_is_none_of_ours() -> None:
    page = direct()
    page.socket_does("open")
    page.frame("4{}")
    page.push_packets("0" + json.dumps(OFFERS))
    assert page.error == "E-NET-13"


def test_a_server_that_is_full_says_so_on_the_socket_itself() -> None:
    page = direct()
    page.socket_does("open")
    page.socket_does("close", 1013)
    assert (page.error, page.requests("GET")) == ("E-NET-06", [])


@pytest.mark.parametrize(
    ("config", "words"), [({"socketThrows": True}, "Access is denied."), ({"noSocket": True}, "it has no WebSocket")]
)
def test_a_browser_that_gives_no_socket_is_said_so(config: dict[str, bool], words: str) -> None:
    page = direct(**config)
    page.advance(1)
    error = page.status()["error"]
    assert (error["code"], error["detail"]) == ("E-NET-10", words)


def test_a_page_that_wants_nothing_but_a_socket_stays_with_it_however_often_it_breaks() -> None:
    page = direct()
    for _ in range(4):
        page.socket_does("open")
        page.frame("0" + json.dumps(HANDSHAKE))
        page.tell(REGISTERED)
        page.socket_does("close", 1006)
        page.run("worker.reconnect();")
    assert page.requests("GET") == []
    assert "pagehand.sockets" not in page.world()["session"]


def test_stopping_while_the_socket_or_the_question_is_on_its_way_ends_both() -> None:
    page = direct()
    page.run("worker.stop();")
    assert page.socket["closed"]
    page = direct()
    page.socket_does("close", 1006)
    page.run("worker.stop();")
    assert page.requests("GET") == page.requests("POST") == []
