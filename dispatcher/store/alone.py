"""What is true of a store that one node has for itself."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.core.jobs.model import WorkerFilter, WorkerView
from dispatcher.core.jobs.news import Hint
from dispatcher.core.jobs.views.nodes import NodeView
from dispatcher.store.port import NODE

__all__ = ["HadAlone"]


class NobodySeen:
    """See port.SeenReads."""

    async def page(self, wanted: WorkerFilter, after: tuple[str, str] | None, most: int) -> list[WorkerView]:
        """See port.SeenReads."""
        return []

    async def counts(self) -> dict[str, int]:
        """See port.SeenReads."""
        return {}

    async def one(self, worker_id: str) -> WorkerView | None:
        """See port.SeenReads."""
        return None


class HadAlone:
    """The part of ``port.Store`` that is about other nodes."""

    node = NODE
    beat_s: float | None = None
    seen = NobodySeen()

    def listen(self, hinted: Callable[[Hint], None]) -> None:
        """See port.Store. Nobody tells anything."""

    async def nodes(self) -> list[NodeView]:
        """See port.Store."""
        return []
