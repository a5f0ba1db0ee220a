"""Sends requests over asyncio: the same as ``wire``, for programs with a loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from .config import ClientConfig
from .exchange import CUT, ConnectionLost, HttpCall, ServerAnswer, whole, words_of
from .wire import request_headers

__all__ = ["StreamConnections"]

_HEAD_LIMIT = 64 * 1024
_MOST_IDLE = 16


class _Stream:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def close(self) -> None:
        """At once: nothing of ours waits to be sent."""
        self.writer.transport.abort()

    @property
    def usable(self) -> bool:
        """Idle, with nothing to say."""
        return not self.reader.at_eof() and not self.writer.is_closing() and self.reader.exception() is None


class StreamConnections:
    """The connections to one server, in one loop; each request has a connection to itself."""

    def __init__(self, config: ClientConfig, ssl_context: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._ssl = ssl_context
        self._idle: list[_Stream] = []
        self._closed = False

    async def send(self, call: HttpCall, timeout_s: float) -> ServerAnswer:
        """The answer. Raises ConnectionLost."""
        stream = self._take()
        kept = stream is not None
        try:
            async with asyncio.timeout(timeout_s):
                stream = stream or await self._connect()
                answer, keep = await self._exchange(stream, call)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            if stream is not None:
                stream.close()
            stale = kept and not isinstance(error, TimeoutError)
            hopeless = isinstance(error, ssl.SSLCertVerificationError)
            raise ConnectionLost(_words(error), stale=stale, hopeless=hopeless) from error
        except BaseException:
            # Cancelled in the middle: what comes on this connection would be the answer to another request.
            if stream is not None:
                stream.close()
            raise
        if keep and not self._closed and len(self._idle) < _MOST_IDLE:
            self._idle.append(stream)
        else:
            stream.close()
        return answer

    def _take(self) -> _Stream | None:
        if self._closed:
            raise RuntimeError("the client is closed")
        while self._idle:
            if (stream := self._idle.pop()).usable:
                return stream
            stream.close()
        return None

    async def _connect(self) -> _Stream:
        address = self._config.address
        if address.tls and self._ssl is None:
            self._ssl = ssl.create_default_context()
        context = self._ssl if address.tls else None
        return _Stream(*await asyncio.open_connection(address.host, address.port, ssl=context, limit=_HEAD_LIMIT))

    async def _exchange(self, stream: _Stream, call: HttpCall) -> tuple[ServerAnswer, bool]:
        headers = request_headers(self._config, call)
        if call.body is not None or call.method == "POST":
            headers["Content-Length"] = str(len(call.body or b""))
        lines = [f"{call.method} {self._config.address.prefix}{call.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        stream.writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + (call.body or b""))
        await stream.writer.drain()
        return await _read_answer(stream.reader)

    async def close(self) -> None:
        """Closes what is idle."""
        self._closed = True
        for stream in self._idle:
            stream.close()
        self._idle.clear()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[ServerAnswer, bool]:
    """An answer, and whether the connection can be used again."""
    status = 100
    while status == 100:  # "go on": the real answer follows
        start, headers = await _read_head(reader)
        version, _, rest = start.partition(" ")
        status = int(rest[:3]) if version in ("HTTP/1.1", "HTTP/1.0") else -1
    if status < 0:
        raise ValueError(start[:40])
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    if status in (204, 304):
        return ServerAnswer(status, headers), keep
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return ServerAnswer(status, headers, await _read_chunks(reader)), keep
    if "content-length" in headers:
        return ServerAnswer(status, headers, await reader.readexactly(int(headers["content-length"]))), keep
    return whole(ServerAnswer(status, headers, await reader.read())), False


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    start, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return start, {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    found = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        found.append(await reader.readexactly(size))
        await reader.readexactly(2)
    with contextlib.suppress(asyncio.IncompleteReadError):
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers
    return b"".join(found)


def _words(error: BaseException) -> str:
    if isinstance(error, asyncio.IncompleteReadError):
        return CUT if error.partial else "the connection was closed before the answer"
    if isinstance(error, ValueError | asyncio.LimitOverrunError) and not isinstance(error, OSError):
        return "the answer was not HTTP"
    return words_of(error)
