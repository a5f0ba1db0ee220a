"""HTTP/1.1 messages as a proxy sees them: whole, with their headers in order and the body's bytes unchanged.

Knows nothing of faults (``toxic``). Understands Content-Length, chunked bodies and bodies that end with the
connection; our clients and our server need nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace

from tests.support.http import reset_at_close

__all__ = ["Message", "Side"]

_READ = 65536
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer."""

    #: The first line, without its end.
    start: str
    headers: tuple[tuple[str, str], ...]
    #: The body as it came: a chunked one still has its chunks.
    body: bytes = b""

    @property
    def method(self) -> str:
        """A word of a request's first line."""
        return self.start.split(" ", 1)[0]

    @property
    def target(self) -> str:
        """A word of a request's first line."""
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.start.split(" ")[1])

    def get(self, name: str) -> str:
        """The value of a header, by its lower-case name; empty if there is none."""
        return next((value.lower() for key, value in self.headers if key.lower() == name), "")

    @property
    def content(self) -> bytes:
        """The body without its chunks."""
        if self.get("transfer-encoding") != "chunked":
            return self.body
        content, at = b"", 0
        while size := int(self.body[at : (start := self.body.index(b"\r\n", at) + 2) - 2], 16):
            content += self.body[start : start + size]
            at = start + size + 2
        return content

    def chunked(self) -> Message:
        """The same message with a body in chunks, instead of one with a declared length."""
        headers = tuple(pair for pair in self.headers if pair[0].lower() != "content-length")
        parts = [self.body[at : at + _CHUNK] for at in range(0, len(self.body), _CHUNK)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
        return replace(self, headers=(*headers, ("Transfer-Encoding", "chunked")), body=body)

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


class Side:
    """One end of a proxied connection. At most one read is under way; its bytes wait in ``buffer``."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.buffer = bytearray()
        self._reader = reader
        self.writer = writer
        self._read: asyncio.Task[bool] | None = None
        #: The peer has hung up.
        self.ended = False
        #: The peer hung up with a RST.
        self.was_reset = False

    @classmethod
    async def connect(cls, port: int) -> Side:
        """A new connection to 127.0.0.1. Raises OSError."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def more(self) -> asyncio.Task[bool]:
        """The read under way: True once bytes have come, False at the end. Many may wait for it."""
        if self._read is None or (self._read.done() and not self.ended):
            self._read = asyncio.ensure_future(self._grow())
        return self._read

    async def _grow(self) -> bool:
        try:
            data = await self._reader.read(_READ)
        except OSError:
            data, self.was_reset = b"", True
        self.buffer += data
        self.ended = not data
        return bool(data)

    async def _need(self) -> None:
        read = self.more()
        await asyncio.wait([read])
        if not read.result():
            raise EOFError

    # -- messages

    async def ask(
        self, method: str, target: str, body: bytes = b"", *, host: str = "127.0.0.1", **headers: str
    ) -> Message:
        """Sends a request, with its length; the answer to it. Raises OSError and EOFError."""
        given = {"Host": host, "Content-Length": str(len(body)), **headers}
        self.writer.write(Message(f"{method} {target} HTTP/1.1", tuple(given.items()), body).encoded())
        return await self.answer(method)

    async def request(self) -> Message:
        """The next request. Raises EOFError."""
        head = await self._head()
        return replace(head, body=await self._body(head))

    async def answer(self, method: str) -> Message:
        """The answer to a request with this method. Raises EOFError."""
        head = await self._head()
        if method == "HEAD" or head.status in (101, 204, 304):
            return head
        if not head.get("content-length") and head.get("transfer-encoding") != "chunked":
            return replace(head, body=await self._rest())
        return replace(head, body=await self._body(head))

    async def _head(self) -> Message:
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            await self._need()
        start, *lines = (await self._take(end + 4))[:-4].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return Message(start, tuple((name, value.strip()) for name, _, value in pairs))

    async def _body(self, head: Message) -> bytes:
        if head.get("transfer-encoding") == "chunked":
            return await self._chunks()
        return await self._take(int(head.get("content-length") or 0))

    async def _chunks(self) -> bytes:
        raw = b""
        while True:
            while (end := self.buffer.find(b"\r\n")) < 0:
                await self._need()
            size = int(bytes(self.buffer[:end]).split(b";")[0], 16)
            raw += await self._take(end + 2 + size + 2)
            if not size:
                return raw

    async def _rest(self) -> bytes:
        with contextlib.suppress(EOFError):
            while True:
                await self._need()
        return await self._take(len(self.buffer))

    async def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            await self._need()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    # -- the end

    def hang_up(self, *, reset: bool = False) -> None:
        """Closes. Written bytes still leave; with ``reset`` they do not, and the peer gets a RST."""
        if self._read is not None:
            self._read.cancel()
        if reset:
            with contextlib.suppress(OSError):
                reset_at_close(self.writer.get_extra_info("socket"))
            self.writer.transport.abort()
        else:
            self.writer.close()
