"""What the commands of people and programs mean for rows: cancel, retry, decide, adopt.

Inside a turn's transaction. Whether a command is allowed is the transition table's business.
"""

from __future__ import annotations

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.ledger import AttemptRow, Changes, JobRow
from dispatcher.core.jobs.states import Event, JobState, next_state
from dispatcher.core.jobs.turn import Adopt, Cancel, Decide, JobCommand, Retry
from dispatcher.store.rows import Rows

__all__ = ["evidence", "obey"]


def obey(
    command: JobCommand, job: JobRow, rows: Rows, *, now_at: float, queue_clock: float, changes: Changes
) -> tuple[bool, str | None]:
    """(whether it was allowed, the attempt that it revoked). The caller saves the changes."""
    if not _allowed(command, job):
        return False, None
    if isinstance(command, Cancel):
        return True, ledger.cancel(job, _current(job, rows), command.reason, now_at, changes)
    if isinstance(command, Retry):
        ledger.retry(job, queue_clock, changes)
    elif isinstance(command, Decide):
        ledger.decide(job, command.value, command.reason, now_at, changes)
    else:
        answer = evidence(rows.attempts_of(job.seq))
        if answer is None:
            return False, None
        ledger.adopt(job, answer, now_at, changes)
    return True, None


def _allowed(command: JobCommand, job: JobRow) -> bool:
    if isinstance(command, Decide):
        return job.state is JobState.IN_DOUBT
    events = {Cancel: Event.CANCEL, Retry: Event.RETRY, Adopt: Event.ADOPT}
    return next_state(job.state, events[type(command)]) is not None


def _current(job: JobRow, rows: Rows) -> AttemptRow | None:
    if job.attempt is None:
        return None
    return rows.attempts([job.attempt]).get(job.attempt) or ledger.silent_attempt(job)


def evidence(attempts: list[AttemptRow]) -> str | None:
    """The newest late answer that was kept; ``attempts`` are a job's, oldest first."""
    kept = [attempt.evidence for attempt in attempts if attempt.evidence is not None]
    return kept[-1] if kept else None
