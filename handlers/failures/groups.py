"""Failed jobs by their type and what they failed with. Messages that differ in their numbers alone are one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from dispatcher.core.jobs.model import JobView
from handlers.console.words import first_line

__all__ = ["MOST_WORKERS", "FailureGroup", "Grouping", "commonest", "message_of"]

#: The workers that a group names.
MOST_WORKERS = 5
#: The most characters of a message that tell it from another.
MOST_OF_MESSAGE = 120
_NUMBER = re.compile("[0-9]+")
#: What stands for a failed job without an error, by its reason.
_REASONS = {
    "timed_out": "no answer in time",
    "poison": "its pages were lost too often",
    "lost": "lost with its page",
    "decided": "a person decided that it did not happen",
    "cancelled": "cancelled",
}


class FailureGroup(Struct, kw_only=True):
    """Failed jobs of one type with one message."""

    type: str
    #: The first line, with each number as ``#``.
    message: str
    #: Their ids, the newest first.
    ids: list[str]
    #: UTC seconds: when the first and the last one failed.
    first_at: float
    last_at: float
    #: Names of the workers that had them last, the newest first, at most MOST_WORKERS; and how many there are.
    workers: list[str]
    worker_count: int

    @property
    def jobs(self) -> int:
        """How many they are."""
        return len(self.ids)


def message_of(job: JobView) -> str:
    """What a failed job failed with, in one line without numbers."""
    told = first_line(job.error, MOST_OF_MESSAGE) if job.error and job.reason in (None, "error", "no_retry") else ""
    text = told or _REASONS.get(job.reason or "", job.detail or job.reason or "no message")
    return _NUMBER.sub("#", " ".join(text.split()))


class Grouping:
    """Takes failed jobs some at a time, the newest first."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[_FailedJob]] = {}

    def add(self, jobs: Iterable[JobView]) -> None:
        """These come next."""
        for job in jobs:
            one = _FailedJob(job.id, job.ended_at or job.created_at, job.worker_name or job.worker or "")
            self._found.setdefault((job.type, message_of(job)), []).append(one)

    def groups(self) -> list[FailureGroup]:
        """Those that failed alike, the largest group first."""
        groups = [_group(name, message, alike) for (name, message), alike in self._found.items()]
        return sorted(groups, key=lambda group: (-group.jobs, -group.last_at))


class _FailedJob(NamedTuple):
    id: str
    at: float
    worker: str


def _group(name: str, message: str, failed: list[_FailedJob]) -> FailureGroup:
    workers = list(dict.fromkeys(one.worker for one in failed if one.worker))
    return FailureGroup(
        type=name, message=message, ids=[one.id for one in failed],
        first_at=min(one.at for one in failed), last_at=max(one.at for one in failed),
        workers=workers[:MOST_WORKERS], worker_count=len(workers),
    )  # fmt: skip


def commonest(jobs: Iterable[JobView]) -> dict[str, str]:
    """By type: the message that most of these failed jobs have."""
    grouping, found = Grouping(), dict[str, str]()
    grouping.add(jobs)
    for group in grouping.groups():
        found.setdefault(group.type, group.message)
    return found
