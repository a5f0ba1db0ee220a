"""What the transport tells the service, as plain calls in the order in which things happened.

Every call comes on the IOLoop's thread, from inside ``Sessions``. A listener may call ``send``, ``end``,
``probe`` and ``flush`` from any of them. An exception in a listener is logged at one boundary and breaks no
session. If it came from ``message``, the POST that carried the message is answered 500, so that the page
knows and repeats it.

The life of a session: ``opened`` once; then anything; then exactly one of ``quiet``, ``dropped`` and
``ended``. If the listener itself called ``Sessions.end``, it hears nothing more of the session.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["BinaryListener", "Listener"]


class Listener(Protocol):
    """Hears what pages do; ``now`` is monotonic seconds in every call."""

    def opened(self, sid: str, remote: str, user_agent: str, now: float) -> None:
        """A handshake: the session exists; its OPEN packet is about to be written."""

    def message(self, sid: str, text: str, now: float) -> None:
        """One text message; in order, and before the POST that carried it is answered."""

    def written(self, sid: str, attempts: list[str], now: float) -> None:
        """The offers of these attempts have been written, to a poll or a socket; they may not have arrived."""

    def upgraded(self, sid: str, now: float) -> None:
        """From now on a WebSocket carries the session; it comes right after ``opened`` if one did from the start."""

    def received(self, sid: str, attempts: list[str], now: float) -> None:
        """The page has answered a ping that was written after these offers: it has them, or has thrown them away."""

    def away(self, sid: str, now: float, ago_s: float) -> None:
        """What carries the session was closed, its socket or the connection of its last poll; the session lives.

        That was so long ago: a page whose connection closed between two polls had a moment to send the next one.
        """

    def back(self, sid: str, now: float) -> None:
        """A new poll came for a session that had been reported away."""

    def quiet(self, sid: str, now: float) -> None:
        """No pong came in time, and no closed connection says why. The session is over."""

    def dropped(self, sid: str, now: float) -> None:
        """No pong came in time from a session whose connection is closed. It is over; its worker is away."""

    def ended(self, sid: str, now: float) -> None:
        """The page left this session: close packet, protocol error, overlap, or an outbox it did not read."""

    def polled(self, sid: str, now: float) -> None:
        """A poll has come: a sign of life, and proof that the page has received the answer to the poll before."""

    def heard(self, sid: str, now: float) -> None:
        """The session has sent something: it is the last contact, and answers a ``probe``."""


@runtime_checkable
class BinaryListener(Protocol):
    """A listener that also takes binary messages.

    Any other listener gets them through ``message`` as they came, ``b`` and the base64 text. That is not
    JSON, so the listener refuses it, and nothing is lost in silence.
    """

    def binary(self, sid: str, data: bytes, now: float) -> None:
        """One binary message."""
