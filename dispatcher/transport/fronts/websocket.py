"""A WebSocket: its handshake, its frames, and the page that reads slowly. Sans-I/O: a front gives it bytes and a wire.

The frames are those of the library ``websockets`` (its ``Protocol``, which does no I/O): RFC 6455 without extensions,
so without compression. It takes 4 microseconds for a message in and one out, where ``wsproto`` takes 16; Tornado's own
cannot be had without a request handler. This module knows nothing of what the packets mean.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Protocol

from websockets.frames import Frame, Opcode
from websockets.protocol import SEND_EOF, SERVER, State
from websockets.protocol import Protocol as Frames

from dispatcher.transport.carrier import CloseCode
from dispatcher.transport.session import Session
from dispatcher.transport.sessions import Sessions

__all__ = ["CLOSE_TIMEOUT_S", "VERSION", "WebSocket", "Wire", "handshake"]

#: RFC 6455, section 4.2.2.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = b"13"
#: Bytes that may wait to be read by the page before it is given more.
ROOM_BYTES = 64 * 1024
#: More than this and one message waits only if a client asks for answers (pings) and reads none: its socket is cut.
_FLOOD_BYTES = 1 << 20
#: How long the other side has to answer our close frame.
CLOSE_TIMEOUT_S = 5.0
_TEXTS = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class HandshakeHeaders(Protocol):
    """The headers of a request."""

    def get(self, name: str, /) -> str | None:
        """The value of a header; the case of its name does not matter."""


class Wire(Protocol):
    """The connection below a WebSocket."""

    def start(self, websocket: WebSocket) -> None:
        """Lead what comes to this WebSocket, from the next turn of the loop on."""

    def write(self, data: bytes) -> None:
        """Write behind what waits already. The front closes it if it is not read in time."""

    def waiting(self) -> int:
        """Bytes that the kernel has not taken yet."""

    def close_within(self, timeout_s: float) -> None:
        """Close it at the latest then."""

    def finish(self) -> None:
        """Close it as soon as what waits has been taken."""

    def cut(self) -> None:
        """Close it at once."""


def handshake(headers: HandshakeHeaders, protocol: str = "") -> bytes | None:
    """The answer to a WebSocket handshake; None: the request is none, or not of ``VERSION``.

    ``protocol``: the subprotocol that is chosen of those that the client offers; "": none.
    """
    key = headers.get("Sec-WebSocket-Key") or ""
    try:
        is_key = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        is_key = False
    asks = [item.strip().lower() for item in (headers.get("Connection") or "").split(",")]
    if (headers.get("Upgrade") or "").lower() != "websocket" or "upgrade" not in asks or not is_key:
        return None
    if (headers.get("Sec-WebSocket-Version") or "").encode() != VERSION:
        return None
    accept = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + (b"\r\nSec-WebSocket-Protocol: %b" % protocol.encode() if protocol else b"")
        + b"\r\n\r\n"
    )


class WebSocket:
    """A ``carrier.Socket`` on a wire. The front calls ``received``, ``drained`` and ``closed``."""

    def __init__(
        self,
        wire: Wire,
        sessions: Sessions,
        *,
        remote: str,
        user_agent: str,
        settle: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self.session: Session | None = None
        self.remote = remote
        self.user_agent = user_agent
        self._wire = wire
        self._sessions = sessions
        self._settle = settle
        self._clock = clock
        self._frames = Frames(SERVER, state=State.OPEN, max_size=sessions.limits.post_limit)
        self._most_waiting = _FLOOD_BYTES + sessions.limits.post_limit
        #: The pieces of a message that is not whole yet, and whether it is text.
        self._pieces: list[bytes] = []
        self._is_text = True
        self._is_over = False

    # --- what the sessions see

    def send(self, packets: list[bytes]) -> bool:
        """Write each packet as a frame."""
        if self._is_over or self._frames.state is not State.OPEN:  # its end may have been read with what is heard now
            return False
        for packet in packets:
            if packet[:1] == b"b":
                self._frames.send_binary(base64.b64decode(packet[1:]))
            else:
                self._frames.send_text(packet)
        self._write()
        return True

    def has_room(self) -> bool:
        """Whether the page reads what is written."""
        return self._wire.waiting() < ROOM_BYTES

    def close(self, code: CloseCode) -> None:
        """Say why, and close it."""
        if self._is_over:
            return
        self._is_over = True
        if self._frames.state is State.OPEN:
            self._frames.send_close(code)
            self._write()
        self._wire.close_within(CLOSE_TIMEOUT_S)

    # --- what the front says

    def received(self, data: bytes) -> None:
        """Bytes have come."""
        self._frames.receive_data(data)
        now = self._clock()
        for frame in self._frames.events_received():
            if not self._is_over and isinstance(frame, Frame) and frame.opcode in _TEXTS:
                self._piece(frame, now)
        self._write()
        if self._frames.state is not State.OPEN and not self._is_over:
            self._is_over = True
            if self._frames.parser_exc is not None:
                self._sessions.broke_rules(self, now)
            else:  # the other side has said that it closes it
                self._sessions.hung_up(self, now)
        elif self._wire.waiting() > self._most_waiting:
            self._wire.cut()
        self._settle(now)

    def drained(self) -> None:
        """The kernel has taken all."""
        self._sessions.drained(self)
        self._settle(self._clock())

    def closed(self) -> None:
        """The wire is closed."""
        self._is_over = True
        now = self._clock()
        self._sessions.hung_up(self, now)
        self._settle(now)

    # --- frames

    def _piece(self, frame: Frame, now: float) -> None:
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        if not frame.fin or self._pieces:
            self._pieces.append(bytes(frame.data))
        if not frame.fin:
            return
        data = b"".join(self._pieces) if self._pieces else bytes(frame.data)
        self._pieces.clear()
        if not self._is_text:
            self._sessions.frame(self, data, now)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.close(CloseCode.BAD_TEXT)
            self._sessions.broke_rules(self, now)
            return
        self._sessions.frame(self, text, now)

    def _write(self) -> None:
        pieces = self._frames.data_to_send()
        if not pieces:
            return
        data = b"".join(pieces)
        if data:
            self._wire.write(data)
        if SEND_EOF in pieces:
            self._wire.finish()
