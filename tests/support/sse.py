"""A client of server-sent events that reads strictly: it fails at a field that it does not know."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

__all__ = ["EventStream", "ServerEvent", "StreamRefused"]

_FIELDS = {"id", "event", "data", "retry"}


class ServerEvent(NamedTuple):
    """An event; ``kind`` is empty for a comment or an id alone."""

    kind: str
    id: str
    data: Any
    retry_ms: int | None


class StreamRefused(Exception):
    """The answer was no stream."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class EventStream:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._text = b""
        self.status = 0
        self.headers: dict[str, str] = {}
        #: The id that a browser would come back with.
        self.last_id = ""

    @classmethod
    async def open(cls, port: int, query: str = "", last_id: str = "", limit: int = 2**16) -> EventStream:
        """Asks for the stream and reads the head of the answer. Raises StreamRefused."""
        stream = cls(*await asyncio.open_connection("127.0.0.1", port, limit=limit))
        lines = [f"GET /api/v1/events{query} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: text/event-stream"]
        lines += [f"Last-Event-ID: {last_id}"] if last_id else []
        stream._writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await stream._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        stream.status = int(head[0].split()[1])
        pairs = (line.partition(":") for line in head[1:] if line)
        stream.headers = {name.lower(): value.strip() for name, _, value in pairs}
        if stream.status != 200:
            stream.close()
            raise StreamRefused(stream.status)
        stream.last_id = last_id
        return stream

    async def next(self) -> ServerEvent | None:
        """The next event; None: the stream has ended in good order. Raises IncompleteReadError if it was cut."""
        while b"\n\n" not in self._text:
            size = int((await self._reader.readuntil(b"\r\n"))[:-2], 16)
            piece = await self._reader.readexactly(size + 2)
            if not size:
                assert not self._text, self._text
                return None
            self._text += piece[:-2]
        block, _, self._text = self._text.partition(b"\n\n")
        return self._read(block.decode())

    def _read(self, block: str) -> ServerEvent:
        pairs = [line.partition(":") for line in block.split("\n") if not line.startswith(":")]
        fields = {name: value.removeprefix(" ") for name, _, value in pairs}
        assert set(fields) <= _FIELDS, block
        assert len(fields) == len(pairs), block
        self.last_id = fields.get("id", self.last_id)
        data, retry = fields.get("data"), fields.get("retry")
        return ServerEvent(
            fields.get("event", ""),
            fields.get("id", ""),
            None if data is None else json.loads(data),
            None if retry is None else int(retry),
        )

    async def job(self) -> dict[str, Any]:
        """The next change; passes over comments."""
        while (event := await self.next()) is not None and not event.kind:
            pass
        assert event is not None, "the stream has ended"
        assert event.kind == "job", event
        assert event.id == event.data["id"]
        return dict(event.data)

    def close(self) -> None:
        """Goes away without a word."""
        self._writer.transport.abort()
