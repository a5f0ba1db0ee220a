"""What Tornado's application answers arrives as it should, on each front."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado.iostream import StreamClosedError
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from tests.support.waiting import eventually
from tests.transport.support import Client

pytestmark = pytest.mark.gen_test

NOTES: list[str] = []


class _Answers(RequestHandler):
    """Answers in the way that the address names."""

    def check_xsrf_cookie(self) -> None:
        """Open to all."""

    async def get(self, way: str) -> None:
        if way == "pieces":
            for piece in ("one,", "two,", "three"):
                self.write(piece)
                await self.flush()
        elif way == "nothing":
            self.set_status(204)
        elif way == "same":
            self.set_status(304)
        elif way == "peer":
            self.write(f"{self.request.remote_ip} {self.request.protocol} {self.request.host}")
        elif way == "large":
            self.write("x" * 20_000_000)
        elif way == "later":
            await asyncio.sleep(0)
            self.write(self.get_argument("n"))
        else:
            await _other_ways(self, way)

    head = get

    async def post(self, way: str) -> None:
        self.write(f"{way}:{len(self.request.body)}")


async def _other_ways(handler: RequestHandler, way: str) -> None:
    if way == "short":
        handler.set_header("Content-Length", "10")
        handler.write("short")
        await handler.flush()
    else:
        raise HTTPError(404)


class _Waits(RequestHandler):
    def get(self) -> asyncio.Future[None]:
        NOTES.append("waits")
        return asyncio.get_running_loop().create_future()

    def on_connection_close(self) -> None:
        NOTES.append("gone")


@stream_request_body
class _Takes(RequestHandler):
    """Takes a body piece by piece, each in its own time."""

    busy = 0

    def initialize(self) -> None:
        self.size, self.most = 0, 0

    def check_xsrf_cookie(self) -> None:
        """Open to all."""

    async def prepare(self) -> None:
        await asyncio.sleep(0)
        if "refuse" in self.request.query:
            raise HTTPError(413)
        if "fail" in self.request.query:
            raise RuntimeError("planted")

    async def data_received(self, chunk: bytes) -> None:
        self.busy += 1
        assert self.busy == 1, "one piece at a time"
        await asyncio.sleep(0)
        self.busy -= 1
        self.size, self.most = self.size + len(chunk), max(self.most, len(chunk))
        if "break" in self.request.query:
            raise RuntimeError("planted")

    def post(self) -> None:
        self.write(f"{self.size} {self.most <= 131_072}")


@pytest.fixture
def app() -> Application:
    NOTES.clear()
    return Application([("/takes", _Takes), ("/waits", _Waits), ("/(.*)", _Answers)])


async def raw(client: Client, head: str, body: bytes = b"") -> bytes:
    """The whole answer of a connection that is then closed."""
    await client.stream.write(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body)
    return await client.stream.read_until_close()


async def test_an_answer_in_pieces_comes_in_chunks(port: int) -> None:
    client = await Client.connect(port)
    answer = await raw(client, "GET /pieces HTTP/1.1\nHost: a\nConnection: close")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"Connection: close" in head
    assert body == b"4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n"


async def test_an_old_client_gets_no_chunks_and_the_end_of_the_connection(port: int) -> None:
    answer = await raw(await Client.connect(port), "GET /pieces HTTP/1.0")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\none,two,three")


@pytest.mark.parametrize("way", ["pieces", "later?n=1", "nothing", "same"])
async def test_an_old_client_is_told_that_its_connection_ends(port: int, way: str) -> None:
    """nginx speaks HTTP/1.0 unless it is told otherwise, believes the 1.1 of our answers, and keeps the connection."""
    answer = await raw(await Client.connect(port), f"GET /{way} HTTP/1.0")
    assert answer.count(b"\r\nConnection: close\r\n") == 1, answer


async def test_an_old_client_may_keep_its_connection(port: int) -> None:
    client = await Client.connect(port)
    for n in range(2):
        await client.stream.write(b"GET /later?n=%d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" % n)
        reply = await client.reply()
        assert (reply.body, reply.headers["Connection"]) == (str(n), "Keep-Alive")


@pytest.mark.parametrize(("way", "status"), [("nothing", 204), ("same", 304)])
async def test_an_answer_without_a_body_names_no_length_of_it(port: int, way: str, status: int) -> None:
    client = await Client.connect(port)
    reply = await client.ask("GET", f"/{way}")
    assert (reply.status, "Transfer-Encoding" in reply.headers) == (status, False)
    assert (await client.ask("GET", "/later?n=1")).body == "1", "nothing is left on the connection"


async def test_the_head_of_an_answer_comes_without_its_body(port: int) -> None:
    client = await Client.connect(port)
    await client.send("HEAD", "/later?n=12")
    assert b"Content-Length: 2\r\n" in await client.stream.read_until(b"\r\n\r\n")
    assert (await client.ask("GET", "/later?n=1")).body == "1"


async def test_handlers_see_who_asks(port: int) -> None:
    client = await Client.connect(port)
    assert (await client.ask("GET", "/peer")).body == f"127.0.0.1 http localhost:{port}"


async def test_a_large_answer_arrives_whole_and_the_connection_lives(port: int) -> None:
    client = await Client.connect(port)
    assert len((await client.ask("GET", "/large")).body) == 20_000_000
    assert (await client.ask("GET", "/later?n=1")).body == "1"


async def test_requests_sent_at_once_are_answered_in_order_one_after_the_other(port: int) -> None:
    client = await Client.connect(port)
    both = [
        (
            b"GET /later?n=%d HTTP/1.1\r\nHost: a\r\n\r\n" % n,
            b"POST /p%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" % n,
        )
        for n in range(200)
    ]
    await client.stream.write(b"".join(get + post for get, post in both))
    for n in range(200):
        assert (await client.reply()).body == str(n)
        assert (await client.reply()).body == f"p{n}:3"


async def test_a_body_in_pieces_is_taken_as_fast_as_the_handler_takes_it(port: int) -> None:
    client = await Client.connect(port)
    assert (await client.ask("POST", "/takes", b"x" * 3_000_000)).body == "3000000 True"
    await client.send("POST", "/takes", None, "Transfer-Encoding: chunked")
    await client.stream.write(b"%x\r\n%b\r\n" % (300_000, b"y" * 300_000) * 5 + b"0\r\n\r\n")
    assert (await client.reply()).body == "1500000 True"


async def test_a_client_that_asks_first_is_told_by_the_handler(port: int) -> None:
    client = await Client.connect(port)
    await client.send("POST", "/takes", None, "Content-Length: 3", "Expect: 100-continue")
    assert b"100" in await client.stream.read_until(b"\r\n\r\n")
    await client.stream.write(b"abc")
    assert (await client.reply()).body == "3 True"


async def test_a_refusal_before_the_body_comes_without_a_word_to_go_on(port: int) -> None:
    client = await Client.connect(port)
    answer = await raw(client, "POST /takes?refuse HTTP/1.1\nHost: a\nContent-Length: 3\nExpect: 100-continue")
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.expect_log("Uncaught exception|500 POST")
async def test_a_fault_before_the_body_is_a_500(port: int) -> None:
    client = await Client.connect(port)
    answer = await raw(client, "POST /takes?fail HTTP/1.1\nHost: a\nContent-Length: 3\nConnection: close", b"abc")
    assert answer.startswith(b"HTTP/1.1 500 ")


@pytest.mark.expect_log("Uncaught exception")
async def test_a_fault_while_the_body_is_taken_ends_the_connection(port: int) -> None:
    client = await Client.connect(port)
    assert await raw(client, "POST /takes?break HTTP/1.1\nHost: a\nContent-Length: 3", b"abc") == b""


@pytest.mark.expect_log("Uncaught exception|Cannot send error response|500 GET")
async def test_an_answer_that_is_shorter_than_it_says_ends_the_connection(port: int) -> None:
    answer = await raw(await Client.connect(port), "GET /short HTTP/1.1\nHost: a")
    assert answer.endswith(b"\r\n\r\nshort")


async def test_a_body_that_is_larger_than_any_handler_takes_is_a_400(port: int) -> None:
    client = await Client.connect(port)
    answer = await raw(client, "POST /p HTTP/1.1\nHost: a\nContent-Length: 999999999")
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("head", ["GET / HTTP/1.1", "GET / HTTP/1.1\nHost: a\nHost: b", "GET / HTTP/1.1\nHost: a b"])
async def test_a_host_that_is_missing_or_odd_is_a_400(port: int, head: str) -> None:
    assert (await raw(await Client.connect(port), head)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(("method", "status"), [("BREW", 405), ("PUT", 405)])
async def test_a_method_that_nobody_knows_is_the_applications_matter(port: int, method: str, status: int) -> None:
    assert (await (await Client.connect(port)).ask(method, "/peer")).status == status


async def test_a_client_that_goes_away_is_told_to_the_handler(port: int) -> None:
    client = await Client.connect(port)
    await client.send("GET", "/waits")
    await eventually(lambda: NOTES == ["waits"])
    client.close()
    await eventually(lambda: NOTES == ["waits", "gone"])


async def test_a_stop_ends_what_waits(port: int, http_server: Any) -> None:
    client = await Client.connect(port)
    await client.send("GET", "/waits")
    await eventually(lambda: NOTES == ["waits"])
    await http_server.close_all_connections()
    with pytest.raises(StreamClosedError):
        await client.stream.read_bytes(1)
    await eventually(lambda: NOTES == ["waits", "gone"])
