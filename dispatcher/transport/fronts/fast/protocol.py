"""One connection of the fast front: reads one request after the other, keeps the times, and sees to its end.

A request is read only when the one before it is answered and the answer is written. What comes meanwhile is kept up to
a bound; the rest waits in the kernel, which slows the sender down. There is one timer, which is set anew when it fires.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from asyncio import Future
from collections.abc import Awaitable
from enum import Enum, auto
from typing import TYPE_CHECKING, cast

from tornado.gen import convert_yielded
from tornado.httputil import HTTPInputError, HTTPMessageDelegate, RequestStartLine

from dispatcher.transport.fronts.fast.application import AppConnection, PeerContext
from dispatcher.transport.fronts.fast.chunks import Chunks
from dispatcher.transport.fronts.fast.exchange import FastExchange
from dispatcher.transport.fronts.fast.heads import BadRequestError, RequestHead, read_head
from dispatcher.transport.fronts.policy import MAX_HEADER_SIZE, HeadRefusal, Patience, head_refusal, time_for

if TYPE_CHECKING:
    from dispatcher.transport.fronts.fast.server import FastServer

__all__ = ["FastConnection"]

#: Bytes that are read ahead while nobody waits for them; a body is handed on in pieces of this size.
READ_AHEAD = 64 * 1024
_TCP = (socket.AF_INET, socket.AF_INET6)
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_EMPTY_LINES = re.compile(rb"(?:\r\n)+")
_CONTINUE = b"HTTP/1.1 100 (Continue)\r\n\r\n"

#: Where Tornado logs what a handler raises.
_log = logging.getLogger("tornado.application")


class _Step(Enum):
    """What the connection waits for."""

    HEAD = auto()
    BODY = auto()
    #: The application, before it takes more of the body.
    TAKER = auto()
    #: The answer.
    ANSWER = auto()
    #: The client, which must read the answer.
    READER = auto()
    #: Its own end.
    END = auto()


class FastConnection(asyncio.BufferedProtocol):
    """It is the ``server_conn`` of Tornado's interface too."""

    def __init__(self, server: FastServer, sock: socket.socket, remote_ip: str) -> None:
        """Made when a loop runs."""
        self.front = server.front
        self.context = PeerContext(remote_ip)
        self.sock = sock
        #: The application's limit, unless a handler says otherwise.
        self.max_body_size = server.max_body_size
        #: Whether the body of the present request has come.
        self.is_read = True
        #: We closed the connection because nothing came: that says nothing about the other end.
        self.was_idle = False
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._step = _Step.HEAD
        self._is_stepping = self._is_paused = self._is_full = False
        self._patience = Patience(self.front.idle_connection_timeout_s, self.front.head_timeout_s)
        self._timer: asyncio.TimerHandle | None = None
        #: Who gets the present request's body: a FastExchange, or what Tornado's application gave us.
        self._to: FastExchange | HTTPMessageDelegate | None = None
        self._app: AppConnection | None = None
        self._chunks: Chunks | None = None
        #: A head whose body has not been asked for yet.
        self._expected: RequestHead | None = None
        #: Bytes of the body that are still to come, and that have come.
        self._left = self._received = 0
        self._flushes: list[Future[None]] = []

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # we are told whenever the kernel does not take all
        self._server.made(self)
        self._await_head()

    def get_buffer(self, sizehint: int) -> memoryview:
        """All connections read into the same bytes, as each takes them out at once."""
        return self._server.bytes_of_one_read

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        self._buffer += bytes(self._server.bytes_of_one_read[:nbytes])
        self._go_on()
        if len(self._buffer) >= READ_AHEAD and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """The client sends no more: it has gone. The transport closes."""

    def pause_writing(self) -> None:
        """The kernel does not take all that was written."""
        self._is_full = True

    def resume_writing(self) -> None:
        """It has taken it."""
        self._is_full = False
        self._flushed()
        if self._step is _Step.READER:
            self._await_head()
            self._go_on()
        elif self._step is _Step.ANSWER:
            self._patience.deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, whoever ended it."""
        to, app = self._to, self._app
        self._transport = self._to = self._app = None
        self._step, self._buffer = _Step.END, b""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._flushed()
        try:
            if to is not None:
                to.on_connection_close()
            elif app is not None:
                app.closed()
        except Exception:  # noqa: BLE001  # a fault of a handler
            _log.exception("Uncaught exception")
        self._server.lost(self)

    # --- what exchange and application call

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._transport is None or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Writes at once; what the kernel does not take waits. The client must read it in time."""
        if self._transport is None:
            return
        self._transport.write(data)
        if self._is_full:
            timeout_s = time_for(self._transport.get_write_buffer_size(), self.front.write_timeout_s)
            self._must_end_by(self._loop.time() + timeout_s)

    def written(self) -> Future[None]:
        """Done when all that was written is in the kernel's hands, or lost."""
        future: Future[None] = self._loop.create_future()
        if self._is_full:
            self._flushes.append(future)
        else:
            future.set_result(None)
        return future

    def answered(self, *, keep: bool) -> None:
        """The present request has its whole answer."""
        self._to = self._app = None
        if not keep:
            self._close()
        elif self._is_full:
            self._step = _Step.READER
        else:
            self._await_head()
            if self._buffer and not self._is_stepping:
                self._loop.call_soon(self._go_on)  # not now: the sessions may be in the middle of something

    def abort(self) -> None:
        """Ends the connection; what is not written is lost."""
        if self._transport is not None:
            self._step = _Step.END
            self._transport.abort()

    # --- step by step

    def _go_on(self) -> None:
        """Reads as far as it can."""
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            while self._take_a_step():
                pass
        except (BadRequestError, HTTPInputError):
            self._refuse_request()
        except Exception:  # noqa: BLE001  # a fault of a handler or of the sessions must not end others' connections
            _log.exception("Uncaught exception")
            self._give_up()
        finally:
            self._is_stepping = False
        if self._is_paused and len(self._buffer) < READ_AHEAD and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    def _take_a_step(self) -> bool:
        """Whether another one may follow."""
        if self._step is _Step.HEAD:
            return bool(self._buffer) and self._read_head()
        return self._step is _Step.BODY and self._read_body()

    def _await_head(self) -> None:
        self._step = _Step.HEAD
        self._patience.await_head(self._loop.time())
        self._watch_the_time()

    def _read_head(self) -> bool:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n") + 4
        if end <= 3 or end > MAX_HEADER_SIZE or buffer[0] in b"\r\n":
            return self._read_odd_head(end)
        self._buffer = buffer[end:]
        self._patience.head_is_whole()
        self._begin(read_head(buffer[:end]))
        return True

    def _read_odd_head(self, end: int) -> bool:
        """Not all of a head, too much of it, or an empty line before it."""
        buffer = self._buffer
        if empty := _EMPTY_LINES.match(buffer):
            self._buffer = buffer[empty.end() :]
            return True
        if buffer[0] in b"\r\n" and buffer != b"\r":
            raise BadRequestError("an odd line end before the head")
        if end > MAX_HEADER_SIZE or (end <= 3 and len(buffer) > MAX_HEADER_SIZE):
            line_end = buffer.find(b"\n")
            self._say_farewell(head_refusal(line_end if line_end >= 0 else len(buffer)))
            return False
        if b"\n\n" in buffer or b"\n\r\n" in buffer:
            raise BadRequestError("an odd line end in the head")
        if not self._patience.has_begun:
            self._patience.head_begins(self._loop.time())
            self._watch_the_time()
        return False

    def _begin(self, head: RequestHead) -> None:
        self._received, self._left = 0, head.length
        self._chunks = Chunks() if head.is_chunked else None
        self.is_read = not self._left and self._chunks is None
        self._expected = None if self.is_read else head
        self._step = _Step.BODY
        path, _, query = head.target.partition("?")
        if path in self.front.paths:
            exchange = self._to = FastExchange(self, head, query)
            exchange.begin(head.version)
        else:
            self._lead_to_the_application(head)

    def _lead_to_the_application(self, head: RequestHead) -> None:
        app = self._app = AppConnection(self, head)
        to = self._to = self.front.app.start_request(self, app)
        line = RequestStartLine(head.method, head.target, head.version)
        self._wait_for(to.headers_received(line, head.headers()))

    def _expect_body(self, head: RequestHead) -> None:
        if head.asks_first:
            self.write(_CONTINUE)
        if len(self._buffer) < self._left or self._chunks is not None:
            self._quick_ack()
            if not self._is_full:
                self._must_end_by(self._loop.time() + time_for(self._left, self.front.body_timeout_s))

    def _read_body(self) -> bool:
        assert self._to is not None
        if self.is_read:
            self._ask(self._to)
            return True
        if self._expected is not None:
            self._expect_body(self._expected)
            self._expected = None
        piece = self._next_piece()
        self._received += len(piece)
        if self._app is not None and self._received + self._left > self._app.max_body_size:
            raise BadRequestError("a body that is too large")
        if piece:
            self._wait_for(self._to.data_received(piece))
        return self.is_read or (self._chunks is None and bool(self._buffer))

    def _ask(self, to: FastExchange | HTTPMessageDelegate) -> None:
        """The request is complete."""
        self._patience.deadline = None
        self._step = _Step.ANSWER
        to.finish()
        if self._app is not None:  # who answers is told through it of a client that has gone
            self._to = None

    def _next_piece(self) -> bytes:
        buffer = self._buffer
        if self._chunks is not None:
            piece, self._buffer = self._chunks.take(buffer)
            self.is_read = self._chunks.is_over
            return piece
        size = min(self._left, READ_AHEAD)
        piece, self._buffer = buffer[:size], buffer[size:]
        self._left -= len(piece)
        self.is_read = not self._left
        return piece

    def _wait_for(self, taker: Awaitable[None] | None) -> None:
        """The application wants no more before this is done."""
        if taker is None:
            return
        future = convert_yielded(taker)
        if future.done():
            future.result()
        elif self._step is _Step.BODY:
            self._step = _Step.TAKER
            future.add_done_callback(self._taken)

    def _taken(self, future: Future[None]) -> None:
        if self._step is not _Step.TAKER:  # it was answered meanwhile, or has ended
            if not future.cancelled():
                future.exception()
            return
        self._step = _Step.BODY
        if future.cancelled() or future.exception() is not None:
            self._chunks = None
            _log.error("Uncaught exception", exc_info=None if future.cancelled() else future.exception())
            self._give_up()
        else:
            self._go_on()

    # --- the end

    def _close(self) -> None:
        """Ends the connection when what is written is read."""
        self._step = _Step.END
        if self._transport is not None:
            self._transport.close()

    def _give_up(self) -> None:
        to, self._to, self._app = self._to, None, None
        self.abort()
        if to is not None:
            to.on_connection_close()

    def _refuse_request(self) -> None:
        to, self._to, self._app = self._to, None, None
        self.write(_BAD_REQUEST)
        self._close()
        if to is not None:
            to.on_connection_close()

    def _say_farewell(self, refusal: HeadRefusal) -> None:
        self._server.refuse(self.sock, refusal)
        self.abort()

    def _flushed(self) -> None:
        flushes, self._flushes = self._flushes, []
        for future in flushes:
            if not future.done():
                future.set_result(None)

    # --- time

    def _quick_ack(self) -> None:
        """Acknowledges the head at once: a client that sends head and body apart otherwise waits 40 ms for us."""
        if _QUICKACK is None or self.sock.family not in _TCP or self.is_closed:
            return
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        except OSError:  # the other side has reset it: nobody waits for an acknowledgement
            return

    def _must_end_by(self, deadline: float) -> None:
        self._patience.deadline = deadline
        self._watch_the_time()

    def _watch_the_time(self) -> None:
        deadline, timer = self._patience.deadline, self._timer
        if deadline is None or (timer is not None and timer.when() <= deadline):
            return
        if timer is not None:
            timer.cancel()
        self._timer = self._loop.call_at(deadline, self._due)

    def _due(self) -> None:
        self._timer = None
        deadline = self._patience.deadline
        if deadline is None:
            return
        if deadline > self._loop.time():
            self._watch_the_time()
        else:
            self.was_idle = self._patience.is_idle
            self.abort()
