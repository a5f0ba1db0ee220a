"""Packets and payloads: python-engineio's, but strict, with our own limit, and leaving the text of messages alone.

Stock ``Packet.decode`` guesses JSON in every message and destroys its text (``4true`` becomes True). It takes
any digit of any script as a type, and ignores what is not base64. Stock ``Payload`` stops at 16 packets.
``PagePacket`` and ``PagePayload`` mend that without touching the shared classes. ``decode`` and
``message_packet`` are the hot path: they give the same result as the classes, which
``tests/transport/test_codec.py`` checks. This module knows no sessions.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from engineio.packet import CLOSE, MESSAGE, NOOP, OPEN, PING, PONG, Packet
from engineio.payload import Payload

from dispatcher.errors import PagehandError

__all__ = [
    "CLOSE",
    "CLOSE_PACKET",
    "MESSAGE",
    "NOOP_PACKET",
    "OPEN",
    "PING_PACKET",
    "PONG",
    "SEPARATOR",
    "Incoming",
    "PagePacket",
    "PagePayload",
    "ProtocolError",
    "decode",
    "decode_frame",
    "message_packet",
]

#: What stands between the packets of a payload.
SEPARATOR: Final = b"\x1e"
CLOSE_PACKET: Final = str(CLOSE).encode()
PING_PACKET: Final = str(PING).encode()
NOOP_PACKET: Final = str(NOOP).encode()

#: A packet from a page: its type, and the text or bytes of a message (an empty text for the others).
Incoming = tuple[int, str | bytes]


class ProtocolError(PagehandError):
    """What a page sent is not Engine.IO."""

    code = "protocol_error"


class _PlainText:
    """Stands in for a JSON adapter, and changes nothing: a message is the text that came."""

    @staticmethod
    def loads(text: str) -> str:
        return text

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        raise TypeError(f"a message is text or bytes, not {type(value).__name__}")


class PagePacket(Packet):  # type: ignore[misc]  # python-engineio has no types
    """A packet that a page may send (close, pong, message) or that we send (any)."""

    json: Any = _PlainText

    def decode(self, encoded_packet: str) -> None:
        """Raises ProtocolError for anything but a close, a pong or a message."""
        kind = encoded_packet[:1]
        if kind == "b":
            _strict_base64(encoded_packet[1:])
        elif kind not in ("1", "3", "4") or (kind != "4" and len(encoded_packet) != 1):
            raise ProtocolError("not a packet that a page may send")
        super().decode(encoded_packet)


class PagePayload(Payload):  # type: ignore[misc]
    """The body of a POST: at least one packet, at most ``packet_limit``, a close only as the last one."""

    def __init__(
        self,
        packets: list[Packet] | None = None,
        encoded_payload: str | None = None,
        packet_limit: int = 1_024,
    ) -> None:
        self.max_decode_packets = packet_limit
        super().__init__(packets, encoded_payload)

    def decode(self, encoded_payload: str) -> None:
        """Raises ProtocolError, also for JSONP's ``d=``."""
        parts = encoded_payload.split("\x1e", self.max_decode_packets)
        if len(parts) > self.max_decode_packets:
            raise ProtocolError("too many packets in one POST")
        self.packets = [PagePacket(encoded_packet=part) for part in parts]
        if any(packet.packet_type == CLOSE for packet in self.packets[:-1]):
            raise ProtocolError("packets after a close")


def decode(body: bytes, packet_limit: int) -> list[Incoming]:
    """The packets of a POST, all of them or ProtocolError.

    Same as ``PagePayload(encoded_payload=body.decode(), packet_limit=packet_limit).packets``, but text
    messages, which are nearly all packets, do not become objects.
    """
    try:
        parts = body.decode().split("\x1e", packet_limit)
    except UnicodeDecodeError:
        raise ProtocolError("not UTF-8") from None
    if len(parts) > packet_limit:
        raise ProtocolError("too many packets in one POST")
    packets = [(MESSAGE, part[1:]) if part[:1] == "4" else _rare(part) for part in parts]
    if len(packets) > 1 and any(kind == CLOSE for kind, _ in packets[:-1]):
        raise ProtocolError("packets after a close")
    return packets


def decode_frame(data: str | bytes) -> Incoming:
    """The packet of one WebSocket message. Raises ProtocolError."""
    if isinstance(data, bytes):
        return MESSAGE, data
    return (MESSAGE, data[1:]) if data[:1] == "4" else _rare(data)


def _rare(part: str) -> Incoming:
    packet = PagePacket(encoded_packet=part)
    return packet.packet_type, packet.data


def _strict_base64(text: str) -> None:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProtocolError("not base64") from None


def message_packet(data: str | bytes) -> bytes:
    """A message as it stands in a payload. Raises ValueError for a text with a separator in it (JSON never
    has one).
    """
    if isinstance(data, bytes):
        return b"b" + base64.b64encode(data)
    if "\x1e" in data:
        raise ValueError("a text message must not contain U+001E: the page would see two packets")
    return b"4" + data.encode()
