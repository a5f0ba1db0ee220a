"""The types whose jobs fail of late, all or many: kept from the changes of each turn, so that nobody has to look."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from msgspec import Struct

from dispatcher.core.jobs.model import TypeView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change

__all__ = ["IN_A_ROW", "LATELY_S", "OFTEN", "TOLD_S", "Failing", "Run"]

#: So many failed jobs in a row, without one that succeeded, are a problem of the type and not of a job.
IN_A_ROW = 3
#: A problem is told for this long after the last failure: a type that nobody uses any more troubles nobody.
TOLD_S = 86_400.0
#: So many failed jobs within this time may be a problem, whatever succeeds between them: if they are a share of all.
OFTEN = 5
LATELY_S = 900.0
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
        #: When the last jobs of a type failed, in the same order.
        self._lately: dict[str, deque[float]] = {}

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
                lately = self._lately.pop(change.type, None) or deque(maxlen=OFTEN)
                lately.append(change.at)
                self._lately[change.type] = lately
        for kept in (self._runs, self._lately):
            while len(kept) > MOST_TYPES:
                del kept[next(iter(kept))]

    def worst(self, most: int, now_at: float) -> dict[str, int]:
        """The types that failed last, with the lengths of their runs. It looks at the last ``4 * most`` types."""
        found: dict[str, int] = {}
        for name, _ in zip(reversed(self._runs), range(4 * most), strict=False):
            run = self._runs[name]
            if run.jobs >= IN_A_ROW and now_at - run.at < TOLD_S and len(found) < most:
                found[name] = run.jobs
        return found

    def often(self, most: int, now_at: float) -> list[str]:
        """Types of which OFTEN jobs have failed within LATELY_S. It looks at the last ``4 * most`` that failed."""
        found = [name for name, _ in zip(self._last_lately(now_at), range(4 * most), strict=False)]
        return [name for name in found if self._many(name, now_at)][:most]

    def _last_lately(self, now_at: float) -> Iterator[str]:
        for name in reversed(self._lately):
            if now_at - self._lately[name][-1] >= LATELY_S:
                return
            yield name

    def _many(self, name: str, now_at: float) -> bool:
        lately = self._lately[name]
        return len(lately) == OFTEN and now_at - lately[0] < LATELY_S
