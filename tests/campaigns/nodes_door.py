"""A door before several nodes: each connection goes to one that is open, drawn at random, whatever session it is of.

So requests come to the wrong node again and again, as behind a proxy that knows nothing of sessions. Bytes pass as they
are. It knows ports and nothing of what is said.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import defaultdict

__all__ = ["Door"]


class Door:
    """Listens on ``port``."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.port = 0
        #: Node -> its port, of those that get connections.
        self.open: dict[str, int] = {}
        self._writers: dict[str, set[asyncio.StreamWriter]] = defaultdict(set)
        self._server: asyncio.Server | None = None

    async def begin(self) -> None:
        """From now on it listens."""
        self._server = await asyncio.start_server(self._come, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def shut(self, node: str) -> None:
        """The node gets no connections any more, and those that it has are cut."""
        self.open.pop(node, None)
        for writer in self._writers.pop(node, ()):
            writer.transport.abort()

    async def end(self) -> None:
        """Cuts all."""
        for node in [*self._writers]:
            self.shut(node)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        node = self._rng.choice(sorted(self.open))
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self.open[node])
        except OSError:
            writer.transport.abort()
            return
        both = {writer, forth}
        self._writers[node] |= both
        try:
            await asyncio.gather(_pass(reader, forth), _pass(back, writer))
        finally:
            for each in both:
                each.transport.abort()
            self._writers[node] -= both


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side closes: then the other is cut, too."""
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
