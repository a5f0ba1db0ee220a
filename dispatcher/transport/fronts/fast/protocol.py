"""One connection of the fast front: reads one request after the other, and hands each to who answers it.

A request is read only when the one before it is answered and the answer is written. What comes meanwhile is kept up to
a bound; the rest waits in the kernel, which slows the sender down.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from asyncio import Future
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING

from tornado.gen import convert_yielded
from tornado.httputil import HTTPInputError, HTTPMessageDelegate, RequestStartLine

from dispatcher.transport.exchange import Connection
from dispatcher.transport.fronts.fast.application import AppConnection, PeerContext
from dispatcher.transport.fronts.fast.chunks import Chunks
from dispatcher.transport.fronts.fast.exchange import FastExchange
from dispatcher.transport.fronts.fast.heads import BadRequestError, LastLines, RequestHead
from dispatcher.transport.fronts.fast.stream import FastStream
from dispatcher.transport.fronts.fast.wire import FastWire
from dispatcher.transport.fronts.policy import MAX_HEADER_SIZE, HeadRefusal, head_refusal, time_for

if TYPE_CHECKING:
    from dispatcher.transport.fronts.fast.server import FastServer

__all__ = ["FastConnection"]

#: Bytes that are read ahead while nobody waits for them; a body is handed on in pieces of this size.
READ_AHEAD = 64 * 1024
#: Requests of one connection that are answered, or pieces of a body, before others have their turn.
MOST_IN_A_ROW = 16
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


class FastConnection(FastStream):
    """It is the ``server_conn`` of Tornado's interface too."""

    def __init__(self, server: FastServer, sock: socket.socket, remote_ip: str) -> None:
        """Made when a loop runs."""
        super().__init__(server.front, sock)
        self.front = server.front
        self.context = PeerContext(remote_ip)
        #: The application's limit, unless a handler says otherwise.
        self.max_body_size = server.max_body_size
        #: What stands for it in the sessions, if it carries polls.
        self.carrier: Connection | None = None
        #: Whether the body of the present request has come.
        self.is_read = True
        self._server = server
        self._buffer = b""
        self._lines = LastLines()
        self._step = _Step.HEAD
        self._is_stepping = self._is_paused = False
        #: Who gets the present request's body: a FastExchange, or what Tornado's application gave us.
        self._to: FastExchange | HTTPMessageDelegate | None = None
        self._app: AppConnection | None = None
        self._chunks: Chunks | None = None
        #: A head whose body has not been asked for yet.
        self._expected: RequestHead | None = None
        #: Bytes of the body that are still to come, and that have come.
        self._left = self._received = 0

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        super().connection_made(transport)
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

    def resume_writing(self) -> None:
        """The kernel has taken all that was written."""
        super().resume_writing()
        if self._step is _Step.READER:
            self._await_head()
            self._go_on()
        elif self._step is _Step.ANSWER:
            self._patience.deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, whoever ended it."""
        to, app = self._to, self._app
        self._to = self._app = None
        self._step, self._buffer = _Step.END, b""
        super().connection_lost(exc)
        if to is not None:
            _tell(to.on_connection_close)
        elif app is not None:
            _tell(app.closed)
        self._server.lost(self)

    # --- what exchange and application call

    def carries(self) -> Connection:
        """It carries a poll."""
        if self.carrier is None:
            self.carrier = Connection()
        return self.carrier

    def answered(self, *, keep: bool) -> None:
        """The present request has its whole answer."""
        self._to = self._app = None
        if not keep:
            self.close()
        elif self._is_full:
            self._step = _Step.READER
        else:
            self._await_head()
            if self._buffer and not self._is_stepping:
                self._loop.call_soon(self._go_on)  # not now: the sessions may be in the middle of something

    # --- step by step

    def _go_on(self, fault: BaseException | None = None) -> None:
        """Reads as far as it can; or ends, if the application has failed meanwhile."""
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            if fault is not None:
                raise fault
            self._take_steps()
        except (BadRequestError, HTTPInputError):
            self.write(_BAD_REQUEST)
            self._give_up(self.close)
        except (Exception, asyncio.CancelledError):  # noqa: BLE001  # a fault of ours must not end other connections
            _log.exception("Uncaught exception")
            self._give_up(self.abort)
        finally:
            self._is_stepping = False
        if self._is_paused and len(self._buffer) < READ_AHEAD and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    def _take_steps(self) -> None:
        for _ in range(MOST_IN_A_ROW):
            if self._step is _Step.HEAD and self._buffer:
                may_go_on = self._read_head()
            else:
                may_go_on = self._step is _Step.BODY and self._read_body()
            if not may_go_on:
                return
        self._loop.call_soon(self._go_on)

    def _await_head(self) -> None:
        self._step = _Step.HEAD
        self._patience.await_head(self._loop.time())
        if self._timer is None:
            self._watch_the_time()

    def _read_head(self) -> bool:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n") + 4
        if end <= 3 or end > MAX_HEADER_SIZE or buffer[0] in b"\r\n":
            return self._read_odd_head(end)
        self._buffer = buffer[end:]
        self._patience.head_is_whole()
        self._begin(self._server.heads.read(buffer[:end], self._lines))
        return self._read_body() if self._step is _Step.BODY else True

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
        self._chunks = Chunks() if head.lines.is_chunked else None
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
        taken = to.headers_received(line, head.headers())
        if taken is not None:
            self._wait_for(taken)

    def _expect_body(self, head: RequestHead) -> None:
        if head.lines.asks_first:
            self.write(_CONTINUE)
        if len(self._buffer) < self._left or self._chunks is not None:
            self.quick_ack()
            if not self._is_full:
                self.must_end_in(time_for(self._left, self.front.body_timeout_s))

    def _read_body(self) -> bool:
        to, may_go_on = self._to, True
        assert to is not None
        if not self.is_read:
            may_go_on = self._hand_on_a_piece(to)
        if self.is_read and self._step is _Step.BODY:  # the request is complete
            self._patience.deadline = None
            self._step = _Step.ANSWER
            to.finish()
            if self._app is not None:  # who answers is told through it of a client that has gone
                self._to = None
        return may_go_on

    def _hand_on_a_piece(self, to: FastExchange | HTTPMessageDelegate) -> bool:
        """Whether something is left to do without more bytes."""
        if self._expected is not None:
            self._expect_body(self._expected)
            self._expected = None
        piece, may_go_on = self._next_piece()
        self._received += len(piece)
        if self._app is not None and self._received + self._left > self._app.max_body_size:
            raise BadRequestError("a body that is too large")
        if piece and (taken := to.data_received(piece)) is not None:
            self._wait_for(taken)
        return may_go_on

    def _next_piece(self) -> tuple[bytes, bool]:
        """Some of the body, and whether something is left to do without more bytes."""
        buffer = self._buffer
        if self._chunks is not None:
            piece, self._buffer = self._chunks.take(buffer)
            self.is_read = self._chunks.is_over
            return piece, self.is_read
        size = min(self._left, READ_AHEAD)
        piece, self._buffer = buffer[:size], buffer[size:]
        self._left -= len(piece)
        self.is_read = not self._left
        return piece, self.is_read or bool(self._buffer)

    def _wait_for(self, taken: Awaitable[None]) -> None:
        """The application wants no more before this is done."""
        future = convert_yielded(taken)
        if future.done():
            future.result()
        elif self._step is _Step.BODY:
            self._step = _Step.TAKER
            future.add_done_callback(partial(self._taken, self._to))

    def _taken(self, to: object, future: Future[None]) -> None:
        fault = asyncio.CancelledError() if future.cancelled() else future.exception()
        if self._step is _Step.TAKER and self._to is to:  # otherwise it was answered meanwhile, or has ended
            self._step = _Step.BODY
            self._go_on(fault)

    # --- the end

    def leave(self) -> FastWire:
        """Its HTTP is over: what comes now, and the connection's end, go to the wire."""
        transport, early = self._transport, self._buffer
        assert transport is not None
        self._step, self._to, self._buffer = _Step.END, None, b""
        self._transport = self._patience.deadline = None
        return FastWire(self, transport, early, self._server.bytes_of_one_read)

    def close(self) -> None:
        """Ends the connection when what is written is read."""
        self._step = _Step.END
        super().close()

    def abort(self) -> None:
        """Ends the connection; what is not written is lost."""
        self._step = _Step.END
        super().abort()

    def _give_up(self, end: Callable[[], None]) -> None:
        to, self._to, self._app = self._to, None, None
        end()
        if to is not None:
            _tell(to.on_connection_close)

    def _say_farewell(self, refusal: HeadRefusal) -> None:
        self._server.refuse(self.sock, refusal)
        self.abort()


def _tell(end: Callable[[], None]) -> None:
    """Tells whoever waits for more that nothing will come."""
    try:
        end()
    except Exception:  # noqa: BLE001  # a fault of a handler
        _log.exception("Uncaught exception")
