"""What is kept of workers and types: what is read of it, and how the store in memory keeps it.

Operators have said some of it. The rest are the credentials of workers that have joined.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import chain
from typing import Generic, Protocol, TypeVar

from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.acts.kept import Hold, KeptType, KeptWorker
from dispatcher.store.storable import check_storable

__all__ = ["Kept", "KeptReads", "MemoryKept"]

Kept = KeptWorker | KeptType | Credential


class KeptReads(Protocol):
    """A store's reads of what is kept of workers and types."""

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """The first behind ``after``, by id."""
        ...

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """The first behind ``after``, by name."""
        ...

    async def credentials(self, after: str = "", most: int = 1_000) -> list[Credential]:
        """The first behind ``after``, by the worker's id."""
        ...


class _Empty(Protocol):
    def is_empty(self) -> bool: ...


T = TypeVar("T", bound=_Empty)


class _Sorted(Generic[T]):
    """Values by name, and the names in order; of an empty one nothing is kept."""

    def __init__(self) -> None:
        self._values: dict[str, T] = {}
        self._names: list[str] = []

    def save(self, name: str, value: T) -> None:
        if name not in self._values:
            insort(self._names, name)
        self._values[name] = value
        if value.is_empty():
            del self._values[name]
            self._names.remove(name)

    def behind(self, after: str, most: int) -> list[T]:
        start = bisect_right(self._names, after)
        return [self._values[name] for name in self._names[start : start + most]]


class MemoryKept:
    """See KeptReads."""

    def __init__(self) -> None:
        self._workers = _Sorted[KeptWorker]()
        self._types = _Sorted[KeptType]()
        self._credentials = _Sorted[Credential]()

    @staticmethod
    def check(kept: Sequence[Kept]) -> None:
        """Raises if a database would not take it."""
        check_storable(_texts(one) for one in kept)

    def save(self, kept: Sequence[Kept]) -> None:
        """Keeps them, in order; of an empty one nothing is kept."""
        for one in kept:
            if isinstance(one, KeptType):
                self._types.save(one.type, one)
            elif isinstance(one, Credential):
                self._credentials.save(one.worker, one)
            else:
                self._workers.save(one.id, one)

    async def workers(self, after: str = "", most: int = 1_000) -> list[KeptWorker]:
        """See KeptReads."""
        return self._workers.behind(after, most)

    async def types(self, after: str = "", most: int = 1_000) -> list[KeptType]:
        """See KeptReads."""
        return self._types.behind(after, most)

    async def credentials(self, after: str = "", most: int = 1_000) -> list[Credential]:
        """See KeptReads."""
        return self._credentials.behind(after, most)


def _texts(one: Kept) -> tuple[str, ...]:
    if isinstance(one, KeptType):
        return (one.type, *_held(one.paused))
    if isinstance(one, Credential):
        return one.worker, one.token_id
    return (
        *(one.id, one.called, one.name, one.note),
        *chain.from_iterable(one.labels),
        *_held(one.paused),
        *_held(one.blocked),
    )


def _held(hold: Hold | None) -> tuple[str, ...]:
    return () if hold is None else (hold.by, hold.reason)
