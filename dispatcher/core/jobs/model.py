"""Values that core, store, service and handlers share: a job as it is submitted and as it is shown.

Immutable ``msgspec.Struct``s: like frozen dataclasses, several times cheaper to make (a loaded turn makes
thousands). JSON payloads are kept as the text that came in, never re-encoded. Instants that are stored are UTC
seconds since 1970 and end in ``_at``; durations end in ``_s``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.about import NOTHING_SAID, About
from dispatcher.core.jobs.acts.kept import Hold, KeptWorker
from dispatcher.core.jobs.diaries import Diary
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.states import SETTLED, JobState
from dispatcher.core.jobs.terms import NO_DEFAULTS, Schedule, Terms, TypeDefaults
from dispatcher.core.jobs.views.snippets import Snippet
from dispatcher.core.jobs.views.unloaded import Unloaded

__all__ = [
    "AttemptView",
    "JobFilter",
    "JobPage",
    "JobSpec",
    "JobStanding",
    "JobView",
    "LogLine",
    "MissingWorker",
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

    #: Names the task that can run it; fits ``TYPE_PATTERN``.
    type: str
    #: JSON text, as it came.
    data: str
    terms: Terms = Terms()
    about: About = NOTHING_SAID
    #: The submitter's idempotency key, at most 255 characters; None: none was given.
    key: str | None = None
    #: The id of its batch. The jobs of a batch stand side by side in one turn, and all are taken or none (promise S3).
    #: None: the job came alone.
    batch: str | None = None
    #: The submission that the key stands for, as a digest of the options and the raw data.
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
    #: When its result was recorded after it had ended in another way (promise S9); None: it was not.
    late_at: float | None = None
    #: Which node has it, or had it; empty: there are no others.
    node: str = ""
    #: The version of the task that it ran with; None: its page did not say.
    task_version: str | None = None


class LogLine(Struct, frozen=True, kw_only=True):
    """A line that a task wrote."""

    #: Counts the lines of the job from 1, through all its tries. It stays when the first lines are not kept any more.
    line_no: int
    at: float
    line: str
    #: Which try wrote it; None: its attempt is not kept any more.
    number: int | None = None


class JobView(Struct, frozen=True, kw_only=True):
    """A job as the store knows it at one instant."""

    id: str
    type: str
    data: str
    state: JobState
    #: A code, if the state needs one: ``poison``, ``timed_out``, ``no_retry``, ``error``, ``cancelled``...
    reason: str | None
    #: The reason in words for people.
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
    #: When its newest attempt ended, or brought its late result: a job that a person decides ends long after it. None:
    #: no attempt has started, or it still runs. A turn's report leaves it out.
    stopped_at: float | None = None
    #: When it became ready to run again: its delay, its backoff or an earlier try was over. None: it has been ready
    #: since it was made, or is not yet.
    ready_at: float | None = None
    about: About = NOTHING_SAID
    #: The id of its batch; None: it came alone.
    batch: str | None = None
    #: A late answer that was not recorded, as JSON text: a person may adopt it for a failed job. None in lists.
    evidence: str | None = None
    #: Oldest first. Filled when one job is read; empty in lists.
    attempts: list[AttemptView] = []
    #: The newest lines, oldest first. Filled when one job is read; empty in lists.
    log: list[LogLine] = []
    #: Where it has what is searched. Filled in lists that ask for it.
    snippets: tuple[Snippet, ...] = ()


class JobStanding(Struct, frozen=True, gc=False):
    """Where a job stands, and no more of it."""

    type: str
    state: JobState
    #: Who submitted it; None: nobody has said.
    owner: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether it has ended, or is in doubt: nothing happens to it by itself."""
        return self.state in SETTLED


class JobFilter(Struct, frozen=True, kw_only=True):
    """Which jobs a list shows; newest first."""

    #: Jobs in one of these; empty: in any.
    states: tuple[JobState, ...] = ()
    type: str | None = None
    #: Jobs that require these labels, each with this value: (label, value).
    requires: tuple[tuple[str, str], ...] = ()
    #: The name of the worker that runs it or ran it last: the worker of its newest attempt.
    worker: str | None = None
    #: Jobs that have all of these.
    tags: tuple[str, ...] = ()
    #: The id of a batch.
    batch: str | None = None
    #: An idempotency key, of a job alone or of a batch.
    key: str | None = None
    #: Who submitted it.
    owner: str | None = None
    #: The code of the last error.
    error: str | None = None
    #: Ids of jobs, for a program of ours that knows them; empty: all. No other name stands beside them.
    ids: tuple[str, ...] = ()
    #: Words in the data, the result or the last error (core/jobs/views/search.py).
    search: str | None = None
    #: UTC seconds; ``after`` includes the instant, ``before`` does not. A job that has not ended fits no end.
    created_after: float | None = None
    created_before: float | None = None
    ended_after: float | None = None
    ended_before: float | None = None
    #: Whether each job shows where it has what is searched.
    snippets: bool = False
    #: 1 to 100.
    limit: int = 50
    #: From an earlier page's ``next_cursor``; None: from the newest.
    cursor: str | None = None

    def only_states(self) -> bool:
        """Whether it asks for nothing but states."""
        return replace(self, states=(), snippets=False, limit=50, cursor=None) == JobFilter()

    def is_counted(self) -> bool:
        """Whether it asks for nothing but a type and states: how many jobs that are is counted as they change."""
        return replace(self, type=None).only_states()

    def only_names(self) -> bool:
        """Whether it asks for one tag, one batch, one key, one owner or some ids, and for nothing else."""
        named = len(self.tags) + sum(name is not None for name in (self.batch, self.key, self.owner)) + bool(self.ids)
        rest = replace(self, tags=(), batch=None, key=None, owner=None, ids=())
        return named == 1 and not self.states and rest.only_states()


class JobPage(Struct, frozen=True, kw_only=True):
    """A slice of the list of jobs. In lists ``data`` and ``result`` are left out (``data`` is ``null``)."""

    items: list[JobView]
    next_cursor: str | None
    #: The cursor of this page itself: with it the page is read again, without jobs that have come since.
    start: str = ""


class ListReach(Struct, frozen=True):
    """How far a page of the list of jobs has come."""

    #: How many jobs the filter finds in all; None: nobody has counted them.
    total: int | None
    #: All jobs that were submitted after this instant have been looked at; None: all jobs have.
    looked_back_to: float | None


class TypeView(Struct, frozen=True, kw_only=True):
    """A type that some job or some worker has named."""

    type: str
    #: When a worker first offered it; None: no worker ever has.
    offered_at: float | None
    #: How many of its jobs in the store are in each state.
    counts: dict[str, int]
    #: Connected workers that offer it.
    workers: int = 0
    #: An operator has paused it: its jobs wait.
    paused: Hold | None = None
    defaults: TypeDefaults = NO_DEFAULTS
    #: Connected pages could not load its task; None: none says so.
    unloaded: Unloaded | None = None


class TypeFilter(Struct, frozen=True, kw_only=True):
    """Which types a list shows; ordered by name."""

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
    """A worker's state as people and programs see it."""

    CONNECTED = "connected"
    #: It was not heard of for a while, but nothing shows that its page is gone.
    QUIET = "quiet"
    #: Its connection closed.
    AWAY = "away"
    #: It did not take its offers, and gets none for a while.
    SET_ASIDE = "set_aside"
    #: It was here, and has gone: only its name is known.
    GONE = "gone"


class WorkerView(Struct, frozen=True, kw_only=True):
    """A page that this node knows."""

    id: str
    name: str
    state: WorkerStatus
    #: By the person at its page, or by an operator.
    paused: bool
    types: list[str]
    slots: int
    #: Ids of the jobs it holds now.
    jobs: list[str]
    #: Tries that it has done, and that failed (timed out ones, too), today by the clocks on the walls here. None:
    #: another node has it, and knows.
    done: int | None
    failed: int | None
    #: Seconds since the page registered, and since it was last heard of.
    connected_s: float
    last_contact_s: float | None
    #: The page about itself: document mode, user agent, versions.
    page: dict[str, str]
    remote: str
    #: What carries its session now: ``polling`` or ``websocket``; empty for one that is not here.
    transport: str = ""
    labels: dict[str, str] = {}
    #: The tasks that its page could not load, each with why.
    unloaded: Mapping[str, str] = {}
    #: Of ``jobs``, those whose attempt here is over (cancelled, timed out), while the page is still busy with it.
    hanging: list[str] = []
    #: UTC seconds; set iff the state is GONE. Then little is known, and the id may be empty.
    gone_at: float | None = None
    #: An operator keeps it from jobs; its page is turned away.
    held: Hold | None = None
    blocked: Hold | None = None
    #: Which node has it; empty: none.
    node: str = ""
    #: The versions of its tasks by type, as far as its page tells them. Empty if another node has it.
    versions: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        """By what its addresses find it: its id, or ``name:`` and its name, if nothing else is known."""
        return self.id or f"{NAME}:{self.name}"


class OneWorkerView(Struct, frozen=True, kw_only=True):
    """A worker with all that is known of it."""

    shown: WorkerView
    #: What operators have said of it; None: nothing.
    kept: KeptWorker | None
    #: What its page says itself.
    name: str = ""
    labels: dict[str, str] = {}
    paused: bool = False
    #: Sessions that it has had since it was last gone, or since the server started.
    connections: int = 0
    #: Its comings and goings, the newest first: what, and how many seconds ago.
    lately: list[tuple[str, float]] = []
    #: Its page is to load anew when it is idle.
    reloads: bool = False
    #: For so many seconds its page has been in the background; None: it is not, or nobody knows.
    hidden_s: float | None = None
    #: The timers of its page come late.
    late: bool = False
    #: How long its page stood still, and how many seconds ago that ended; None: not of late.
    stood: tuple[float, float] | None = None
    #: Its credential; None: it has none.
    joined: Credential | None = None
    #: What it did lately; None: nobody has noted it.
    diary: Diary | None = None


class MissingWorker(Struct, frozen=True):
    """A worker that was here and has gone."""

    name: str
    #: UTC seconds; the start of the server, if it went while no server ran.
    gone_at: float
    #: Its id; None: nobody has noted it.
    worker: str | None = None


class WorkerFilter(Struct, frozen=True, kw_only=True):
    """Which workers a list shows; ordered by name. An empty field lets all pass."""

    #: What the name begins with.
    name: str = ""
    #: A type that it offers.
    type: str = ""
    #: A ``WorkerStatus``, or what it does (``doing.py``).
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
