"""A WebSocket client that writes each frame out, right or wrong. What it may send is for the test to say."""

from __future__ import annotations

import struct
from typing import NamedTuple

from tornado.iostream import StreamClosedError

from tests.transport.support import SOCKET, Client, HttpReply

__all__ = ["BINARY", "CLOSE", "CONTINUATION", "KEY", "PING", "PONG", "TEXT", "Frame", "FrameClient", "close", "frame"]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
#: The one of RFC 6455, section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_MASK = b"\x37\xfa\x21\x3d"


class Frame(NamedTuple):
    """As it came."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of a close frame."""
        assert self.opcode == CLOSE, self
        return int.from_bytes(self.payload[:2], "big")


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True, length: int | None = None
) -> bytes:
    """The bytes of a frame; ``length`` is what it says of itself."""
    size = len(payload) if length is None else length
    first = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if size < 126:
        second = bytes([mask_bit | size])
    elif size < 1 << 16:
        second = bytes([mask_bit | 126]) + struct.pack("!H", size)
    else:
        second = bytes([mask_bit | 127]) + struct.pack("!Q", size)
    if not masked:
        return first + second + payload
    key = _MASK * (len(payload) // 4 + 1)
    hidden = (int.from_bytes(payload, "big") ^ int.from_bytes(key[: len(payload)], "big")).to_bytes(len(payload), "big")
    return first + second + _MASK + hidden


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


class FrameClient:
    """A connection after its handshake."""

    def __init__(self, client: Client, answer: HttpReply) -> None:
        self.client = client
        self.stream = client.stream
        self.answer = answer

    @classmethod
    async def open(cls, port: int, sid: str = "", *, behind: bytes = b"", headers: tuple[str, ...] = ()) -> FrameClient:
        """``behind``: sent with the handshake, before its answer."""
        client = await Client.connect(port)
        target = f"/engine.io/?{SOCKET}" + (f"&sid={sid}" if sid else "")
        usual = ("Connection: keep-alive, Upgrade", "Upgrade: WebSocket", "Sec-WebSocket-Version: 13")
        await client.send("GET", target, None, *usual, f"Sec-WebSocket-Key: {KEY}", *headers)
        await client.stream.write(behind)
        return cls(client, await client.reply())

    async def send(self, data: bytes) -> None:
        await self.stream.write(data)

    async def say(self, packet: str | bytes) -> None:
        """A packet of Engine.IO."""
        if isinstance(packet, bytes):
            await self.send(frame(BINARY, packet))
        else:
            await self.send(frame(TEXT, packet.encode()))

    async def read(self) -> Frame:
        """The next frame; a server's is whole, unmasked and has no extension."""
        first, second = await self.stream.read_bytes(2)
        assert first & 0xF0 == 0x80, "fragmented, or with an extension"
        assert second < 0x80, "masked"
        size = second
        if size == 126:
            size = int.from_bytes(await self.stream.read_bytes(2), "big")
        elif size == 127:
            size = int.from_bytes(await self.stream.read_bytes(8), "big")
        return Frame(first & 0x0F, await self.stream.read_bytes(size))

    async def packet(self) -> str:
        """The next packet, which must be text."""
        opcode, payload = await self.read()
        assert opcode == TEXT, (opcode, payload)
        return payload.decode()

    async def is_closed(self) -> bool:
        """Whether nothing more comes, and the connection ends."""
        try:
            await self.stream.read_bytes(1)
        except StreamClosedError:
            return True
        return False
