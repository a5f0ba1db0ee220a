"""One keep-alive connection that sends cases as they are and reads what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import re

from tests.attack.cases import Case
from tests.support.http import reset_at_close

__all__ = ["Wire"]

_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
#: Promise I27: every request ends within this (the longest poll here is a second).
PATIENCE_S = 5.0
_GONE = (ConnectionError, asyncio.IncompleteReadError)


class Wire:
    """Connects when it must. Raises TimeoutError if something does not end in time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def send(self, case: Case) -> list[int]:
        """The statuses of the answers; empty if the connection was closed without a word."""
        async with asyncio.timeout(PATIENCE_S):
            return await (self._framed(case) if case.framed else self._unframed(case))

    async def ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        """A plain request."""
        head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await self._open()
            writer.write(head.encode() + body)
            return await self._answer(reader, method)

    async def leave_unanswered(self, target: str) -> None:
        """Ask, and close the connection at once with a reset."""
        _, writer = await self._open()
        writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        reset_at_close(writer.get_extra_info("socket"))
        self.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof() or self._writer.is_closing():
            self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        return self._reader, self._writer

    async def _framed(self, case: Case) -> list[int]:
        used = self._reader is not None
        reader, writer = await self._open()
        writer.write(case.data)
        try:
            status, _ = await self._answer(reader, case.method)
        except _GONE:
            self.close()
            # A connection may have been closed while it waited.
            return await self._framed(case) if used else []
        return [status]

    async def _answer(self, reader: asyncio.StreamReader, method: str) -> tuple[int, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = int(head.split(b" ", 2)[1])
        if status == 100:
            return await self._answer(reader, method)
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        bare = method == "HEAD" or status in (204, 304) or length is None
        body = b"" if bare or length is None else await reader.readexactly(int(length[1]))
        if b"\r\nconnection: close" in head or (length is None and status not in (204, 304)):
            self.close()
        return status, body

    async def _unframed(self, case: Case) -> list[int]:
        """Uses a connection of its own, and closes our side of it: the rest must then come soon."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answer = b""
        try:
            writer.write(case.data)
            if len(case.data) % 5 == 0:
                reset_at_close(writer.get_extra_info("socket"))
            else:
                with contextlib.suppress(OSError):  # it is closed already
                    writer.write_eof()
                answer = await reader.read(1 << 20)
                while await reader.read(1 << 20):
                    pass
        except _GONE:
            pass
        finally:
            writer.close()
            with contextlib.suppress(*_GONE):
                await writer.wait_closed()
        found = _STATUS.match(answer)
        return [int(found[1])] if found else []

    def close(self) -> None:
        """Closes without a word."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None
