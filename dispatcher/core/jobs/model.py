"""Values that core, store, service and handlers share: what a job is, how it is submitted, how it is shown.

Immutable ``msgspec.Struct``s: like frozen dataclasses, several times cheaper to make (a loaded turn makes
thousands). JSON payloads are kept as the text that came in, never re-encoded. Instants that are stored are UTC
seconds since 1970 and end in ``_at``; durations end in ``_s``.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Schedule, Terms

__all__ = [
    "AttemptView",
    "JobFilter",
    "JobPage",
    "JobSpec",
    "JobView",
    "LogLine",
    "TypeFilter",
    "TypePage",
    "TypeView",
    "WorkerFilter",
    "WorkerPage",
    "WorkerStatus",
    "WorkerView",
]


class JobSpec(Schedule, frozen=True, kw_only=True):
    """A job as it is submitted, checked and with its defaults filled in."""

    #: Names the task that can run it: it fits ``TYPE_PATTERN``.
    type: str
    #: JSON text, as it came.
    data: str
    terms: Terms = Terms()
    #: The submitter's idempotency key, at most 255 characters; None: none was given.
    key: str | None = None
    #: Jobs of one batch have the same number, stand side by side in one turn and are taken all or none (promise S3);
    #: None: alone.
    batch: int | None = None
    #: What the key stands for: a digest of the options and the raw data.
    fingerprint: str = ""

    @property
    def size(self) -> int:
        """Bytes of its data in UTF-8."""
        return len(self.data) if self.data.isascii() else len(self.data.encode())


class AttemptView(Struct, frozen=True, kw_only=True):
    """One try at a job, ended or not, as people and programs see it."""

    #: Accepted tries before this one, plus one; None: the offer was never accepted.
    number: int | None
    worker: str
    worker_name: str
    #: ``offered``, ``running``, or how it ended: ``succeeded``, ``error``, ``timed_out``, ``lost``, ``lapsed``,
    #: ``released``, ``cancelled``.
    state: str
    offered_at: float
    started_at: float | None
    ended_at: float | None
    #: The error as JSON text ``{message, stack, code}``; None: no error.
    error: str | None
    #: When its result was recorded although it had ended otherwise before (promise S9); None: it was not.
    late_at: float | None = None


class LogLine(Struct, frozen=True, kw_only=True):
    """A line that a task wrote."""

    at: float
    line: str


class JobView(Struct, frozen=True, kw_only=True):
    """A job as the store knows it at one instant."""

    id: str
    type: str
    data: str
    state: JobState
    #: A code where the state needs one: ``poison``, ``timed_out``, ``no_retry``, ``error``, ``cancelled``...
    reason: str | None
    #: Words for people beside the reason.
    detail: str | None
    terms: Terms
    #: Accepted tries so far.
    number: int
    #: Attempts that ended in an error or a timeout; ``terms.max_attempts`` of them are allowed.
    errors: int
    #: Attempts that were lost with their page; ``terms.max_crashes`` of them are allowed.
    crashes: int
    key: str | None
    #: 0 to 100, from the running attempt; None: none was reported.
    percent: float | None
    note: str | None
    #: JSON text; set iff the job succeeded.
    result: str | None
    #: JSON text of the last error; None: none yet.
    error: str | None
    #: Id and name of the worker of the newest attempt.
    worker: str | None
    worker_name: str | None
    created_at: float
    run_at: float | None
    expires_at: float | None
    offered_at: float | None
    started_at: float | None
    ended_at: float | None
    #: A late answer that was not recorded, as JSON text: a person may adopt it for a failed job. In lists: None.
    evidence: str | None = None
    #: Oldest first. Filled by reading one job; empty in lists.
    attempts: list[AttemptView] = []
    #: The newest lines, oldest first. Filled by reading one job; empty in lists.
    log: list[LogLine] = []


class JobFilter(Struct, frozen=True, kw_only=True):
    """Which jobs a list shows; newest first."""

    state: JobState | None = None
    type: str | None = None
    #: Jobs that require these labels, each with this value: (label, value).
    requires: tuple[tuple[str, str], ...] = ()
    #: The name of the worker that runs it or ran it last: that of its newest attempt.
    worker: str | None = None
    #: 1 to 100.
    limit: int = 50
    #: From an earlier page's ``next_cursor``; None: from the newest.
    cursor: str | None = None

    def only_state(self) -> bool:
        """Nothing but the state is asked for."""
        return self.type is None and self.worker is None and not self.requires


class JobPage(Struct, frozen=True, kw_only=True):
    """A slice of the list of jobs. In lists ``data`` and ``result`` are left out (``data`` is ``null``)."""

    items: list[JobView]
    next_cursor: str | None


class TypeView(Struct, frozen=True, kw_only=True):
    """A type that some job or some worker has named."""

    type: str
    #: When a worker first offered it; None: no worker ever has.
    offered_at: float | None
    #: Jobs by state, of those kept in the store.
    counts: dict[str, int]
    #: Connected workers that offer it.
    workers: int = 0


class TypeFilter(Struct, frozen=True, kw_only=True):
    """Which types a list shows; by name."""

    #: What the name begins with; empty: anything.
    prefix: str = ""
    limit: int = 100
    #: From an earlier page's ``next_cursor``; None: from the first.
    cursor: str | None = None


class TypePage(Struct, frozen=True, kw_only=True):
    """A slice of the list of types."""

    items: list[TypeView]
    next_cursor: str | None


class WorkerStatus(StrEnum):
    """What people and programs are shown of a worker."""

    CONNECTED = "connected"
    #: Not heard of, but nothing shows that its page is gone.
    QUIET = "quiet"
    #: Its connection closed.
    AWAY = "away"
    #: It did not take what was offered, and gets no offers for a while.
    SET_ASIDE = "set_aside"


class WorkerView(Struct, frozen=True, kw_only=True):
    """A page that this node knows."""

    id: str
    name: str
    state: WorkerStatus
    paused: bool
    types: list[str]
    slots: int
    #: Ids of the jobs it holds now.
    jobs: list[str]
    #: Since this server started.
    done: int
    failed: int
    #: Seconds since the page registered, and since it was last heard of.
    connected_s: float
    last_contact_s: float
    #: What the page says of itself: document mode, user agent, versions.
    page: dict[str, str]
    remote: str
    labels: dict[str, str] = {}


class WorkerFilter(Struct, frozen=True, kw_only=True):
    """Which workers a list shows; by name. What is empty is not asked."""

    #: What the name begins with.
    name: str = ""
    #: A type that it offers.
    type: str = ""
    state: str = ""
    #: A label that it has: ``site:berlin``; ``name:DESK-1`` is its whole name.
    label: str = ""
    limit: int = 100
    #: From an earlier page's ``next_cursor``; None: from the first.
    cursor: str | None = None


class WorkerPage(Struct, frozen=True, kw_only=True):
    """A slice of the list of workers. It may be short, or empty, and still have a ``next_cursor``."""

    items: list[WorkerView]
    next_cursor: str | None
