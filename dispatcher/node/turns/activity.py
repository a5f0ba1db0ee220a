"""Counts what the turns of this node have done since its start, for metrics. Every count only grows.

A turn adds a few whole numbers here; nobody walks anything. It decides nothing, and knows nothing of metrics' form.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from dispatcher.core.jobs.states import SETTLED, JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.measures import OTHER_TYPES, TurnTimes

__all__ = ["BOUNDS_S", "MOST_NAMED", "Activity"]

#: So many types are counted by their name, those that came first. A count of another type goes to ``OTHER_TYPES``: each
#: name is a time series of its own, and who submits jobs chooses the names.
MOST_NAMED = 200
#: The upper bounds of the histogram of turns, in seconds.
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Activity:
    """What has happened to jobs by their type, and how long turns took."""

    def __init__(self) -> None:
        self.submitted: Counter[str] = Counter()
        #: Attempts that were offered to a page.
        self.offered: Counter[str] = Counter()
        #: Jobs that ended, or came to be in doubt: by type and state.
        self.settled: Counter[tuple[str, JobState]] = Counter()
        self._named: set[str] = set()
        #: Turns by the first bound that they did not exceed; the last one is for those over all bounds.
        self._turns = [0] * (len(BOUNDS_S) + 1)
        self._took_s = 0.0

    def turn(self, took_s: float, changes: Iterable[Change]) -> None:
        """A turn is durable."""
        self._turns[bisect_left(BOUNDS_S, took_s)] += 1
        self._took_s += took_s
        for change in changes:
            name = change.type if change.type in self._named else self._name(change.type)
            if change.old is None:
                self.submitted[name] += 1
            if change.new is JobState.RUNNING:
                self.offered[name] += 1
            elif change.new in SETTLED:
                self.settled[name, change.new] += 1

    def named(self) -> list[str]:
        """The types that are counted by their name."""
        return sorted(self._named)

    def times(self) -> TurnTimes:
        """How long turns took so far."""
        return TurnTimes(bounds_s=BOUNDS_S, turns=tuple(self._turns), took_s=self._took_s)

    def know(self, types: Iterable[str]) -> None:
        """These types have a name here, as far as there is room."""
        for name in types:
            self._name(name)

    def _name(self, job_type: str) -> str:
        if job_type not in self._named:
            if len(self._named) >= MOST_NAMED:
                return OTHER_TYPES
            self._named.add(job_type)
        return job_type
