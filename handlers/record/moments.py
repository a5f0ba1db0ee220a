"""Everything that happened to a job and its pages, as rows in the order of time. Pure.

The clock is the server's: what a page says of its own clock does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from dispatcher.access.acts import AuditEntry
from dispatcher.core.jobs.model import AttemptView, JobView, OneWorkerView
from dispatcher.core.jobs.states import FINAL
from handlers.console.sentences import PASSAGES
from handlers.console.words import error_of, state_word, version_word
from handlers.record.acts import AROUND_S, act_words

__all__ = ["Happening", "happenings"]


class Happening(Struct, frozen=True):
    """One row."""

    at: float
    #: ``job``, ``try``, ``page``, ``line`` or ``person``: whose doing it is, and how the row looks.
    kind: str
    #: The worker or the person; empty: the server.
    who: str
    what: str
    #: What was said, if anything was; it may repeat values of the job.
    said: str = ""
    #: Which line of the log it is; 0: none.
    line_no: int = 0


def happenings(
    job: JobView, acts: Iterable[AuditEntry], workers: Sequence[OneWorkerView], now: float
) -> list[Happening]:
    """The rows, the oldest first. ``workers``: those that had the job and are known."""
    rows = [
        *_begin(job),
        *_of_tries(job),
        *_lines(job),
        *_of_acts(job, acts),
        *_of_pages(job, workers, now),
        *_end(job),
    ]
    # The sort is stable: of two at the same instant, the upper one came first.
    return sorted(rows, key=lambda row: row.at)


def _begin(job: JobView) -> Iterator[Happening]:
    yield Happening(job.created_at, "job", "", "Submitted")
    if job.run_at is not None and job.run_at - job.created_at >= 0.001 and not job.number:
        yield Happening(job.run_at, "job", "", "Due")


def _end(job: JobView) -> Iterator[Happening]:
    if job.state in FINAL and job.ended_at is not None:
        yield Happening(job.ended_at, "job", "", state_word(job.state), job.detail or "")


def _name(attempt: AttemptView) -> str:
    return attempt.worker_name or attempt.worker


def _of_tries(job: JobView) -> Iterator[Happening]:
    for attempt in job.attempts:
        who, number = _name(attempt), "" if attempt.number is None else f" (try {attempt.number})"
        yield Happening(attempt.offered_at, "try", who, "Was offered the job")
        if attempt.started_at is not None:
            version = f", with the task {version_word(attempt.task_version)}" if attempt.task_version else ""
            yield Happening(attempt.started_at, "try", who, f"Started it{number}{version}")
        if attempt.ended_at is not None:
            yield Happening(attempt.ended_at, "try", who, f"{state_word(attempt.state)}{number}", _error(attempt))
        if attempt.late_at is not None:
            yield Happening(attempt.late_at, "try", who, f"Its result came late, and was recorded{number}")


def _lines(job: JobView) -> Iterator[Happening]:
    names = {attempt.number: _name(attempt) for attempt in job.attempts if attempt.number is not None}
    for line in job.log:
        yield Happening(line.at, "line", names.get(line.number or 0, ""), "Wrote", line.line, line.line_no)


def _error(attempt: AttemptView) -> str:
    error = error_of(attempt.error)
    if error is None:
        return ""
    message = f"{error.message} ({error.code})" if error.code else error.message
    return f"{message}\n{error.own_stack}" if error.stack else message


def _of_acts(job: JobView, acts: Iterable[AuditEntry]) -> Iterator[Happening]:
    names = {attempt.worker: _name(attempt) for attempt in job.attempts}
    for act in acts:
        what, said = act_words(act, names)
        late = "" if act.outcome.value == "done" else ": it was too late, or not allowed"
        yield Happening(act.at, "person", act.actor.name, f"{what}{late}", said)


def _of_pages(job: JobView, workers: Sequence[OneWorkerView], now: float) -> Iterator[Happening]:
    """What the server remembers of their connections about the time of the job."""
    until = now if job.ended_at is None else job.ended_at + AROUND_S
    for worker in workers:
        for passage, ago_s in worker.lately:
            if job.created_at - AROUND_S <= now - ago_s <= until:
                yield Happening(now - ago_s, "page", worker.shown.name or worker.shown.id, PASSAGES[passage])
