"""Requests that wait for a job to settle: futures by job id, limited in number, woken after the turn that settled it.

It knows nothing of jobs but their ids.
"""

from __future__ import annotations

import asyncio

from dispatcher.errors import Unavailable

__all__ = ["Waiters"]


class Waiters:
    """The futures that wait for each job."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._by_job: dict[str, set[asyncio.Future[None]]] = {}
        #: The server stops: nobody waits any more.
        self.is_over = False

    def __len__(self) -> int:
        return self._count

    def add(self, job_id: str) -> asyncio.Future[None]:
        """A future that is done when the job settles. Raises Unavailable at the limit."""
        if self._count >= self._most:
            raise Unavailable(f"{self._most} requests wait for results already: ask without waiting")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_over:
            future.set_result(None)
            return future
        self._by_job.setdefault(job_id, set()).add(future)
        self._count += 1
        return future

    def remove(self, job_id: str, future: asyncio.Future[None]) -> None:
        """The request no longer waits."""
        waiting = self._by_job.get(job_id)
        if waiting is None or future not in waiting:
            return
        waiting.discard(future)
        self._count -= 1
        if not waiting:
            del self._by_job[job_id]

    def wake(self, job_id: str) -> None:
        """The job has settled, durably."""
        for future in self._by_job.pop(job_id, ()):
            self._count -= 1
            if not future.done():
                future.set_result(None)

    def wake_all(self) -> None:
        """The server stops: every waiting request is answered with the job as it is."""
        self.is_over = True
        for job_id in list(self._by_job):
            self.wake(job_id)
