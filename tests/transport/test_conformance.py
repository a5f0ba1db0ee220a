"""The polling part of the Engine.IO v4 protocol (https://github.com/socketio/engine.io-protocol), as our own tests.

Played without a network at sub-second and at default timings with a clock turned by hand, and once for real.
"""

from __future__ import annotations

import json
import time

import pytest
from tornado.web import Application

from dispatcher.transport.fronts.http import Front
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.echo import Ticker
from tests.support.waiting import eventually
from tests.transport.support import Bench, Client, Page, Recorder

TIMINGS = {"sub-second": (0.3, 0.2), "default": (20.0, 20.0), "odd": (1.2345, 0.1)}


@pytest.fixture(params=list(TIMINGS.values()), ids=list(TIMINGS))
def limits(request: pytest.FixtureRequest) -> SessionLimits:
    interval_s, timeout_s = request.param
    return SessionLimits(ping_interval_s=interval_s, ping_timeout_s=timeout_s)


@pytest.fixture
def recorder(recorder: Recorder, request: pytest.FixtureRequest) -> Recorder:
    """An echo, as the protocol's own suite wants it."""

    def echo(sid: str, text: str) -> None:
        request.getfixturevalue("sessions").send(sid, text)

    recorder.on_message = echo
    return recorder


class BinaryEcho(Recorder):
    """Echoes texts and bytes as what they are."""

    sessions: Sessions

    def message(self, sid: str, text: str, now: float) -> None:
        self.sessions.send(sid, text)

    def binary(self, sid: str, data: bytes, now: float) -> None:
        self.sessions.send(sid, data)


# Handshake.


def test_a_handshake_opens_a_session(bench: Bench, limits: SessionLimits) -> None:
    reply = bench.request("GET", "EIO=4&transport=polling")
    assert (reply.status, reply.body[0]) == (200, "0")
    handshake = json.loads(reply.body[1:])
    assert set(handshake) == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
    assert handshake["upgrades"] == ["websocket"]
    assert handshake["pingInterval"] == round(limits.ping_interval_s * 1_000)
    assert handshake["pingTimeout"] == round(limits.ping_timeout_s * 1_000)
    assert handshake["maxPayload"] == limits.post_limit
    assert handshake["sid"] in bench.sessions


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("transport=polling", 5),
        ("EIO=abc&transport=polling", 5),
        ("EIO=3&transport=polling", 5),
        ("EIO=&transport=polling", 5),
        ("EIO=4", 0),
        ("EIO=4&transport=abc", 0),
        ("EIO=4&transport=websocket", 3),
        ("EIO=4&transport=webtransport", 0),
        ("EIO=4&transport=", 0),
        ("", 0),
        ("EIO=4&transport=polling&sid=", 1),
        ("EIO=4&transport=polling&sid=unknown", 1),
        ("EIO=4&transport=polling&j=0", 3),
        ("EIO=4&transport=polling&EIO=4", 3),
    ],
)
def test_a_wrong_query_is_refused_with_the_code_of_engine_io(bench: Bench, query: str, code: int) -> None:
    reply = bench.request("GET", query)
    assert reply.status == 400
    assert json.loads(reply.body)["code"] == code
    assert len(bench.sessions) == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "get", "BREW"])
def test_a_handshake_with_another_method_is_refused(bench: Bench, method: str) -> None:
    reply = bench.request(method, "EIO=4&transport=polling")
    assert (reply.status, json.loads(reply.body)["code"]) == (400, 2)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
def test_another_method_on_a_session_is_refused_and_ends_nothing(bench: Bench, method: str) -> None:
    sid = bench.open()
    assert bench.request(method, f"EIO=4&transport=polling&sid={sid}").status == 400
    assert bench.post(sid, "4still here").body == "ok"


# Messages.


def test_a_text_message_is_echoed(bench: Bench) -> None:
    sid = bench.open()
    assert bench.post(sid, "4hello").body == "ok"
    assert bench.get(sid).body == "4hello"


def test_several_messages_in_one_payload_are_echoed_in_order(bench: Bench) -> None:
    sid = bench.open()
    assert bench.post(sid, "4test1\x1e4test2\x1e4test3").body == "ok"
    assert bench.get(sid).body == "4test1\x1e4test2\x1e4test3"


def test_text_beyond_ascii_is_echoed(bench: Bench) -> None:
    sid = bench.open()
    bench.post(sid, "4snow ☃ € 😀\x00")
    assert bench.get(sid).body == "4snow ☃ € 😀\x00"


def test_a_binary_message_is_echoed(limits: SessionLimits) -> None:
    listener = BinaryEcho()
    bench = Bench(Sessions(limits, listener))
    listener.sessions = bench.sessions
    sid = bench.open()
    assert bench.post(sid, "4hello\x1ebAQIDBA==").body == "ok"
    assert bench.get(sid).body == "4hello\x1ebAQIDBA=="


def test_a_listener_without_binary_gets_the_packet_as_it_came(bench: Bench, recorder: Recorder) -> None:
    bench.post(bench.open(), "bAQIDBA==")
    assert recorder.texts() == ["bAQIDBA=="]


@pytest.mark.parametrize("body", ["abc", "", "0", "2", "5", "6", "b!"])
def test_an_invalid_packet_is_refused_and_ends_the_session(bench: Bench, body: str) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    assert bench.post(sid, body).status == 400
    assert poll.body == "1"
    assert bench.get(sid).status == 400


# Heartbeat.


def test_pings_are_sent_and_pongs_keep_the_session(bench: Bench, limits: SessionLimits, recorder: Recorder) -> None:
    sid = bench.open()
    for _ in range(3):
        poll = bench.get(sid)
        assert poll.answered is None
        bench.later(limits.ping_interval_s)
        assert poll.body == "2"
        assert bench.post(sid, "3").body == "ok"
    assert "quiet" not in recorder.names()


def test_no_ping_is_sent_before_its_time(bench: Bench, limits: SessionLimits) -> None:
    poll = bench.get(bench.open())
    bench.later(limits.ping_interval_s * 0.99)
    assert poll.answered is None


def test_the_session_ends_when_no_pong_comes(bench: Bench, limits: SessionLimits, recorder: Recorder) -> None:
    sid = bench.open()
    bench.get(sid)
    bench.later(limits.ping_interval_s)
    poll = bench.get(sid)
    bench.later(limits.ping_timeout_s * 0.99)
    assert poll.answered is None
    bench.later(limits.ping_timeout_s * 0.02)
    bench.later(limits.ping_timeout_s * 0.25)  # the moment in which what has arrived is read
    assert poll.body == "1"
    assert recorder.names() == ["opened", "quiet"]
    assert bench.get(sid).status == 400


def test_a_page_that_has_not_polled_since_its_ping_was_due_is_gone_when_the_pong_is_due(
    bench: Bench, limits: SessionLimits, recorder: Recorder
) -> None:
    sid = bench.open()
    bench.later(limits.ping_interval_s)
    bench.later(limits.ping_timeout_s)
    assert bench.get(sid).status == 400
    assert recorder.names() == ["opened", "quiet"]


# Close.


def test_a_close_packet_ends_the_session_and_frees_the_parked_poll(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    assert bench.post(sid, "1").body == "ok"
    assert poll.body == "6"
    assert bench.get(sid).status == 400
    assert recorder.names() == ["opened", "ended"]


def test_a_second_poll_is_refused_and_ends_the_session(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    first = bench.get(sid)
    second = bench.get(sid)
    assert (first.status, first.body, second.status) == (200, "1", 400)
    assert bench.get(sid).status == 400
    assert recorder.names() == ["opened", "ended"]


@pytest.mark.gen_test
async def test_a_second_poll_on_another_connection_ends_the_session(port: int, front: Front) -> None:
    page = await Page.open(port)
    other = await Client.connect(port)
    await page.park()
    await eventually(lambda: front.sessions.counts.polls == 1)
    assert (await other.ask("GET", page.target)).status == 400
    assert (await page.polls.reply()).body == "1"
    page.close()
    other.close()


# Once more, for real: sockets, a timer and the machine's clock.


@pytest.fixture
def real(recorder: Recorder, app: Application) -> Front:
    limits = SessionLimits(ping_interval_s=0.3, ping_timeout_s=0.2)
    sessions = Sessions(limits, recorder)
    ticker = Ticker(sessions)
    recorder.on_message = sessions.send
    return Front(sessions, app, on_change=ticker.arm)


class TestForReal:
    """Sub-second timings."""

    @pytest.fixture
    def limits(self) -> SessionLimits:
        return SessionLimits()

    @pytest.fixture
    def front(self, real: Front) -> Front:
        return real

    @pytest.mark.gen_test
    async def test_a_page_is_pinged_echoed_and_closed(self, port: int) -> None:
        page = await Page.open(port)
        assert (page.handshake["pingInterval"], page.handshake["pingTimeout"]) == (300, 200)
        for _ in range(3):
            started = time.monotonic()
            assert (await page.poll()).body == "2"
            assert 0.2 < time.monotonic() - started < 1.0
            assert (await page.post("3")).body == "ok"
        assert (await page.post("4one\x1e4two")).body == "ok"
        assert (await page.poll()).body == "4one\x1e4two"
        await page.park()
        assert (await page.post("1")).body == "ok"
        assert (await page.polls.reply()).body == "6"
        assert (await page.poll()).status == 400
        page.close()

    @pytest.mark.gen_test
    async def test_a_page_that_does_not_answer_pings_is_dropped(self, port: int, recorder: Recorder) -> None:
        page = await Page.open(port)
        assert (await page.poll()).body == "2"
        await page.park()
        started = time.monotonic()
        await recorder.until("quiet")
        assert time.monotonic() - started < 1.0
        assert (await page.polls.reply()).body == "1"
        page.close()
