"""GETs that wait for their answers."""

from __future__ import annotations

import asyncio

from bench.load.client import Client, connect, get_request
from bench.load.progress import Run, until

__all__ = ["Getter"]


class Getter:
    """GETs one target after the other on one connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._client: Client | None = None

    async def get(self, target: str) -> bytes:
        """The body of the answer, which must be 200."""
        if self._client is None:
            self._client = await connect(self._port, lambda status, body: None)
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        bodies: list[bytes] = []

        def keep(status: int, body: bytes) -> None:
            if status != 200:
                return Run.fail(f"GET {target}: {status} {body[:100]!r}")
            bodies.append(body)
            answered.set_result(None)

        self._client.on_answer = keep
        self._client.send(get_request(self._port, target))
        await until(answered, 60)
        return bodies[0]
