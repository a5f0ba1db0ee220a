"""The lines of the board: what runs and how long it will take, what comes next, and what has just ended. Pure.

What is said of the future is what is usual: half of the jobs of a type took no longer in the last hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from handlers.console.words import age

__all__ = [
    "SOON_S",
    "BoardLine",
    "BoardPart",
    "UsualRuns",
    "Why",
    "ended_lines",
    "parts_that_fit",
    "running_lines",
    "soon_lines",
    "waiting_lines",
]

#: Type -> how long half of its jobs run, in seconds; None: too few have ended to say.
UsualRuns = Mapping[str, float | None]
#: Why a job waits: the code, and how many workers that match it are busy.
Why = tuple[str, int]
#: A job that is scheduled for later than that is not on the board.
SOON_S = 600
#: (look, word) of jobs that run no more.
_ENDED = {
    JobState.SUCCEEDED: ("good", "done"), JobState.FAILED: ("bad", "failed"), JobState.CANCELLED: ("over", "cancelled"),
    JobState.EXPIRED: ("bad", "expired"), JobState.IN_DOUBT: ("bad", "in doubt: somebody must decide"),
}  # fmt: skip


#: By the code of why a job waits.
_WAITS = {
    "next": "next", "no_worker": "no worker is here for it", "no_match": "no worker is here for it",
    "away": "its workers are away", "paused": "its workers are paused", "set_aside": "its workers take nothing",
    "everything_paused": "all jobs are paused", "type_paused": "its type is paused", "stopping": "the server stops",
}  # fmt: skip


class BoardLine(Struct, frozen=True):
    """One job on the board."""

    #: ``runs``, ``waits``, ``soon``, ``good``, ``bad``, ``over``.
    look: str
    job: JobView
    #: The worker; empty: none has it.
    where: str
    when: str


class BoardPart(Struct, frozen=True):
    """The lines of one kind: what runs, say."""

    lines: Sequence[BoardLine]
    #: How many jobs there are of this kind, and whether there may be more, at which nobody has looked.
    total: int
    has_others: bool
    #: What is said of those that are left out: ``and 12 more waiting``.
    word: str

    @property
    def rest(self) -> str:
        """Says how many are left out; empty: none is."""
        more, least = self.total - len(self.lines), "at least " if self.has_others else ""
        return f"and {least}{more} more {self.word}" if more else ""


def parts_that_fit(parts: Sequence[BoardPart], room: int) -> list[BoardPart]:
    """Each kind gets its share of the lines that a wall can show; what one leaves over, the others have."""
    shown = [0] * len(parts)
    wanting = [place for place, part in enumerate(parts) if part.lines]
    while wanting and sum(shown) < room:
        for place in wanting[: room - sum(shown)]:
            shown[place] += 1
        wanting = [place for place in wanting if shown[place] < len(parts[place].lines)]
    return [replace(part, lines=part.lines[:count]) for part, count in zip(parts, shown, strict=True)]


def running_lines(jobs: Iterable[JobView], usual: UsualRuns, now: float) -> list[BoardLine]:
    """Jobs that run; those that are done first, as far as that is known, come first."""
    lines = [(_left_s(job, usual, now), job) for job in jobs]
    lines.sort(key=lambda line: (line[0] is None, line[0] or 0.0, line[1].created_at))
    return [BoardLine("runs", job, job.worker_name or "", _running(job, left_s, now)) for left_s, job in lines]


def waiting_lines(waits: Sequence[tuple[JobView, Why]], usual: UsualRuns) -> list[BoardLine]:
    """Jobs that wait, the first in turn first."""
    return [BoardLine("waits", job, "", _waiting(job, why, place, usual)) for place, (job, why) in enumerate(waits, 1)]


def soon_lines(jobs: Iterable[JobView], now: float) -> list[BoardLine]:
    """Jobs that are scheduled for one of the next minutes, the first first."""
    due = sorted((job.run_at, job.created_at, job.id, job) for job in jobs if job.run_at is not None)
    return [BoardLine("soon", job, "", _soon(job, at - now)) for at, _, _, job in due if at - now <= SOON_S]


def ended_lines(jobs: Iterable[JobView], now: float) -> list[BoardLine]:
    """Jobs that have ended or are in doubt, the last first."""
    over = sorted(jobs, key=lambda job: job.ended_at or job.stopped_at or now, reverse=True)
    return [_ended(job, now) for job in over]


def _left_s(job: JobView, usual: UsualRuns, now: float) -> float | None:
    run_s = usual.get(job.type)
    return None if run_s is None or job.started_at is None else job.started_at + run_s - now


def _running(job: JobView, left_s: float | None, now: float) -> str:
    if left_s is not None and left_s >= 1:
        return f"in {age(left_s)}"
    if job.started_at is None:
        return "about to begin"
    for_s = now - job.started_at
    running = f"running for {age(for_s)}" if for_s >= 1 else "just begun"
    return running if left_s is None else f"any moment, {running}"


def _waiting(job: JobView, why: Why, place: int, usual: UsualRuns) -> str:
    """``place``: among those that wait; others may be for other workers, so what is said may be too late."""
    (code, busy), run_s = why, usual.get(job.type)
    if code == "busy" and run_s is not None:
        return f"begins in about {age(max(1.0, place * run_s / max(1, busy)))}"
    return _WAITS.get(code, f"number {place} in the queue")


def _soon(job: JobView, in_s: float) -> str:
    if in_s < 1:
        return "about to begin"
    return f"tried again in {age(in_s)}" if job.number else f"begins in {age(in_s)}"


def _ended(job: JobView, now: float) -> BoardLine:
    look, word = _ENDED[job.state]
    at = job.ended_at or job.stopped_at
    when = word if at is None or job.state is JobState.IN_DOUBT else f"{word} {_since(now - at)}"
    return BoardLine(look, job, job.worker_name or "", when)


def _since(seconds: float) -> str:
    return f"{age(seconds)} ago" if seconds >= 1 else "just now"
