"""An HTTP server on a real socket that does what its script says, one step for each request; and clients for it."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from dispatcher.sdk.client.client import Client
from dispatcher.sdk.client.twin import AsyncClient
from tests.support.http import hang_up

__all__ = ["JOB", "Asked", "ManualTime", "Scripted", "cut", "either", "reply", "scripted"]

JOB = {"id": "j1", "type": "echo", "state": "succeeded", "result": 7, "attempts": [{"number": 1}]}
#: What is done with a request: bytes to send, and how the connection goes on: ``keep``, ``close`` or ``reset``.
Act = tuple[bytes, str]


class Asked(NamedTuple):
    """A request, as it came, and the number of its connection."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


def reply(status: int = 200, body: Any = JOB, *, after: str = "keep", **headers: str) -> Act:
    """A whole answer; ``after="close"``: hangs up then, without having said so."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode() + content, after


def cut(where: str, how: str = "close") -> Act:
    """Nothing, half a head, or half a body, and the end."""
    whole, _ = reply(201)
    body = whole.index(b"\r\n\r\n") + 4
    return whole[: {"before": 0, "head": body // 2, "body": body + 9}[where]], how


class Scripted:
    """The server; ``asked`` has each request that came whole."""

    def __init__(self, *script: Act) -> None:
        self.asked: list[Asked] = []
        self._script = deque(script)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection, len(self._open)), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as stream:
            while (line := stream.readline()).strip():
                pairs = (head.decode().partition(":") for head in iter(stream.readline, b"\r\n"))
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = stream.read(int(headers.get("content-length", 0)))
                self.asked.append(Asked(line.decode().strip(), headers, body, number))
                data, after = self._script.popleft()
                connection.sendall(data)
                if after != "keep":
                    connection.shutdown(socket.SHUT_RDWR) if after == "close" else None
                    hang_up(connection, after)
                    return

    def close(self) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()


@contextmanager
def scripted(*script: Act) -> Iterator[Scripted]:
    server = Scripted(*script)
    try:
        yield server
    finally:
        server.close()
    assert not server._script, f"{len(server._script)} steps of the script were not asked for"


class ManualTime:
    """A clock that goes on by sleeping alone, and remembers how long."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


def either(twin: bool, url: str, use: str, *args: Any, time: ManualTime | None = None, **fields: Any) -> Any:
    """Calls a method of a client, or of its twin in a loop: the same must come of both."""
    time = time or ManualTime()
    options: dict[str, Any] = {name: fields.pop(name) for name in ("token", "retry_for") if name in fields}
    options |= {"clock": time.clock, "rng": random.Random(1)}
    call: Callable[[Any], Any] = lambda client: getattr(client, use)(*args, **fields)  # noqa: E731
    if not twin:
        with Client(url, sleep=time.sleep, **options) as client:
            return call(client)

    async def run() -> Any:
        async with AsyncClient(url, sleep=time.asleep, **options) as client:
            return await call(client)

    return asyncio.run(run())
