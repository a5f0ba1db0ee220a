"""The messages that wait for a POST, and the batches that POSTs carry. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["Outgoing", "PacketGroup", "SendQueue"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message, and the attempt that it accepts or reports on."""

    text: str
    accepts: str | None = None
    reports: str | None = None

    @property
    def size(self) -> int:
        """Bytes in a POST: the packet's type and the separator included."""
        return len(self.text.encode()) + 2


@dataclass(frozen=True, slots=True)
class PacketGroup:
    """Messages for one POST; hand it back to ``Page.posted`` when the POST was answered 200."""

    outs: tuple[Outgoing, ...] = ()

    @property
    def messages(self) -> list[str]:
        """Their texts, in order."""
        return [out.text for out in self.outs]


class SendQueue:
    """A queue that is taken in batches."""

    def __init__(self) -> None:
        self._waiting: deque[Outgoing] = deque()

    def put(self, out: Outgoing) -> None:
        """Append a message."""
        self._waiting.append(out)

    def clear(self) -> None:
        """Forget all messages: their session is over."""
        self._waiting.clear()

    def take(self, *, max_bytes: int, max_packets: int) -> PacketGroup:
        """Take the messages for one POST: at least one, then as many as the limits allow."""
        outs: list[Outgoing] = []
        room = max_bytes
        while self._waiting and len(outs) < max_packets:
            room -= self._waiting[0].size
            if outs and room < 0:
                break
            outs.append(self._waiting.popleft())
        return PacketGroup(tuple(outs))
