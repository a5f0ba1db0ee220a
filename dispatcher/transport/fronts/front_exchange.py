"""One request for Engine.IO and its answer, without I/O: what every front does with it, in this order.

A front makes its own kind of it, which can write, and knows whether the connection still stands. It tells it what
comes: ``begin``, ``data_received``, ``finish``, ``on_connection_close``. Nothing here knows what a session does with
it.
"""

from __future__ import annotations

import re

from dispatcher.transport import exchange as replies
from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.fronts.policy import HeadersLike, Policy, answer_head, keeps_alive
from dispatcher.transport.fronts.websocket import VERSION, WebSocket, Wire, handshake
from dispatcher.transport.session import Session

__all__ = ["KEY_HEADER", "KEY_PROTOCOL", "FrontExchange"]

_USER_AGENT_CHARS = 300
#: Where a page shows the key of its session: never in an address, as those stand in the logs of proxies.
KEY_HEADER = "X-Pagehand-Session"
KEY_PROTOCOL = "pagehand."
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")


class FrontExchange:
    """An ``exchange.Exchange``: reads one request and writes one answer."""

    def __init__(self, policy: Policy, method: str, query: str, headers: HeadersLike, remote: str, length: int) -> None:
        """``length`` is what the head says of the body."""
        self._policy = policy
        self._headers = headers
        self._length = length
        self._chunks: list[bytes] = []
        self._received = 0
        #: The answer that the request gets whatever its body says.
        self._decided: Reply | None = None
        self._complete = False
        self._answered = False
        self._extra_headers = b""
        self._kept_alive = True
        self.method = method
        self.query = query
        self.upgrade = "Upgrade" in headers
        self.remote = remote
        self.session: Session | None = None
        self.connection: Connection | None = None

    # --- what a front adds

    def _carrier(self) -> Connection:
        """What stands for the connection in the sessions."""
        raise NotImplementedError

    def _send(self, reply: Reply) -> None:
        """Writes the answer; the connection is not closed."""
        raise NotImplementedError

    def _leave(self) -> Wire:
        """Its HTTP is over: the connection as the wire of a WebSocket."""
        raise NotImplementedError

    def _is_closed(self) -> bool:
        """Whether the connection is closed and we know it."""
        raise NotImplementedError

    def _has_left(self) -> bool:
        """Whether the client has closed, even if only the kernel knows."""
        raise NotImplementedError

    # --- what the sessions see

    @property
    def key(self) -> str:
        """What ``KEY_HEADER`` says. For a WebSocket a browser lets a page set no header, but a subprotocol."""
        if not self.upgrade:
            key = self._headers.get(KEY_HEADER) or ""
        else:
            offered = self._headers.get("Sec-WebSocket-Protocol") or ""
            key = offered[len(KEY_PROTOCOL) :] if offered.startswith(KEY_PROTOCOL) else ""
        return key if _KEY.fullmatch(key) else ""

    @property
    def user_agent(self) -> str:
        """The header, cut to a length that can be kept."""
        return (self._headers.get("User-Agent") or "")[:_USER_AGENT_CHARS]

    def is_open(self) -> bool:
        """Whether the client may still be there to read an answer."""
        return not self._answered and not self._has_left()

    def answer(self, reply: Reply) -> bool:
        """Write the reply. False: it has had one, or the connection is closed."""
        if self._answered or self._is_closed():
            return False
        self._answered = True
        self._send(reply)
        return True

    # --- what the front tells

    def begin(self, version: str) -> None:
        """The head is here; decide whether the body is wanted."""
        self._kept_alive = keeps_alive(version, self.method, self._headers)
        if version != "HTTP/1.1" and self._kept_alive:
            self._extra_headers = b"Connection: Keep-Alive\r\n"  # these clients need to be told
        if self._kept_alive and self.method == "GET" and not self.upgrade:
            self.connection = self._carrier()
        self._decided = self._judge()
        if self.upgrade and self._decided is None:
            self._decided = self._become_websocket(version)
            if self._decided is None:
                return
        if self._decided is not None and (self._length > self._policy.drain_limit() or self._asks_first()):
            self.answer(self._decided)  # the body stays unread, so the front closes the connection

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body."""
        policy = self._policy
        self._received += len(chunk)
        if self._decided is None and self._received > policy.sessions.limits.post_limit:
            self._chunks.clear()
            policy.sessions.abandon(self, policy.clock())
            self._decided = replies.TOO_LARGE
        if self._decided is None:
            self._chunks.append(chunk)
        elif self._received > policy.drain_limit():
            self.answer(self._decided)

    def finish(self) -> None:
        """The request is complete."""
        self._complete = True
        if self._decided is not None:
            self.answer(self._decided)
            return
        policy = self._policy
        now = policy.clock()
        policy.sessions.complete(self, b"".join(self._chunks), now)
        self._chunks.clear()
        if not self._answered and self._is_closed():  # then nobody sees a reason to call us back
            self.on_connection_close()
        policy.settle(now)

    def on_connection_close(self) -> None:
        """The connection was closed before there was an answer."""
        policy = self._policy
        if not self._answered and not policy.stopping:
            now = policy.clock()
            policy.sessions.abandon(self, now)
            policy.settle(now)

    # --- the parts

    def _become_websocket(self, version: str) -> Reply | None:
        """Answer the handshake, and leave the connection to a WebSocket; or the reply that refuses it."""
        answer = handshake(self._headers, self._protocol()) if version == "HTTP/1.1" and not self._length else None
        if answer is None:
            self._extra_headers += b"Sec-WebSocket-Version: %b\r\n" % VERSION
            return replies.BAD_REQUEST
        self._answered = True
        policy, wire = self._policy, self._leave()
        socket = WebSocket(
            wire, policy.sessions, remote=self.remote, user_agent=self.user_agent, settle=policy.settle,
            clock=policy.clock,
        )  # fmt: skip
        wire.write(answer)
        now = policy.clock()
        policy.sessions.join(socket, self.session, now)
        policy.carries(wire, socket)
        policy.settle(now)
        return None

    def _protocol(self) -> str:
        """The subprotocol that the answer of a WebSocket handshake must name, or a browser hangs up."""
        return KEY_PROTOCOL + self.key if self.key else ""

    def _judge(self) -> Reply | None:
        policy = self._policy
        verdict, extra_headers = policy.judge(self.method, self._headers, self.remote, self._length)
        self._extra_headers += extra_headers
        if verdict is not None:
            return verdict
        now = policy.clock()
        verdict = policy.sessions.begin(self, now)
        if verdict is not None:
            policy.settle(now)  # an overlap has ended the session
        return verdict

    def _asks_first(self) -> bool:
        return "Expect" in self._headers

    def _whole_answer(self, reply: Reply) -> bytes:
        """Head and body as bytes."""
        extra = self._extra_headers
        if reply.retry_after_s:
            extra += b"Retry-After: %d\r\n" % reply.retry_after_s
        if not self._kept_alive or not self._complete:
            extra += b"Connection: close\r\n"
        head = answer_head(reply.status, extra, len(reply.body))
        return head if self.method == "HEAD" else head + reply.body
