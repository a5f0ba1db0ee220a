"""Which ready jobs a demand gets: by rank, each to the first of its entries that has room for the job's lane.

Lanes are read lazily, a few jobs at a time and only while somebody could take one, so that many lanes cost no more than
one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence

from dispatcher.core.jobs.ledger import JobRow
from dispatcher.core.jobs.turn import Claim, Demand
from dispatcher.store.rows import Rows

__all__ = ["BEGINNING", "Takers", "choose", "claim_of"]

#: Before every (rank, seq).
BEGINNING = (-1e300, 0)


class _Line:
    """Entries of a demand that match the same lanes, in order; the first ones may have no room any more."""

    __slots__ = ("entries", "place")

    def __init__(self) -> None:
        self.entries: list[int] = []
        self.place = 0


class Takers:
    """The entries of a demand with the room that they have left.

    Entries with the same lanes stand in one line, so that a job looks at a few lines and not at all entries.
    """

    def __init__(self, demand: Sequence[Demand]) -> None:
        self._pools = [entry.pool for entry in demand]
        self._rooms = [entry.room for entry in demand]
        #: How many jobs they could take in all.
        self.room = sum(self._rooms)
        lines: dict[tuple[str, ...], _Line] = {}
        for place, entry in enumerate(demand):
            lines.setdefault(entry.lanes, _Line()).entries.append(place)
        self._of_lane: dict[str, list[_Line]] = {}
        for lanes, line in lines.items():
            for name in lanes:
                self._of_lane.setdefault(name, []).append(line)

    def lanes(self) -> list[str]:
        """Every lane that some entry names."""
        return list(self._of_lane)

    def has_room(self, lane: str) -> bool:
        """Whether some entry could take a job of this lane."""
        return self._first(lane) is not None

    def take(self, lane: str) -> int | None:
        """The pool of the first entry that takes a job of this lane, which it then has; None: nobody has room."""
        place = self._first(lane)
        if place is None:
            return None
        self._rooms[place] -= 1
        return self._pools[place]

    def _first(self, lane: str) -> int | None:
        found: int | None = None
        for line in self._of_lane.get(lane, ()):
            while line.place < len(line.entries) and not self._rooms[line.entries[line.place]]:
                line.place += 1
            if line.place < len(line.entries) and (found is None or line.entries[line.place] < found):
                found = line.entries[line.place]
        return found


def choose(rows: Rows, demand: Sequence[Demand], most: int, queued: Callable[[int], int]) -> list[tuple[int, int]]:
    """(pool, seq) of at most ``most`` jobs. ``queued``: how many jobs wait in a lane."""
    takers = Takers(demand)
    most = min(most, takers.room)
    lanes = [(lane, name) for lane, name in ((rows.lane(name), name) for name in takers.lanes()) if queued(lane)]
    # The first jobs of each lane; more of it only where it comes to that.
    first = -(-most // len(lanes)) if lanes else 0
    chosen: list[tuple[int, int]] = []
    for _, seq, name in heapq.merge(*(_in_order(rows, lane, name, first, takers) for lane, name in lanes)):
        pool = takers.take(name)
        if pool is not None:
            chosen.append((pool, seq))
            if len(chosen) == most:
                break
    return chosen


def _in_order(rows: Rows, lane: int, name: str, first: int, takers: Takers) -> Iterator[tuple[float, int, str]]:
    """The ready jobs of a lane, by rank, until nobody could take one: (rank, seq, lane)."""
    after, size = BEGINNING, first
    while takers.has_room(name):
        found = rows.ready(lane, size, after)
        yield from ((rank, seq, name) for rank, seq in found)
        if len(found) < size:
            return
        after, size = found[-1], 2 * size


def claim_of(pool: int, attempt: str, job: JobRow, data: str, had: tuple[str, ...]) -> Claim:
    """A job that goes to a pool, with its new attempt."""
    return Claim(
        pool=pool,
        attempt=attempt,
        job=job.id,
        type=job.type,
        data=data,
        number=job.number + 1,
        terms=job.terms,
        errors=job.errors,
        crashes=job.crashes,
        had=had,
    )
