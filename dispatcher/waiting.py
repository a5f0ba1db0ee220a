"""Why a job waits, in words that an operator can act on. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.core.model import JobView
from dispatcher.core.states import JobState
from dispatcher.core.worker import Worker, WorkerState

__all__ = ["why"]


def why(job: JobView, workers: Iterable[Worker], *, draining: bool) -> str | None:
    """The reason that a job is not running; None: it does not wait."""
    if job.state is JobState.SCHEDULED:
        return _scheduled(job)
    if job.state is JobState.IN_DOUBT:
        return "its effect may or may not have happened: a person must decide"
    if job.state is not JobState.QUEUED:
        return None
    if draining:
        return "the server is stopping; the job will run after it has started again"
    return _queued(job, [worker for worker in workers if job.type in worker.lanes])


def _scheduled(job: JobView) -> str:
    if job.errors:
        return f"attempt {job.number} did not succeed; it is tried again after a pause (backoff)"
    return "it was submitted with a delay"


def _queued(job: JobView, matching: list[Worker]) -> str:
    if not matching:
        return f"no connected worker offers the type {job.type}"
    there = [worker for worker in matching if worker.state is WorkerState.CONNECTED]
    if not there:
        return f"{_count(matching)} the type {job.type}, but none can be reached just now"
    awake = [worker for worker in there if not worker.paused]
    if not awake:
        return f"{_count(there)} the type {job.type}, but every one is paused"
    heeding = [worker for worker in awake if not worker.aside]
    if not heeding:
        return f"{_count(awake)} the type {job.type}, but did not take what was offered, and is set aside for a while"
    if not any(worker.room() for worker in awake):
        return f"{_count(awake)} the type {job.type}, and every one is busy"
    return "it is about to be offered"


def _count(workers: list[Worker]) -> str:
    return "1 worker offers" if len(workers) == 1 else f"{len(workers)} workers offer"
