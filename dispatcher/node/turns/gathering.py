"""Submitted jobs that wait for a turn, limited in number and in bytes (promise S22). It begins no turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.turn import Accepted
from dispatcher.errors import (
    KeyConflict,
    PagehandError,
    QueueFull,
    StorageAway,
    StorageFull,
    TooManyTypes,
    Unavailable,
    WrongState,
)

__all__ = ["Intake", "Submitted", "refusal", "told_of"]


class Submitted(Struct):
    """What one request submitted: a job, or a batch, which must go into one turn."""

    specs: Sequence[JobSpec]
    #: Bytes of their data.
    size: int
    future: asyncio.Future[list[Accepted]]


class Intake:
    """A queue of submitted jobs: first in, first out."""

    def __init__(self, *, most_jobs: int, most_bytes: int) -> None:
        self._most_jobs, self._most_bytes = most_jobs, most_bytes
        self._waiting: deque[Submitted] = deque()
        #: How many wait, in how many requests ``len`` says.
        self.jobs = 0
        #: Bytes of data in the waiting jobs.
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, specs: Sequence[JobSpec]) -> asyncio.Future[list[Accepted]]:
        """Queues the jobs; the future has the answers once they are durable. Raises Unavailable if too many wait."""
        if self.jobs >= self._most_jobs or self.bytes > self._most_bytes:
            raise Unavailable("more jobs come than can be stored: try again in a moment", retry_after_s=2)
        future: asyncio.Future[list[Accepted]] = asyncio.get_running_loop().create_future()
        submitted = Submitted(specs, sum(spec.size for spec in specs), future)
        self._waiting.append(submitted)
        self._count(submitted, 1)
        return future

    def take(self, most_jobs: int) -> list[Submitted]:
        """The oldest, as many as one turn may have, and at least one if any waits."""
        taken: list[Submitted] = []
        jobs = 0
        while self._waiting and (not taken or jobs + len(self._waiting[0].specs) <= most_jobs):
            taken.append(self._waiting.popleft())
            jobs += len(taken[-1].specs)
            self._count(taken[-1], -1)
        return taken

    def take_all(self) -> list[Submitted]:
        """Takes all at the end, so that their submitters can be told."""
        return self.take(self.jobs)

    def _count(self, submitted: Submitted, sign: int) -> None:
        self.jobs += sign * len(submitted.specs)
        self.bytes += sign * submitted.size


def refusal(accepted: Accepted) -> PagehandError:
    """What is raised for a submission that the store did not take."""
    detail = accepted.detail or "the job was not taken"
    if accepted.error == "key_conflict":
        return KeyConflict(detail)
    if accepted.error == "queue_full":
        return QueueFull(detail)
    if accepted.error == "too_many_types":
        return TooManyTypes(detail, retry_after_s=600)
    if accepted.error == "storage_full":
        return StorageFull(detail, retry_after_s=30)
    return WrongState(detail, code=accepted.error)


def told_of(error: StorageFull | StorageAway) -> StorageFull | StorageAway:
    """What people and programs are told while what pages say waits."""
    if isinstance(error, StorageFull):
        words = "the server's disk is full; jobs that it has are safe: try again later"
        return StorageFull(words, retry_after_s=30)
    return StorageAway("the database does not answer; nothing was changed: try again in a moment", retry_after_s=5)
