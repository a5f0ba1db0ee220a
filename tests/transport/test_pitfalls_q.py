"""The behaviours Q1 to Q23 reproduced on stock python-engineio: each is shown not to be one here."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest
from tornado.web import Application

from dispatcher.transport.fronts.http import Denial, Front, HeadersLike
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions, new_sid
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.transport.support import Bench, Client, Page, Recorder, keep_writing

#: Behaviours of the stock server that have no counterpart here, and why.
DO_NOT_APPLY: dict[str, str] = {}


@pytest.mark.gen_test
async def test_q01_the_end_of_a_polls_connection_is_told_at_once(
    port: int, recorder: Recorder, sessions: Sessions
) -> None:
    page = await Page.open(port)
    await page.park()
    await eventually(lambda: sessions.counts.polls == 1)
    page.polls.close()
    await recorder.until("away")
    page.polls = await Client.connect(port)
    sessions.send(page.sid, "kept")
    assert (await page.poll()).body == "4kept"
    assert recorder.names() == ["opened", "away", "back"]


@pytest.mark.gen_test
async def test_q02_overlapping_polls_do_not_share_the_messages(port: int, sessions: Sessions) -> None:
    page = await Page.open(port)
    other = await Client.connect(port)
    await page.park()
    await eventually(lambda: sessions.counts.polls == 1)
    assert (await other.ask("GET", page.target)).status == 400
    assert not sessions.send(page.sid, "nobody gets this by halves")
    assert (await page.polls.reply()).body == "1"


@pytest.mark.gen_test
async def test_q03_a_hundred_forbidden_packets_hang_nothing_and_leave_nothing(port: int, sessions: Sessions) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(100):
        page = await Page.open(port)
        assert (await page.post("2")).status == 400
        page.close()
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
    assert len(sessions) == 0


@pytest.mark.gen_test
async def test_q04_a_body_over_the_limit_is_a_413_and_is_not_kept(port: int, front: Front, recorder: Recorder) -> None:
    page = await Page.open(port)
    reply = await page.post(b"4" + b"x" * front.sessions.limits.post_limit)
    assert (reply.status, json.loads(reply.body)["code"]) == (413, 7)
    assert (await page.post("4the session lives")).body == "ok"
    assert recorder.texts() == ["the session lives"]


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"\xff",
        b"",
        b"4a\x1e",
        b"b!!",
        b"d=4x",
        b"\x1e".join([b"4x"] * 1_025),
        "\u0664".encode(),
    ],
)
async def test_q05_a_malformed_payload_is_a_400_without_a_traceback(port: int, body: bytes) -> None:
    """That nothing is logged is seen to by the watch on the log."""
    page = await Page.open(port)
    assert (await page.post(body)).status == 400


@pytest.mark.gen_test
async def test_q06_a_post_after_a_close_is_a_400(port: int) -> None:
    page = await Page.open(port)
    assert (await page.post("1")).status == 200
    assert (await page.post("4late")).status == 400


@pytest.mark.gen_test
async def test_q07_a_chunked_post_in_many_pieces_is_not_dropped(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    await page.posts.send("POST", page.target, None, "Transfer-Encoding: chunked")
    text = "4" + "abcdefgh" * 40_000
    for start in range(0, len(text), 7_001):
        piece = text[start : start + 7_001].encode()
        await page.posts.stream.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    await page.posts.stream.write(b"0\r\n\r\n")
    assert (await page.posts.reply()).body == "ok"
    assert recorder.texts() == [text[1:]]


@pytest.mark.gen_test
async def test_q08_what_is_sent_after_a_refused_upgrade_is_not_kept(port: int) -> None:
    client = await Client.connect(port)
    target = "/engine.io/?EIO=4&transport=websocket"
    reply = await client.ask("GET", target, None, "Connection: Upgrade", "Upgrade: websocket")
    assert reply.status == 400
    with pytest.raises(IOError):  # what follows is read as HTTP, found not to be any, and the connection closed
        await keep_writing(client, b"\x82" * 1_000_000)


@pytest.mark.gen_test
async def test_q09_jsonp_is_refused(port: int) -> None:
    page = await Page.open(port)
    assert (await page.polls.ask("GET", f"{Page.BASE}&j=0")).status == 400
    assert (await page.polls.ask("GET", f"{page.target}&j=0")).status == 400
    assert (await page.posts.ask("POST", f"{page.target}&j=0", b"d=4x")).status == 400


@pytest.mark.gen_test
async def test_q10_an_empty_list_of_origins_allows_none(port: int, front: Front) -> None:
    assert not front.allow_origin
    client = await Client.connect(port)
    reply = await client.ask("GET", Page.BASE, None, "Origin: https://evil.example")
    assert not [name for name in reply.headers if name.startswith("Access-Control")]
    assert (await client.ask("OPTIONS", Page.BASE, None, "Origin: https://evil.example")).status == 403


@pytest.mark.gen_test
async def test_q11_the_guard_sees_host_and_origin_as_they_came_and_comes_first(
    port: int, front: Front, sessions: Sessions, app: Application, recorder: Recorder
) -> None:
    def guard(headers: HeadersLike, method: str, remote: str) -> Denial | None:
        assert remote == "127.0.0.1"
        return None if headers.get("host") == f"localhost:{port}" else Denial("Unknown host")

    front.open(app, recorder, guard=guard, on_change=lambda: None)
    client = await Client.connect(port)
    assert (await client.ask("GET", Page.BASE)).status == 200
    client._host = b"evil.example"
    forged = ("X-Forwarded-Host: localhost", "X-Forwarded-Proto: http", "Origin: http://evil.example")
    reply = await client.ask("GET", Page.BASE, None, *forged)
    assert (reply.status, json.loads(reply.body)) == (403, {"code": 4, "message": "Unknown host"})
    assert (await client.ask("GET", "/engine.io/?nonsense")).status == 403
    assert len(sessions) == 1


@pytest.mark.gen_test
async def test_q12_the_address_is_that_of_the_peer(port: int, recorder: Recorder) -> None:
    await Page.open(port)
    assert recorder.events[0][2] == "127.0.0.1"


def test_q13_time_is_monotonic_unless_another_clock_is_given(sessions: Sessions, app) -> None:
    """The architecture's tests forbid the transport any clock of its own."""
    assert abs(Front(sessions, app).clock() - time.monotonic()) < 60


@pytest.mark.gen_test
async def test_q14_a_forged_sid_is_neither_logged_nor_echoed(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = await Client.connect(port)
    reply = await client.ask("GET", f"{Page.BASE}&sid=a%0AERROR:root:forged")
    assert reply.status == 400
    assert "forged" not in reply.body + caplog.text


@pytest.mark.gen_test
async def test_q15_what_messages_say_is_not_logged_at_any_level(
    port: int, caplog: pytest.LogCaptureFixture, sessions: Sessions
) -> None:
    caplog.set_level(logging.DEBUG)
    page = await Page.open(port)
    await page.post("4the canary in")
    sessions.send(page.sid, "the canary out")
    await page.poll()
    await page.post("xthe canary bad")
    assert "canary" not in caplog.text


@pytest.mark.gen_test
async def test_q16_messages_are_heard_in_the_order_in_which_they_were_sent(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    for start in range(0, 300, 100):
        await page.post("\x1e".join(f"4{n}" for n in range(start, start + 100)))
    assert recorder.texts() == [str(n) for n in range(300)]


def test_q17_stopping_needs_no_session(bench: Bench) -> None:
    bench.sessions.flush(bench.now)
    bench.sessions.tick(bench.now)
    assert bench.sessions.next_deadline() is None


def test_q18_sub_second_timings_are_told_exactly(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(ping_interval_s=0.3, ping_timeout_s=0.1), recorder))
    handshake = json.loads(bench.request("GET", "EIO=4&transport=polling").body[1:])
    assert (handshake["pingInterval"], handshake["pingTimeout"]) == (300, 100)


class TestFewSessions:
    @pytest.fixture
    def limits(self) -> SessionLimits:
        return SessionLimits(sessions=3)

    @pytest.mark.gen_test
    async def test_q19_anonymous_sessions_are_capped(self, port: int) -> None:
        client = await Client.connect(port)
        replies = [await client.ask("GET", Page.BASE) for _ in range(5)]
        assert [reply.status for reply in replies] == [200, 200, 200, 503, 503]
        assert replies[-1].headers["Retry-After"] == "5"

    @pytest.mark.gen_test
    async def test_q19_sessions_that_nobody_uses_make_room_again(
        self, port: int, sessions: Sessions, clock: ManualClock
    ) -> None:
        for _ in range(3):
            await Page.open(port)
        for seconds in (20.0, 20.0, 1.0):
            clock.advance(seconds)
            sessions.tick(clock.monotonic())
        await Page.open(port)


@pytest.mark.gen_test
async def test_q20_every_message_reaches_the_listener_as_text(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    await page.post("4NaN\x1e4null\x1e4[1]\x1e4" + "9" * 500)
    assert recorder.texts() == ["NaN", "null", "[1]", "9" * 500]


def test_q21_ids_have_128_random_bits_and_need_no_quoting() -> None:
    sids = {new_sid() for _ in range(1_000)}
    assert len(sids) == 1_000
    assert {len(sid) for sid in sids} == {22}
    assert set("".join(sids)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.gen_test
async def test_q22_the_limit_on_packets_is_ours_and_refused_aloud(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    assert (await page.post("\x1e".join(["4x"] * 1_024))).status == 200
    assert (await page.post("\x1e".join(["4x"] * 1_025))).status == 400
    assert len(recorder.texts()) == 1_024


def test_q23_what_waits_for_a_page_is_bounded_in_bytes(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(outbox_bytes=10_000), recorder))
    sid = bench.open()
    while bench.sessions.send(sid, "x" * 100):
        pass
    assert bench.sessions.counts.messages_out * 102 <= 10_000
