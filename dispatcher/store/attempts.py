"""Ids of attempts, and the rows of attempts that have not been written yet."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.rows import AttemptRow, JobRow

__all__ = ["attempt_id", "attempt_range", "current_attempts", "job_of"]

_ATTEMPT = re.compile(r"([0-9a-f]{10})-")


def attempt_id(seq: int, claims: int, secret: str) -> str:
    """An attempt's id: the job's seq, so that it is found without an index; the number of the claim, so that ids sort
    by age; then a part that nobody can guess.
    """
    return f"{seq:010x}-{claims:06x}-{secret}"


def job_of(attempt: str) -> int | None:
    """The seq in an attempt's id; None: we never made such an id."""
    match = _ATTEMPT.match(attempt)
    return int(match[1], 16) if match else None


def attempt_range(seq: int) -> tuple[str, str]:
    """All ids of a job's attempts lie between these two."""
    return f"{seq:010x}-", f"{seq:010x}."


def current_attempts(jobs: Iterable[JobRow], named: Container[str]) -> dict[str, AttemptRow]:
    """The named attempts that are their jobs' current ones, each as a row that has not been written yet."""
    found = (ledger.silent_attempt(job) for job in jobs if job.attempt in named)
    return {attempt.id: attempt for attempt in found if attempt is not None}
