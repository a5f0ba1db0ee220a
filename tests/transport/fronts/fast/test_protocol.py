"""One fast connection, with a transport in the test's hand: what it reads, when it pauses, when it sets its timer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from dispatcher.config.settings import Settings
from dispatcher.transport.fronts.fast.protocol import MOST_IN_A_ROW, READ_AHEAD, FastConnection
from dispatcher.transport.fronts.fast.server import make_fast_server
from dispatcher.transport.fronts.http import Front
from dispatcher.transport.sessions import Sessions
from tests.support.polling import HANDSHAKE
from tests.transport.support import Recorder

pytestmark = pytest.mark.gen_test

HEAD = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"


class HeldTransport(asyncio.Transport):
    """Takes down what the connection does to it; ``room`` bytes fit into the kernel."""

    def __init__(self, protocol: FastConnection) -> None:
        super().__init__()
        self.protocol = protocol
        self.sent: list[bytes] = []
        self.calls: list[str] = []
        self.room = 1 << 30
        self.waiting = 0
        self.closing = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == 0

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))
        self.waiting += max(0, len(data) - self.room)
        if self.waiting:
            self.protocol.pause_writing()

    def drain(self) -> None:
        """The client reads."""
        self.waiting = 0
        self.protocol.resume_writing()

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")

    def close(self) -> None:
        self._end("close")

    def abort(self) -> None:
        self._end("abort")

    def _end(self, how: str) -> None:
        self.calls.append(how)
        if not self.closing:
            self.closing = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


class Held:
    """A connection, and what a client does on it."""

    def __init__(self, front: Front) -> None:
        self.server = make_fast_server(front, Settings())
        self.sock, self.other = socket.socketpair()
        self.sock.setblocking(False)
        self.conn = FastConnection(self.server, self.sock, "192.0.2.1")
        self.transport = HeldTransport(self.conn)
        self.conn.connection_made(self.transport)

    def come(self, data: bytes | str) -> None:
        raw = data.encode() if isinstance(data, str) else data
        for start in range(0, len(raw), READ_AHEAD):
            piece = raw[start : start + READ_AHEAD]
            self.conn.get_buffer(-1)[: len(piece)] = piece
            self.conn.buffer_updated(len(piece))

    def close(self) -> None:
        self.sock.close()
        self.other.close()

    @property
    def statuses(self) -> list[int]:
        return [int(sent.split(b" ")[1]) for sent in self.transport.sent]


@pytest.fixture
def held(io_loop, front: Front) -> Iterator[Held]:
    async def make() -> Held:
        return Held(front)

    made = io_loop.run_sync(make)
    yield made
    made.close()


async def until_idle(held: Held) -> None:
    """Lets the connection have its turns."""
    seen = -1
    while seen < len(held.statuses):
        seen = len(held.statuses)
        await asyncio.sleep(0)


def handshake() -> str:
    return HEAD.format(HANDSHAKE)


def poll_of(held: Held, sessions: Sessions) -> str:
    """A poll of a session that this connection has opened."""
    held.come(handshake())
    return HEAD.format(f"{HANDSHAKE}&sid={list(sessions.ids())[-1]}")


async def test_a_request_that_comes_byte_by_byte_is_read_and_its_time_does_not_grow(held: Held) -> None:
    head = handshake()
    held.come(head[:1])
    deadline = held.conn._patience.deadline
    for byte in head[1:-1]:
        held.come(byte)
    assert (held.statuses, held.conn._patience.deadline) == ([], deadline)
    held.come(head[-1])
    assert held.statuses == [200]


async def test_a_connection_sets_its_timer_once_for_many_requests(held: Held, sessions: Sessions) -> None:
    timer = held.conn._timer
    poll = poll_of(held, sessions)
    sid = next(iter(sessions.ids()))
    for _ in range(50):
        held.come(poll)
        sessions.send(sid, "x")
        sessions.flush(0.0)
        held.come(f"POST {HANDSHAKE}&sid={sid} HTTP/1.1\r\nContent-Length: 2\r\n\r\n4x")
    assert held.statuses == [200] * 101
    assert held.conn._timer is timer
    assert held.transport.calls == []


async def test_what_comes_while_nobody_waits_for_it_is_bounded(held: Held, sessions: Sessions) -> None:
    held.come(poll_of(held, sessions))
    ahead = handshake()
    held.come(ahead * (READ_AHEAD // len(ahead) + 1))
    assert held.transport.calls == ["pause"]
    assert held.statuses == [200]
    sessions.send(next(iter(sessions.ids())), "x")
    sessions.flush(0.0)
    assert held.statuses == [200, 200], "not in the middle of the sessions' work"
    await until_idle(held)
    assert held.transport.calls == ["pause", "resume"]
    assert len(held.statuses) > 300


async def test_requests_that_come_at_once_let_others_have_their_turn(held: Held) -> None:
    held.come(handshake() * 100)
    assert len(held.statuses) == MOST_IN_A_ROW
    await until_idle(held)
    assert held.statuses == [200] * 100


async def test_the_next_request_waits_until_the_client_has_read_the_answer(held: Held) -> None:
    held.transport.room = 10
    held.come(handshake() * 2)
    assert held.statuses == [200]
    held.transport.drain()
    assert held.statuses == [200, 200]


async def test_a_client_that_does_not_read_has_a_time_for_it(held: Held) -> None:
    held.transport.room = 10
    held.come(handshake())
    deadline = held.conn._patience.deadline
    assert deadline is not None
    assert 29 < deadline - asyncio.get_running_loop().time() < 31
    held.conn._patience.deadline = 0.0
    held.conn._due()
    assert held.transport.calls == ["abort"]
    assert not held.conn.was_idle


async def test_a_client_that_has_read_may_wait_for_more_as_long_as_it_likes(held: Held, sessions: Sessions) -> None:
    held.come(poll_of(held, sessions))
    held.transport.room = 0
    held.conn.write(b"some of an answer")
    assert held.conn._patience.deadline is not None
    held.transport.drain()
    assert held.conn._patience.deadline is None


async def test_a_poll_whose_client_has_gone_is_known_before_it_is_told(held: Held, sessions: Sessions) -> None:
    held.come(poll_of(held, sessions))
    poll = sessions.book.sessions[next(iter(sessions.ids()))].poll
    assert poll is not None
    assert poll.is_open()
    held.other.close()
    assert not poll.is_open()


async def test_whoever_waits_for_a_write_hears_when_it_is_done_and_when_it_is_lost(held: Held) -> None:
    held.transport.room = 0
    held.conn.write(b"x")
    written = held.conn.written()
    assert not written.done()
    held.transport.drain()
    assert written.done()
    held.conn.write(b"x")
    lost = held.conn.written()
    held.conn.connection_lost(None)
    assert lost.done()


@pytest.mark.parametrize("before", ["\r\n", "\r\n\r\n", "\r\n" * 40_000])
async def test_empty_lines_before_a_head_are_passed_over(held: Held, before: str) -> None:
    held.come(before + handshake())
    assert held.statuses == [200]


@pytest.mark.parametrize(
    "data", ["\n", "\r\r", "\r\n\n", "\r\n\rG", "GET / HTTP/1.1\nHost: a\n\n", "GET /\r\nA: b\n\r\n"]
)
async def test_odd_line_ends_are_refused_before_the_head_is_whole(held: Held, data: str) -> None:
    held.come(data)
    assert held.statuses == [400]
    assert held.transport.calls == ["close"]
    held.come(handshake())
    assert held.statuses == [400]


async def test_half_of_a_line_end_is_waited_for(held: Held) -> None:
    held.come("\r")
    held.come("\n" + handshake())
    assert held.statuses == [200]


@pytest.mark.expect_log("Uncaught exception")
async def test_a_fault_of_our_own_ends_this_connection_alone(held: Held, front: Front, recorder: Recorder) -> None:
    def fail(headers: object, method: str, remote: str) -> None:
        raise RuntimeError("planted")

    front.guard = fail
    held.come(handshake())
    assert held.transport.calls == ["abort"]
    assert held.statuses == []


async def test_what_comes_after_the_end_is_not_read(held: Held) -> None:
    held.conn.connection_lost(None)
    held.come(handshake())
    held.conn.write(b"x")
    held.conn.abort()
    assert held.transport.sent == []
    assert held.conn.is_closed
    assert not held.server._connections
