"""A client that sends over HTTP whatever it is told: bytes, requests, and a page without manners."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from tests.support.polling import HANDSHAKE, message, messages, packets, sid_in

__all__ = ["JSON", "Page", "Reply", "exchange", "hang_up", "head", "reset_at_close"]

JSON = {"Content-Type": "application/json"}


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


def hang_up(sock: socket.socket, how: str = "reset") -> None:
    """``close``: in good order, with a FIN; ``reset``: with a RST."""
    if how == "reset":
        reset_at_close(sock)
    sock.close()


def reset_at_close(sock: socket.socket) -> None:
    """Makes the socket end with a RST, which throws away what was not sent."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Asks(Protocol):
    """Sends one request and returns its answer."""

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply: ...


def head(method: str, target: str, port: int, *lines: str) -> bytes:
    """The head of a request, with a Host that the server accepts."""
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines, "", ""]).encode("latin-1")


def exchange(port: int, request: bytes, *, seconds: float = 5.0, address: str = "127.0.0.1") -> bytes:
    """Send bytes; return everything that comes back until the other side closes. Raises TimeoutError if it does not."""
    with socket.create_connection((address, port), timeout=seconds) as sock:
        answer = b""
        deadline = time.monotonic() + seconds
        try:
            sock.sendall(request)
            while piece := sock.recv(65_536):
                answer += piece
                if time.monotonic() > deadline:
                    raise TimeoutError(f"still sending: {answer[:200]!r}")
        except (ConnectionResetError, BrokenPipeError):
            return answer
        except TimeoutError:
            raise TimeoutError(f"the connection stays open; so far: {answer[:200]!r}") from None
        return answer


class Page:
    """A page that sends what it is told to, one request at a time."""

    def __init__(self, server: Asks, *, headers: Mapping[str, str] | None = None) -> None:
        self._server = server
        self._headers = dict(headers or {})
        opened = server.ask("GET", HANDSHAKE, headers=self._headers)
        assert opened.status == 200, opened
        self.sid = sid_in(opened.body)
        self.target = f"{HANDSHAKE}&sid={self.sid}"
        #: A boot has no dot, and the name of a node stands before one in the id of a session.
        self.boot = f"boot-{self.sid.replace('.', '-')}"
        self._seen: list[dict[str, Any]] = []

    def say(self, op: str, **fields: Any) -> None:
        """Send one message."""
        reply = self._server.ask("POST", self.target, message(op, **fields), self._headers)
        assert (reply.status, reply.body) == (200, b"ok"), reply

    def hear(self, op: str) -> dict[str, Any]:
        """The next message of this op; others are kept for later."""
        for _ in range(50):
            for heard in self._seen:
                if heard["op"] == op:
                    self._seen.remove(heard)
                    return heard
            reply = self._server.ask("GET", self.target, headers=self._headers)
            assert reply.status == 200, reply
            self._seen += messages(reply.text)
            if "2" in packets(reply.text):
                self._server.ask("POST", self.target, "3", self._headers)
        raise AssertionError(f"no {op}; heard {self._seen}")

    def register(self, *types: str, **fields: Any) -> dict[str, Any]:
        """Join as a worker; returns the server's answer."""
        self.say("register", types=types, boot=self.boot, version=1, **fields)
        return self.hear("registered")

    def leave(self) -> None:
        """End the session at once."""
        reply = self._server.ask("POST", self.target, "1", self._headers)
        assert reply.status == 200, reply

    def hear_end(self) -> None:
        """Poll until the server has ended the session."""
        for _ in range(50):
            reply = self._server.ask("GET", self.target, headers=self._headers)
            if reply.status != 200 or packets(reply.text)[-1] == "1":
                return
        raise AssertionError("the session goes on")
