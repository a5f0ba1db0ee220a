"""A receiver of webhooks that has moods, and remembers what it was told. It checks signatures by code of its own."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import random
import time
from collections import defaultdict
from contextlib import suppress

__all__ = ["MOODS", "Receiver", "Told"]

#: (the job, the event)
Told = tuple[str, str]

#: What it does with a message. Only in the first two does it keep what it was told.
MOODS = ("good", "slow", "down", "refuses", "redirects", "cuts", "tears", "silent")
_ANSWERS = {
    "good": b"HTTP/1.1 204 No Content\r\n\r\n",
    "slow": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone",
    "refuses": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "redirects": b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    #: It promises more than it sends.
    "tears": b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nhal",
}


class Receiver:
    """Listens while it is not ``down``. What it takes it keeps before it answers, as a receiver should."""

    def __init__(self, rng: random.Random) -> None:
        #: By job and event: the ids of the messages that it has taken.
        self.heard: dict[Told, set[str]] = defaultdict(set)
        #: By message: the bodies that came with its id.
        self.bodies: dict[str, set[bytes]] = defaultdict(set)
        self.taken = self.came = self.unsigned = 0
        #: Requests whose signature did not fit another body: the control, all of them.
        self.forged = 0
        self.secrets: list[str] = []
        self.mood = "good"
        self.port = 0
        self._rng = rng
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where messages go."""
        return f"http://127.0.0.1:{self.port}/in"

    async def turn(self, mood: str) -> None:
        """From now on it is in this mood."""
        self.mood = mood
        if mood == "down":
            await self._stop_listening()
        elif self._listener is None:
            self._listener = await asyncio.start_server(self._came, "127.0.0.1", self.port)
            self.port = self._listener.sockets[0].getsockname()[1]

    async def _stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def end(self) -> None:
        """No connection is left."""
        await self._stop_listening()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: writer.close())  # also if it is cancelled before its first step

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            body = await reader.readexactly(int(fields["content-length"]))
            self.came += 1
            await self._answer(fields, body, reader, writer)

    async def _answer(
        self, fields: dict[str, str], body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        mood = self.mood
        self.unsigned += not self._is_genuine(fields, body)
        self.forged += not self._is_genuine(fields, body + b" ")
        if mood == "silent":
            await reader.read()  # until the server has given up, or is dead
        if mood in ("good", "slow"):
            await asyncio.sleep(self._rng.uniform(0, 0.4 if mood == "slow" else 0.01))
            self._keep(fields["webhook-id"], body)
        if mood in _ANSWERS:
            writer.write(_ANSWERS[mood])
            await writer.drain()

    def _keep(self, message: str, body: bytes) -> None:
        told = json.loads(body)
        self.taken += 1
        self.bodies[message].add(body)
        if told["type"] != "ping":
            self.heard[told["data"]["id"], told["type"]].add(message)

    def _is_genuine(self, fields: dict[str, str], body: bytes) -> bool:
        message, stamp = fields["webhook-id"], fields["webhook-timestamp"]
        signed = f"{message}.{stamp}.".encode() + body
        given = fields["webhook-signature"].split(" ")
        return abs(time.time() - int(stamp)) < 60 and any(
            f"v1,{base64.b64encode(hmac.digest(base64.b64decode(secret[6:]), signed, 'sha256')).decode()}" in given
            for secret in self.secrets
        )
