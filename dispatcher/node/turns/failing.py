"""The types whose jobs fail of late, all or many: kept from the changes of each turn, so that nobody has to look."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from msgspec import Struct

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Change
from dispatcher.core.jobs.views.endings import HOUR_S, Summary, steps_of, summary_of
from dispatcher.core.jobs.views.quarters import hour_of
from dispatcher.store.endings import EndingReads

__all__ = ["IN_A_ROW", "LATELY_S", "OFTEN", "TOLD_S", "Failing", "Run", "ended_before"]

#: So many failed jobs in a row, without one that succeeded, are a problem of the type and not of a job.
IN_A_ROW = 3
#: A problem is told for this long after the last failure: what nobody tries any more troubles nobody.
TOLD_S = 3_600.0
#: So many failed jobs within this time may be a problem, whatever succeeds between them: if they are a share of all.
OFTEN = 5
LATELY_S = 900.0
#: Most types that are counted; the one that failed longest ago is forgotten.
MOST_TYPES = 10_000
#: Of so many types a start reads how their last jobs ended: those with most failed ones.
MOST_BEGUN = 100
#: It reads so far back: of a run that began before that it knows the end.
BEGUN_S = 7_200


class Run(Struct):
    """How many jobs of a type have failed since the last one that succeeded."""

    jobs: int
    #: UTC seconds of the first one, and of the last one.
    since: float
    at: float


class Failing:
    """The runs of all types; the type that failed last stands last."""

    def __init__(self) -> None:
        self._runs: dict[str, Run] = {}
        #: When the last jobs of a type failed, in the same order.
        self._lately: dict[str, deque[float]] = {}

    def begin(self, known: Iterable[Summary]) -> None:
        """What an earlier run left in the store: how jobs ended within BEGUN_S, by the minute. A minute in which one
        succeeded begins a run anew, whatever failed in it. What failed in a minute failed when it began.
        """
        for summary in known:
            for at, ended in summary.points:
                if ended.succeeded:
                    self._runs.pop(summary.type, None)
                elif ended.failed:
                    self._add(summary.type, ended.failed, at)
                if ended.failed:
                    self._lately.setdefault(summary.type, deque(maxlen=OFTEN)).extend([at] * min(ended.failed, OFTEN))
        self._runs = dict(sorted(self._runs.items(), key=lambda each: each[1].at))
        self._lately = dict(sorted(self._lately.items(), key=lambda each: each[1][-1]))

    def _add(self, name: str, jobs: int, at: float) -> None:
        run = self._runs.pop(name, None) or Run(0, at, at)
        self._runs[name] = Run(run.jobs + jobs, run.since, at)

    def seen(self, changes: Iterable[Change]) -> None:
        """What has become of some jobs. What a person decided has not failed by itself."""
        for change in changes:
            if change.new is JobState.SUCCEEDED:
                self._runs.pop(change.type, None)
            elif change.new is JobState.FAILED and change.old is JobState.RUNNING:
                self._add(change.type, 1, change.at)
                lately = self._lately.pop(change.type, None) or deque(maxlen=OFTEN)
                lately.append(change.at)
                self._lately[change.type] = lately
        for kept in (self._runs, self._lately):
            while len(kept) > MOST_TYPES:
                del kept[next(iter(kept))]

    def worst(self, most: int, now_at: float) -> dict[str, Run]:
        """The types that failed last, with their runs. It looks at the last ``4 * most`` types."""
        found: dict[str, Run] = {}
        for name, _ in zip(reversed(self._runs), range(4 * most), strict=False):
            run = self._runs[name]
            if run.jobs >= IN_A_ROW and now_at - run.at < TOLD_S and len(found) < most:
                found[name] = run
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


async def ended_before(endings: EndingReads, now_at: float) -> list[Summary]:
    """How jobs ended within BEGUN_S, of the types with most failed ones of late."""
    steps, hour = steps_of(BEGUN_S, now_at), hour_of(now_at)
    names = [name for start in (hour, hour - HOUR_S) for name in await endings.types_of(start, MOST_BEGUN)]
    some = list(dict.fromkeys(names))[:MOST_BEGUN]
    found = await endings.windows(some, steps) if some else {}
    return [summary_of(name, steps, points) for name, points in found.items()]
