"""Types that an operator has paused, and the lanes of theirs that have ready jobs.

To the groups such a lane is one without jobs: so a paused type costs a turn nothing, however many jobs wait for it.
What the turns say of the lane meanwhile is kept here, and is told again when the type is resumed. A pause and its end
touch the lanes of that type that have jobs, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from msgspec.structs import replace

from dispatcher.core.jobs.matching import lane_parts
from dispatcher.core.jobs.turn import LaneReady

__all__ = ["HeldTypes"]


class HeldTypes:
    """By type: its lanes with ready jobs, as they were reported last."""

    def __init__(self) -> None:
        self._ready: dict[str, dict[str, LaneReady]] = {}

    def begin(self, type_name: str) -> None:
        """The type is paused from here on; its lanes must be reported again."""
        self._ready.setdefault(type_name, {})

    def end(self, type_name: str) -> Iterable[LaneReady]:
        """The type is paused no more; returns what must be reported of its lanes."""
        return self._ready.pop(type_name, {}).values()

    def waits(self, type_name: str) -> bool:
        """Whether the type is paused and has ready jobs."""
        return bool(self._ready.get(type_name))

    def lanes(self, type_name: str, most: int) -> list[str]:
        """Some lanes of a paused type that have ready jobs."""
        return list(islice(self._ready.get(type_name, ()), most))

    def passed(self, entry: LaneReady) -> LaneReady:
        """What the groups may know of this report."""
        ready = self._ready.get(lane_parts(entry.lane)[0]) if self._ready else None
        if ready is None:
            return entry
        known = ready.pop(entry.lane, None)
        if entry.jobs:
            head = entry.head if entry.seen or known is None else min(entry.head, known.head)
            ready[entry.lane] = replace(entry, head=head, seen=True)
        return LaneReady(entry.lane, 0)

    def passing(self, jobs: Mapping[str, int]) -> Mapping[str, int]:
        """Of some lanes those whose type is not paused."""
        if not self._ready:
            return jobs
        return {name: count for name, count in jobs.items() if lane_parts(name)[0] not in self._ready}
