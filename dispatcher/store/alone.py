"""What is true of a store that one node has for itself."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.store.port import NODE

__all__ = ["HadAlone"]


class HadAlone:
    """The part of ``port.Store`` that is about other nodes."""

    node = NODE
    beat_s: float | None = None

    def listen(self, hinted: Callable[[], None]) -> None:
        """See port.Store. Nobody tells anything."""
