"""One keep-alive HTTP/1.1 connection of a page: just enough HTTP for a browser's requests. Knows no Engine.IO."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from dataclasses import dataclass

from ..address import ServerAddress

__all__ = ["HttpConnection", "Response", "ServerAddress"]

_HEAD_LIMIT = 64 * 1024
#: The headers that a browser sends with each request; servers pay for parsing them.
_BROWSER = (
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko\r\n"
    "Accept: */*\r\n"
    "Accept-Language: en-US\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: Keep-Alive\r\n"
)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection:
    """Connects when first used and again after it was closed. One request at a time."""

    def __init__(self, origin: ServerAddress) -> None:
        self._origin = origin
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        content_type: str = "",
        token: str | None = None,
        timeout_s: float,
    ) -> Response:
        """Send one request and read its answer. Raises OSError for everything that goes wrong on the way."""
        head = f"{method} {self._origin.prefix}{target} HTTP/1.1\r\nHost: {self._origin.netloc}\r\n{_BROWSER}"
        if body is not None:
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange((head + "\r\n").encode() + (body or b""))
        except TimeoutError:
            self.close()
            raise
        except asyncio.CancelledError:
            self.close()
            raise
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            self.close()
            raise ConnectionError(f"{method} {target}: {error!r}") from error

    async def _exchange(self, request: bytes) -> Response:
        reader, writer = await self._open()
        writer.write(request)
        await writer.drain()
        response = await _read(reader)
        if response.headers.get("connection", "").lower() == "close":
            self.close()
        return response

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            context = ssl.create_default_context() if self._origin.tls else None
            self._reader, self._writer = await asyncio.open_connection(
                self._origin.host, self._origin.port, ssl=context, limit=_HEAD_LIMIT
            )
        return self._reader, self._writer

    def close(self) -> None:
        """Close without a word, like a browser that aborts a request."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def closed(self) -> None:
        """Close, and wait until the socket is gone."""
        writer = self._writer
        self.close()
        if writer is not None:
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Response:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ", 2)[1])
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    elif status in (204, 304):
        body = b""
    else:
        body = await reader.readexactly(int(headers.get("content-length", "")))
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    return Response(status, headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return body
