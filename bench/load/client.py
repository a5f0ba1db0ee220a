"""The load generator's HTTP connections and requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from bench.load.progress import Run

__all__ = ["BROWSER", "Client", "connect", "get_request", "host", "job_head", "post_head"]

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
BROWSER = (
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko\r\n"
    "Accept: */*\r\n"
    "Accept-Language: en-US\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: Keep-Alive\r\n"
)
#: What a page shows with each of its requests; here all show the same.
_KEY = "X-Pagehand-Session: a-key-of-the-benchmark\r\n"
OnAnswer = Callable[[int, bytes], None]


class Client(asyncio.Protocol):
    """A keep-alive connection with one request at a time."""

    def __init__(self, on_answer: OnAnswer) -> None:
        self._has_left = False
        self.on_answer = on_answer
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """Fail: a server that hangs up in the middle of a benchmark makes it worthless."""
        if not (Run.ending or self._has_left):
            Run.fail(f"the server closed a connection: {error}")

    def leave(self) -> None:
        """Hang up."""
        self._has_left = True
        assert self._transport is not None
        self._transport.close()

    def send(self, request: bytes) -> None:
        """Send one request."""
        assert self._transport is not None
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Hand over each whole answer."""
        buffer = self._buffer + data if self._buffer else data
        head_end = buffer.find(_HEAD_END)
        if head_end < 0:
            self._buffer = buffer
            return
        found = _LENGTH.search(buffer, 0, head_end + 2)
        end = head_end + 4 + (int(found[1]) if found else 0)
        if len(buffer) < end:
            self._buffer = buffer
            return
        self._buffer = buffer[end:]
        self.on_answer(int(buffer[9:12]), buffer[head_end + 4 : end])


def host(port: int) -> str:
    """The header that names the server."""
    return f"Host: 127.0.0.1:{port}\r\n"


def get_request(port: int, target: str) -> bytes:
    """A poll."""
    return f"GET {target} HTTP/1.1\r\n{host(port)}{BROWSER}{_KEY}\r\n".encode()


def post_head(port: int, target: str) -> bytes:
    """A POST up to the number after ``Content-Length:``."""
    head = f"POST {target} HTTP/1.1\r\n{host(port)}{BROWSER}{_KEY}"
    return f"{head}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ".encode()


def job_head(port: int, *, path: str = "/api/v1/jobs", wait_s: int = 0) -> bytes:
    """A POST of jobs up to the number after ``Content-Length:``; with ``wait_s`` it is answered with the result."""
    prefer = f"Prefer: wait={wait_s}\r\n" if wait_s else ""
    head = f"POST {path} HTTP/1.1\r\n{host(port)}User-Agent: bench\r\nAccept: */*\r\n{prefer}"
    return f"{head}Content-Type: application/json\r\nContent-Length: ".encode()


async def connect(port: int, on_answer: OnAnswer) -> Client:
    """A new connection."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(on_answer), "127.0.0.1", port)
    return client
