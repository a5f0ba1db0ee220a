"""A turn's hand: the rows that it has loaded or made, their transitions, and the writes to come."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from math import inf
from typing import NamedTuple

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.rows import JobRow, WriteSet, lane_of_row
from dispatcher.core.jobs.states import FINAL, OPEN, WAITING, JobState
from dispatcher.core.jobs.turn import Change, LiveAttempt, Report, Settled, Verdict
from dispatcher.core.jobs.views.endings import End
from dispatcher.store.applier.telling import Teller
from dispatcher.store.attempts import current_attempts
from dispatcher.store.requests import Counted, Loaded, Tally

__all__ = ["Hand", "Ids", "earlier"]


class Ids(NamedTuple):
    """Where new ids come from: nobody can guess them."""

    job: Callable[[], str]
    attempt: Callable[[], str]
    #: Of messages for webhooks; None: they are made as those of jobs.
    message: Callable[[], str] | None = None


class Hand:
    """Rows in hand. ``moved`` is told every transition of a job: it counts it, notes it and sets the job's clocks."""

    def __init__(self, now_at: float, loaded: Loaded, named: Collection[str], teller: Teller | None = None) -> None:
        self.now_at = now_at
        self._teller = teller
        self.clock = loaded.queue_clock
        self.jobs = loaded.jobs
        #: Of what comes from another node in this turn, reports are older than its coming.
        self._elsewhere = loaded.elsewhere.union(live.attempt for page in loaded.moved.values() for live in page)
        self.attempts = current_attempts(loaded.jobs.values(), named) | loaded.attempts
        #: Jobs that had ended before this turn.
        self.ended = frozenset(seq for seq, job in loaded.jobs.items() if job.state in FINAL)
        self.held = Tally(loaded.held.jobs, loaded.held.bytes)
        self.writes = WriteSet()
        #: How many jobs went from one state to another, by lane. None: they did not exist before, or do not after.
        self._moves: dict[tuple[str, JobState | None, JobState | None], Tally] = {}
        self.changes: list[Change] = []
        #: Lanes in which jobs have become ready, or have ceased to be.
        self.touched: set[str] = set()
        #: Jobs that became ready in this turn, by lane and number.
        self.queued: dict[str, dict[int, JobRow]] = {}
        #: How many jobs have ceased to be ready while the database still has them as ready.
        self.unqueued = 0
        #: When the first job that this turn has made wait is due: by the wall clock, and by the queue clock.
        self.next_due_at: float | None = None
        self.next_backoff: float | None = None
        #: The jobs that have ended in this turn; and the latest end whose job goes, or goes on, with all such jobs.
        self.ends: list[End] = []
        self.ends_lost_clock = -inf
        self.ends_lost: list[int] = []
        #: Jobs that began to wait in this turn and have expired.
        self.overdue: list[JobRow] = []

    def settle(self, reports: Iterable[Report], late_accept: bool) -> list[Settled]:
        """Applies the reports under the fence. Only a result counts of what another node has (S25)."""
        verdicts = []
        for report in reports:
            if report.attempt in self._elsewhere and not ledger.is_result(report):
                verdicts.append(Settled(report.attempt, Verdict.STALE))
                continue
            attempt = self.attempts.get(report.attempt)
            job = None if attempt is None else self.jobs[attempt.job]
            old = None if job is None else job.state
            verdicts.append(ledger.settle(report, self.attempts, self.jobs, self.now_at, self.writes, late_accept))
            if job is not None and job.state is not old:
                self.moved(job, old, attempt=report.attempt)
        return verdicts

    def has(self, live: LiveAttempt) -> bool:
        """Whether nothing has ended it in this turn."""
        job = self.by_id.get(live.job)
        return job is None or (job.state is JobState.RUNNING and job.attempt == live.attempt)

    @cached_property
    def by_id(self) -> dict[str, JobRow]:
        """The loaded jobs by id. Only commands ask for them, and they come before submissions."""
        return {job.id: job for job in self.jobs.values()}

    def made(self, job: JobRow, data: str) -> None:
        """A new job."""
        self.jobs[job.seq] = job
        self.writes.new[job.seq] = job
        self.writes.data[job.seq] = data
        self.moved(job, None)

    def moved(self, job: JobRow, old: JobState | None, *, attempt: str | None = None, actor: str = "") -> None:
        """The job was in ``old``, or is new. Call it after each transition."""
        state = job.state
        if old is not None:  # a new job's delay is by the wall clock
            if job.ended_clock is not None:
                self._lose(job.seq, job.ended_clock)
            ledger.clocked(job, old, self.now_at, self.clock)
            if job.ended_clock is not None:
                end = (job.type, state, job.reason, job.created_at, job.ready_at, job.started_at)
                self.ends.append(end)
            if old is JobState.RUNNING and state is JobState.SUCCEEDED:
                self.writes.done[job.seq] = job  # jobs are claimed last, so this one ran before the turn
            else:
                self.writes.done.pop(job.seq, None)
        lane = lane_of_row(job)
        self._count(lane, old, state, job.size)
        if state is JobState.QUEUED:
            self._make_ready(lane, job)
        elif old is JobState.QUEUED:
            self._unready(lane, job)
        if state in WAITING:
            self._expect(job)
        self._told(job, old, attempt, actor)

    def _lose(self, seq: int, ended_clock: float) -> None:
        self.ends_lost_clock = max(self.ends_lost_clock, ended_clock)
        self.ends_lost.append(seq)

    def _told(self, job: JobRow, old: JobState | None, attempt: str | None, actor: str) -> None:
        at, attempt = self.now_at, attempt or job.attempt
        owner = job.about.owner
        change = Change(job.id, job.type, old, job.state, at, attempt, job.worker, job.reason, actor, owner)
        self.changes.append(change)
        if self._teller is not None:
            self._teller.tell(job, change, self.writes.messages)

    def amended(self, job: JobRow, old: JobState, lane: str, actor: str) -> None:
        """The job waits, and its terms or its time have changed. It was in ``old``, in this lane."""
        self._count(lane, old, None, job.size)
        self._count(lane_of_row(job), None, job.state, job.size)
        if old is JobState.QUEUED:
            self._unready(lane, job)
        if job.state is JobState.QUEUED:
            self._make_ready(lane_of_row(job), job)
        self._expect(job)
        if job.state is not old:
            self._told(job, old, None, actor)

    def deleted(self, job: JobRow) -> None:
        """The job has ended, and goes. Its row stays in hand: the database still has the one from before the turn."""
        del self.by_id[job.id]
        self.writes.remove(job)
        self.removed([job])

    def removed(self, jobs: Iterable[JobRow]) -> None:
        """These jobs are removed: their retention has passed, or somebody wants it."""
        for job in jobs:
            self._count(lane_of_row(job), job.state, None, job.size)
            if job.ended_clock is not None:
                self._lose(job.seq, job.ended_clock)

    def deltas(self) -> dict[Counted, Tally]:
        """The amounts to add to the counters."""
        deltas: dict[Counted, Tally] = {}
        for (lane, old, new), move in self._moves.items():
            for state, sign in ((old, -1), (new, 1)):
                if state is None:
                    continue
                key = (lane, state)
                if (tally := deltas.get(key)) is None:
                    tally = deltas[key] = Tally()
                tally.jobs += sign * move.jobs
                tally.bytes += sign * move.bytes
        return deltas

    def _count(self, lane: str, old: JobState | None, new: JobState | None, size: int) -> None:
        move = self._moves.get((lane, old, new))
        if move is None:
            move = self._moves[lane, old, new] = Tally()
        move.jobs += 1
        move.bytes += size
        opened = (new in OPEN) - (old in OPEN)
        if opened:
            self.held.jobs += opened
            self.held.bytes += opened * size

    def _make_ready(self, lane: str, job: JobRow) -> None:
        self.touched.add(lane)
        self.queued.setdefault(lane, {})[job.seq] = job

    def _unready(self, lane: str, job: JobRow) -> None:
        self.touched.add(lane)
        if not self.queued or self.queued.get(lane, {}).pop(job.seq, None) is None:
            self.unqueued += 1

    def _expect(self, job: JobRow) -> None:
        if job.expires_at is not None and job.expires_at <= self.now_at:
            self.overdue.append(job)
        self.next_due_at = earlier(self.next_due_at, job.expires_at)
        if job.backoff_until is None:
            self.next_due_at = earlier(self.next_due_at, job.run_at)
        else:
            self.next_backoff = earlier(self.next_backoff, job.backoff_until)


def earlier(one: float | None, other: float | None) -> float | None:
    """The earlier of two instants; None: there is no such instant."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
