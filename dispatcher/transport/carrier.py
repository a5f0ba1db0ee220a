"""What carries a session's packets to its page: a parked poll or a WebSocket. Here without HTTP and without frames."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dispatcher.transport.exchange import Exchange, Reply

if TYPE_CHECKING:
    from dispatcher.transport.session import Session

__all__ = ["Carriers", "CloseCode", "Socket"]


class CloseCode(IntEnum):
    """Why we close a socket. Below 4000 as in RFC 6455, section 7.4; the others are ours, and a page can tell them."""

    NORMAL = 1000
    SERVER_STOPS = 1001
    PROTOCOL_ERROR = 1002
    BAD_TEXT = 1007
    TOO_LARGE = 1009
    INTERNAL_ERROR = 1011
    NO_PONG = 4001
    OVERLAP = 4002
    NOT_READ = 4003
    NOT_UPGRADED = 4004


class Socket(Protocol):
    """A WebSocket after its handshake, as a front gives it."""

    #: The session that it carries, or wants to carry; set by the sessions.
    session: Session | None
    remote: str

    @property
    def user_agent(self) -> str:
        """What the client calls itself."""

    def send(self, packets: list[bytes]) -> bool:
        """Write each as a frame; ``b`` and base64 as a binary one. False: it is closed, nothing has been written."""

    def has_room(self) -> bool:
        """Whether the page reads what is written. If not, the front says ``drained`` once it has."""

    def close(self, code: CloseCode) -> None:
        """Say why, and close it behind what has been written. No frame of it comes any more."""


class Carriers(NamedTuple):
    """What carried a session that has just ended."""

    poll: Exchange | None
    sockets: tuple[Socket, ...]

    def part(self, packet: bytes, code: CloseCode) -> None:
        """Tell the page that this is the end: its poll gets ``packet``, its socket is closed with ``code``."""
        if self.poll is not None:
            self.poll.answer(Reply(200, packet))
        for socket in self.sockets:
            socket.close(code)
