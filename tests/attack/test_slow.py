"""Clients that are slow, silent or ambiguous: they are ended in time, and meanwhile the others are served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import server
from dispatcher.clock import SystemClock
from dispatcher.config.settings import Settings
from dispatcher.transport.fronts import http_stream
from tests.attack.live import head
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
    clock = SystemClock()
    entrance = server.Entrance(settings, clock)
    front = entrance.front
    front.idle_connection_timeout_s = idle_s
    front.head_timeout_s = front.body_timeout_s = front.write_timeout_s = SHORT_S
    entrance.listen()
    made = await server.open_server(settings, clock, entrance)
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
        async with house(idle_s=60) as made:
            lived = await attacked(made.port, 50, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X-Slow: 1\r\n" * 50)
            assert max(lived) < SHORT_S + 1

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/engine.io/", "/api/v1/jobs", "/submit", "/nope", "/jobs", "/livez"])
def test_slow_bodies_are_ended_in_time(path: str) -> None:

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


@pytest.mark.expect_log("bad_message")
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
    monkeypatch.setattr(http_stream, "_SLOWEST_LINE", 1 << 30)  # a slow line has no longer

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
