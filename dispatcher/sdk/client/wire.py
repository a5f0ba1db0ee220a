"""Sends requests over ``http.client``: connections are kept, shared by threads, and not shared with forks.

It speaks straight to the server: it reads no ``HTTP_PROXY``. It follows no redirection and sends nothing twice;
``plans`` decides that.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import socket
import ssl
import threading

from .config import ClientConfig
from .exchange import CUT, ConnectionLost, HttpCall, ServerAnswer, whole, words_of

__all__ = ["Connections", "request_headers"]

_MOST_IDLE = 16
_CONNECT_S = 10.0


def request_headers(config: ClientConfig, call: HttpCall) -> dict[str, str]:
    """All headers of a request but its length."""
    headers = {"Host": config.address.netloc, **call.headers()}
    if config.token:
        headers["Authorization"] = f"Bearer {config.token}"
    return headers


class Connections:
    """The connections to one server. Any thread may send; each request has a connection to itself."""

    def __init__(self, config: ClientConfig, ssl_context: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._ssl = ssl_context
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._closed = False
        self._pid = os.getpid()

    def send(self, call: HttpCall, timeout_s: float) -> ServerAnswer:
        """The answer. Raises ConnectionLost."""
        connection = self._take()
        kept = connection is not None
        try:
            connection = connection or self._connect(timeout_s)
            answer = self._exchange(connection, call, timeout_s)
        except (OSError, http.client.HTTPException) as error:
            if connection is not None:
                connection.close()
            stale = kept and not isinstance(error, TimeoutError)
            hopeless = isinstance(error, ssl.SSLCertVerificationError)
            raise ConnectionLost(_words(error), stale=stale, hopeless=hopeless) from error
        except BaseException:
            # A lost answer, or an interrupt: what comes now would be taken for the answer to another request.
            if connection is not None:
                connection.close()
            raise
        self._give_back(connection)
        return answer

    def _exchange(self, connection: http.client.HTTPConnection, call: HttpCall, timeout_s: float) -> ServerAnswer:
        assert connection.sock is not None
        connection.sock.settimeout(timeout_s)
        target = self._config.address.prefix + call.target
        connection.request(call.method, target, call.body, request_headers(self._config, call))
        answer = connection.getresponse()
        endless = answer.length is None and not answer.chunked
        body = answer.read()
        found = ServerAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
        return whole(found) if endless else found

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        address, limit_s = self._config.address, min(timeout_s, _CONNECT_S)
        connection: http.client.HTTPConnection
        if address.tls:
            if self._ssl is None:
                self._ssl = ssl.create_default_context()
            connection = http.client.HTTPSConnection(address.host, address.port, timeout=limit_s, context=self._ssl)
        else:
            connection = http.client.HTTPConnection(address.host, address.port, timeout=limit_s)
        connection.connect()
        connection.auto_open = 0
        return connection

    def _take(self) -> http.client.HTTPConnection | None:
        """A kept connection that seems to be open."""
        self._after_fork()
        while True:
            with self._lock:
                if self._closed:
                    raise RuntimeError("the client is closed")
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.sock is not None and not _has_news(connection.sock):
                return connection
            connection.close()

    def _give_back(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if connection.sock is not None and not self._closed and len(self._idle) < _MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def _after_fork(self) -> None:
        """A child has copies of its parent's sockets: it must not write to them. The lock may be held for ever."""
        if self._pid != os.getpid():
            self._lock = threading.Lock()
            inherited, self._idle, self._pid = self._idle, [], os.getpid()
            for connection in inherited:
                connection.close()

    def close(self) -> None:
        """Closes what is idle; requests that are on their way end by themselves."""
        self._after_fork()
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _has_news(sock: socket.socket) -> bool:
    """An idle connection has nothing to say: if it has, it is the end."""
    with contextlib.suppress(OSError, ValueError):
        if not hasattr(select, "poll"):  # Windows; its select takes any descriptor
            return bool(select.select([sock], [], [], 0)[0])
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return True


def _words(error: BaseException) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return CUT
    if isinstance(error, http.client.BadStatusLine | http.client.LineTooLong) and not isinstance(error, OSError):
        return "the answer was not HTTP"
    return words_of(error)
