"""A proxy on a real socket that does one bad thing; and the doctor's look through it."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from dispatcher.sdk.client.config import find_config
from dispatcher.sdk.doctor.findings import Finding, Level
from dispatcher.sdk.doctor.messenger import Messenger
from dispatcher.sdk.doctor.probes import look
from dispatcher.sdk.doctor.report import examine, exit_status

__all__ = ["TOKEN", "Meddling", "examined", "header", "html", "meddler", "of", "wrongs"]

TOKEN = "a-token-of-the-tests"
#: How long a request must be able to wait: short, for a test.
HOLD_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Meddling:
    """What it does to a request and its answer; the default passes everything on."""

    #: The head of a request becomes another one.
    request: Callable[[bytes], bytes] = bytes
    #: Its own answer in the server's place, if there is one.
    instead: Callable[[bytes], bytes | None] = lambda head: None
    #: The head of an answer becomes another one.
    answer: Callable[[bytes], bytes] = bytes
    #: An answer is passed on when it is whole.
    buffers: bool = False
    #: Requests that are not answered within this time are ended so; None: never.
    cut_s: float | None = None
    cut_with: bytes = b""
    #: The first good answer to each target is given again and again.
    caches: bool = False


def header(name: str, value: bytes | None) -> Callable[[bytes], bytes]:
    """Changes a header, or takes it away."""
    line = b"" if value is None else b"\r\n" + name.encode() + b": " + value
    return lambda head: re.sub(rb"(?i)\r\n" + name.encode() + rb":[^\r]*", lambda _: line, head)


def html(status: bytes, body: bytes, *lines: bytes) -> bytes:
    """A page of the proxy's own."""
    fixed = (b"HTTP/1.1 " + status, b"Content-Type: text/html", b"Content-Length: %d" % len(body), b"Connection: close")
    return b"\r\n".join((*fixed, *lines, b"", body))


class _Proxy:
    def __init__(self, upstream: int, meddling: Meddling) -> None:
        self._upstream = upstream
        self._does = meddling
        self._kept: dict[bytes, bytes] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._upstream)) as server:
            head, rest = _head(client)
            if not head:
                return
            target = head.split(b" ")[1]
            own = self._kept.get(target) or self._does.instead(head)
            if own is not None:
                client.sendall(own)
                return
            server.sendall(self._does.request(head) + rest)
            self._bring(client, server, target)

    def _bring(self, client: socket.socket, server: socket.socket, target: bytes) -> None:
        """Passes the answer on, until either side ends."""
        if not select.select([server], [], [], self._does.cut_s)[0]:
            client.sendall(self._does.cut_with)
            return
        head, rest = _head(server)
        answer = self._does.answer(head) + rest
        if self._does.caches and head.startswith(b"HTTP/1.1 200"):
            self._kept[target] = answer
        if not self._does.buffers:
            client.sendall(answer)
        while ready := select.select([client, server], [], [])[0]:
            if client in ready and not client.recv(65_536):
                return
            if server in ready:
                if not (more := server.recv(65_536)):
                    break
                answer += more
                if not self._does.buffers:
                    client.sendall(more)
        if self._does.buffers:
            client.sendall(answer)

    def close(self) -> None:
        # A thread that accepts is woken by shutdown alone.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _head(sock: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := sock.recv(65_536)):
            return b"", b""
        data += more
    end = data.index(b"\r\n\r\n") + 4
    return data[:end], data[end:]


@contextmanager
def meddler(upstream: int, meddling: Meddling | None = None) -> Iterator[str]:
    """Runs it; its address."""
    proxy = _Proxy(upstream, meddling or Meddling())
    try:
        yield f"http://127.0.0.1:{proxy.port}"
    finally:
        proxy.close()


def examined(url: str, token: str = "", hold_s: float = HOLD_S) -> tuple[int, list[Finding]]:
    """The exit status and the findings of a look."""
    seen = look(Messenger(find_config(url, token, environ={})), hold_s)
    findings = examine(seen)
    return exit_status(seen, findings), findings


def wrongs(findings: list[Finding]) -> list[str]:
    """The checks that found something wrong."""
    return [finding.check for finding in findings if finding.level is Level.WRONG]


def of(findings: list[Finding], check: str) -> Finding:
    """The one finding of a check."""
    [one] = [finding for finding in findings if finding.check == check]
    return one
