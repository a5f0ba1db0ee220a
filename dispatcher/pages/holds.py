"""The person at a worker page ends the hold of an operator: the port to who keeps it."""

from __future__ import annotations

from typing import Protocol

from dispatcher.access.acts import Actor

__all__ = ["Holds", "NoHolds"]


class Holds(Protocol):
    """Knows what operators have ordered; ``node.DeskHolds`` is one."""

    def ended(self, worker_id: str, since_ms: int, actor: Actor) -> None:
        """The person at this worker's page ends the hold that began then, if a page may end it.

        The page hears of it as of an operator's order. Otherwise it hears nothing, and says it again.
        """


class NoHolds:
    """No page ends any."""

    def ended(self, worker_id: str, since_ms: int, actor: Actor) -> None:
        """Does nothing."""
