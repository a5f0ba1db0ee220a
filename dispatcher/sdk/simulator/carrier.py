"""What carries a simulated page's packets: long-polling on two connections, or a WebSocket. Knows no messages."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from .http import HttpConnection, ServerAddress
from .session import SessionOver
from .wire import SEPARATOR

__all__ = ["Carrier", "PollingCarrier", "SocketCarrier"]

_TIMEOUT_S = 15.0
_TEXT = "text/plain;charset=UTF-8"


class Carrier(Protocol):
    """Everything raises SessionOver or OSError when the session cannot go on."""

    #: Whether a ``send`` that returns has arrived.
    answers: bool

    async def open(self) -> tuple[int, bytes]:
        """Begin a session; the status and the body that PageSession reads."""

    async def receive(self, sid: str, timeout_s: float) -> tuple[int, bytes]:
        """What comes next. Raises TimeoutError."""

    async def send(self, sid: str, body: bytes) -> None:
        """Send packets, joined as in a POST."""

    def lose_answer(self) -> None:
        """Behind a ``send``: the page does not learn that it has arrived."""

    def close(self) -> None:
        """Close without a word."""

    async def closed(self) -> None:
        """Close, and wait until the sockets are gone."""


class PollingCarrier:
    """A connection for polls, and one for POSTs."""

    answers = True

    def __init__(self, origin: ServerAddress, rng: random.Random) -> None:
        self._polls, self._posts = HttpConnection(origin), HttpConnection(origin)
        self._rng = rng
        self._sent = 0

    async def open(self) -> tuple[int, bytes]:
        """The handshake."""
        return await self.receive("", _TIMEOUT_S)

    async def receive(self, sid: str, timeout_s: float) -> tuple[int, bytes]:
        """One poll."""
        response = await self._polls.request("GET", self._target(sid), timeout_s=timeout_s)
        return response.status, response.body

    async def send(self, sid: str, body: bytes) -> None:
        """One POST."""
        response = await self._posts.request("POST", self._target(sid), body, content_type=_TEXT, timeout_s=_TIMEOUT_S)
        if response.status != 200:
            raise SessionOver(f"status {response.status} to a POST", at_once=response.status == 400)

    def lose_answer(self) -> None:
        """The next POST goes on a new connection."""
        self._posts.close()

    def close(self) -> None:
        """Both connections."""
        self._polls.close()
        self._posts.close()

    async def closed(self) -> None:
        """Both connections."""
        await self._polls.closed()
        await self._posts.closed()

    def _target(self, sid: str) -> str:
        self._sent += 1
        unique = f"{self._sent:x}-{self._rng.getrandbits(32):x}"
        suffix = f"&sid={sid}" if sid else ""
        return f"/engine.io/?EIO=4&transport=polling&t={unique}{suffix}"


class SocketCarrier:
    """A WebSocket from the start, without extensions."""

    answers = False

    def __init__(self, origin: ServerAddress) -> None:
        base = "ws" + origin.base.removeprefix("http")
        self._url = f"{base}{origin.prefix}/engine.io/?EIO=4&transport=websocket"
        self._socket: ClientConnection | None = None

    async def open(self) -> tuple[int, bytes]:
        """The handshake, and the first packet."""
        self.close()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                self._socket = await connect(
                    self._url, compression=None, max_size=None, ping_interval=None, close_timeout=1.0, proxy=None
                )
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            raise SessionOver(f"status {status} to a handshake", at_once=status == 400) from None
        except (InvalidHandshake, WebSocketException) as error:
            raise ConnectionError(f"no WebSocket: {error!r}") from error
        return await self.receive("", _TIMEOUT_S)

    async def receive(self, sid: str, timeout_s: float) -> tuple[int, bytes]:
        """One frame."""
        if self._socket is None:
            raise ConnectionError("the socket is closed")
        try:
            async with asyncio.timeout(timeout_s):
                frame = await self._socket.recv()
        except WebSocketException as error:
            raise ConnectionError(f"the socket broke: {error!r}") from error
        return 200, frame if isinstance(frame, bytes) else frame.encode()

    async def send(self, sid: str, body: bytes) -> None:
        """A frame for each packet."""
        if self._socket is None:
            raise ConnectionError("the socket is closed")
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                for packet in body.decode().split(SEPARATOR):
                    await self._socket.send(packet)
        except WebSocketException as error:
            raise ConnectionError(f"the socket broke: {error!r}") from error

    def lose_answer(self) -> None:
        """No frame is answered: the socket breaks."""
        self.close()

    def close(self) -> None:
        """As a page does that is closed: the connection ends, and nobody says why."""
        if self._socket is not None:
            self._socket.transport.abort()
        self._socket = None

    async def closed(self) -> None:
        """The connection is gone."""
        socket = self._socket
        self.close()
        if socket is not None:
            with contextlib.suppress(OSError):
                await socket.wait_closed()
