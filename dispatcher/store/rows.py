"""What a turn needs of a database: rows in, rows out, inside one open transaction.

``turn.py`` drives these calls, so the rules of a turn are written once; a store brings this gateway and its own
way of opening, committing and rolling back. All calls are synchronous: a store has a thread of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from dispatcher.core.jobs.ledger import AttemptRow, Changes, JobRow

__all__ = ["Limits", "Rows", "Tally"]


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


class Tally(Struct):
    """How many jobs of a lane are in a state, and the bytes of their data."""

    jobs: int = 0
    bytes: int = 0


class Rows(Protocol):
    """A gateway to the tables. Inserted and saved rows are seen by the reads that follow in the same turn."""

    def attempts(self, ids: Iterable[str]) -> dict[str, AttemptRow]:
        """The attempts among ``ids`` that exist."""
        ...

    def attempts_of(self, seq: int) -> list[AttemptRow]:
        """The newest attempts of a job that have rows, oldest first."""
        ...

    def jobs(self, seqs: Iterable[int]) -> dict[int, JobRow]:
        """The jobs among these sequence numbers that exist."""
        ...

    def jobs_by_id(self, ids: Iterable[str]) -> dict[str, JobRow]:
        """The jobs among ``ids`` that exist."""
        ...

    def jobs_by_key(self, keys: Iterable[str]) -> dict[str, JobRow]:
        """The jobs that were submitted with these idempotency keys."""
        ...

    def ready(self, lane: int, limit: int, after: tuple[float, int]) -> list[tuple[float, int]]:
        """(rank, seq) of the first queued jobs of a lane behind ``after``, in order, at most ``limit``."""
        ...

    def due(self, now_at: float, queue_clock: float, limit: int) -> list[JobRow]:
        """Scheduled jobs whose time has come: a delay by the wall clock, a backoff by the queue clock."""
        ...

    def overdue(self, now_at: float, limit: int) -> list[JobRow]:
        """Jobs that wait although they have expired, earliest first."""
        ...

    def next_due_at(self) -> float | None:
        """The earliest instant of the wall clock at which ``due`` or ``overdue`` will have something."""
        ...

    def next_backoff(self) -> float | None:
        """The earliest instant of the queue clock at which a backoff is over."""
        ...

    def claimable(self, seqs: Iterable[int]) -> tuple[dict[int, JobRow], dict[int, str]]:
        """These jobs, which exist, and their data as JSON text."""
        ...

    def add_jobs(self, jobs: Sequence[JobRow], data: Sequence[str]) -> None:
        """Inserts new jobs with their data."""
        ...

    def save(self, changes: Changes) -> None:
        """Writes changed rows, results and log lines."""
        ...

    def lane(self, type_name: str) -> int:
        """The number of a type's lane, made if it is new."""
        ...

    def lanes_known(self) -> Collection[str]:
        """The types that have lanes."""
        ...

    def forget_lanes(self, names: Sequence[str]) -> None:
        """Removes lanes that have no jobs, with their counters."""
        ...

    def mark_offered(self, lanes: Iterable[int], now_at: float) -> None:
        """Remembers when a worker first offered these lanes."""
        ...

    def next_seq(self) -> int:
        """A sequence number that no job has had."""
        ...

    def outlived(self, ended_before: float, keyed_before: float, limit: int) -> list[JobRow]:
        """Jobs that ended before the one instant of the queue clock, or the other where they have a key."""
        ...

    def purge(self, seqs: Sequence[int]) -> None:
        """Removes jobs and all that belongs to them."""
        ...

    def save_tallies(self, changed: dict[tuple[int, str], Tally]) -> None:
        """Writes the counters of (lane, state)."""
        ...

    def save_queue_clock(self, queue_clock: float) -> None:
        """Writes the queue clock."""
        ...
