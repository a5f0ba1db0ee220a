"""The contract between the service and a store: one ``Turn`` in, one transaction, one ``TurnReport`` out.

The order within a turn: reports, commands, submissions, jobs that have become due, claims for the demand. So a turn
can claim a job that was submitted in it, and fill a slot that a result has freed in it. Items of which a turn has many
have ``gc=False``: none can be part of a cycle, so the collector need not walk them.

A *report* says what became of an attempt. The core computes what that means for the job at the instant the report
arrives (``event``); the store applies it under the fence: only the job's current attempt can change the job.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType

from dispatcher.access.acts import Actor, AuditNote
from dispatcher.access.commands import NOBODY_ASKED, TokenCommand
from dispatcher.core.jobs.about import NOTHING_SAID, About
from dispatcher.core.jobs.acts.doubts import AnswerDoubt
from dispatcher.core.jobs.acts.kept import ForgetWorker, KeepType, KeepWorker
from dispatcher.core.jobs.acts.seen import MoveAttempts, ReloadPage, SeeWorkers, WorkersMoved
from dispatcher.core.jobs.diaries import KeepDiaries
from dispatcher.core.jobs.habits import CallRoll
from dispatcher.core.jobs.matching import Requirement
from dispatcher.core.jobs.model import JobSpec, JobView
from dispatcher.core.jobs.news import Change, News
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.terms import Terms
from dispatcher.webhooks.commands import HookCommand
from dispatcher.webhooks.endpoints import Endpoint

__all__ = [
    "Accepted", "Adopt", "Amend", "Cancel", "Cause", "Change", "Claim", "Command", "CommandReport", "Decide",
    "Delete", "Demand", "Ended", "ForgetTypes", "HeardNews", "Holder", "JobCommand", "KeepCommand", "LaneReady",
    "LiveAttempt", "Logged", "MoveAttempts", "NodeCommand", "Objection", "OfferedTypes", "Progressed", "Reopen",
    "Report", "Retry", "Settled", "Started", "Turn", "TurnReport", "Verdict", "WorkersMoved",
]  # fmt: skip


class Cause(StrEnum):
    """How an attempt ended; each attempt has exactly one."""

    SUCCEEDED = "succeeded"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    #: Its page went away.
    LOST = "lost"
    #: Nobody accepted the offer in time; this uses up nothing.
    LAPSED = "lapsed"
    #: The page gave it back.
    RELEASED = "released"
    #: The job was cancelled under it.
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """The server's answer to a report; each ends the page's repeating."""

    RECORDED = "recorded"
    #: The attempt had already won with its result; or the line of its log was there before.
    DUPLICATE = "duplicate"
    #: It is not the job's current attempt, or the job is settled.
    STALE = "stale"
    #: The store cannot hold this item; it changed nothing.
    REFUSED = "refused"


class Holder(Struct, frozen=True, gc=False):
    """The worker whose page has an attempt, with its task's version, if known: chosen after the claim."""

    worker: str
    name: str
    boot: str
    task_version: str | None = None


class Started(Struct, frozen=True, gc=False):
    """The page accepted the offer."""

    attempt: str
    holder: Holder


class Progressed(Struct, frozen=True, gc=False):
    """The running task says how far it has come. ``percent`` is 0 to 100, or None to leave it as it was."""

    attempt: str
    percent: float | None
    note: str | None


class Logged(Struct, frozen=True, gc=False):
    """The running task wrote a line."""

    attempt: str
    line: str
    #: Counts the attempt's lines from 1, as its page says them; None: the page does not count.
    n: int | None = None


class Ended(Struct, frozen=True, gc=False):
    """An attempt has ended, and what that means for its job."""

    attempt: str
    cause: Cause
    #: What happens to the job if this attempt is still its current one.
    event: Event
    #: None: no page ever had it, or nobody knows any more which page had it.
    holder: Holder | None = None
    #: For BACK_OFF: seconds until the job is tried again.
    delay_s: float = 0.0
    #: For FAIL and DOUBT: a code, and the same in words.
    reason: str | None = None
    detail: str | None = None
    #: For SUCCEED: the result as JSON text, and the job, if that is known.
    value: str | None = None
    job: str | None = None
    #: The error as JSON text.
    error: str | None = None
    #: Whether it uses up ``max_attempts`` (an error or a timeout) or ``max_crashes`` (a loss).
    counts_error: bool = False
    counts_crash: bool = False
    #: The page must have accepted, even if its accept never came: a result or an error implies one.
    implies_accept: bool = False
    #: For REQUEUE: the lane that the job returns to, if that is known.
    lane: str | None = None


Report = Started | Progressed | Logged | Ended


class Cancel(Struct, frozen=True):
    """Ends an open job; its attempt, if any, is revoked at once."""

    job: str
    reason: str
    actor: Actor = NOBODY_ASKED
    #: Only if the job is in one of these states; empty: whatever it is.
    if_states: tuple[JobState, ...] = ()


class Retry(Struct, frozen=True):
    """A person asks for another round: the counts of errors and crashes start again, numbers go on."""

    job: str
    actor: Actor = NOBODY_ASKED
    #: As of ``Cancel``.
    if_states: tuple[JobState, ...] = ()
    #: Why, for the audit log alone: the job begins anew, and keeps no word of it.
    reason: str = ""


class Decide(Struct, frozen=True):
    """A person says what became of a job in doubt: it succeeded, with this value, or it failed."""

    job: str
    #: The result as JSON text; None: it failed.
    value: str | None
    reason: str
    actor: Actor = NOBODY_ASKED


class Reopen(Struct, frozen=True):
    """A person takes back what somebody has decided about a job in doubt: it is in doubt again."""

    job: str
    reason: str
    actor: Actor = NOBODY_ASKED


class Adopt(Struct, frozen=True):
    """A person takes the late answer of a failed job for its result."""

    job: str
    actor: Actor = NOBODY_ASKED


class Amend(Struct, frozen=True, kw_only=True):
    """Changes a job that waits; what is unset stays as it is. Durations count from the turn."""

    job: str
    priority: int | UnsetType = UNSET
    #: 0: it may start at once, even if it backs off.
    delay_s: float | UnsetType = UNSET
    #: None: it never expires.
    expires_s: float | UnsetType | None = UNSET
    requires: Requirement | UnsetType = UNSET
    #: All that it has then, each once.
    tags: tuple[str, ...] | UnsetType = UNSET
    actor: Actor = NOBODY_ASKED
    #: Only if the job has one of these versions; empty: whatever it is.
    if_versions: tuple[str, ...] = ()
    #: As of ``Cancel``.
    if_states: tuple[JobState, ...] = ()
    #: Why, for the audit log alone.
    reason: str = ""


class Delete(Struct, frozen=True):
    """Removes a job that has ended, with all that belongs to it."""

    job: str
    #: Its key may go although it is younger than a day: the same submission would make a new job.
    free_key: bool = False
    actor: Actor = NOBODY_ASKED
    #: As of ``Amend``.
    if_versions: tuple[str, ...] = ()
    if_states: tuple[JobState, ...] = ()


class OfferedTypes(Struct, frozen=True):
    """A worker offers these types, and no other worker here did. The store remembers when a type was first offered."""

    types: tuple[str, ...]
    #: The worker: its page is told of types that found no room.
    worker: str = ""


class ForgetTypes(Struct, frozen=True):
    """Workers offer these types: the store forgets all others that have no jobs.

    It takes types that found no room when their page came, if there is room now, before it forgets.
    """

    offered: frozenset[str]


JobCommand = Cancel | Retry | Decide | AnswerDoubt | Reopen | Adopt | Amend | Delete
KeepCommand = KeepWorker | KeepType | ForgetWorker
NodeCommand = (
    OfferedTypes | ForgetTypes | WorkersMoved | KeepDiaries | CallRoll | MoveAttempts | SeeWorkers | ReloadPage
)
Command = JobCommand | NodeCommand | TokenCommand | AuditNote | KeepCommand | HookCommand


class Objection(StrEnum):
    """Why a command was not obeyed although the job's state allows it."""

    #: The job would expire before it may start.
    NEVER_STARTS = "never_starts"
    #: Its key must be kept for some time yet.
    KEY_KEPT = "key_kept"
    #: The job is of none of the versions for which the command is meant.
    MOVED = "moved"


class LiveAttempt(Struct, frozen=True, kw_only=True):
    """An attempt that has not ended, of an earlier run or of another node."""

    attempt: str
    job: str
    type: str
    number: int
    #: None: offered, never accepted.
    started_at: float | None
    terms: Terms
    errors: int
    crashes: int
    worker: str
    boot: str


class CommandReport(Struct, frozen=True):
    """What became of a command."""

    #: False: the job's state did not allow it, or ``fault`` says why not; nothing was changed.
    done: bool
    #: The job after the command; None: there is no such job, or the command names none.
    job: JobView | None = None
    #: The attempt that the command ended; None: none was live.
    revoked: str | None = None
    #: The job before it was changed. None: the command was no change of a job that waits, or it was refused.
    was: JobView | None = None
    #: Types that workers offer and the store has no room to know.
    no_room: tuple[str, ...] = ()
    fault: Objection | None = None
    #: Attempts that have moved here.
    moved: tuple[LiveAttempt, ...] = ()


class Demand(Struct, frozen=True, gc=False):
    """Idle workers that match the same lanes, and how many jobs they could take now."""

    #: The pool's name in the core; comes back with each claim.
    pool: int
    lanes: tuple[str, ...]
    room: int


class LaneReady(Struct, frozen=True, gc=False):
    """What a turn has left in a lane: the next demand is made for what is ready."""

    lane: str
    #: Jobs that wait in it for a worker.
    jobs: int
    #: No job in it comes before this rank.
    head: float = 0.0
    #: The turn has seen the lane's first job. False: ``head`` is the first rank of the jobs that it has added.
    seen: bool = True


class Turn(Struct, frozen=True, kw_only=True):
    """All that has happened since the last turn."""

    #: The node that speaks, and the number of its life: a store refuses turns of an earlier life.
    node: str = ""
    epoch: int = 0

    #: Wall clock, UTC seconds: it dates what is stored, and decides what is due.
    now_at: float
    #: Monotonic seconds since the store was opened: drives the queue clock.
    elapsed_s: float
    reports: list[Report] = []
    commands: list[Command] = []
    #: Jobs of one batch stand side by side.
    submissions: list[JobSpec] = []
    #: For lanes that have ready jobs, or get some in this turn; least recently used first. A pool may be there twice.
    demand: list[Demand] = []
    #: Most jobs that the turn claims.
    most_claims: int = 1_024
    #: Who is told of its changes: messages are written with them.
    endpoints: tuple[Endpoint, ...] = ()
    #: Jobs that somebody waits for: the report shows those that settle in this turn.
    shown: tuple[str, ...] = ()


class Accepted(Struct, frozen=True, gc=False):
    """What became of a submission."""

    #: None: the key was used before with another body, or the item was refused.
    job: JobView | None
    #: The job is an earlier one of the same key.
    replayed: bool = False
    #: A code (``key_conflict``, ``queue_full``, ``refused``) and words. A whole batch gets those of the job at fault.
    error: str | None = None
    detail: str | None = None


class Claim(Struct, frozen=True, kw_only=True, gc=False):
    """A job that is now claimed for this node, with its new attempt."""

    pool: int
    attempt: str
    job: str
    type: str
    data: str
    #: Accepted tries so far + 1.
    number: int
    terms: Terms
    errors: int
    crashes: int
    about: About = NOTHING_SAID
    #: Workers that have had the job, the last one first; a retry prefers another one.
    had: tuple[str, ...] = ()


class Settled(Struct, frozen=True, gc=False):
    """The verdict on one report, in the order of ``Turn.reports``."""

    attempt: str
    verdict: Verdict


class HeardNews(Struct, frozen=True):
    """What a turn has heard of the other nodes that share the store."""

    #: In the order in which each of them has told it.
    news: list[News]
    #: Attempts of nodes that are gone: this node has taken them over.
    adopted: list[LiveAttempt] = []
    #: What one node does for all, such as sending webhooks, is this node's to do.
    leads: bool = True


class TurnReport(Struct, frozen=True, kw_only=True):
    """What the store has done, durably, with one turn."""

    verdicts: list[Settled]
    commands: list[CommandReport]
    accepted: list[Accepted]
    claims: list[Claim]
    #: Every transition of every job in this turn, in order.
    changes: list[Change]
    #: UTC instant at which the next delayed job becomes due or the next one expires; None: none will.
    next_due_at: float | None
    #: The ``Turn.elapsed_s`` at which the next backoff is over; None: no job backs off.
    next_backoff_s: float | None = None
    #: More is due than one turn moves: the next turn should come at once.
    more: bool
    #: The lanes that this turn has touched, or that its demand named.
    ready: list[LaneReady] = []
    #: The store's disk has space for new jobs.
    has_space: bool = True
    #: The targets that have new messages, or messages to try again at once.
    told: frozenset[str] = frozenset()
    #: Of ``Turn.shown`` those that have settled in it, whole, as the turn has left them. A store may leave some out.
    shown: list[JobView] = []
    #: None: no other node shares the store.
    heard: HeardNews | None = None
