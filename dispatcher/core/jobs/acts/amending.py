"""Changes a job that waits: its priority, its delay, its expiry, what it requires of a worker, its tags.

Pure, as the ledger is. It is applied in a turn, so no claim can come between: a job that was claimed first is running,
and stays as it is.
"""

from __future__ import annotations

from msgspec import UNSET
from msgspec.structs import replace

from dispatcher.core.jobs.ledger import DECIDED, RANK_STEP_S
from dispatcher.core.jobs.rows import JobRow, WriteSet
from dispatcher.core.jobs.states import Event, JobState, next_state
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Amend, Objection

__all__ = ["amend", "event_of"]


def event_of(command: Amend, state: JobState) -> Event:
    """What the change means for a job in this state; the table of transitions says whether it may happen."""
    if command.delay_s is UNSET:
        return Event.AMEND
    if command.delay_s > 0:
        return Event.PUT_OFF
    return Event.DUE if state is JobState.SCHEDULED else Event.AMEND


def amend(job: JobRow, command: Amend, now_at: float, queue_clock: float, writes: WriteSet) -> Objection | None:
    """Changes the job, or returns why not. The caller has checked the transition."""
    state = next_state(job.state, event_of(command, job.state))
    assert state is not None, f"a job that is {job.state} cannot be changed"
    run_at, expires_at = _run_at(job, command, now_at), _expires_at(job, command, now_at)
    timed = command.delay_s is not UNSET or command.expires_s is not UNSET
    if timed and expires_at is not None and expires_at <= (now_at if run_at is None else run_at):
        return Objection.NEVER_STARTS
    terms = _terms(job, command)
    job.rank = _rank(job, state, terms, queue_clock)
    if command.delay_s is not UNSET:
        # A delay that somebody wants is by the wall clock; a backoff is over.
        job.backoff_until = None
        if job.reason == DECIDED:  # when it runs again is a new decision, and no doubt's
            job.reason = None
    job.state, job.run_at, job.expires_at, job.terms = state, run_at, expires_at, terms
    writes.jobs[job.seq] = writes.amended[job.seq] = job
    if command.tags is not UNSET and command.tags != job.about.tags:
        writes.retagged.setdefault(job.seq, job.about.tags)
        job.about = replace(job.about, tags=command.tags)
    return None


def _run_at(job: JobRow, command: Amend, now_at: float) -> float | None:
    if command.delay_s is UNSET:
        return job.run_at
    return now_at + command.delay_s if command.delay_s > 0 else None


def _expires_at(job: JobRow, command: Amend, now_at: float) -> float | None:
    if command.expires_s is UNSET:
        return job.expires_at
    return None if command.expires_s is None else now_at + command.expires_s


def _terms(job: JobRow, command: Amend) -> Terms:
    terms = job.terms
    if command.priority is not UNSET:
        terms = replace(terms, priority=command.priority)
    return terms if command.requires is UNSET else replace(terms, requires=command.requires)


def _rank(job: JobRow, state: JobState, terms: Terms, queue_clock: float) -> float | None:
    """The time that it has waited counts on; one that becomes ready begins to wait."""
    if state is not JobState.QUEUED:
        return None
    if job.rank is None:
        return queue_clock - terms.priority * RANK_STEP_S
    return job.rank + (job.terms.priority - terms.priority) * RANK_STEP_S
