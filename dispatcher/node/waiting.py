"""Why a job waits, in words that an operator can act on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.workers.worker import Standing

__all__ = ["why"]


def why(job: JobView, standing: Callable[[str], Counter[Standing]], *, draining: bool) -> str | None:
    """The reason that a job is not running; None: it does not wait. ``standing``: how the workers of a type stand."""
    if job.state is JobState.SCHEDULED:
        return _scheduled(job)
    if job.state is JobState.IN_DOUBT:
        return "its effect may or may not have happened: a person must decide"
    if job.state is not JobState.QUEUED:
        return None
    if draining:
        return "the server is stopping; the job will run after it has started again"
    return _queued(job, standing(job.type))


def _scheduled(job: JobView) -> str:
    if job.errors:
        return f"attempt {job.number} did not succeed; it is tried again after a pause (backoff)"
    return "it was submitted with a delay"


def _queued(job: JobView, standing: Counter[Standing]) -> str:
    matching = standing.total()
    if not matching:
        return f"no connected worker offers the type {job.type}"
    if standing[Standing.IDLE]:
        return "it is about to be offered"
    there = matching - standing[Standing.AWAY]
    if not there:
        return f"{_count(matching)} the type {job.type}, but none can be reached just now"
    awake = there - standing[Standing.PAUSED]
    if not awake:
        return f"{_count(there)} the type {job.type}, but every one is paused"
    if not standing[Standing.BUSY]:
        return f"{_count(awake)} the type {job.type}, but did not take what was offered, and is set aside for a while"
    return f"{_count(awake)} the type {job.type}, and every one is busy"


def _count(workers: int) -> str:
    return "1 worker offers" if workers == 1 else f"{workers} workers offer"
