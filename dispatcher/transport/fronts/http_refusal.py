"""Refuses a request whose head is too large to be read: an answer, and a moment to read it.

A connection that is closed with bytes unread is reset, and then the client may never see the answer. So what still
comes is thrown away for a while. The stream is closed by then; this works on a socket of its own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

from tornado.ioloop import IOLoop

__all__ = ["ADDRESS_TOO_LONG", "HEAD_TOO_LARGE", "Farewell", "HeadRefusal"]

#: How long, and how many bytes, a client may go on sending.
LINGER_S = 2.0
DRAIN_BYTES = 1 << 20


class HeadRefusal(NamedTuple):
    """What the client is told; ``code`` is stable and stands in the log."""

    status: HTTPStatus
    code: str
    detail: str

    def answer(self) -> bytes:
        """The whole answer. It is text: what was asked for is not known."""
        body = f"{self.status} {self.status.phrase}: {self.detail}\n".encode()
        return (
            f"HTTP/1.1 {self.status} {self.status.phrase}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Cache-Control: no-store\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        ).encode() + body


HEAD_TOO_LARGE = HeadRefusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "head_too_large",
    "Address and headers of a request may have 16 KiB together, and those of this one have more. "
    "Most often these are cookies: of other programs on the same host, or of a sign-in before this server.",
)
ADDRESS_TOO_LONG = HeadRefusal(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    "address_too_long",
    "Address and headers of a request may have 16 KiB together, and the address of this one leaves no room. "
    "Send long data in the body of a POST.",
)


class Farewell:
    """Owns the socket from now on; ``over`` is called once, when it is closed."""

    def __init__(self, sock: socket.socket, answer: bytes, over: Callable[[Farewell], None]) -> None:
        self._sock = sock
        self._over = over
        self._left = DRAIN_BYTES
        self._loop = IOLoop.current()
        self._timer = self._loop.call_later(LINGER_S, self.close)
        self._loop.add_handler(sock, self._more, IOLoop.READ)
        try:
            sock.send(answer)
            sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client has gone already
            self.close()

    def _more(self, _sock: socket.socket, _events: int) -> None:
        try:
            size = len(self._sock.recv(65_536))
        except BlockingIOError:
            return
        except OSError:
            size = 0
        self._left -= size
        if not size or self._left <= 0:
            self.close()

    def close(self) -> None:
        """Ends it at once."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_timeout(self._timer)
        self._loop.remove_handler(self._sock)
        self._sock.close()
        self._over(self)
