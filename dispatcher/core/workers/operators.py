"""What operators have said of workers and types, and what it means for the workers that are here.

It has all that is kept in memory, so a registration looks up one entry. The store has it first: what is said here is
durable. It gives workers their names and labels, and keeps them from offers; it ends no attempt of theirs, ``registry``
does.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from dispatcher.core.fleet.worker import Labels, Worker, unnamed
from dispatcher.core.jobs.acts.kept import Hold, KeptType, KeptWorker
from dispatcher.core.workers.effects import Effect, HoldOrder, Order
from dispatcher.core.workers.registration import Registration

__all__ = ["Operators"]


class Operators:
    """By the ids of workers."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptWorker] = {}
        #: By name: how many of these are held or blocked.
        self._held: dict[str, int] = {}
        #: By type: those of which they have said something.
        self.types: dict[str, KeptType] = {}

    def know(self, kept: Iterable[KeptWorker]) -> None:
        """Takes what the store has; no page has come yet."""
        for one in kept:
            self.keep(one)

    def keep(self, one: KeptWorker) -> None:
        """Takes what an operator has said, durably."""
        self._count(self.kept.get(one.id), -1)
        self._count(one, 1)
        if one.is_empty():
            self.kept.pop(one.id, None)
        else:
            self.kept[one.id] = one

    def keep_type(self, one: KeptType) -> None:
        """Takes what an operator has said of a type, durably."""
        if one.is_empty():
            self.types.pop(one.type, None)
        else:
            self.types[one.type] = one

    def holds(self, name: str) -> bool:
        """Whether an operator keeps a worker of this name from jobs, or has blocked it."""
        return name in self._held

    def _count(self, one: KeptWorker | None, held: int) -> None:
        if one is not None and (one.paused or one.blocked):
            name = one.name or one.called
            self._held[name] = self._held.get(name, 0) + held
            if not self._held[name]:
                del self._held[name]

    def blocked(self, worker_id: str) -> Hold | None:
        """Why this worker is refused; None: it is not."""
        kept = self.kept.get(worker_id)
        return None if kept is None else kept.blocked

    def without_hold(self, worker_id: str, since_ms: int) -> KeptWorker | None:
        """What is kept of a worker if the person at its page ends the hold that began then. None: that cannot be.

        Another hold stays, for the page has not heard of it; so does one by which the worker leaves, and a block.
        """
        kept = self.kept.get(worker_id)
        if kept is None or kept.blocked is not None or kept.paused is None or kept.paused.leaves:
            return None
        return replace(kept, paused=None) if kept.paused.since_ms == since_ms else None

    def describe(self, worker: Worker, registration: Registration) -> None:
        """Writes down what the page says of itself."""
        worker.reloads = worker.reloads and worker.boot == registration.boot
        worker.boot, worker.joined = registration.boot, registration.joined
        worker.said_name = registration.name or worker.said_name
        worker.said_labels = registration.labels
        worker.types = tuple(sorted(set(registration.types)))
        worker.slots, worker.versions = registration.slots, registration.versions
        worker.doubt_urls, worker.unloaded = registration.doubt_urls, registration.unloaded
        self.apply(worker)

    def apply(self, worker: Worker) -> None:
        """What operators have said wins over what its page says. The caller tells the fleet."""
        kept = self.kept.get(worker.id)
        worker.name = (kept.name if kept is not None else "") or worker.said_name or unnamed(worker.id)
        worker.labels = worker.said_labels if kept is None else _merged(worker.said_labels, kept.labels)
        worker.held = None if kept is None else kept.paused

    def told(self, worker: Worker, session: str) -> list[Effect]:
        """What a page that has registered is told: it may have missed it."""
        held: list[Effect] = [] if worker.held is None else [HoldOrder(session, worker.held)]
        return [*held, Order(session, "reload_idle")] if worker.reloads else held


def _merged(said: Labels, kept: Labels) -> Labels:
    return tuple(sorted((dict(said) | dict(kept)).items())) if kept else said
