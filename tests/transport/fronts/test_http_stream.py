"""The stream of a connection: what it costs to listen, and how much it reads ahead."""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from tornado.iostream import StreamClosedError

from dispatcher.transport.fronts.http_stream import BoundedStream

HEAD = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
#: More than the stream may hold.
MUCH = 3 << 20


class CountingSelector(selectors.DefaultSelector):
    """Counts how often the loop changes what it listens for on each descriptor."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[int] = []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        self.changes.append(key.fd)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        self.changes.append(key.fd)
        return key


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    with socket.socket() as door, socket.socket() as client:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)  # the kernel holds more than the stream
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        door.bind(("127.0.0.1", 0))
        door.listen()
        client.connect(door.getsockname())
        server, _ = door.accept()
        for end in (server, client):
            end.setblocking(False)
        yield server, client


def _stream(end: socket.socket, **more: Any) -> BoundedStream:
    return BoundedStream(end, idle_timeout_s=60, head_timeout_s=60, write_timeout_s=60, max_buffer_size=1 << 17, **more)


def _run(scenario: Coroutine[Any, Any, None], selector: CountingSelector) -> None:
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(scenario)


def test_requests_whose_head_and_body_come_together_do_not_change_what_the_loop_listens_for(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, client = ends
    selector = CountingSelector()

    async def scenario() -> None:
        stream = _stream(server)
        for _ in range(10):
            head = stream.read_until_regex(b"\r\n\r\n", 1_000)
            client.send(HEAD + b"12345")
            assert await head == HEAD
            assert await stream.read_bytes(5) == b"12345"
        assert selector.changes.count(server.fileno()) == 1
        stream.close()

    _run(scenario(), selector)


def test_who_sends_more_than_anybody_reads_is_slowed_down_and_not_cut_off(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, client = ends

    async def scenario() -> None:
        stream = _stream(server)
        loop = asyncio.get_running_loop()
        sender = asyncio.create_task(loop.sock_sendall(client, HEAD + b"x" * MUCH))
        assert await stream.read_until_regex(b"\r\n\r\n", 1_000) == HEAD
        for _ in range(2_000):  # time for both ends to send and read all that they can
            await asyncio.sleep(0)
        assert not stream.closed()
        assert not sender.done()
        came = 0
        while came < MUCH:
            came += len(await stream.read_bytes(1 << 16, partial=True))
        await sender
        assert came == MUCH
        stream.close()

    _run(scenario(), CountingSelector())


def test_a_client_that_has_left_behind_too_large_a_head_is_gone_and_nobody_is_told_of_the_head(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    server, client = ends
    told: list[int] = []

    async def scenario() -> None:
        stream = _stream(server, on_large_head=lambda sock, size: told.append(size))
        client.send(HEAD + b"x" * 5_000)
        assert await stream.read_until_regex(b"\r\n\r\n", 1_000) == HEAD
        stream.close()
        with pytest.raises(StreamClosedError):
            await stream.read_until_regex(b"\r\n\r\n", 1_000)
        assert told == []

    _run(scenario(), CountingSelector())
