"""Counts the jobs of each lane in each state; a database on one machine keeps this in memory, below the requests.

Rows are the truth. A driver reads the counters when it opens, writes what ``add`` answers with the rows of the same
turn, and reads them again after a rollback.
"""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.core.jobs.matching import lane_parts
from dispatcher.core.jobs.rows import JobRow
from dispatcher.core.jobs.states import OPEN, JobState
from dispatcher.store.applier.hand import earlier
from dispatcher.store.requests import Counted, Due, DueRows, Save, Tally

__all__ = ["Agenda", "Counters", "agenda_of"]


class Counters:
    """Jobs by lane and state, by type and state, and the open ones in all."""

    def __init__(self, tallies: Mapping[Counted, Tally]) -> None:
        self.all = dict(tallies)
        #: Jobs by state, for every state.
        self.states = {str(state): 0 for state in JobState}
        #: By type the same, without states that no job of it has been in. A type may have a lane for each worker.
        self.types: dict[str, dict[str, int]] = {}
        for (lane, state), tally in self.all.items():
            self._count(lane, state, tally.jobs)
        counted = [tally for (_, state), tally in self.all.items() if state in OPEN]
        #: Open jobs, and the bytes of their data.
        self.held = Tally(sum(tally.jobs for tally in counted), sum(tally.bytes for tally in counted))

    def add(self, deltas: Mapping[Counted, Tally]) -> dict[Counted, Tally]:
        """Counts a turn's moves. Returns the new values of the counts that have changed."""
        return {key: self._add(key, move) for key, move in deltas.items() if move.jobs or move.bytes}

    def _add(self, key: Counted, move: Tally) -> Tally:
        tally = self.all.get(key)
        if tally is None:
            tally = self.all[key] = Tally()
        tally.jobs += move.jobs
        tally.bytes += move.bytes
        self._count(*key, move.jobs)
        if key[1] in OPEN:
            self.held.jobs += move.jobs
            self.held.bytes += move.bytes
        return tally

    def _count(self, lane: str, state: str, more: int) -> None:
        self.states[state] += more
        counts = self.types.setdefault(lane_parts(lane)[0] if " " in lane else lane, {})
        counts[state] = counts.get(state, 0) + more

    def queued(self, lane: str) -> int:
        """Jobs of the lane that wait for a worker."""
        tally = self.all.get((lane, JobState.QUEUED))
        return tally.jobs if tally else 0

    def jobs_of(self, lane: str) -> int:
        """Jobs of the lane in any state."""
        return sum(self.all[lane, state].jobs for state in JobState if (lane, state) in self.all)

    def forget(self, lane: str) -> None:
        """Forgets a lane that is gone; it had no jobs."""
        for state in JobState:
            self.all.pop((lane, state), None)

    def forget_type(self, name: str) -> None:
        """Forgets a type that is gone, with all of its lanes."""
        self.types.pop(name, None)

    def by_state(self) -> dict[str, int]:
        """Jobs by state, for every state."""
        return dict(self.states)


class Agenda:
    """Knows when something is due next, perhaps too early but never too late. So most turns need not look."""

    def __init__(self, next_due_at: float | None, next_backoff: float | None) -> None:
        self.next_due_at = next_due_at
        self.next_backoff = next_backoff

    def nothing(self, request: Due) -> DueRows | None:
        """The answer if nothing is due; None: something may be due."""
        if self.next_due_at is not None and self.next_due_at <= request.now_at:
            return None
        if self.next_backoff is not None and self.next_backoff <= request.queue_clock:
            return None
        return DueRows([], [], self.next_due_at, self.next_backoff)

    def expect(self, request: Save) -> None:
        """A turn has made something wait."""
        self.next_due_at = earlier(self.next_due_at, request.next_due_at)
        self.next_backoff = earlier(self.next_backoff, request.next_backoff)


def agenda_of(waiting: list[JobRow], due: list[JobRow], gone: set[int]) -> Agenda:
    """When the first of the waiting jobs that are left is due; one that has become ready may still expire."""
    left = [row for row in waiting if row.seq not in gone]
    runs = [row.run_at for row in left if row.backoff_until is None]
    instants = [at for at in [*runs, *(row.expires_at for row in left + due)] if at is not None]
    backoffs = [row.backoff_until for row in left if row.backoff_until is not None]
    return Agenda(min(instants, default=None), min(backoffs, default=None))
