"""Checks how long ended jobs are kept, by time as it really passes (I33, S32)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import FINAL

if TYPE_CHECKING:
    from tests.sim.world import World

__all__ = ["Ages"]

KEY_S = 86_400.0


class Ages:
    """The instant at which each ended job has ended."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ended_at: dict[int, float] = {}

    def moved(self, job: JobRow, before: JobRow | None, begun: float) -> None:
        """A row has changed, in a turn that was begun then: a slow disk may commit it later."""
        if job.state not in FINAL:
            self._ended_at.pop(job.seq, None)
        elif before is None or before.state not in FINAL:
            self._ended_at[job.seq] = begun

    def removed(self, job: JobRow, begun: float) -> None:
        """Only final jobs go, older than the rule, whatever the wall clock says; keys live a day at least."""
        age_s = begun - self._ended_at.pop(job.seq, begun)
        if job.state not in FINAL or age_s < self._world.knobs.settings.retention_s:
            self._world.broken(f"I33: {job.id} is {job.state} and was removed after {age_s:.1f} s")
        if job.key is not None and age_s < KEY_S:
            self._world.broken(f"I33: the key of {job.id} was forgotten within a day")
