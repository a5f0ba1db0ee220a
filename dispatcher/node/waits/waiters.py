"""Requests that wait for jobs to settle: for one job, for all of some, or for the first of them.

Each has one future, however many jobs it names. They are limited in number, and woken after the turn that settled a
job; a turn costs those who wait for what it has settled, and no others. Nothing here knows of jobs but their ids: a job
that a turn shows is handed on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dispatcher.core.jobs.model import JobView
from dispatcher.errors import Unavailable

__all__ = ["Waiter", "Waiters"]


class Waiter:
    """One request."""

    __slots__ = ("_enough", "counts", "future", "job", "pending", "wants_job")

    def __init__(self, job_ids: Iterable[str], *, first: bool, wants_job: bool = False) -> None:
        #: The jobs that have not settled.
        self.pending = set(job_ids)
        #: With so many pending it has waited long enough.
        self._enough = max(0, len(self.pending) - 1) if first else 0
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: Whether it still waits.
        self.counts = True
        #: It will ask for the job whole; ``job`` is that, if the turn that settled it has shown it.
        self.wants_job = wants_job
        self.job: JobView | None = None

    def has_enough(self) -> bool:
        """Whether what it waits for has come."""
        return len(self.pending) <= self._enough


class Waiters:
    """Those who wait for each job."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._by_job: dict[str, set[Waiter]] = {}
        #: The notes that are taken now.
        self._notes: list[set[str]] = []
        #: The server stops: nobody waits any more.
        self.is_over = False

    def __len__(self) -> int:
        return self._count

    def add(self, *job_ids: str, first: bool = False, wants_job: bool = False) -> Waiter:
        """Somebody whose future is done when all of the jobs have settled, or the first. Raises Unavailable."""
        if self._count >= self._most:
            raise Unavailable(f"{self._most} requests wait for results already: ask without waiting")
        waiter = Waiter(job_ids, first=first, wants_job=wants_job)
        self._count += 1
        return self._entered(waiter)

    def join(self, job_id: str) -> Waiter:
        """The same for one job, for requests that have their places already: it counts as none."""
        waiter = Waiter([job_id], first=False)
        waiter.counts = False
        return self._entered(waiter)

    def _entered(self, waiter: Waiter) -> Waiter:
        if self.is_over:
            self._end(waiter)
            return waiter
        for job_id in waiter.pending:
            self._by_job.setdefault(job_id, set()).add(waiter)
        return waiter

    @contextmanager
    def noted(self) -> Iterator[set[str]]:
        """Notes the jobs that settle meanwhile: what is read meanwhile may not know of them."""
        settled: set[str] = set()
        self._notes.append(settled)
        try:
            yield settled
        finally:
            self._notes = [notes for notes in self._notes if notes is not settled]

    def remove(self, waiter: Waiter) -> None:
        """The request no longer waits."""
        for job_id in waiter.pending:
            waiting = self._by_job.get(job_id, set())
            waiting.discard(waiter)
            if not waiting:
                self._by_job.pop(job_id, None)
        self._count -= waiter.counts
        waiter.counts = False

    def settled(self, waiter: Waiter, job_ids: Iterable[str]) -> None:
        """These jobs need not be waited for: they had settled before."""
        for job_id in job_ids:
            self._by_job.get(job_id, set()).discard(waiter)
            if not self._by_job.get(job_id, True):
                del self._by_job[job_id]
            self._pass(waiter, job_id)

    def wanted(self, job_id: str) -> bool:
        """Whether somebody waits for the job and will ask for it whole."""
        return any(waiter.wants_job for waiter in self._by_job.get(job_id, ()))

    def wake(self, job_id: str, shown: JobView | None = None) -> None:
        """The job has settled, durably; ``shown`` is the job, if its turn has shown it."""
        for notes in self._notes:
            notes.add(job_id)
        for waiter in self._by_job.pop(job_id, ()):
            waiter.job = shown
            self._pass(waiter, job_id)

    def _pass(self, waiter: Waiter, job_id: str) -> None:
        waiter.pending.discard(job_id)
        if waiter.has_enough():
            self._end(waiter)

    def _end(self, waiter: Waiter) -> None:
        self._count -= waiter.counts
        waiter.counts = False
        if not waiter.future.done():
            waiter.future.set_result(None)

    def wake_all(self) -> None:
        """The server stops: every waiting request is answered with its jobs as they are."""
        self.is_over = True
        for waiter in [waiter for waiting in self._by_job.values() for waiter in waiting]:
            self._end(waiter)
        self._by_job.clear()
