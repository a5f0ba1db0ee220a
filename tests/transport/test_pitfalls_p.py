"""The pitfalls P1 to P22 of stock python-engineio on Tornado: each is shown not to be one here, over real sockets."""

from __future__ import annotations

import pytest
from tornado.httpserver import HTTPServer
from tornado.web import Application

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.http import Front, make_http_server
from dispatcher.transport.fronts.server import EngineServer
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.transport.support import Bench, Client, Page, Recorder, many_packets, scene_dead_poll

#: Pitfalls of the stock server that have no counterpart here, and why.
DO_NOT_APPLY = {
    "p19": "no task waits for a poll, so there is no cancellation to swallow",
    "p20": "opened is a plain call: the OPEN packet is written in the same turn of the loop, before any timer",
}

UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAA")


@pytest.mark.gen_test
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_p01_an_upgrade_that_is_none_is_refused_with_and_without_a_session(
    port: int, transport: str, recorder: Recorder
) -> None:
    """By its key, or by its transport. ``fronts/test_websocket.py`` has those that are one."""
    page = await Page.open(port)
    client = await Client.connect(port)
    for sid in ("", "&sid=bogus", f"&sid={page.sid}"):
        target = f"/engine.io/?EIO=4&transport={transport}{sid}"
        assert (await client.ask("GET", target, None, *UPGRADE)).status == 400
    assert (await page.post("4still polling")).body == "ok"
    assert recorder.texts() == ["still polling"]


@pytest.mark.gen_test
async def test_p02_a_poll_whose_client_is_gone_eats_nothing(port: int, sessions: Sessions, clock: ManualClock) -> None:
    page = await Page.open(port)

    def send(text: str) -> None:
        sessions.send(page.sid, text)
        sessions.flush(clock.monotonic())

    got = await scene_dead_poll(page, lambda: sessions.counts.polls == 1, send)
    assert got == ["one", "two"]


@pytest.mark.gen_test
async def test_p03_more_than_16_packets_in_one_post_all_arrive(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    assert (await page.post(many_packets())).body == "ok"
    assert recorder.texts() == [f"message {n}" for n in range(40)]


@pytest.mark.gen_test
@pytest.mark.parametrize("body", [b"\xff\xfe", b"x", b"4good\x1e9", b"", b"b!!"])
async def test_p04_a_malformed_post_is_a_400_and_never_200_ok(port: int, body: bytes, recorder: Recorder) -> None:
    page = await Page.open(port)
    assert (await page.post(body)).status == 400
    assert recorder.texts() == []


@pytest.mark.gen_test
@pytest.mark.parametrize("packet", ["0{}", "2", "5", "6"])
async def test_p05_a_packet_that_a_page_may_not_send_is_answered_at_once_and_leaves_nothing(
    port: int, packet: str, sessions: Sessions
) -> None:
    page = await Page.open(port)
    assert (await page.post(packet)).status == 400
    assert len(sessions) == 0


@pytest.mark.gen_test
async def test_p06_a_close_packet_frees_the_parked_poll(port: int, sessions: Sessions) -> None:
    page = await Page.open(port)
    await page.park()
    await eventually(lambda: sessions.counts.polls == 1)
    assert (await page.post("1")).body == "ok"
    assert (await page.polls.reply()).body == "6"


@pytest.mark.gen_test
async def test_p07_a_chunked_post_arrives_whole(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    await page.posts.send("POST", page.target, None, "Transfer-Encoding: chunked")
    await page.posts.stream.write(b"4\r\n4hel\r\n7\r\nlo\x1e4two\r\n0\r\n\r\n")
    assert (await page.posts.reply()).body == "ok"
    assert recorder.texts() == ["hello", "two"]


@pytest.mark.gen_test
async def test_p08_the_text_of_messages_is_neither_guessed_at_nor_split(
    port: int, recorder: Recorder, sessions: Sessions
) -> None:
    page = await Page.open(port)
    texts = ["true", "null", "-5", "NaN", " 1", '"x"', "123", '{"a": 1.0}']
    await page.post("\x1e".join("4" + text for text in texts))
    assert recorder.texts() == texts
    with pytest.raises(ValueError, match=r"U\+001E"):
        sessions.send(page.sid, "a\x1e4b")


@pytest.mark.gen_test
async def test_p09_overlapping_polls_are_refused_and_end_the_session(
    port: int, sessions: Sessions, recorder: Recorder
) -> None:
    page = await Page.open(port)
    other = await Client.connect(port)
    await page.park()
    await eventually(lambda: sessions.counts.polls == 1)
    assert (await other.ask("GET", page.target)).status == 400
    assert (await page.polls.reply()).body == "1"
    assert recorder.names() == ["opened", "ended"]


@pytest.mark.gen_test
async def test_p09_overlapping_posts_are_refused_and_end_the_session(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    other = await Client.connect(port)
    await page.posts.send("POST", page.target, None, "Content-Length: 6")
    await page.posts.stream.write(b"4fi")
    refused = await other.ask("POST", page.target, b"4second")
    await page.posts.stream.write(b"rst")
    assert (refused.status, (await page.posts.reply()).status) == (400, 400)
    assert (recorder.names(), recorder.texts()) == (["opened", "ended"], [])


@pytest.mark.gen_test
async def test_p10_a_post_to_a_session_that_has_just_been_closed_is_a_400_that_pages_can_read(
    port: int, front: Front
) -> None:
    front.allow_origin = frozenset({"https://pages.example"})
    page = await Page.open(port)
    await page.post("1")
    reply = await page.post("4late", "Origin: https://pages.example")
    assert (reply.status, reply.body) == (400, '{"code":1,"message":"Session ID unknown"}')
    assert reply.headers["Access-Control-Allow-Origin"] == "https://pages.example"


@pytest.mark.gen_test
async def test_p11_a_session_that_vanishes_while_its_post_is_read_makes_a_400(port: int, recorder: Recorder) -> None:
    page = await Page.open(port)
    other = await Client.connect(port)
    await page.posts.send("POST", page.target, None, "Content-Length: 5")
    await page.posts.stream.write(b"4lat")
    await page.park()
    await other.ask("GET", page.target)  # an overlap ends the session
    await page.posts.stream.write(b"e")
    assert (await page.posts.reply()).status == 400
    assert recorder.texts() == []


def test_p12_sending_is_bounded_and_tells_whether_there_is_a_session(bench: Bench) -> None:
    sid = bench.open()
    assert not bench.sessions.send("nobody", "x")
    sent = 0
    while bench.sessions.send(sid, "x"):
        sent += 1
    assert sent == SessionLimits().outbox_packets
    assert sid not in bench.sessions


@pytest.mark.gen_test
async def test_p13_a_poll_answer_is_bounded_and_nothing_is_lost_by_it(port: int, sessions: Sessions) -> None:
    page = await Page.open(port)
    texts = [str(n) + "x" * 600_000 for n in range(7)]
    for text in texts:
        sessions.send(page.sid, text)
    got: list[str] = []
    while len(got) < len(texts):
        body = (await page.poll()).body
        assert len(body) <= sessions.limits.poll_limit
        got += [packet[1:] for packet in body.split("\x1e")]
    assert got == texts


@pytest.mark.gen_test
async def test_p14_answers_are_never_stored_and_never_304(port: int, sessions: Sessions) -> None:
    page = await Page.open(port)
    for text in ("same", "same"):
        sessions.send(page.sid, text)
        reply = await page.polls.ask("GET", page.target, None, 'If-None-Match: "x", W/"y", *')
        assert (reply.status, reply.body) == (200, "4same")
        assert reply.headers["Cache-Control"] == "no-store, no-transform"
        assert reply.headers["Content-Type"] == "text/plain; charset=UTF-8"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert "Etag" not in reply.headers
    assert (await page.posts.ask("GET", "/engine.io/")).headers["Cache-Control"] == "no-store, no-transform"


@pytest.mark.gen_test
async def test_p15_the_listener_hears_the_real_address(port: int, recorder: Recorder) -> None:
    client = await Client.connect(port)
    forged = ("X-Forwarded-For: 203.0.113.9", "X-Real-Ip: 203.0.113.9", "User-Agent: " + "x" * 1_000)
    await client.ask("GET", Page.BASE, None, *forged)
    assert recorder.events[0][2:] == ("127.0.0.1", "x" * 300)


@pytest.mark.expect_log("403 POST / .*_xsrf")  # the control: the application has that protection
@pytest.mark.gen_test
async def test_p16_cross_site_protection_of_forms_does_not_reach_engine_io(port: int) -> None:
    page = await Page.open(port)
    assert (await page.posts.ask("POST", "/", b"x", "Content-Type: text/plain")).status == 403
    assert (await page.post("4x")).status == 200


@pytest.mark.expect_log("the listener failed in quiet")
def test_p17_one_bad_disconnect_handler_delays_nobody() -> None:
    class Failing(Recorder):
        def quiet(self, sid: str, now: float) -> None:
            super().quiet(sid, now)
            raise RuntimeError("planted")

    listener = Failing()
    bench = Bench(Sessions(SessionLimits(), listener))
    for _ in range(100):
        bench.open()
    bench.later(20.0)
    bench.later(20.0)
    bench.later(1.0)
    assert (listener.names().count("quiet"), len(bench.sessions)) == (100, 0)


@pytest.mark.gen_test
async def test_p18_disconnecting_all_works_also_when_there_are_none() -> None:
    server = EngineServer(SessionLimits())
    await server.disconnect()
    bench = Bench(server.sessions)
    polls = [bench.get(bench.open()) for _ in range(3)]
    await server.disconnect()
    server.sessions.flush(bench.now)
    assert ([poll.body for poll in polls], len(server.sessions)) == (["1"] * 3, 0)


def test_p21_bodies_heads_and_idle_connections_are_limited_by_the_server(front: Front) -> None:
    server = make_http_server(front, Settings())
    assert isinstance(server, HTTPServer)
    assert not server.xheaders
    params = server.conn_params
    assert params.max_header_size == 16_384
    assert (front.idle_connection_timeout_s, front.head_timeout_s, front.body_timeout_s) == (150.0, 15.0, 15.0)
    assert params.max_body_size == 4 * Settings().post_limit
    assert server.max_buffer_size == 1 << 20


def test_p22_a_client_that_answers_pings_it_never_read_does_not_stay_alive(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    for _ in range(5):
        if sid in bench.sessions:
            bench.post(sid, "3")
        bench.later(10.0)
    assert recorder.names() == ["opened", "quiet"]


def test_the_application_is_not_asked_about_engine_io(app: Application) -> None:
    assert all("engine.io" not in str(rule.matcher) for rule in app.default_router.rules)
