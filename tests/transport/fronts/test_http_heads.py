"""Heads that are too large are answered and told of; whole addresses in a request's first line are understood."""

from __future__ import annotations

import pytest
from tornado.web import Application, RequestHandler

from dispatcher.transport.fronts.doorkeeper import MOST_FAREWELLS
from dispatcher.transport.fronts.http import Denial, Front, FrontServer
from dispatcher.transport.fronts.policy import MAX_HEADER_SIZE
from tests.support.waiting import eventually
from tests.transport.support import Client, Page

pytestmark = pytest.mark.gen_test

#: More than the kernel takes from us without a client that reads, so some of it is unread when we answer.
LARGE = 600_000


@pytest.fixture
def told(front: Front) -> list[tuple[str, str]]:
    """The code and the remote address of each refusal."""
    told: list[tuple[str, str]] = []
    front.on_refusal = lambda code, detail, remote: told.append((code, remote))
    return told


async def last_words(client: Client, head: bytes) -> tuple[int, str]:
    """Sends it all, and reads until the server closes. A reset would raise."""
    written = client.stream.write(head)
    answer = (await client.stream.read_until_close()).decode()
    written.exception() if written.done() else written.cancel()
    return int(answer.split(" ")[1]), answer


@pytest.mark.parametrize("size", [MAX_HEADER_SIZE, LARGE])
async def test_a_head_that_is_too_large_is_a_431_and_told_of(port: int, told: list[tuple[str, str]], size: int) -> None:
    status, answer = await last_words(
        await Client.connect(port), b"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"x" * size + b"\r\n\r\n"
    )
    assert status == 431
    assert "Most often these are cookies" in answer
    assert "Content-Type: text/plain; charset=utf-8\r\n" in answer
    assert told == [("head_too_large", "127.0.0.1")]


@pytest.mark.parametrize("size", [MAX_HEADER_SIZE, LARGE])
async def test_an_address_that_is_too_long_is_a_414_and_told_of(
    port: int, told: list[tuple[str, str]], size: int
) -> None:
    status, answer = await last_words(
        await Client.connect(port), b"GET /?x=" + b"x" * size + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    assert status == 414
    assert "Send long data in the body of a POST." in answer
    assert told == [("address_too_long", "127.0.0.1")]


async def test_a_head_in_pieces_is_measured_as_one(port: int, told: list[tuple[str, str]]) -> None:
    client = await Client.connect(port)
    await client.stream.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
    assert (await last_words(client, b"A: " + b"x" * MAX_HEADER_SIZE))[0] == 431
    client = await Client.connect(port)
    await client.stream.write(b"GET /")
    assert (await last_words(client, b"x" * MAX_HEADER_SIZE))[0] == 414
    assert [code for code, _ in told] == ["head_too_large", "address_too_long"]


async def test_a_head_that_fits_is_served_however_long_its_address(port: int, told: list[tuple[str, str]]) -> None:
    client = await Client.connect(port)
    assert (await client.ask("GET", "/?x=" + "x" * (MAX_HEADER_SIZE - 200))).body == "hello"
    assert (await client.ask("GET", "/", None, "Cookie: " + "x" * (MAX_HEADER_SIZE - 200))).body == "hello"
    assert told == []


async def test_the_second_request_of_a_connection_is_refused_like_the_first(
    port: int, told: list[tuple[str, str]]
) -> None:
    client = await Client.connect(port)
    assert (await client.ask("GET", "/")).body == "hello"
    assert (await last_words(client, b"GET / HTTP/1.1\r\nCookie: " + b"x" * LARGE))[0] == 431


async def test_only_so_many_are_given_time_to_read(
    port: int, http_server: FrontServer, told: list[tuple[str, str]]
) -> None:
    head = b"GET / HTTP/1.1\r\nCookie: " + b"x" * MAX_HEADER_SIZE
    clients = [await Client.connect(port) for _ in range(MOST_FAREWELLS + 4)]
    for client in clients:
        await client.stream.write(head)
    await eventually(lambda: len(told) == len(clients))
    assert len(http_server._farewells) == MOST_FAREWELLS
    for client in clients:
        client.close()
    await eventually(lambda: not http_server._farewells)


@pytest.mark.parametrize("end", ["", "/", "?a=1", "/?a=1"])
async def test_an_address_in_full_is_served_as_its_path(port: int, end: str) -> None:
    client = await Client.connect(port)
    assert (await client.ask("GET", f"http://localhost:{port}{end}")).body == "hello"
    assert (await client.ask("GET", f"HTTPS://localhost:{port}{end}")).body == "hello"
    assert (await client.ask("GET", f"http://localhost:{port}/nope")).status == 404
    assert (await client.ask("GET", "ftp://localhost/")).status == 404


async def test_the_pages_transport_takes_an_address_in_full_and_asks_the_guard_about_its_host(
    port: int, front: Front
) -> None:
    client = await Client.connect(port)
    assert (await client.ask("GET", f"http://localhost:{port}{Page.BASE}")).status == 200
    front.guard = lambda headers, method, remote: None if headers.get("Host") == "inside" else Denial()
    assert (await client.ask("GET", f"http://inside{Page.BASE}", None)).status == 200
    assert (await client.ask("GET", f"http://evil.example{Page.BASE}", None, "Host: inside")).status == 403


async def test_the_application_sees_the_host_of_the_address_and_no_other(port: int, front: Front) -> None:
    class Shown(RequestHandler):
        def get(self) -> None:
            self.write(f"{self.request.host} {self.request.uri}")

    front.app = Application([(r"/a", Shown)])
    client = await Client.connect(port)
    reply = await client.ask("GET", "http://evil.example/a?b", None)
    assert reply.body == "evil.example /a?b"
