"""How jobs have ended: what is read of it, and how the store in memory keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from dispatcher.core.jobs.endings import KEPT_S, Endings, Slot, Steps, slots_of

__all__ = ["MOST_ENDINGS_FORGOTTEN", "EndingReads", "MemoryEndings", "outlived", "spread"]

#: Most counts of each step that one turn forgets; the next turn goes on.
MOST_ENDINGS_FORGOTTEN = 1_000


class EndingReads(Protocol):
    """A store's reads of how jobs have ended."""

    async def window(self, type_name: str, steps: Steps) -> list[tuple[int, Endings]]:
        """(start of the step, what ended in it) of each step in which a job of the type ended, in no order."""
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
