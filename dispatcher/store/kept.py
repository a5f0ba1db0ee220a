"""What operators have said of workers, in the store in memory."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import chain

from dispatcher.core.jobs.kept import Hold, KeptWorker
from dispatcher.store.storable import check_storable

__all__ = ["Kept"]


class Kept:
    """By the ids of the workers."""

    def __init__(self) -> None:
        self._kept: dict[str, KeptWorker] = {}
        self._ids: list[str] = []

    @staticmethod
    def check(kept: Sequence[KeptWorker]) -> None:
        """Raises if a database would not take it."""
        check_storable((one.id, one.called, one.name, one.note, *_texts(one)) for one in kept)

    def save(self, kept: Sequence[KeptWorker]) -> None:
        """Keeps them, in order; of an empty one nothing is kept."""
        for one in kept:
            if one.id not in self._kept:
                insort(self._ids, one.id)
            self._kept[one.id] = one
            if one.is_empty():
                del self._kept[one.id]
                self._ids.remove(one.id)

    def slice(self, after: str, most: int) -> list[KeptWorker]:
        """The first behind ``after``, by id."""
        start = bisect_right(self._ids, after)
        return [self._kept[name] for name in self._ids[start : start + most]]


def _texts(one: KeptWorker) -> list[str]:
    holds: list[Hold] = [hold for hold in (one.paused, one.blocked) if hold is not None]
    return [*chain.from_iterable(one.labels), *chain.from_iterable((hold.by, hold.reason) for hold in holds)]
