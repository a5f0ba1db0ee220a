"""The Tornado front: limits on bodies, headers, CORS, and which closed connections are a sign that a page has gone."""

from __future__ import annotations

import gzip
import json
import socket
from unittest import mock

import pytest
from tornado.iostream import StreamClosedError
from tornado.web import Application, RequestHandler

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts import policy
from dispatcher.transport.fronts.http import Denial, Front, HeadersLike, make_http_server
from dispatcher.transport.fronts.http_exchange import peer_has_closed
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.clock import ManualClock
from tests.support.waiting import eventually
from tests.transport.support import Client, Page, Recorder, keep_writing

# What is not Engine.IO.


@pytest.mark.gen_test
async def test_other_paths_go_to_the_application(port: int) -> None:
    client = await Client.connect(port)
    assert (await client.ask("GET", "/")).body == "hello"
    assert (await client.ask("GET", "/engine.io")).status == 404
    assert (await client.ask("GET", "/engine.io/x?EIO=4&transport=polling")).status == 404
    assert (await client.ask("GET", Page.BASE)).status == 200
    assert (await client.ask("GET", "/")).body == "hello"


@pytest.mark.gen_test
async def test_pytest_tornados_own_client_works_too(http_client, base_url: str) -> None:
    reply = await http_client.fetch(f"{base_url}{Page.BASE}")
    assert reply.body[:1] == b"0"


@pytest.mark.gen_test
async def test_a_path_may_stand_before_that_of_engine_io(port: int, front: Front) -> None:
    front.paths = Front(front.sessions, front.app, prefix="/a/b").paths
    client = await Client.connect(port)
    asked = [(await client.ask("GET", prefix + Page.BASE)).status for prefix in ("", "/a/b", "/a", "/a/b/a/b")]
    assert asked == [200, 200, 404, 404]


# Bodies.


@pytest.fixture
def front(sessions: Sessions, app, clock: ManualClock) -> Front:
    return Front(
        sessions,
        app,
        clock=clock.monotonic,
        allow_origin=("https://pages.example",),
        drain_bytes=200_000,
        body_timeout_s=0.2,
        write_timeout_s=0.2,
    )


class TestBodies:
    @pytest.fixture
    def limits(self) -> SessionLimits:
        return SessionLimits(post_limit=100_000)

    @pytest.mark.gen_test
    async def test_a_body_of_just_the_limit_is_taken(self, port: int, recorder: Recorder) -> None:
        page = await Page.open(port)
        assert (await page.post("4" + "x" * 99_999)).body == "ok"
        assert (await page.post("4" + "x" * 100_000)).status == 413
        assert len(recorder.texts()) == 1

    @pytest.mark.gen_test
    async def test_a_refused_body_is_drained_and_the_connection_lives(self, port: int) -> None:
        page = await Page.open(port)
        for _ in range(3):
            reply = await page.post(b"4" + b"x" * 250_000)
            assert (reply.status, "maxPayload" in reply.body) == (413, True)
            assert reply.headers.get("Connection") is None
        assert (await page.post("4x")).body == "ok"

    @pytest.mark.gen_test
    async def test_a_compressed_body_is_named_and_the_session_lives_on(self, port: int, recorder: Recorder) -> None:
        page = await Page.open(port)
        reply = await page.post(gzip.compress(b"4x"), "Content-Encoding: gzip")
        assert (reply.status, "uncompressed" in reply.body) == (415, True)
        assert (await page.post("4x", "Content-Encoding: identity")).body == "ok"
        assert recorder.names() == ["opened", "message"]

    @pytest.mark.gen_test
    async def test_a_body_beyond_draining_is_refused_at_once_and_the_connection_closed(self, port: int) -> None:
        page = await Page.open(port)
        await page.posts.send("POST", page.target, None, "Content-Length: 999999999999")
        reply = await page.posts.reply()
        assert (reply.status, reply.headers["Connection"]) == (413, "close")
        with pytest.raises(StreamClosedError):
            await page.posts.stream.read_bytes(1)

    @pytest.mark.gen_test
    async def test_a_chunked_body_over_the_limit_is_a_413(self, port: int, recorder: Recorder) -> None:
        page = await Page.open(port)
        await page.posts.send("POST", page.target, None, "Transfer-Encoding: chunked")
        chunk = b"%x\r\n%b\r\n" % (60_000, b"4" * 60_000)
        await page.posts.stream.write(chunk * 3 + b"0\r\n\r\n")
        assert (await page.posts.reply()).status == 413
        assert (await page.post("4next")).body == "ok"
        assert recorder.texts() == ["next"]

    @pytest.mark.gen_test
    async def test_an_endless_chunked_body_is_cut_off(self, port: int) -> None:
        page = await Page.open(port)
        await page.posts.send("POST", page.target, None, "Transfer-Encoding: chunked")
        endless = b"%x\r\n%b\r\n" % (60_000, b"4" * 60_000)
        with pytest.raises(StreamClosedError):
            await keep_writing(page.posts, endless)

    @pytest.mark.gen_test
    async def test_a_client_that_asks_first_is_told_before_it_sends_a_hopeless_body(self, port: int) -> None:
        page = await Page.open(port)
        headers = ("Content-Length: 200000", "Expect: 100-continue")
        await page.posts.send("POST", page.target, None, *headers)
        assert (await page.posts.reply()).status == 413

    @pytest.mark.gen_test
    async def test_a_client_that_asks_first_may_go_on(self, port: int, recorder: Recorder) -> None:
        page = await Page.open(port)
        await page.posts.send("POST", page.target, None, "Content-Length: 2", "Expect: 100-continue")
        assert b"100" in await page.posts.stream.read_until(b"\r\n\r\n")
        await page.posts.stream.write(b"4x")
        assert (await page.posts.reply()).body == "ok"

    @pytest.mark.gen_test
    async def test_a_head_without_its_body_is_closed_in_time_and_harms_nothing(
        self, port: int, recorder: Recorder
    ) -> None:
        """IE may repeat a POST like this when a kept-alive connection was closed under it."""
        page = await Page.open(port)
        await page.posts.send("POST", page.target, None, "Content-Length: 5")
        with pytest.raises(StreamClosedError):
            await page.posts.stream.read_bytes(1)
        page.posts = await Client.connect(port)
        assert (await page.post("4again")).body == "ok"
        assert recorder.names() == ["opened", "message"]

    @pytest.mark.gen_test
    async def test_a_post_whose_connection_breaks_in_its_body_leaves_the_way_free(
        self, port: int, sessions: Sessions, recorder: Recorder
    ) -> None:
        page = await Page.open(port)
        await page.posts.send("POST", page.target, None, "Content-Length: 5")
        await eventually(lambda: sessions.book.sessions[page.sid].post is not None)
        page.posts.close()
        page.posts = await Client.connect(port)
        assert (await page.post("4again")).body == "ok"
        assert recorder.names() == ["opened", "message"]

    @pytest.mark.gen_test
    async def test_a_get_with_a_body_is_a_poll_all_the_same(self, port: int, sessions: Sessions) -> None:
        page = await Page.open(port)
        sessions.send(page.sid, "x")
        assert (await page.polls.ask("GET", page.target, b"ignored")).body == "4x"

    @pytest.mark.gen_test
    @pytest.mark.parametrize("length", ["-1", "x", "\u0663", "1, 2"])
    async def test_a_nonsensical_length_is_a_400(self, port: int, length: str) -> None:
        page = await Page.open(port)
        await page.posts.send("POST", page.target, None, f"Content-Length: {length}")
        assert (await page.posts.reply()).status == 400


# Heads of answers.


@pytest.mark.gen_test
async def test_pages_of_an_allowed_origin_may_read_every_answer(port: int) -> None:
    client = await Client.connect(port)
    origin = "Origin: https://pages.example"
    for method, target in (("GET", Page.BASE), ("GET", "/engine.io/"), ("POST", Page.BASE)):
        reply = await client.ask(method, target, b"" if method == "POST" else None, origin)
        assert reply.headers["Access-Control-Allow-Origin"] == "https://pages.example"
        assert reply.headers["Vary"] == "Origin"
        assert reply.headers["Access-Control-Allow-Credentials"] == "true", "a single sign-on may stand before us"
    preflight = await client.ask("OPTIONS", Page.BASE, None, origin, "Access-Control-Request-Method: POST")
    assert (preflight.status, preflight.body) == (204, "")
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"
    assert "Content-Length" not in preflight.headers


@pytest.mark.gen_test
async def test_a_refusal_says_its_charset(port: int) -> None:
    client = await Client.connect(port)
    refused = await client.ask("GET", Page.BASE + "&sid=unknown")
    assert (refused.status, refused.headers["Content-Type"]) == (400, "application/json; charset=utf-8")


@pytest.mark.gen_test
async def test_a_head_request_gets_no_body(port: int) -> None:
    client = await Client.connect(port)
    await client.send("HEAD", Page.BASE)
    await client.stream.read_until(b"\r\n\r\n")
    assert (await client.ask("GET", Page.BASE)).body[:1] == "0"


@pytest.mark.gen_test
async def test_connections_are_kept_or_closed_as_the_client_asks(port: int) -> None:
    client = await Client.connect(port)
    assert (await client.ask("GET", Page.BASE, None, "Connection: close")).headers["Connection"] == "close"
    client = await Client.connect(port)
    old = f"GET {Page.BASE} HTTP/1.0\r\nHost: localhost\r\n"
    await client.stream.write(f"{old}Connection: keep-alive\r\n\r\n".encode())
    assert (await client.reply()).headers["Connection"] == "Keep-Alive"
    await client.stream.write(f"{old}\r\n".encode())
    assert (await client.reply()).headers["Connection"] == "close"
    with pytest.raises(StreamClosedError):
        await client.stream.read_bytes(1)


@pytest.mark.gen_test
async def test_a_chunk_that_could_split_a_head_does_not_get_into_one(port: int, front: Front) -> None:
    client = await Client.connect(port)
    reply = await client.ask("GET", Page.BASE, None, "Origin: https://pages.example\tx: y")
    assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("origin", "all_may"),
    [("https://evil.example:81", False), ("app://desk", False), ("https://[::1]:8888", False), ("null", True),
     ("https://e.example/\tx: y", True), ("https://m\xfcller.example", True), ("HTTPS://Pages.example", False)],
)  # fmt: skip
async def test_a_page_of_any_origin_may_read_why_it_is_refused(
    port: int, front: Front, origin: str, all_may: bool
) -> None:
    readers = "*" if all_may else origin
    front.guard = lambda headers, method, remote: Denial("not here", 503, retry_after_s=1)
    client = await Client.connect(port)
    for method, body in (("GET", None), ("POST", b"4x")):
        reply = await client.ask(method, Page.BASE, body, f"Origin: {origin}")
        assert (reply.status, json.loads(reply.body)["message"]) == (503, "not here")
        assert reply.headers.get_list("Access-Control-Allow-Origin") == [readers]
        # A browser accepts no * beside it.
        with_cookies = reply.headers.get("Access-Control-Allow-Credentials")
        assert (with_cookies, reply.headers.get("Vary")) == ((None, None) if all_may else ("true", "Origin"))
    preflight = await client.ask("OPTIONS", Page.BASE, None, f"Origin: {origin}")
    assert preflight.status != 204
    assert ("Access-Control-Allow-Origin" in preflight.headers) == (origin == "HTTPS://Pages.example")


@pytest.mark.gen_test
async def test_pages_of_no_origin_come_without_the_cookies_of_whoever_looks_at_them(port: int, front: Front) -> None:
    front.allow_origin = frozenset({"null"})
    client = await Client.connect(port)
    reply = await client.ask("GET", Page.BASE, None, "Origin: null")
    assert reply.headers["Access-Control-Allow-Origin"] == "null"
    assert "Access-Control-Allow-Credentials" not in reply.headers


@pytest.mark.gen_test
async def test_the_case_of_an_allowed_origin_does_not_matter(port: int) -> None:
    client = await Client.connect(port)
    reply = await client.ask("GET", Page.BASE, None, "Origin: https://PAGES.example")
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, "https://PAGES.example")


# Readers and writers that are slow.


@pytest.mark.gen_test
async def test_a_poll_answer_that_nobody_reads_ends_its_connection(
    port: int, sessions: Sessions, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "_SLOWEST_LINE", 1 << 30)
    page = await Page.open(port)
    page.polls.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    for _ in range(8):
        sessions.send(page.sid, "x" * 8_000_000)
    await page.park()
    await recorder.until("away")


@pytest.mark.gen_test
async def test_a_slow_but_steady_reader_is_served(port: int, sessions: Sessions, recorder: Recorder) -> None:
    page = await Page.open(port)
    sessions.send(page.sid, "x" * 8_000_000)
    assert len((await page.poll()).body) == 8_000_001
    sessions.send(page.sid, "y")
    assert (await page.poll()).body == "4y"
    assert "away" not in recorder.names()


@pytest.mark.gen_test
async def test_requests_sent_ahead_wait_for_their_turn(port: int, sessions: Sessions) -> None:
    page = await Page.open(port)
    await page.park()
    await page.polls.send("GET", "/")
    await eventually(lambda: sessions.counts.polls == 1)
    sessions.send(page.sid, "x")
    sessions.flush(0.0)
    assert [(await page.polls.reply()).body for _ in range(2)] == ["4x", "hello"]


@pytest.mark.gen_test
@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="the platform has no TCP_QUICKACK")
async def test_a_client_that_sends_head_and_body_apart_does_not_wait_for_our_acknowledgement(
    port: int, io_loop
) -> None:
    page = await Page.open(port)
    started = io_loop.time()
    for _ in range(20):
        await page.posts.send("POST", page.target, None, "Content-Length: 2")
        await page.posts.stream.write(b"4x")
        assert (await page.posts.reply()).body == "ok"
    assert io_loop.time() - started < 0.4  # 20 x 40 ms without


# The rest.


def let_in(headers: HeadersLike, method: str, remote: str) -> None:
    """Anybody."""


def refuse(headers: HeadersLike, method: str, remote: str) -> Denial:
    return Denial("not yet", 503)


class _Says(RequestHandler):
    def initialize(self, words: str) -> None:
        self.words = words

    def get(self) -> None:
        self.write(self.words)


def says(words: str) -> Application:
    return Application([("/", _Says, {"words": words})])


class TestOpening:
    """A front that refuses everybody, until it is told where to lead them."""

    @pytest.fixture
    def front(self, sessions: Sessions, clock: ManualClock) -> Front:
        return Front(sessions, says("starting"), guard=refuse, clock=clock.monotonic)

    @pytest.mark.gen_test
    async def test_whoever_was_refused_is_led_on_over_the_same_connection(self, port: int, front: Front) -> None:
        client, told, changes = await Client.connect(port), Recorder(), list[str]()
        assert (await client.ask("GET", "/")).body == "starting"
        assert (await client.ask("GET", Page.BASE)).status == 503
        front.open(says("open"), told, guard=let_in, on_change=lambda: changes.append("changed"))
        assert (await client.ask("GET", "/")).body == "open"
        assert (told.events, changes) == ([], [])
        assert (await client.ask("GET", Page.BASE)).status == 200
        assert ([event[0] for event in told.events], changes) == (["opened"], ["changed"])

    @pytest.mark.gen_test
    async def test_nobody_else_is_told_of_sessions_that_somebody_knows(self, port: int, front: Front) -> None:
        front.open(says("open"), Recorder(), guard=let_in, on_change=lambda: None)
        await Page.open(port)
        with pytest.raises(AssertionError, match="another listener"):
            front.open(says("again"), Recorder(), guard=let_in, on_change=lambda: None)
        assert (await (await Client.connect(port)).ask("GET", "/")).body == "open"


@pytest.mark.gen_test
async def test_on_change_is_called_after_each_request(port: int, front: Front, app: Application) -> None:
    calls: list[float | None] = []
    front.open(app, Recorder(), guard=let_in, on_change=lambda: calls.append(front.sessions.next_deadline()))
    page = await Page.open(port)
    assert calls == [1_020.0]
    await page.post("4x")
    assert len(calls) == 2


@pytest.mark.gen_test
async def test_the_application_takes_bodies_that_are_larger_than_one_read(port: int) -> None:
    client = await Client.connect(port)
    assert (await client.ask("POST", "/size", b"x" * 3_000_000)).body == "3000000"


def test_the_applications_body_limit_can_be_set(front: Front) -> None:
    server = make_http_server(front, Settings(), max_body_size=5)
    assert server.conn_params.max_body_size == 5


@pytest.mark.parametrize(
    ("error", "closed"), [(BlockingIOError(), False), (ConnectionResetError(), True), (ValueError("TLS"), False)]
)
def test_whether_a_client_has_gone_is_asked_of_the_kernel(error: Exception, closed: bool) -> None:
    sock = mock.Mock(recv=mock.Mock(side_effect=error))
    assert peer_has_closed(sock) is closed
    assert peer_has_closed(None)
