"""How jobs have ended: what is read of it, how the store in memory keeps it, and what databases share.

The rows of jobs that have ended say it already, and they are written in the turn. So a database's counts of the last
second are kept in memory (``Unwritten``), and are written together, with the instant of the queue clock up to which
ends are counted. A start counts what has ended since, from the rows of jobs; and so does a rollback. A kill loses
nothing, and no end is counted twice. If a job that has ended is removed or goes on, its row will not tell of its end
any more: then what is in memory is written in the same turn. To write the counts in each turn would cost some 3 us a
job at 16 jobs in a turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.endings import (
    ALL_TYPES,
    HOUR_S,
    KEPT_S,
    MINUTE_S,
    Endings,
    Slot,
    Steps,
    counted,
    slots_of,
)
from dispatcher.core.jobs.views.histograms import read_text, text_of
from dispatcher.store.requests import Save

__all__ = [
    "ENDED_COLUMNS",
    "ENDINGS_COLUMNS",
    "MOST_ENDINGS_FORGOTTEN",
    "MOST_UNWRITTEN",
    "WRITTEN_EVERY_S",
    "EndedRow",
    "EndingReads",
    "MemoryEndings",
    "Unwritten",
    "endings_of",
    "outlived",
    "spread",
    "values_of",
]

#: So long counts stay in memory alone, by the queue clock, if turns come; and so many of them.
WRITTEN_EVERY_S = 1.0
MOST_UNWRITTEN = 256

#: Most counts of each step that one turn forgets; the next turn goes on.
MOST_ENDINGS_FORGOTTEN = 1_000


class EndingReads(Protocol):
    """A store's reads of how jobs have ended."""

    async def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """(start of the step, what ended in it) of each step in which a job of the type ended, in no order."""
        ...

    async def windows(self, names: Sequence[str], steps: Steps) -> dict[str, list[tuple[int, Endings]]]:
        """The same for each of some types, at most 100, at once: who wants many waits for one turn."""
        ...

    async def types_of(self, hour: int, most: int) -> list[str]:
        """Types of which a job ended in the hour that begins then: those with most failed jobs first, then most jobs.

        What ended in the last second may count for less.
        """
        ...


def spread(ended: Mapping[tuple[str, int], Endings]) -> dict[Slot, Endings]:
    """Where these go: by type and the second in which they ended."""
    slots: dict[Slot, Endings] = {}
    for (type_name, at), endings in ended.items():
        for slot in slots_of(type_name, at):
            slots.setdefault(slot, Endings()).add(endings)
    return slots


def outlived(now_at: float) -> dict[int, float]:
    """For each step: those that begin before this instant are forgotten. A window may begin within the oldest one."""
    return {step_s: now_at - kept_s - step_s for step_s, kept_s in KEPT_S.items()}


class MemoryEndings:
    """See EndingReads."""

    def __init__(self) -> None:
        self.slots: dict[Slot, Endings] = {}

    def save(self, ended: Mapping[str, Endings], at: float) -> None:
        """Counts those that ended at this instant, by type."""
        for slot, endings in spread({(name, int(at)): endings for name, endings in ended.items()}).items():
            self.slots.setdefault(slot, Endings()).add(endings)

    def old(self, now_at: float) -> list[Slot]:
        """Which are to be forgotten, the oldest first, so many at a time."""
        found: list[Slot] = []
        for step_s, before in outlived(now_at).items():
            old = sorted(slot for slot in self.slots if slot.step_s == step_s and slot.start < before)
            found += old[:MOST_ENDINGS_FORGOTTEN]
        return found

    def forget(self, slots: list[Slot]) -> None:
        """Forgets these."""
        for slot in slots:
            del self.slots[slot]

    async def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """See EndingReads."""
        found = ((start, self.slots.get(Slot(steps.step_s, start, type_name))) for start in steps.starts())
        return [(start, endings) for start, endings in found if endings is not None]

    async def windows(self, names: Sequence[str], steps: Steps) -> dict[str, list[tuple[int, Endings]]]:
        """See EndingReads."""
        return {name: await self.window(name, steps) for name in names}

    async def types_of(self, hour: int, most: int) -> list[str]:
        """See EndingReads."""
        found = [
            (-one.failed, -one.jobs, slot.type)
            for slot, one in self.slots.items()
            if slot[:2] == (HOUR_S, hour) and slot.type != ALL_TYPES and one.jobs
        ]
        return [name for _, _, name in sorted(found)[:most]]


#: What is read of the jobs that have ended since counts were written, and one of them.
ENDED_COLUMNS = ("ended_clock", "ended_at", "type", "state", "reason", "created_at", "ready_at", "started_at")
EndedRow = tuple[float, float, str, str, str | None, float, float | None, float | None]


class Unwritten:
    """What a database's driver has counted and not yet written. ``reload`` comes first."""

    def __init__(self) -> None:
        #: The ends up to this instant of the queue clock are written.
        self._counted = 0.0
        #: When counts were written last, and the last end that is counted.
        self._written = self._last = 0.0
        self._ends: dict[tuple[str, int], Endings] = {}

    def reload(self, counted_clock: float, ended: Iterable[EndedRow]) -> None:
        """Counts again: ``ended`` are the jobs that have ended since that instant."""
        self._counted = self._last = self._written = counted_clock
        self._ends = {}
        for clock, ended_at, name, state, reason, created_at, ready_at, started_at in ended:
            end = (name, JobState(state), reason, created_at, ready_at, started_at)
            self._add(counted([end], ended_at), ended_at)
            self._last = max(self._last, clock)

    def _add(self, ended: Mapping[str, Endings], at: float) -> None:
        minute = int(at // MINUTE_S) * MINUTE_S
        for key, endings in (((name, minute), one) for name, one in ended.items()):
            known = self._ends.get(key)
            if known is None:
                self._ends[key] = endings
            else:
                known.add(endings)

    def counted_to(self, clock: float) -> float | None:
        """Everything that ended up to then is counted, if nothing is in memory alone (else None is returned)."""
        if self._ends:
            return None
        self._counted = max(self._counted, clock)
        return self._counted

    def count(self, request: Save) -> bool:
        """Counts the jobs that have ended in the turn. Returns whether the counts are to be written in it."""
        if request.ended:
            self._add(request.ended, request.offered_at)
            self._last = request.queue_clock
        return bool(self._ends) and self._must_write(request)

    def _must_write(self, request: Save) -> bool:
        counted = self._counted
        lost = request.ends_lost_clock > counted or self._last <= counted  # no row would tell of it
        return lost or request.queue_clock >= self._written + WRITTEN_EVERY_S or len(self._ends) >= MOST_UNWRITTEN

    def take(self) -> tuple[dict[Slot, Endings], float]:
        """Where they go, to be written; and the instant up to which ends are counted then."""
        slots = spread(self._ends)
        self._counted = self._written = max(self._counted, self._last)
        self._ends = {}
        return slots, self._counted

    def with_written(
        self, type_name: str, steps: Steps, written: Iterable[tuple[int, Endings]]
    ) -> list[tuple[int, Endings]]:
        """What ``EndingReads.window`` answers, if this is what is written of it."""
        found = dict(written)
        for (name, minute), endings in self._ends.items():
            for slot in slots_of(name, minute):
                if slot.type == type_name and slot.step_s == steps.step_s and slot.start in steps.starts():
                    found.setdefault(slot.start, Endings()).add(endings)
        return list(found.items())

    def types_with(self, hour: int, written: Iterable[str], most: int) -> list[str]:
        """What ``EndingReads.types_of`` answers, if these are written of it."""
        unwritten = (name for name, minute in self._ends if minute // HOUR_S * HOUR_S == hour)
        return list(dict.fromkeys([*written, *unwritten]))[:most]


#: The columns of what has ended in one step.
ENDINGS_COLUMNS = ("succeeded", "failed", "cancelled", "expired", "wait", "run")


def values_of(one: Endings) -> tuple[int, int, int, int, str, str]:
    """The values of ``ENDINGS_COLUMNS``."""
    return one.succeeded, one.failed, one.cancelled, one.expired, text_of(one.wait), text_of(one.run)


def endings_of(succeeded: int, failed: int, cancelled: int, expired: int, wait: str, run: str) -> Endings:
    """What ``values_of`` has made."""
    return Endings(succeeded, failed, cancelled, expired, read_text(wait), read_text(run))
