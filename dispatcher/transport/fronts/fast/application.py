"""One request for Tornado's application on a fast connection: Tornado's ``HTTPConnection``.

It writes what the application answers as Tornado's own does: chunks where there is no length, what an answer without a
body must not have, and whether the connection lives on.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPOutputError,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import StreamClosedError

from dispatcher.transport.fronts.fast.heads import RequestHead

if TYPE_CHECKING:
    from dispatcher.transport.fronts.fast.protocol import FastConnection

__all__ = ["AppConnection", "PeerContext"]


class PeerContext:
    """What handlers may know of a connection, by the names that Tornado has for it."""

    __slots__ = ("protocol", "remote_ip")

    def __init__(self, remote_ip: str) -> None:
        self.remote_ip = remote_ip
        #: A proxy before us does TLS.
        self.protocol = "http"

    def __str__(self) -> str:
        return self.remote_ip


class AppConnection(HTTPConnection):
    """Writes one answer."""

    def __init__(self, conn: FastConnection, head: RequestHead) -> None:
        self._conn = conn
        self._method, self._version = head.method, head.version
        self._keep = head.keeps_alive()
        self._is_chunked = False
        #: Bytes of the body that are still to be written, if the answer says how many it has.
        self._left: int | None = None
        self._on_close: Callable[[], None] | None = None
        self.context = conn.context
        #: The most bytes that a body may have.
        self.max_body_size = conn.max_body_size
        self.is_finished = False

    # --- for the application

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        """It is called if the client goes away before it has its answer."""
        self._on_close = callback

    def set_max_body_size(self, max_body_size: int) -> None:
        """For this request only."""
        self.max_body_size = max_body_size

    def detach(self) -> NoReturn:
        """Refused: no handler takes a connection over."""
        raise NotImplementedError("the connection is not to be had")

    def write_headers(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
    ) -> Future[None]:
        """The head of the answer, and perhaps some of its body."""
        assert isinstance(start_line, ResponseStartLine)
        self._frame(start_line.code, headers)
        lines = [f"HTTP/1.1 {start_line.code} {start_line.reason}"]
        lines += [f"{name}: {value}" for name, value in headers.get_all()]
        data = "\r\n".join(lines).encode("latin-1")
        if data.count(b"\n") != len(lines) - 1 or data.count(b"\r") != len(lines) - 1:
            raise ValueError("a line end within a header")
        return self._write(data + b"\r\n\r\n" + (self._body(chunk) if chunk else b""))

    def write(self, chunk: bytes) -> Future[None]:
        """A piece of the body."""
        return self._write(self._body(chunk))

    def abort(self) -> None:
        """The answer will not be whole."""
        self._conn.abort()

    def finish(self) -> None:
        """The answer is whole."""
        if self._left and not self._conn.is_closed:
            self._conn.abort()
            raise HTTPOutputError(f"Tried to write {self._left} bytes less than Content-Length")
        self.is_finished = True
        if self._conn.is_closed:
            return
        if self._is_chunked:
            self._conn.write(b"0\r\n\r\n")
        # If some of the body is unread, only the end of the connection spares us from reading it all.
        self._conn.answered(keep=self._keep and self._conn.is_read)

    # --- for the connection

    def closed(self) -> None:
        """The client has gone."""
        callback, self._on_close = self._on_close, None
        if callback is not None:
            callback()

    # --- the parts

    def _frame(self, code: int, headers: HTTPHeaders) -> None:
        if not self._conn.is_read:
            self._keep = False
        has_body = self._method != "HEAD" and code not in (204, 304) and code >= 200
        self._is_chunked = has_body and self._version == "HTTP/1.1" and "Content-Length" not in headers
        if self._is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        if self._method == "HEAD" or code == 304:
            self._left = 0
        elif "Content-Length" in headers:
            self._left = int(headers["Content-Length"])
        if self._version != "HTTP/1.1":
            self._keep = self._keep and not (has_body and "Content-Length" not in headers)
        # Said to old clients too: nginx, speaking HTTP/1.0, sends its next request into a connection that we close.
        if not self._keep:
            headers["Connection"] = "close"
        elif self._version != "HTTP/1.1":
            headers["Connection"] = "Keep-Alive"

    def _body(self, chunk: bytes) -> bytes:
        if self._left is not None:
            self._left -= len(chunk)
            if self._left < 0:
                self._conn.abort()
                raise HTTPOutputError("Tried to write more data than Content-Length")
        return b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._is_chunked and chunk else chunk

    def _write(self, data: bytes) -> Future[None]:
        if not self._conn.is_closed:
            self._conn.write(data)
            return self._conn.written()
        refused: Future[None] = Future()
        refused.set_exception(StreamClosedError())
        refused.exception()  # nobody may look
        return refused
