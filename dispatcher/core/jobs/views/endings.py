"""How jobs have ended, by type and time: the outcomes, how long jobs waited, and how long they ran.

A job is counted each time it ends: one that a person retries is counted again. It is not counted again when a person
takes the late answer of a failed one. The count goes to the minute and to the hour in which the job ended, by the wall
clock. The store keeps both. This module knows no store.

A wait is the time from when the job became ready (made, or its delay, its backoff or an earlier try was over) to the
start of the try that ended it. A run is the time from there to its end. Only jobs that succeeded or failed by a try of
their own have them: what never ran has no run, and neither has what a person decided. A late result ends its run when
it comes; if the job had become ready again before that, the wait is not known any more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct, field

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.histograms import BOUNDS_S, Histogram, add

__all__ = [
    "ALL_TYPES",
    "HOUR_S",
    "KEPT_S",
    "LONGEST_WINDOW_S",
    "MINUTE_S",
    "SHORTEST_WINDOW_S",
    "End",
    "Endings",
    "Slot",
    "Steps",
    "Summary",
    "counted",
    "slots_of",
    "steps_of",
    "summary_of",
]

#: Stands for all types together: no type is called so.
ALL_TYPES = ""
MINUTE_S, HOUR_S = 60, 3_600
#: How long the counts of each step are kept: those of minutes, and those of hours.
KEPT_S: Mapping[int, int] = {MINUTE_S: 86_400, HOUR_S: 30 * 86_400}
SHORTEST_WINDOW_S, LONGEST_WINDOW_S = MINUTE_S, KEPT_S[HOUR_S]
#: The longest window that is told minute by minute.
_MOST_MINUTES_S = 6 * HOUR_S
#: A person has said how the job ended.
_BY_PEOPLE = ("decided", "adopted")
#: These are looked up for each job.
_SUCCEEDED, _FAILED, _CANCELLED = JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED


class Endings(Struct):
    """The jobs of one type that ended in one step of time, or in several."""

    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0
    wait: Histogram = field(default_factory=dict)
    run: Histogram = field(default_factory=dict)

    def add(self, other: Endings) -> None:
        """Adds those of ``other``."""
        self.succeeded += other.succeeded
        self.failed += other.failed
        self.cancelled += other.cancelled
        self.expired += other.expired
        add(self.wait, other.wait)
        add(self.run, other.run)

    @property
    def jobs(self) -> int:
        """How many have ended."""
        return self.succeeded + self.failed + self.cancelled + self.expired

    @property
    def tried(self) -> int:
        """How many have succeeded or failed."""
        return self.succeeded + self.failed

    @property
    def failed_percent(self) -> float | None:
        """Of those that succeeded or failed; None: there are none."""
        return 100.0 * self.failed / self.tried if self.tried else None


#: A job that has ended: its row's type, state, reason, created_at, ready_at and started_at.
End = tuple[str, JobState, str | None, float, float | None, float | None]


def counted(ends: Iterable[End], at: float) -> dict[str, Endings]:
    """The jobs that ended at this instant, by type.

    One loop without calls: it runs for each job.
    """
    found: dict[str, Endings] = {}
    for name, state, reason, created_at, ready_at, started_at in ends:
        if (one := found.get(name)) is None:
            one = found[name] = Endings()
        if state is _SUCCEEDED:
            one.succeeded += reason != "adopted"  # that one was counted when it failed
        elif state is _FAILED:
            one.failed += 1
        elif state is _CANCELLED:
            one.cancelled += 1
            continue
        else:
            one.expired += 1
            continue
        if started_at is None or reason in _BY_PEOPLE:
            continue
        bucket, histogram = bisect_right(BOUNDS_S, at - started_at), one.run
        histogram[bucket] = histogram.get(bucket, 0) + 1
        waited_s = started_at - (created_at if ready_at is None else ready_at)
        if waited_s >= 0.0 or ready_at is None:
            bucket, histogram = bisect_right(BOUNDS_S, waited_s), one.wait
            histogram[bucket] = histogram.get(bucket, 0) + 1
    return found


class Slot(NamedTuple):
    """Where a count stands: a step of this length that begins at this instant (UTC seconds), and a type."""

    step_s: int
    start: int
    type: str


def slots_of(type_name: str, at: float) -> Iterator[Slot]:
    """Where a job of this type is counted that ended at this instant."""
    for step_s in KEPT_S:
        start = int(at // step_s) * step_s
        yield Slot(step_s, start, type_name)
        yield Slot(step_s, start, ALL_TYPES)


class Steps(NamedTuple):
    """A window, in steps of minutes or hours. The first step may begin before the window."""

    window_s: int
    step_s: int
    #: When the first step and the last one begin; the last one is not over.
    first: int
    last: int
    until: float

    def starts(self) -> range:
        """When each step begins."""
        return range(self.first, self.last + 1, self.step_s)


def steps_of(window_s: int, now_at: float) -> Steps:
    """The steps of a window that ends now: minutes up to 6 hours, and else hours; 721 at most."""
    step_s = MINUTE_S if window_s <= _MOST_MINUTES_S else HOUR_S
    first = int((now_at - window_s) // step_s) * step_s
    return Steps(window_s, step_s, first, int(now_at // step_s) * step_s, now_at)


class Summary(Struct, frozen=True, kw_only=True):
    """How the jobs of a window have ended."""

    #: ``ALL_TYPES``: those of all types.
    type: str
    steps: Steps
    total: Endings
    #: (start, those that ended from then on): the steps in which a job ended, in order.
    points: list[tuple[int, Endings]]

    @property
    def per_hour(self) -> float:
        """Jobs that succeeded or failed, by the hour, from the beginning of the first step on: what workers did."""
        return self.total.tried * HOUR_S / max(self.steps.until - self.steps.first, 1.0)


def summary_of(type_name: str, steps: Steps, found: Iterable[tuple[int, Endings]]) -> Summary:
    """Sums up what was found of a window, in any order."""
    total = Endings()
    points = sorted((point for point in found if point[1].jobs), key=lambda point: point[0])
    for _, endings in points:
        total.add(endings)
    return Summary(type=type_name, steps=steps, total=total, points=points)
