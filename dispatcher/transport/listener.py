"""What the transport tells the service, as plain calls in the order in which things happened.

Every call comes on the IOLoop's thread, from inside ``Sessions``. A listener may call ``send``, ``end``,
``probe`` and ``flush`` from any of them. An exception in a listener is logged at one boundary and breaks no
session; if it came from ``message``, the POST that carried the message is answered 500, so that the page
knows and repeats it.

The life of a session: ``opened`` once; then anything; then exactly one of ``quiet``, ``dropped`` and
``ended``, except where the listener itself called ``Sessions.end``: then nothing more is heard of it.
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
        """A poll answer that carries the offers of these attempts has been written (not: has been
        received).
        """

    def away(self, sid: str, now: float) -> None:
        """The connection that carries the session's poll, or carried its last one, was closed; the session
        lives.
        """

    def back(self, sid: str, now: float) -> None:
        """A new poll came for a session that had been reported away."""

    def quiet(self, sid: str, now: float) -> None:
        """No pong in time, and no closed connection that would say why. The session is no more."""

    def dropped(self, sid: str, now: float) -> None:
        """No pong in time from a session that is away. The session is no more; its worker stays away."""

    def ended(self, sid: str, now: float) -> None:
        """The page left this session: close packet, protocol error, overlap, or an outbox it did not read."""

    def polled(self, sid: str, now: float) -> None:
        """A poll has come. So its page has received the answer to the poll before, whatever that carried; a sign of
        life too.
        """

    def heard(self, sid: str, now: float) -> None:
        """A POST of the session: last contact, and the answer to a ``probe``."""


@runtime_checkable
class BinaryListener(Protocol):
    """A listener that also takes binary messages.

    Any other listener gets them through ``message`` as they came, ``b`` and the base64 text, which is not
    JSON: it will refuse them aloud, so nothing is lost silently.
    """

    def binary(self, sid: str, data: bytes, now: float) -> None:
        """One binary message."""
