"""What the fast front says to a client for Tornado's application, where Tornado's own front says less."""

from __future__ import annotations

import pytest
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPOutputError,
    HTTPServerConnectionDelegate,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError

from dispatcher.transport.fronts.fast.application import AppConnection, PeerContext
from dispatcher.transport.fronts.fast.heads import HeadReader
from dispatcher.transport.fronts.http import Front
from tests.transport.fronts.fast.test_protocol import Held

pytestmark = pytest.mark.gen_test

OK = ResponseStartLine("HTTP/1.1", 200, "OK")


@pytest.fixture
def held(io_loop, front: Front):
    async def make() -> Held:
        return Held(front)

    made = io_loop.run_sync(make)
    yield made
    made.close()


def answer_on(held: Held, first: str = "GET / HTTP/1.1") -> AppConnection:
    return AppConnection(held.conn, HeadReader().read(f"{first}\r\nHost: a\r\n\r\n".encode()))


async def test_an_answer_before_the_body_has_come_says_that_the_connection_ends(held: Held) -> None:
    held.conn.is_read = False
    answer = answer_on(held)
    answer.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))
    answer.finish()
    assert held.transport.sent == [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]
    assert held.transport.calls == ["close"]


@pytest.mark.parametrize("value", ["a\nb: c", "a\rb", "a\r\n\r\nb"])
async def test_a_header_that_would_be_two_is_not_written(held: Held, value: str) -> None:
    with pytest.raises(ValueError, match="a line end"):
        answer_on(held).write_headers(OK, HTTPHeaders({"X": value}))
    assert held.transport.sent == []


async def test_more_than_the_answer_says_ends_the_connection(held: Held) -> None:
    answer = answer_on(held)
    with pytest.raises(HTTPOutputError):
        answer.write_headers(OK, HTTPHeaders({"Content-Length": "1"}), b"ab")
    assert held.transport.calls == ["abort"]


async def test_an_answer_that_is_broken_off_does_not_look_whole(held: Held) -> None:
    answer = answer_on(held)
    answer.write_headers(OK, HTTPHeaders(), b"a")
    answer.abort()
    answer.finish()
    assert held.transport.sent == [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"]
    assert held.transport.calls == ["abort"]


async def test_an_empty_piece_does_not_end_an_answer_in_chunks(held: Held) -> None:
    answer = answer_on(held)
    answer.write_headers(OK, HTTPHeaders())
    answer.write(b"")
    answer.write(b"a")
    answer.finish()
    assert b"".join(held.transport.sent).partition(b"\r\n\r\n")[2] == b"1\r\na\r\n0\r\n\r\n"


async def test_a_write_to_a_client_that_has_gone_says_so_to_whoever_waits_for_it(held: Held) -> None:
    answer = answer_on(held)
    held.conn.abort()
    with pytest.raises(StreamClosedError):
        await answer.write(b"a")
    answer.finish()
    assert answer.is_finished


async def test_no_handler_gets_the_connection_itself(held: Held) -> None:
    with pytest.raises(NotImplementedError):
        answer_on(held).detach()


async def test_the_context_says_who_asks() -> None:
    context = PeerContext("192.0.2.1")
    assert (str(context), context.protocol) == ("192.0.2.1", "http")


class AtOnce(HTTPServerConnectionDelegate):
    """An application that answers as soon as it sees a head."""

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return Glance(request_conn)


class Glance(HTTPMessageDelegate):
    def __init__(self, conn: HTTPConnection) -> None:
        self.conn = conn

    def headers_received(self, start_line: object, headers: HTTPHeaders) -> None:
        self.conn.write_headers(OK, HTTPHeaders({"Content-Length": "0"}))
        self.conn.finish()


async def test_requests_behind_one_that_is_answered_at_its_head_are_read(held: Held, front: Front) -> None:
    front.app = AtOnce()
    held.come("GET /a HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
    assert held.statuses == [200] * 3
