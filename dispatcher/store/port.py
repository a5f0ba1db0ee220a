"""The port of a store, as the service needs it. One contract suite (``tests/store``) runs on every implementation.

A store is opened once and used from one event loop. All its methods are asynchronous; turns are applied one at a
time, in the order of the calls; reads see every turn whose report has been answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec import Struct

from dispatcher.access.acts import AuditFilter, AuditPage
from dispatcher.access.tokens import Token
from dispatcher.core.jobs.acts.backups import Backup
from dispatcher.core.jobs.model import (
    JobFilter,
    JobPage,
    JobStanding,
    JobView,
    TypeView,
    WorkerFilter,
    WorkerView,
)
from dispatcher.core.jobs.news import Hint
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import LaneReady, LiveAttempt, Turn, TurnReport
from dispatcher.core.jobs.views.nodes import NodeView
from dispatcher.core.jobs.views.outlook import InLine
from dispatcher.store.batches import BatchReads
from dispatcher.store.endings import EndingReads
from dispatcher.store.hooks import MOST_WAITING, HookReads
from dispatcher.store.kept import KeptReads
from dispatcher.store.names import NameReads

__all__ = ["NODE", "Limits", "SeenReads", "Store"]

#: The name of a node that has its store for itself.
NODE = "main"


class Limits(Struct, frozen=True, kw_only=True):
    """How much a store holds, refused at intake (promise S22); for how long (S24); and what it takes late (S9)."""

    queue_depth: int = 1_000_000
    queue_bytes: int = 8 << 30
    #: Most types that are known; beyond them a job of a new type is refused, and a worker's new type is not kept.
    most_types: int = 10_000
    #: With less room on its disk the store takes no new jobs.
    low_disk_bytes: int = 64 << 20
    #: How long a job is kept after its end.
    retention_s: float = 7 * 86_400.0
    #: How long it is known that a worker was here, after it has gone.
    worker_retention_s: float = 30 * 86_400.0
    #: How long the audit log keeps what was done.
    audit_retention_s: float = 365 * 86_400.0
    #: Most acts that it keeps. Between two purges there may be more.
    audit_kept: int = 200_000
    #: Most messages that wait for one webhook; of more the ones that are due first are dead.
    webhook_backlog: int = MOST_WAITING
    #: Whether a result is recorded after its attempt has ended, while its job still waits.
    late_accept: bool = True
    #: Whether an index of the jobs' words is kept, by which a search is fast.
    search: bool = True
    #: Where backups go; empty: into ``backups`` beside the store.
    backup_dir: str = ""
    #: How many of them are kept.
    backups_kept: int = 7


class SeenReads(Protocol):
    """A store's reads of the workers that other nodes have; nobody is there in a store that one node has for itself."""

    async def page(self, wanted: WorkerFilter, after: tuple[str, str] | None, most: int) -> list[WorkerView]:
        """The wanted ones behind (name, id), by name."""
        ...

    async def counts(self) -> dict[str, int]:
        """How many there are in each state; empty states are left out."""
        ...

    async def one(self, worker_id: str) -> WorkerView | None:
        """One of them; None: no other node has it."""
        ...


class Store(Protocol):
    """The truth about jobs. All its reads raise StorageAway while a database of its own is away."""

    #: Where the data lies, for people.
    location: str
    #: True: this run created the store.
    created: bool
    #: The name of this node among those that have the store.
    node: str
    #: The number of this node's life that has opened it; its turns carry the number.
    epoch: int
    #: 32 secret bytes, made with the store: workers' secrets are derived from it.
    key: bytes

    @property
    def beat_s(self) -> float | None:
        """Others may have the store, too: this node must have a turn at least this often. None: it is alone."""
        ...

    @property
    def batches(self) -> BatchReads:
        """Its reads of batches."""
        ...

    @property
    def endings(self) -> EndingReads:
        """Its reads of how jobs have ended."""
        ...

    @property
    def kept(self) -> KeptReads:
        """Its reads of what operators have said of workers and types."""
        ...

    @property
    def names(self) -> NameReads:
        """Its reads of the names of workers."""
        ...

    @property
    def seen(self) -> SeenReads:
        """Its reads of the workers of other nodes."""
        ...

    @property
    def hooks(self) -> HookReads:
        """Its reads of webhooks."""
        ...

    def listen(self, hinted: Callable[[Hint], None]) -> None:
        """From here on calls this, on the loop, when other nodes may have told something: a turn hears all of it."""
        ...

    def apply(self, turn: Turn) -> Awaitable[TurnReport]:
        """Applies one turn in one transaction and answers when it is durable. It may begin with the call.

        Raises StorageTrouble if the outcome is unknown (an I/O error): the caller must end the process.
        Raises StorageFull or StorageAway if nothing of the turn has happened, because the disk is full or the database
        is away: the caller keeps the reports and gives them again. An item that cannot be stored is refused in the
        report and never fails the others.
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

    async def standing(self, job_ids: Sequence[str]) -> dict[str, JobStanding]:
        """Where each of these jobs stands, at most 1,000; one that is not there is left out."""
        ...

    async def jobs(self, job_filter: JobFilter) -> JobPage:
        """Jobs, newest first. Raises BadRequest for a cursor that is not ours."""
        ...

    async def types(self, prefix: str = "", after: str | None = None, most: int = 100) -> list[TypeView]:
        """Types that a job or a worker has named, by name: the first behind ``after`` that begin with ``prefix``."""
        ...

    async def named_types(self, names: Sequence[str]) -> list[TypeView]:
        """The types among ``names`` that a job or a worker has named, in the same order."""
        ...

    async def first_in_line(self, lanes: Sequence[str]) -> dict[str, float]:
        """Since when the first ready job of each of these lanes has been ready, UTC; lanes without one are left out."""
        ...

    async def in_line(self, job_id: str) -> InLine | None:
        """Where a job stands in its lane, by a count that ends behind MOST_BEFORE; None: it is not ready."""
        ...

    async def counts(self) -> dict[str, int]:
        """Jobs by state, for every state."""
        ...

    async def nodes(self) -> list[NodeView]:
        """All nodes that have the store, or have had it, by name; empty if this one has it for itself."""
        ...

    async def tokens(self) -> list[Token]:
        """All tokens, in no order."""
        ...

    async def acts(self, wanted: AuditFilter) -> AuditPage:
        """The audit log, the newest first. Raises BadParameter for a cursor that is not ours."""
        ...

    async def begin_backup(self, now_at: float) -> Backup:
        """Names the next backup, for ``back_up``. Raises StorageFull, BackupFailed, WrongState."""
        ...

    async def back_up(self, backup: Backup, told: Callable[[int], None]) -> None:
        """Makes the backup; returns when it is durable and checked. Turns go on meanwhile.

        It holds everything that was acknowledged before the call. ``told`` hears how many bytes are copied. Raises
        StorageFull, BackupFailed. Cancel it before ``close``.
        """
        ...

    async def backups(self) -> list[Backup]:
        """The backups that there are, the newest first."""
        ...

    async def close(self) -> None:
        """Lets the running turn end, then closes. Further calls are errors."""
        ...
