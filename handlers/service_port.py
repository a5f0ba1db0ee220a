"""What the handlers need of the service; ``dispatcher.node.service.Dispatcher`` has it, and so has the tests' fake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dispatcher.core.jobs.model import (
    JobFilter,
    JobPage,
    JobSpec,
    JobView,
    TypeFilter,
    TypePage,
    TypeView,
    WorkerFilter,
    WorkerPage,
)
from dispatcher.core.jobs.turn import Accepted

__all__ = ["Service"]


class Service(Protocol):
    """Jobs in, jobs out, and what is going on. Errors are those of ``dispatcher.errors``."""

    @property
    def draining(self) -> bool:
        """The server is stopping and takes no new jobs."""
        ...

    def ready(self) -> bool:
        """Whether it takes new jobs now."""
        ...

    @property
    def room(self) -> bool:
        """The store's disk has room for new jobs."""
        ...

    async def submit(self, spec: JobSpec) -> Accepted:
        """Returns when the job is durable; ``job`` is set. Raises KeyConflict and the kinds of Unavailable."""
        ...

    async def submit_batch(self, specs: Sequence[JobSpec]) -> list[Accepted]:
        """Returns when all of at most 1,000 are durable, in their order; raises as ``submit``, and then none is."""
        ...

    async def job(self, job_id: str) -> JobView:
        """One job with its attempts and log. Raises JobNotFound."""
        ...

    async def wait(self, job_id: str, timeout_s: float) -> JobView:
        """The job when it is final or in doubt, or as it is after ``timeout_s``. Raises JobNotFound."""
        ...

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """Jobs, newest first. Raises BadRequest for a cursor that is not ours."""
        ...

    async def cancel(self, job_id: str, reason: str) -> JobView:
        """The job after it was cancelled. Raises JobNotFound, WrongState."""
        ...

    async def retry(self, job_id: str) -> JobView:
        """The job after it was queued again. Raises JobNotFound, WrongState."""
        ...

    async def decide(self, job_id: str, value: str | None, reason: str) -> JobView:
        """The job in doubt after a person settled it: with a result (JSON text), or None: it failed."""
        ...

    async def adopt(self, job_id: str) -> JobView:
        """The failed job after its late answer became its result. Raises JobNotFound, WrongState."""
        ...

    async def types(self, wanted: TypeFilter) -> TypePage:
        """Types that a job, a worker or a shipped task has named, by name. Raises BadRequest for a bad cursor."""
        ...

    async def unserved_types(self, most: int) -> list[TypeView]:
        """Types that jobs wait for and no worker here offers, by name; at most so many."""
        ...

    async def counts(self) -> dict[str, int]:
        """Jobs by state, for every state."""
        ...

    def workers(self, wanted: WorkerFilter) -> WorkerPage:
        """Pages that this node knows, by name. Raises BadRequest for a cursor that is not ours."""
        ...

    def worker_counts(self) -> dict[str, int]:
        """How many workers are in each state that any is in."""
        ...

    def why_waits(self, job: JobView) -> str | None:
        """Words for people; None: it does not wait."""
        ...
