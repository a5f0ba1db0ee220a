"""The tries of a job: each with its lines of the log, and the newest as bars on one scale of time.

A bar shows what a try waited, was offered and ran, and how late it answered. What took no time to speak of is still as
wide as can be seen, so a bar may be a little longer than its time. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from dispatcher.core.jobs.model import AttemptView, JobView, LogLine
from dispatcher.core.jobs.states import FINAL
from handlers.console.words import duration

__all__ = ["MOST_TRIES", "WIDTH", "ShownTry", "Stretch", "Tries", "TryBar", "shown_tries", "try_bars"]

#: The newest tries that are drawn; the page has all of them in words.
MOST_TRIES = 20
#: Units of the drawing, and the least that is seen.
WIDTH, _LEAST = 1_000, 4
#: What is said of each kind of stretch.
_SAID = {"wait": "waited", "offer": "offered for", "run": "ran", "late": "answered late, after"}
_WELL, _OPEN = ("succeeded",), ("offered", "running")


class Stretch(Struct, frozen=True):
    """A part of a bar."""

    #: ``wait``, ``offer``, ``late``; or of a run ``open``, ``good`` or ``bad``.
    look: str
    left: int
    width: int


class TryBar(Struct, frozen=True):
    """One try."""

    number: int | None
    worker: str
    stretches: list[Stretch]
    #: The same in words.
    words: str


class ShownTry(Struct, frozen=True):
    """One try with all that is known of it."""

    attempt: AttemptView
    #: None: it is not among the newest.
    bar: TryBar | None
    lines: list[LogLine]
    #: Whether the job's progress is what this try reported.
    has_progress: bool


class Tries(Struct, frozen=True):
    """What the page has of a job's tries."""

    #: The newest first.
    shown: list[ShownTry]
    #: Lines of tries that are not kept any more.
    rest: list[LogLine]


def shown_tries(job: JobView, lines: Sequence[LogLine], now: float) -> Tries:
    """All of them, with those of ``lines`` that are theirs."""
    by_try: dict[int | None, list[LogLine]] = {}
    for line in lines:
        by_try.setdefault(line.number, []).append(line)
    bars: list[TryBar | None] = [*try_bars(job, now)]
    bars += [None] * (len(job.attempts) - len(bars))
    shown = []
    for attempt, bar in zip(reversed(job.attempts), bars, strict=True):
        number = attempt.number
        own = [] if number is None else by_try.pop(number, [])
        shown.append(ShownTry(attempt, bar, own, number is not None and number == job.number))
    return Tries(shown, [line for left in by_try.values() for line in left])


def try_bars(job: JobView, now: float) -> list[TryBar]:
    """The newest tries, the newest first. They share the scale of the drawing."""
    tries = job.attempts[-MOST_TRIES:]
    before = job.attempts[:-MOST_TRIES]
    ready_at = before[-1].ended_at if before else job.run_at
    ready_at = job.created_at if ready_at is None else ready_at
    begin_at, end_at = ready_at, _end_at(job, tries, now)
    bars = []
    for attempt in tries:
        spans = list(_spans(attempt, ready_at, now))
        words = ", ".join(f"{_SAID[kind]} {duration(until - since)}" for kind, since, until in spans)
        worker = attempt.worker_name or attempt.worker
        bars.append(TryBar(attempt.number, worker, _drawn(spans, attempt, begin_at, end_at), words))
        ready_at = attempt.ended_at or ready_at
    return bars[::-1]


def _end_at(job: JobView, tries: Sequence[AttemptView], now: float) -> float:
    """Where the drawing ends: at the last thing that happened to a try, or now."""
    if job.state not in FINAL:
        return now
    instants = [at for one in tries for at in (one.ended_at, one.late_at, one.started_at, one.offered_at)]
    return max((at for at in instants if at is not None), default=now)


def _spans(attempt: AttemptView, ready_at: float, now: float) -> Iterator[tuple[str, float, float]]:
    """(kind, since, until) of what it did, in order."""
    yield "wait", ready_at, max(ready_at, attempt.offered_at)
    ended_at = attempt.ended_at or now
    yield "offer", attempt.offered_at, attempt.started_at or ended_at
    if attempt.started_at is not None:
        yield "run", attempt.started_at, ended_at
    if attempt.late_at is not None and attempt.ended_at is not None:
        yield "late", attempt.ended_at, attempt.late_at


def _drawn(
    spans: Sequence[tuple[str, float, float]], attempt: AttemptView, begin_at: float, end_at: float
) -> list[Stretch]:
    """There is room for each to be _LEAST wider than its time.

    Clocks may have been stepped meanwhile: no stretch begins before the one ahead of it has ended.
    """
    scale = (WIDTH - _LEAST * len(spans)) / max(end_at - begin_at, 0.001)
    drawn, behind, at = [], 0, begin_at
    for kind, *instants in spans:
        since, at = (min(max(instant, at), end_at) for instant in instants)
        left = max(behind, int((since - begin_at) * scale))
        width = max(_LEAST, int((at - since) * scale))
        drawn.append(Stretch(_look(kind, attempt), left, width))
        behind = left + width
    return drawn


def _look(kind: str, attempt: AttemptView) -> str:
    if kind != "run":
        return kind
    return "good" if attempt.state in _WELL else "open" if attempt.state in _OPEN else "bad"
