"""Pages on WebSockets.

Frames are put together as bytes, and those of the server are read as simply as they come: whole and not masked.
"""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Callable, Iterator

from bench.load.client import BROWSER, host
from bench.load.pages import OFFER, EchoPage, JobPage, Page
from bench.load.progress import Run

__all__ = ["SocketEchoPage", "SocketPage", "masked", "payloads"]

_GO = re.compile(rb'"op":"go","attempt":"([^"]+)"')
_TARGET = "/engine.io/?EIO=4&transport=websocket"
_HEAD_END = b"\r\n\r\n"
_TEXT, _PING = 1, 9
#: One key for all frames: a server unmasks them as it does any other.
_KEY = b"\x37\xfa\x21\x3d"


def masked(payload: bytes, opcode: int = _TEXT) -> bytes:
    """A whole frame as a browser sends it."""
    size = len(payload)
    if size >= 1 << 16:
        raise ValueError("a bench frame has less than 64 KiB")
    head = bytes([0x80 | opcode, 0x80 | size]) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    key = (_KEY * (size // 4 + 1))[:size]
    return head + _KEY + (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def payloads(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Opcode and payload of each whole frame, and where the next one begins."""
    begin = 0
    while len(data) >= begin + 2:
        size, start = data[begin + 1], begin + 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            if len(data) < start + wide:
                return
            size, start = int.from_bytes(data[start : start + wide], "big"), start + wide
        if len(data) < start + size:
            return
        opcode, begin = data[begin] & 0x0F, start + size
        yield opcode, data[start:begin], begin


_PONG = masked(b"3")


class Socket(asyncio.Protocol):
    """One WebSocket. ``on_packets`` gets the packets that came together."""

    def __init__(self, port: int, on_packets: Callable[[list[bytes]], None]) -> None:
        self._port, self._on_packets = port, on_packets
        self._shaken = False
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self.write = transport.write
        head = f"GET {_TARGET} HTTP/1.1\r\n{host(self._port)}{BROWSER}".replace("Keep-Alive", "Upgrade")
        head += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        self.write(head.encode())

    def connection_lost(self, error: Exception | None) -> None:
        """Fail, as a polling page does."""
        if not Run.ending:
            Run.fail(f"the server closed a WebSocket: {error}")

    def data_received(self, data: bytes) -> None:
        """Hand over the packets of whole frames; answer pings."""
        data = self._buffer + data if self._buffer else data
        if not self._shaken:
            head, found, data = data.partition(_HEAD_END)
            if not found:
                self._buffer = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                return Run.fail(f"upgrade: {head[:100]!r} {data[:100]!r}")
            self._shaken = True
        self._read(data)

    def _read(self, data: bytes) -> None:
        packets, end = [], 0
        for opcode, payload, end in payloads(data):  # noqa: B007 -- the last one is what was read
            if opcode != _TEXT:
                self._control(opcode, payload)
            elif payload == b"2":
                self.write(_PONG)
            else:
                packets.append(payload)
        self._buffer = data[end:]
        if packets:
            self._on_packets(packets)

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == _PING:
            return self.write(masked(payload, opcode=10))
        Run.fail(f"frame {opcode}: {payload[:100]!r}")


class OnSocket(Page):
    """A page that has a WebSocket instead of connections for polls and POSTs."""

    async def open(self) -> None:
        """Connect and shake hands; ``opened`` follows."""
        loop = asyncio.get_running_loop()
        _, self._socket = await loop.create_connection(lambda: Socket(self.port, self._came), "127.0.0.1", self.port)

    def say(self, packets: list[bytes]) -> None:
        """A frame for each packet, in one write."""
        self._socket.write(b"".join([masked(packet) for packet in packets]))

    def _came(self, packets: list[bytes]) -> None:
        if packets[0][:1] == b"0":
            self.opened()
            del packets[0]
        if packets:
            self.received(b"\x1e".join(packets))


class SocketEchoPage(OnSocket, EchoPage):
    """Sends a message, waits for its echo, sends the next."""


class SocketPage(OnSocket, JobPage):
    """A worker page on a WebSocket. The task of an accept starts when ``go`` has come."""

    def received(self, body: bytes) -> None:
        """Offers, ``go`` and verdicts."""
        Run.count += body.count(b'"verdict":"recorded"')
        offered, started = OFFER.findall(body), _GO.findall(body)
        if self._quick:
            started = offered
        elif offered:
            self.say([b'4{"op":"accept","attempt":"%b"}' % attempt for attempt in offered])
        if started:
            self.say([self._answer % attempt for attempt in started])
        if not self.registered.done():
            self._check_registered(body)
