"""The rows of jobs and attempts, and what a turn has made or changed of them; the same for all stores.

``ledger`` changes them; a store loads and saves them.
"""

from __future__ import annotations

from msgspec import Struct

from dispatcher.access.acts import AuditEntry
from dispatcher.access.commands import TokenCommand
from dispatcher.access.credentials import Credential
from dispatcher.core.jobs.about import About
from dispatcher.core.jobs.acts.kept import KeptType, KeptWorker
from dispatcher.core.jobs.acts.seen import ReloadPage, SeeWorkers
from dispatcher.core.jobs.diaries import Diary
from dispatcher.core.jobs.habits import CallRoll
from dispatcher.core.jobs.matching import lane_of
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cause
from dispatcher.webhooks.commands import HookCommand
from dispatcher.webhooks.endpoints import HookMessage

__all__ = ["AttemptRow", "JobRow", "WriteSet", "lane_of_row"]


class JobRow(Struct, array_like=True, gc=False):
    """A job's row. The first block changes in its life; the second is written once."""

    seq: int
    state: JobState
    #: Order in its lane; set iff state is queued or running (kept over a lapse or a loss).
    rank: float | None
    #: Set iff state is scheduled.
    run_at: float | None
    #: The newest attempt, the only one that can change the job; None: there is none yet, or it was revoked.
    attempt: str | None
    #: How often it was claimed: ids of attempts carry this, so that they sort by age.
    claims: int
    number: int
    errors: int
    crashes: int
    reason: str | None
    detail: str | None
    error: str | None
    percent: float | None
    note: str | None
    worker: str | None
    worker_name: str | None
    offered_at: float | None
    started_at: float | None
    ended_at: float | None
    #: Instants of the queue clock, which no wall clock can change: when its backoff is over (set iff it backs off), and
    #: when it ended (set iff it has).
    backoff_until: float | None
    ended_clock: float | None
    #: When it became ready the last time; None: when it was made.
    ready_at: float | None

    id: str
    type: str
    terms: Terms
    size: int
    expires_at: float | None
    created_at: float
    key: str | None
    fingerprint: str
    about: About
    batch: str | None


class AttemptRow(Struct, array_like=True, gc=False):
    """An attempt's row; ``cause`` is set iff it has ended."""

    id: str
    job: int
    #: None: it ended without having been accepted.
    number: int | None
    worker: str | None
    worker_name: str | None
    boot: str | None
    offered_at: float
    started_at: float | None
    ended_at: float | None
    #: When its result came although it had ended: the late result was recorded (promise S9).
    late_at: float | None
    cause: Cause | None
    error: str | None
    #: A stale result, kept for a person to look at.
    evidence: str | None
    #: The version of the task that it ran with; None: its page did not say.
    task_version: str | None = None
    #: Up to which of its page's lines its log has come: the same line said again has a number that is not above it.
    last_line: int | None = None


class WriteSet:
    """Rows that a turn has made or changed: each is written once, however often it changed."""

    __slots__ = (
        "acts",
        "amended",
        "attempts",
        "claims",
        "data",
        "diaries",
        "done",
        "for_nodes",
        "forgotten",
        "here",
        "hooks",
        "jobs",
        "kept",
        "logs",
        "messages",
        "new",
        "nobody",
        "ordered",
        "removed",
        "results",
        "retagged",
        "roll",
        "tokens",
        "whose",
        "withdrawn",
    )  # fmt: skip

    def __init__(self) -> None:
        self.new: dict[int, JobRow] = {}
        #: JSON text of the new jobs.
        self.data: dict[int, str] = {}
        self.jobs: dict[int, JobRow] = {}
        #: Jobs of ``jobs`` that ran when the turn began and have succeeded: most of their columns are as they were.
        self.done: dict[int, JobRow] = {}
        #: Jobs of ``jobs`` whose terms have changed, and so perhaps their lane.
        self.amended: dict[int, JobRow] = {}
        #: Jobs of ``amended`` whose tags have changed: those that they had.
        self.retagged: dict[int, tuple[str, ...]] = {}
        #: Jobs of ``jobs`` that an order for many has changed: what they carry names it.
        self.ordered: dict[int, JobRow] = {}
        #: Jobs that existed before the turn, and go with all that belongs to them.
        self.removed: dict[int, JobRow] = {}
        #: Jobs that were claimed.
        self.claims: dict[int, JobRow] = {}
        self.attempts: dict[str, AttemptRow] = {}
        #: (job's seq, JSON text)
        self.results: list[tuple[int, str]] = []
        #: Jobs whose result from before the turn goes, ahead of what is in ``results``: a person has taken it back.
        self.withdrawn: list[int] = []
        #: (job's seq, attempt, at, line)
        self.logs: list[tuple[int, str, float, str]] = []
        #: By the name of a worker: whether it has come or gone. ``nobody``: all whom the store has as here are gone.
        self.here: dict[str, bool] = {}
        self.nobody = False
        #: By the name of one of these: the id of its worker. And the diaries of workers, by their names.
        self.whose: dict[str, str] = {}
        self.diaries: dict[str, Diary] = {}
        #: Names of which nothing is known any more, unless somebody here has them.
        self.forgotten: list[str] = []
        #: Behind that the roll is called.
        self.roll: CallRoll | None = None
        #: In order; the store obeys them as they are.
        self.tokens: list[TokenCommand] = []
        #: What operators have said of workers, in order.
        self.kept: list[KeptWorker | KeptType | Credential] = []
        #: Messages for receivers of webhooks, and then what becomes of endpoints and messages, in order.
        self.messages: list[HookMessage] = []
        self.hooks: list[HookCommand] = []
        #: Lines of the audit log.
        self.acts: list[AuditEntry] = []
        #: For other nodes, in order; a store that one node has for itself keeps nothing of it.
        self.for_nodes: list[SeeWorkers | ReloadPage] = []

    def changed(self) -> list[JobRow]:
        """Jobs that have changed and are neither new nor done."""
        return [job for seq, job in self.jobs.items() if seq not in self.new and seq not in self.done]

    def carrying(self) -> list[JobRow]:
        """Jobs that are there, and carry something else than before."""
        return [*({seq: self.amended[seq] for seq in self.retagged} | self.ordered).values()]

    def withdraw(self, seq: int) -> None:
        """The job's result goes, whether it is of this turn or was there before."""
        self.results = [row for row in self.results if row[0] != seq]
        self.withdrawn.append(seq)

    def remove(self, job: JobRow) -> None:
        """The job goes, and so does all that the turn has written of it."""
        for rows in (self.jobs, self.done, self.amended, self.ordered, self.claims):
            rows.pop(job.seq, None)
        self.retagged.pop(job.seq, None)
        self.attempts = {name: row for name, row in self.attempts.items() if row.job != job.seq}
        self.results = [row for row in self.results if row[0] != job.seq]
        self.withdrawn = [seq for seq in self.withdrawn if seq != job.seq]
        self.logs = [row for row in self.logs if row[0] != job.seq]
        self.removed[job.seq] = job

    def only_claimed(self) -> list[JobRow]:
        """Jobs that are not new, and that have changed only by being claimed."""
        return [job for seq, job in self.claims.items() if seq not in self.new and seq not in self.jobs]


def lane_of_row(job: JobRow) -> str:
    """The lane that the job stands in while it is queued."""
    requires = job.terms.requires
    return lane_of(job.type, requires) if requires else job.type
