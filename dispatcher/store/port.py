"""What the service needs of a store. One contract suite (``tests/store``) runs on every implementation.

A store is opened once and used from one event loop. All its methods are asynchronous; turns are applied one at a
time, in the order of the calls; reads see every turn whose report has been answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from dispatcher.core.jobs.model import JobFilter, JobPage, JobView, TypeView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import LaneReady, LiveAttempt, Turn, TurnReport

__all__ = ["Limits", "Store"]


class Limits(Struct, frozen=True, kw_only=True):
    """What a store holds at most, refused at intake (promise S22), for how long (S24), and what it takes late (S9)."""

    queue_depth: int = 1_000_000
    queue_bytes: int = 8 << 30
    #: Types that are known; a job or a worker that names another one is refused.
    most_types: int = 10_000
    #: With less room on the store's disk no new jobs are taken.
    low_disk_bytes: int = 64 << 20
    #: Of a job, from its end.
    retention_s: float = 7 * 86_400.0
    #: A result is recorded although its attempt has ended, while its job still waits.
    late_accept: bool = True


class Store(Protocol):
    """The truth about jobs."""

    #: Where the data lies, for people.
    location: str
    #: True: this run created the store.
    created: bool
    #: Which life of this node has opened it: its turns carry the number.
    epoch: int
    #: 32 secret bytes, made with the store: workers' secrets are derived from it.
    key: bytes

    async def apply(self, turn: Turn) -> TurnReport:
        """Applies one turn in one transaction and answers when it is durable.

        Raises StorageTrouble where the outcome is unknown (an I/O error): the caller must end the process.
        Raises StorageFull where nothing of it has happened, because the disk is full: the caller keeps the reports
        and gives them again. An item that cannot be stored is refused in the report and never fails the others.
        """
        ...

    async def ready(self) -> list[LaneReady]:
        """The lanes that have ready jobs; asked once, before the first turn: reports tell only what they touched."""
        ...

    async def live_attempts(self) -> list[LiveAttempt]:
        """Attempts that an earlier run left open; asked once, before the first turn."""
        ...

    async def job(self, job_id: str) -> JobView | None:
        """One job with its attempts and log; None: there is no such job."""
        ...

    async def state(self, job_id: str) -> JobState | None:
        """Where a job stands; None: there is no such job."""
        ...

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """Jobs, newest first. Raises BadRequest for a cursor that is not ours."""
        ...

    async def types(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[TypeView]:
        """Types that a job or a worker has named, by name: the first that begin like that, behind ``after``."""
        ...

    async def named_types(self, names: Sequence[str]) -> list[TypeView]:
        """Those of these types that a job or a worker has named, in the same order."""
        ...

    async def counts(self) -> dict[str, int]:
        """Jobs by state, for every state."""
        ...

    async def close(self) -> None:
        """Lets the running turn end, then closes. Further calls are errors."""
        ...
