"""The bytes of a connection: how fast they must come and go, and where the lines of a head end.

It holds five rules for every address. Tornado lacks them, or pays for them with each request:

- A connection may wait long for its next request, but a head that has begun must be whole soon, and so must a body.
  Tornado has one time for both idleness and heads.
- Each connection has one timer, which is set anew only when it fires. Tornado sets and removes two for each request.
- The client must read what is written; otherwise it would stay in memory for as long as the client likes.
- The lines of a head end in CR LF. Tornado also takes a line feed alone as an end (until its version 6.7). If a
  proxy before us does not, the two see different requests.
- A head that is too large gets an answer. Tornado closes the connection without a word.

It knows nothing of what the bytes mean.
"""

from __future__ import annotations

import contextlib
import socket
from asyncio import Future
from collections.abc import Callable
from typing import Any

from tornado.httputil import HTTPInputError
from tornado.iostream import IOStream, UnsatisfiableReadError

from dispatcher.transport.fronts.policy import LONG_ADDRESS, Patience, has_odd_line_end, time_for

__all__ = ["BoundedStream"]

#: Bytes of one read. Tornado clears as many for each read, so its own 64 KiB are dear for a head and a small body.
_CHUNK = 32 * 1024
#: Bytes that are read ahead while nobody waits for them.
_READ_AHEAD = 64 * 1024


class BoundedStream(IOStream):
    """A connection of ours."""

    def __init__(
        self,
        sock: socket.socket,
        *,
        idle_timeout_s: float,
        head_timeout_s: float,
        write_timeout_s: float,
        max_buffer_size: int | None,
        on_large_head: Callable[[socket.socket, int], None] | None = None,
    ) -> None:
        """``on_large_head`` gets the connection as a socket of its own, and the length of the head's first line."""
        super().__init__(sock, max_buffer_size=max_buffer_size, read_chunk_size=_CHUNK)
        self._patience = Patience(idle_timeout_s, head_timeout_s)
        self._write_timeout_s = write_timeout_s
        self._on_large_head = on_large_head
        #: The bytes of the head's first line that have come, and whether that is all of it.
        self._line_bytes, self._line_ended = 0, False
        self._timer: object | None = None
        self._timer_at = 0.0
        #: We closed the connection because nothing came: that says nothing about the other end.
        self.was_idle = False
        #: Not all that was written had gone out when the connection ended.
        self.was_cut = False
        super().set_nodelay(True)

    def set_nodelay(self, value: bool) -> None:
        """Does nothing: nodelay is always on, as an answer is one write. Tornado would switch it for each answer."""

    # -- reading

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Future[bytes]:
        """Tornado reads only heads with this. The future may raise HTTPInputError: Tornado then answers 400."""
        self._line_bytes, self._line_ended = 0, False
        self._patience.await_head(self.io_loop.time())
        self._watch_the_time()
        checked: Future[bytes] = Future()
        head = super().read_until_regex(regex, max_bytes)
        assert isinstance(head, Future)
        head.add_done_callback(lambda done: self._hand_on(done, checked))
        return checked

    def reading(self) -> bool:
        """Also true between requests, until enough is read ahead: what waits in the kernel then slows the sender down.

        A request comes head and body at once. Tornado alone would stop to listen when it has read both and hands on the
        head, and listen again for the next head: two system calls for each POST.
        """
        return super().reading() or self._read_buffer_size < _READ_AHEAD

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Called when bytes have come."""
        size = super().read_from_fd(buf)
        if size and self._patience.awaits_head:
            piece = bytes(buf[:size])
            is_whole = not self._patience.has_begun and b"\r\n\r\n" in piece
            if not is_whole or size > LONG_ADDRESS:
                self._watch(piece, is_whole=is_whole)
        return size

    def _watch(self, piece: bytes, *, is_whole: bool) -> None:
        """A head that comes in pieces, or is large."""
        if not is_whole and not self._patience.has_begun:
            self._patience.head_begins(self.io_loop.time())
            self._watch_the_time()
        if not self._line_ended:
            end = piece.find(b"\n")
            self._line_ended = end >= 0
            self._line_bytes += end if end >= 0 else len(piece)

    def _hand_on(self, head: Future[bytes], checked: Future[bytes]) -> None:
        self._patience.head_is_whole()
        error = head.exception()
        if checked.done():
            return
        if error is not None:
            checked.set_exception(error)
        elif has_odd_line_end(data := head.result()):
            checked.set_exception(HTTPInputError("a line ends in a line feed alone"))
        else:
            checked.set_result(data)

    # -- time

    def must_come_within(self, timeout_s: float | None) -> None:
        """Closes the connection unless the next bytes come within this time; None: they have come."""
        self._patience.deadline = None if timeout_s is None else self.io_loop.time() + timeout_s
        self._watch_the_time()

    def _watch_the_time(self) -> None:
        deadline = self._patience.deadline
        if deadline is not None and not self.closed() and (self._timer is None or deadline < self._timer_at):
            self._set_timer(deadline)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self.io_loop.remove_timeout(self._timer)
        self._timer_at = at
        self._timer = self.io_loop.add_timeout(at, self._due)

    def _due(self) -> None:
        self._timer = None
        deadline = self._patience.deadline
        if deadline is None:
            return
        if deadline > self.io_loop.time():
            self._set_timer(deadline)
        else:
            self.was_idle = self._patience.is_idle
            self.close()

    def close(self, exc_info: Any = False) -> None:
        """Also called when the other side has closed it, and by Tornado when a head is too large."""
        awaits_head = self._patience.awaits_head and not self.closed()  # what came may be read after the end
        if isinstance(exc_info, UnsatisfiableReadError) and awaits_head and self._on_large_head is not None:
            self._patience.head_is_whole()
            with contextlib.suppress(OSError):  # no descriptor is left
                self._on_large_head(self.socket.dup(), self._line_bytes)
        if self._timer is not None:
            self.io_loop.remove_timeout(self._timer)
            self._timer = None
        self.was_cut = self.was_cut or self.writing()
        super().close(exc_info)

    # -- writing

    def write(self, data: bytes | memoryview) -> Future[None]:
        """Gives the client a time to read what the kernel does not take at once; then closes the connection."""
        written = super().write(data)
        if not written.done():
            timer = self.io_loop.call_later(time_for(len(data), self._write_timeout_s), self.close)
            written.add_done_callback(lambda _: self.io_loop.remove_timeout(timer))
        return written
