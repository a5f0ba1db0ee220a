"""What operators have said of workers and types: what is read of it, and how the store in memory keeps it."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import chain
from typing import Protocol

from dispatcher.core.jobs.kept import Hold, KeptType, KeptWorker
from dispatcher.store.storable import check_storable

__all__ = ["KeptReads", "MemoryKept"]


class KeptReads(Protocol):
    """A store's reads of what is kept of workers and types."""

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """The first behind ``after``, by id."""
        ...

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """The first behind ``after``, by name."""
        ...


class MemoryKept:
    """See KeptReads."""

    def __init__(self) -> None:
        self._workers: dict[str, KeptWorker] = {}
        self._types: dict[str, KeptType] = {}
        self._ids: list[str] = []

    @staticmethod
    def check(kept: Sequence[KeptWorker | KeptType]) -> None:
        """Raises if a database would not take it."""
        check_storable(_texts(one) for one in kept)

    def save(self, kept: Sequence[KeptWorker | KeptType]) -> None:
        """Keeps them, in order; of an empty one nothing is kept."""
        for one in kept:
            if isinstance(one, KeptType):
                self._types[one.type] = one
                if one.is_empty():
                    del self._types[one.type]
            else:
                self._save_worker(one)

    def _save_worker(self, one: KeptWorker) -> None:
        if one.id not in self._workers:
            insort(self._ids, one.id)
        self._workers[one.id] = one
        if one.is_empty():
            del self._workers[one.id]
            self._ids.remove(one.id)

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """See KeptReads."""
        start = bisect_right(self._ids, after)
        return [self._workers[name] for name in self._ids[start : start + most]]

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """See KeptReads."""
        names = sorted(name for name in self._types if name > after)
        return [self._types[name] for name in names[:most]]


def _texts(one: KeptWorker | KeptType) -> tuple[str, ...]:
    if isinstance(one, KeptType):
        return (one.type, *_held(one.paused))
    return (
        *(one.id, one.called, one.name, one.note),
        *chain.from_iterable(one.labels),
        *_held(one.paused),
        *_held(one.blocked),
    )


def _held(hold: Hold | None) -> tuple[str, ...]:
    return () if hold is None else (hold.by, hold.reason)
