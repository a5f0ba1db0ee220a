"""The types whose jobs all fail of late: counted from the changes of each turn, so that nobody has to look for them."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change

__all__ = ["IN_A_ROW", "TOLD_S", "Failing", "Run"]

#: So many failed jobs in a row, without one that succeeded, are a problem of the type and not of a job.
IN_A_ROW = 3
#: A problem is told for this long after the last failure: a type that nobody uses any more troubles nobody.
TOLD_S = 86_400.0
#: Most types that are counted; the one that failed longest ago is forgotten.
MOST_TYPES = 10_000


class Run(Struct):
    """How many jobs of a type have failed since the last one that succeeded."""

    jobs: int
    #: UTC seconds of the last one.
    at: float


class Failing:
    """The runs of all types; the type that failed last stands last."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}

    def begin(self, known: Iterable[TypeView], now_at: float) -> None:
        """What an earlier run left in the store: types of which jobs have failed and none has succeeded."""
        for view in known:
            failed = view.counts.get(JobState.FAILED, 0)
            if failed and not view.counts.get(JobState.SUCCEEDED):
                self._runs[view.type] = Run(failed, now_at)

    def seen(self, changes: Iterable[Change]) -> None:
        """What has become of some jobs. What a person decided has not failed by itself."""
        for change in changes:
            if change.new is JobState.SUCCEEDED:
                self._runs.pop(change.type, None)
            elif change.new is JobState.FAILED and change.old is JobState.RUNNING:
                run = self._runs.pop(change.type, None) or Run(0, 0.0)
                self._runs[change.type] = Run(run.jobs + 1, change.at)
        while len(self._runs) > MOST_TYPES:
            del self._runs[next(iter(self._runs))]

    def worst(self, most: int, now_at: float) -> dict[str, int]:
        """The types that failed last, with the lengths of their runs. It looks at the last ``4 * most`` types."""
        found: dict[str, int] = {}
        for name, _ in zip(reversed(self._runs), range(4 * most), strict=False):
            run = self._runs[name]
            if run.jobs >= IN_A_ROW and now_at - run.at < TOLD_S and len(found) < most:
                found[name] = run.jobs
        return found
