"""Changes the rows of jobs and attempts as a turn demands: the fence, the counts, the numbers; the same for all stores.

Pure. A store loads the rows that a turn names, lets these functions change them, and saves what they changed.
Only the job's current attempt (``JobRow.attempt``) can change the job; the transition table says how.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from dispatcher.core.jobs.about import MOST_OPERATIONS
from dispatcher.core.jobs.rows import AttemptRow, JobRow, WriteSet
from dispatcher.core.jobs.states import FINAL, WAITING, Event, JobState, next_state
from dispatcher.core.jobs.turn import (
    Cause,
    Ended,
    Holder,
    Logged,
    Progressed,
    Report,
    Settled,
    Started,
    Verdict,
)

__all__ = [
    "DECIDED",
    "EVIDENCE_BYTES",
    "RANK_STEP_S",
    "REOPEN_S",
    "adopt",
    "cancel",
    "claim",
    "clocked",
    "decide",
    "enqueue",
    "expire",
    "is_reopenable",
    "is_result",
    "note_operation",
    "reopen",
    "retry",
    "settle",
    "silent_attempt",
]

#: A step of priority is a head start of this many seconds (promise S17).
RANK_STEP_S = 60.0

#: The reason of a job that stands where a person's decision about its doubt has put it.
DECIDED = "decided"
#: So long such a decision can be taken back, by the wall clock.
REOPEN_S = 86_400.0

#: A stale result is kept on its attempt up to this size (promise S9).
EVIDENCE_BYTES = 65_536

#: After such an end the page may still be busy with the attempt, and what it says is worth a line: it changes no state.
_TALKS_ON = (Cause.CANCELLED, Cause.TIMED_OUT, Cause.LOST)


def is_result(report: Report) -> bool:
    """Whether it counts whichever node says it."""
    return isinstance(report, Ended) and report.event is Event.SUCCEED


def settle(
    report: Report,
    attempts: Mapping[str, AttemptRow],
    jobs: Mapping[int, JobRow],
    now_at: float,
    writes: WriteSet,
    late_accept: bool = True,
) -> Settled:
    """Applies one report under the fence and returns its verdict.

    ``late_accept`` False: a result counts only while its attempt runs, or to settle its job in doubt.
    """
    attempt = attempts.get(report.attempt)
    if attempt is None:
        return Settled(report.attempt, Verdict.STALE)
    job = jobs[attempt.job]
    current = job.attempt == attempt.id
    if isinstance(report, Ended):
        heeded = current and (late_accept or job.state not in WAITING)
        verdict = _end(report, attempt, job, heeded, now_at, writes)
    elif isinstance(report, Logged) and attempt.cause in _TALKS_ON:
        verdict = _add_line(report, attempt, now_at, writes)
    elif not current or job.state is not JobState.RUNNING:
        verdict = Verdict.STALE
    else:
        verdict = _note(report, attempt, job, now_at, writes)
    return Settled(report.attempt, verdict)


def _note(
    report: Started | Progressed | Logged, attempt: AttemptRow, job: JobRow, now_at: float, writes: WriteSet
) -> Verdict:
    if isinstance(report, Started):
        if attempt.started_at is None:
            _accept(attempt, job, report.holder, now_at)
            writes.attempts[attempt.id] = attempt
    elif isinstance(report, Progressed):
        job.percent = report.percent if report.percent is not None else job.percent
        job.note = report.note if report.note is not None else job.note
    elif (verdict := _add_line(report, attempt, now_at, writes)) is not Verdict.RECORDED:
        return verdict
    writes.jobs[job.seq] = job
    return Verdict.RECORDED


def _add_line(report: Logged, attempt: AttemptRow, now_at: float, writes: WriteSet) -> Verdict:
    """A page says again what may not have arrived, and in order: a line whose number is not new is there already.

    The number is in the attempt's row. So it is known after a kill, and wherever the page goes on.
    """
    if report.n is not None:
        if report.n <= (attempt.last_line or 0):
            return Verdict.DUPLICATE
        attempt.last_line = report.n
        writes.attempts[attempt.id] = attempt
    writes.logs.append((attempt.job, attempt.id, now_at, report.line))
    return Verdict.RECORDED


def _accept(attempt: AttemptRow, job: JobRow, holder: Holder | None, at: float) -> None:
    """The page has the job: the try gets its number for good."""
    if attempt.number is None:
        attempt.number = job.number + 1
    attempt.started_at = at
    job.number = attempt.number
    job.started_at = at
    # What an earlier try had told: it is shown until the next one starts.
    job.percent = job.note = None
    _hold(attempt, job, holder)


def _hold(attempt: AttemptRow, job: JobRow, holder: Holder | None) -> None:
    if holder is not None:
        attempt.worker, attempt.boot = holder.worker, holder.boot
        # Only its row knows the name for an attempt of an earlier run.
        attempt.worker_name = holder.name or attempt.worker_name
        attempt.task_version = holder.task_version or attempt.task_version
        job.worker, job.worker_name = attempt.worker, attempt.worker_name


def _end(report: Ended, attempt: AttemptRow, job: JobRow, current: bool, now_at: float, writes: WriteSet) -> Verdict:
    state = next_state(job.state, report.event) if current else None
    # Only a result may come late; every other end is about the running attempt alone.
    if state is None or (report.event is not Event.SUCCEED and job.state is not JobState.RUNNING):
        return _unheeded(report, attempt, job, current, writes)
    _close_attempt(report, attempt, job, now_at)
    _move_job(report, job, state, now_at)
    if report.value is not None and state is JobState.SUCCEEDED:
        writes.results.append((job.seq, report.value))
    writes.attempts[attempt.id] = attempt
    writes.jobs[job.seq] = job
    return Verdict.RECORDED


def _unheeded(report: Ended, attempt: AttemptRow, job: JobRow, current: bool, writes: WriteSet) -> Verdict:
    """Judges a report that changes nothing about its job: it is a repetition, or too late."""
    if report.event is not Event.SUCCEED:
        return Verdict.STALE
    if current and job.state is JobState.SUCCEEDED and _won(attempt):
        return Verdict.DUPLICATE
    if attempt.evidence is None and report.value is not None and _fits(report.value):
        attempt.evidence = report.value
        writes.attempts[attempt.id] = attempt
    return Verdict.STALE


def _won(attempt: AttemptRow) -> bool:
    """Whether the job's result is this attempt's, and not what a person decided."""
    return attempt.cause is Cause.SUCCEEDED or attempt.late_at is not None


def _fits(evidence: str) -> bool:
    return len(evidence) <= EVIDENCE_BYTES and len(evidence.encode()) <= EVIDENCE_BYTES


def _close_attempt(report: Ended, attempt: AttemptRow, job: JobRow, now_at: float) -> None:
    if report.implies_accept and attempt.started_at is None:
        # No accept was recorded (a quick task): it started when the offer arrived.
        _accept(attempt, job, report.holder, attempt.offered_at)
    _hold(attempt, job, report.holder)
    if attempt.cause is not None:
        attempt.late_at = now_at
        return
    attempt.cause = report.cause
    attempt.ended_at = now_at
    attempt.error = report.error
    if attempt.started_at is None:
        attempt.number = None


def _move_job(report: Ended, job: JobRow, state: JobState, now_at: float) -> None:
    job.errors += report.counts_error
    job.crashes += report.counts_crash
    job.error = report.error or job.error
    if state is JobState.SUCCEEDED:
        job.percent = job.note = None
    _enter(job, state, now_at, report.reason, report.detail)
    if state is JobState.SCHEDULED:
        job.run_at = now_at + report.delay_s


def _enter(job: JobRow, state: JobState, now_at: float, reason: str | None, detail: str | None) -> None:
    job.state = state
    job.reason = reason
    job.detail = detail
    job.run_at = None
    if state is not JobState.QUEUED:
        job.rank = None
    if state in FINAL:
        job.ended_at = now_at


def enqueue(job: JobRow, event: Event, queue_clock: float, writes: WriteSet) -> None:
    """A scheduled job has become due, or a person wants it run again: it gets a new rank."""
    state = next_state(job.state, event)
    assert state is JobState.QUEUED, f"{job.state} --{event}--> {state}, but only queued jobs have a rank"
    job.state = state
    job.run_at = None
    job.rank = queue_clock - job.terms.priority * RANK_STEP_S
    writes.jobs[job.seq] = job


def expire(job: JobRow, now_at: float, writes: WriteSet) -> None:
    """Ends a job that was not started in time."""
    state = next_state(job.state, Event.EXPIRE)
    assert state is not None, f"a job that is {job.state} does not expire"
    _enter(job, state, now_at, "expired", None)
    writes.jobs[job.seq] = job


def clocked(job: JobRow, old: JobState, now_at: float, queue_clock: float) -> None:
    """Keeps the instants that belong to the state that the job has just entered from ``old``.

    Those of the queue clock are for promise S32. A job whose offer lapsed goes on waiting: it has not been started.
    """
    if job.state is JobState.QUEUED and (old is not JobState.RUNNING or job.started_at is not None):
        job.ready_at = now_at
    backs_off = job.state is JobState.SCHEDULED and job.run_at is not None
    job.backoff_until = queue_clock + (job.run_at or 0.0) - now_at if backs_off else None
    job.ended_clock = queue_clock if job.state in FINAL else None


def claim(job: JobRow, attempt_id: str, now_at: float, writes: WriteSet) -> None:
    """Gives the job to this node, with a new attempt."""
    state = next_state(job.state, Event.CLAIM)
    assert state is not None, f"a job that is {job.state} cannot be claimed"
    job.state = state
    job.attempt = attempt_id
    job.claims += 1
    job.offered_at = now_at
    job.started_at = None
    writes.claims[job.seq] = job


def silent_attempt(job: JobRow) -> AttemptRow | None:
    """The job's current attempt as a row that has not been written yet; None: the job has no attempt.

    A claim writes only the job. The attempt's row is written with the first thing that is reported of it, which
    for most jobs is its end: one row less for every job.
    """
    if job.attempt is None or job.offered_at is None:
        return None
    return AttemptRow(
        id=job.attempt, job=job.seq, number=job.number + 1, worker=None, worker_name=None, boot=None,
        offered_at=job.offered_at, started_at=None, ended_at=None, late_at=None, cause=None, error=None, evidence=None,
    )  # fmt: skip


def cancel(job: JobRow, attempt: AttemptRow | None, reason: str, now_at: float, writes: WriteSet) -> str | None:
    """Ends an open job. Returns the attempt that this revoked. The caller has checked the transition."""
    running = job.state is JobState.RUNNING
    state = next_state(job.state, Event.CANCEL)
    assert state is not None, f"a job that is {job.state} cannot be cancelled"
    _enter(job, state, now_at, "cancelled", reason)
    revoked, job.attempt = job.attempt, None
    writes.jobs[job.seq] = job
    if not running:
        return None
    if attempt is not None:
        attempt.cause, attempt.ended_at = Cause.CANCELLED, now_at
        if attempt.started_at is None:
            attempt.number = None
        writes.attempts[attempt.id] = attempt
    return revoked


def decide(job: JobRow, value: str | None, reason: str, now_at: float, writes: WriteSet) -> None:
    """A person has settled a job in doubt. The caller has checked the transition."""
    state = next_state(job.state, Event.SUCCEED if value is not None else Event.FAIL)
    assert state is not None, f"a job that is {job.state} is not in doubt"
    _enter(job, state, now_at, DECIDED, reason)
    if value is not None:
        writes.results.append((job.seq, value))
    writes.jobs[job.seq] = job


def adopt(job: JobRow, evidence: str, now_at: float, writes: WriteSet) -> None:
    """A person takes a late answer for the result of a failed job. The caller has checked the transition."""
    state = next_state(job.state, Event.ADOPT)
    assert state is not None, f"a job that is {job.state} has no use for a late answer"
    _enter(job, state, now_at, "adopted", "a person accepted the late result")
    writes.results.append((job.seq, evidence))
    writes.jobs[job.seq] = job


def retry(job: JobRow, queue_clock: float, writes: WriteSet) -> None:
    """Another round for a job that has ended or is in doubt: counts start again, numbers go on."""
    job.errors = job.crashes = 0
    job.reason = DECIDED if job.state is JobState.IN_DOUBT else None
    job.detail = job.ended_at = job.expires_at = None
    enqueue(job, Event.RETRY, queue_clock, writes)


def note_operation(job: JobRow, operation: str, writes: WriteSet) -> None:
    """The job remembers the order for many that has changed it."""
    job.about = replace(job.about, operations=(*job.about.operations, operation)[-MOST_OPERATIONS:])
    writes.jobs[job.seq] = writes.ordered[job.seq] = job


def is_reopenable(job: JobRow, attempt: AttemptRow | None, now_at: float) -> bool:
    """Whether the job stands where a decision has put it that can be taken back. ``attempt``: its newest one.

    A try that has begun since has given the job another reason, or another attempt; and so has its own late result. So
    a result that is given up here is always one that a person gave, never one of a page (invariant I5).
    """
    at = job.ready_at if job.state is JobState.QUEUED else job.ended_at
    ended = attempt is not None and attempt.cause is not None
    return ended and job.reason == DECIDED and at is not None and now_at - at <= REOPEN_S


def reopen(job: JobRow, attempt: AttemptRow, now_at: float, writes: WriteSet) -> None:
    """The job is in doubt again, for the reason that its newest attempt left. The caller has checked that it may be.

    If the decision was a success, its result goes with it.
    """
    state = next_state(job.state, Event.REOPEN)
    assert state is not None, f"a job that is {job.state} is nothing that can be taken back"
    if job.state is JobState.SUCCEEDED:
        writes.withdraw(job.seq)
    _enter(job, state, now_at, attempt.cause, None)
    job.ended_at = None
    writes.jobs[job.seq] = job
