"""Clients that are slow, silent or ambiguous: they are ended in time, and meanwhile the others are served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

import server
from dispatcher.settings import Settings
from dispatcher.transport import http_exchange
from dispatcher.transport.http import Front, make_http_server
from handlers import base, make_app
from tests.attack.live import Live, Page, exchange, head, live, until
from tests.attack.wire import Wire

pytestmark = pytest.mark.slow

SHORT_S = 0.5
#: Beside other programs on two cores; alone it is a few milliseconds.
PATIENCE_S = 0.5
HANDSHAKE = "/engine.io/?EIO=4&transport=polling"


@asynccontextmanager
async def house(*, idle_s: float = SHORT_S, poll_limit: int = 2 << 20) -> AsyncIterator[server.Server]:
    """The whole server in this process, with timeouts that a test can wait for."""
    settings = Settings(port=0, store="memory:", poll_limit=poll_limit)
    made = await server.open_server(settings)
    made.front = Front(
        made.sessions,
        make_app(made.dispatcher, settings, made.tasks, made.clock),
        on_change=made.dispatcher.changed,
        clock=made.clock.monotonic,
        idle_connection_timeout_s=idle_s,
        body_timeout_s=SHORT_S,
        write_timeout_s=SHORT_S,
    )
    made.http = make_http_server(made.front, settings)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def closed_after(port: int, request: bytes, drip: bytes = b"", door: asyncio.Semaphore | None = None) -> float:
    """How long a connection lives that sends this, then perhaps a byte at a time, and reads all it gets."""
    async with door or contextlib.nullcontext():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.01)
    began = time.monotonic()

    async def send() -> None:
        writer.write(request)
        for byte in drip:
            await asyncio.sleep(0.02)
            writer.write(bytes([byte]))

    sending = asyncio.create_task(send())
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            await reader.read()
    took_s = time.monotonic() - began
    sending.cancel()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return took_s


async def slowest_answer(port: int, stop: asyncio.Event) -> float:
    """The longest that an ordinary request takes until then."""
    slowest = 0.0
    with Wire(port) as wire:
        while not stop.is_set():
            began = time.monotonic()
            assert (await wire.ask("GET", "/jobs"))[0] == 200
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.01)
    return slowest


async def attacked(port: int, count: int, request: bytes, drip: bytes = b"") -> list[float]:
    """So many of them at once, with an ordinary client beside them: how long each lived."""
    stop = asyncio.Event()
    ordinary = asyncio.create_task(slowest_answer(port, stop))
    # The kernel lets 128 wait to be accepted.
    door = asyncio.Semaphore(100)
    lived = await asyncio.gather(*(closed_after(port, request, drip, door) for _ in range(count)))
    stop.set()
    assert await ordinary < PATIENCE_S
    return lived


def test_slow_heads_are_ended_in_time() -> None:
    async def run() -> None:
        async with house() as made:
            lived = await attacked(made.port, 50, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-Slow: 1\r\n" * 50)
            assert max(lived) < SHORT_S + 1

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/engine.io/", "/api/v1/jobs", "/submit", "/nope", "/jobs", "/livez"])
def test_slow_bodies_are_ended_in_time(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(base, "_BODY_TIMEOUT_S", SHORT_S)

    async def run() -> None:
        async with house(idle_s=60) as made:
            lines = ("Content-Length: 2000", "Content-Type: application/json")
            target = path
            if path == "/engine.io/":
                with Wire(made.port) as wire:
                    target = f"{HANDSHAKE}&sid={json.loads((await wire.ask('GET', HANDSHAKE))[1][1:])['sid']}"
            lived = await attacked(made.port, 20, head("POST", target, made.port, *lines), b"4" * 500)
            assert max(lived) < SHORT_S + 1.5

    asyncio.run(run())


def test_a_head_without_its_body_costs_a_connection_and_no_session() -> None:
    async def run() -> None:
        async with house(idle_s=60) as made, _Poster(made.port) as page:
            lived = await closed_after(made.port, head("POST", page.target, made.port, "Content-Length: 20"))
            assert lived < SHORT_S + 1
            assert await page.wire.ask("POST", page.target, b"4{}") == (200, b"ok")

    asyncio.run(run())


class _Poster:
    """A session and a connection that posts to it."""

    def __init__(self, port: int) -> None:
        self.wire = Wire(port)
        self.target = ""

    async def __aenter__(self) -> _Poster:
        self.target = f"{HANDSHAKE}&sid={json.loads((await self.wire.ask('GET', HANDSHAKE))[1][1:])['sid']}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.wire.close()


def test_three_hundred_silent_connections_are_ended_in_time() -> None:
    async def run() -> None:
        async with house() as made:
            lived = await attacked(made.port, 300, b"")
            assert SHORT_S * 0.9 < max(lived) < SHORT_S + 2
            assert made.http._open <= 1

    asyncio.run(run())


def test_a_reader_of_nothing_is_ended_in_time_and_its_bytes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_exchange, "_SLOWEST_LINE", 1 << 30)  # a slow line has no longer

    async def run() -> None:
        # More than a kernel keeps for a socket: what fits there is written for us.
        async with house(idle_s=60, poll_limit=32 << 20) as made, _Poster(made.port) as page:
            reader, writer = await _small_window(made.port)
            sid = page.target.rpartition("=")[2]
            for _ in range(24):
                assert made.sessions.send(sid, "x" * 1_000_000)
            writer.write(head("GET", page.target, made.port))
            began = time.monotonic()
            while made.http._open > 1:
                await asyncio.sleep(0.02)
                assert time.monotonic() - began < SHORT_S + 2, "the connection is still there"
            assert len(await reader.read()) < 12_000_000
            writer.close()

    asyncio.run(run())


async def _small_window(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.connect(("127.0.0.1", port))
    return await asyncio.open_connection(sock=sock, limit=1_024)


# On a real process


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("slow")) as running:
        yield running


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
AMBIGUOUS = {
    "both lengths": (["Content-Length: 4", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    "both lengths, the other order": (["Transfer-Encoding: chunked", "Content-Length: 5"], b"0\r\n\r\n"),
    "two different lengths": (["Content-Length: 0", "Content-Length: 44"], b""),
    "two lengths in one": (["Content-Length: 0, 44"], b""),
    "a signed length": (["Content-Length: +0"], b""),
    "a negative length": (["Content-Length: -1"], b""),
    "a length in hex": (["Content-Length: 0x0"], b""),
    "a length with an underscore": (["Content-Length: 1_0"], b"0123456789"),
    "a length in other digits": (["Content-Length: \xb2"], b""),
    "an unknown coding": (["Transfer-Encoding: xchunked"], b"0\r\n\r\n"),
    "two codings": (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n"),
    "the coding twice": (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], b"0\r\n\r\n"),
    "a folded line": (["X-Folded: a", " b", "Content-Length: 0"], b""),
    "a folded coding": (["Transfer-Encoding:", " chunked"], b"0\r\n\r\n"),
    "a space before the colon": (["Content-Length : 0"], b""),
    "a bare carriage return": (["X: a\rContent-Length: 44"], b""),
    "a NUL in a value": (["X: a\0b"], b""),
    "a line without a colon": (["Content-Length 0"], b""),
    "a chunk's size with a sign": (["Transfer-Encoding: chunked"], b"+0\r\n\r\n"),
    "a chunk's size in hex with 0x": (["Transfer-Encoding: chunked"], b"0x0\r\n\r\n"),
    "a chunk that is too short": (["Transfer-Encoding: chunked"], b"1\r\nab\r\n0\r\n\r\n"),
    "a chunk's line with a line feed only": (["Transfer-Encoding: chunked"], b"0\n\n"),
}


@pytest.mark.parametrize("path", ["/livez", "/api/v1/jobs", HANDSHAKE])
@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_two_readers_could_read_in_two_ways_is_refused(process: Live, name: str, path: str) -> None:
    """And the connection ends, so that what follows is no second request. (What the head alone forbids says so: 405,
    415.)"""
    lines, body = AMBIGUOUS[name]
    answer = exchange(process.port, head("POST", path, process.port, *lines) + body + SMUGGLED)
    statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert statuses in ([b"400"], [b"405"], [b"415"]), answer
    assert "length" in name or statuses == [b"400"]
    assert b"GET /smuggled" not in process.log()


def test_lines_that_end_in_a_line_feed_only_say_the_same_as_others(process: Live) -> None:
    """RFC 9112 lets a server read them so, and Tornado does: one request, one answer."""
    plain = head("GET", "/livez", process.port, "Connection: close", "X: a")
    for request in (plain, plain.replace(b"\r\n", b"\n"), plain.replace(b"\r\nX: a", b"\nX: a")):
        assert re.findall(rb"HTTP/1\.1 (\d{3}) ", exchange(process.port, request + SMUGGLED)) == [b"200"]


def test_when_descriptors_run_out_the_server_neither_spins_nor_dies(tmp_path: Path) -> None:
    with live(tmp_path, descriptors=96, watched=True) as running:
        page = Page(running)
        with ExitStack() as sockets:
            for _ in range(200):
                sockets.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=5))
            until(lambda: running.counts()["open"] >= 50, 5, "connections up to the bound")
            counts = running.counts()
            assert counts["descriptors"] < 96
            spent = _cpu_s(running)
            time.sleep(0.5)
            assert _cpu_s(running) - spent < 0.25, "it spins"
        until(lambda: running.counts()["open"] == 0, 5, "the end of the connections")
        page.register("x")
        assert len(running.log()) < 10_000


def _cpu_s(running: Live) -> float:
    fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
