"""What the API answers with, as types: the description's schemas are made from them, and nothing else is.

``jobjson`` writes the same without these types, because it is faster so; tests hold real answers against the schemas.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from dispatcher.access.acts import AuditOutcome
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.backups import BackupState
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.terms import Wanted
from dispatcher.core.jobs.views.nodes import NodeState

__all__ = [
    "ActsShape",
    "BackupShape",
    "BackupsShape",
    "BatchCountsShape",
    "BatchShape",
    "JobShape",
    "JobsShape",
    "MadeTokenShape",
    "NodesShape",
    "ProblemShape",
    "StandingsShape",
    "TaskIndexShape",
    "TokenShape",
    "TokensShape",
]

Instant = Annotated[str, Meta(description="RFC 3339, UTC, milliseconds", extra_json_schema={"format": "date-time"})]
Count = Annotated[int, Meta(ge=0)]
JobId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Links = dict[str, str]


class ProgressShape(Struct):
    """What the newest attempt that started told last."""

    percent: float | None
    note: str | None


class ErrorShape(Struct):
    """An error of a task."""

    message: str
    stack: str | None = None
    code: str | None = None


class OutlookShape(Struct):
    """When a ready job may start, as far as anybody can tell."""

    place: Annotated[int | None, Meta(description="from 1; null: more than 1,000 go before it")]
    of: Annotated[int, Meta(description="how many jobs with its type and requirement are ready")]
    overtaken_by: Annotated[int, Meta(description="of those before it, how many came later")]
    estimate_s: Annotated[float | None, Meta(description="it starts in about so many seconds; null: nobody can tell")]
    samples: Annotated[int | None, Meta(description="how many of its type ran in the last 15 minutes")]


class WaitingShape(Struct):
    """Why a job waits; the numbers count workers of this server."""

    code: Annotated[str, Meta(description="`delayed`, `backoff`, `in_doubt`, `no_worker`, `busy` and so on")]
    offer: Count
    match: Count
    connected: Count
    idle: Count
    busy: Count
    stuck: Annotated[Count, Meta(description="how many of the busy ones have tasks that do not stop")]
    paused: Count
    away: Count
    aside: Count
    nearest: str
    outlook: Annotated[OutlookShape | None, Meta(description="in the answer for one job, if it is ready; else null")]


class SnippetShape(Struct):
    """What stands around the first hit of a search in one of a job's texts, in the letters in which it came."""

    field: Literal["data", "result", "error", "summary", "id", "key"]
    before: str
    hit: str
    after: str


class JobLineShape(Struct, kw_only=True):
    """A job as a list shows it."""

    id: JobId
    type: str
    state: JobState
    reason: Annotated[str | None, Meta(description="a code; null if the state needs none")]
    detail: Annotated[str | None, Meta(description="the reason in words")]
    priority: int
    timeout_s: float
    max_attempts: int
    max_crashes: int
    heartbeat_s: float | None
    effects: Literal["repeat", "once"]
    requires: Wanted
    number: Annotated[int, Meta(ge=0, description="accepted tries so far")]
    errors: Annotated[int, Meta(ge=0, description="attempts that ended in an error or a timeout")]
    crashes: Annotated[int, Meta(ge=0, description="attempts that were lost with their page")]
    progress: ProgressShape | None
    error: Annotated[ErrorShape | None, Meta(description="the last error")]
    worker: Annotated[str | None, Meta(description="of the newest attempt")]
    worker_name: str | None
    created_at: Instant
    run_at: Instant | None
    expires_at: Instant | None
    offered_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None
    stopped_at: Instant | None
    ready_at: Instant | None
    summary: Annotated[str | None, Meta(description="the job in a few words for people")]
    tags: list[str]
    owner: Annotated[str | None, Meta(description="who has submitted it; null: nobody has said")]
    traceparent: Annotated[str | None, Meta(description="the trace that it belongs to (W3C Trace Context)")]
    batch: Annotated[str | None, Meta(description="the batch that it was submitted with")]
    waits: Annotated[str | None, Meta(description="why it waits, in words; null if it does not")]
    waiting: WaitingShape | None
    links: Links


class AttemptShape(Struct):
    """One attempt of a job."""

    number: int | None
    worker: str
    worker_name: str
    state: str
    offered_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    late_at: Instant | None
    node: Annotated[str | None, Meta(description="which of several servers has it, or had it")]
    task_version: Annotated[str | None, Meta(description="of the task that it ran with, as its page said it")]
    error: ErrorShape | None


class LogShape(Struct):
    """A line that a task wrote, and the try that wrote it."""

    line_no: Annotated[int, Meta(description="counts the job's lines from 1; it stays when the first lines go")]
    at: Instant
    line: str
    number: int | None


class JobShape(JobLineShape, kw_only=True):
    """A job with everything known about it."""

    data: Annotated[Any, Meta(description="any JSON, as it was submitted")]
    result: Annotated[Any, Meta(description="any JSON, as the page sent it; null until there is one")]
    callback_url: Annotated[str | None, Meta(description="who is told when it has ended")]
    doubt_url: Annotated[str | None, Meta(description="in doubt: where people look whether it was done")]
    operations: Annotated[list[str], Meta(description="the newest orders for many jobs that have changed it, by id")]
    evidence: Annotated[Any, Meta(description="a late result of a failed job that was not recorded; else null")]
    attempts: list[AttemptShape]
    log: list[LogShape]


class ListedJobShape(JobLineShape, kw_only=True):
    """A job as a list of jobs shows it, which may have been asked for snippets."""

    snippets: list[SnippetShape] | UnsetType = UNSET


class JobsShape(Struct):
    """A page of the list of jobs."""

    items: list[ListedJobShape]
    next_cursor: str | None
    total: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="how many jobs the filter finds; null: nobody has counted them"),
    ]
    looked_back_to: Annotated[
        Instant | None,
        Meta(description="all jobs that were submitted after this have been looked at; null: all jobs have"),
    ]


class BatchShape(Struct):
    """The jobs of a batch, in its order, and its id."""

    batch: str | None
    items: list[JobLineShape]


class BatchCountsShape(Struct):
    """How far the jobs of a batch are."""

    id: str
    created_at: Instant
    jobs: Annotated[int, Meta(ge=1, description="those that are kept")]
    counts: Annotated[dict[str, Count], Meta(description="by state")]
    ended: Annotated[bool, Meta(description="whether all are final or in doubt")]
    links: Links


class StandingShape(Struct):
    """A job that somebody waits for."""

    id: str
    state: Annotated[JobState | None, Meta(description="null: there is no such job")]


class StandingsShape(Struct):
    """The jobs that somebody waits for, in the order asked."""

    items: list[StandingShape]
    done: Annotated[bool, Meta(description="whether all of them, or the first, are final or in doubt or not there")]


class BackupShape(Struct):
    """A backup of the store."""

    name: str
    state: BackupState
    bytes: Count
    copied_bytes: Count
    begun_at: Instant
    ended_at: Instant | None
    detail: Annotated[str | None, Meta(description="why it failed")]
    links: Links


class BackupsShape(Struct):
    """All backups, the newest first."""

    items: list[BackupShape]
    next_cursor: None


class NodeShape(Struct):
    """A server that has the store, or has had it."""

    name: str
    state: NodeState
    epoch: Annotated[Count, Meta(description="the number of its life")]
    seen_at: Annotated[Instant, Meta(description="when its last turn began")]
    workers: Count
    attempts: Annotated[Count, Meta(description="that its workers have, or are offered")]
    is_self: Annotated[bool, Meta(description="it is the one that was asked")] = msgspec.field(name="self")


class NodesShape(Struct):
    """All nodes, by name."""

    items: list[NodeShape]
    next_cursor: None


class JoinShape(Struct):
    """How many workers may join with a token, and how many have."""

    uses: Count
    used: Count
    left: Count


class TokenShape(Struct, kw_only=True):
    """What is kept of a token."""

    id: str
    name: str
    scopes: list[Scope]
    types: Annotated[list[str], Meta(description="the types of jobs that it is bound to; empty: to none")]
    labels: Annotated[dict[str, str], Meta(description="its pages have them, whatever they say of themselves")]
    join: Annotated[JoinShape | None, Meta(description="null: it is no token for joining")]
    jobs_per_minute: Annotated[Count | None, Meta(description="new jobs that it may submit; null: any number")]
    works: bool
    made_by: str
    made_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None
    links: Links


class MadeTokenShape(TokenShape, kw_only=True):
    """A new token: no other answer holds it."""

    token: str


class TokensShape(Struct):
    """All tokens, the newest first."""

    items: list[TokenShape]
    next_cursor: None


class ActShape(Struct, kw_only=True):
    """What somebody has done, or tried to do."""

    id: int
    at: Instant
    actor: Annotated[str, Meta(description="the name of the token, or the way by which it came")]
    token: Annotated[str | None, Meta(description="the id of the token; null: none of the store's")]
    remote: Annotated[str | None, Meta(description="from where")]
    action: str
    target: Annotated[str | None, Meta(description="what it was done to")]
    detail: str | None
    outcome: AuditOutcome


class ActsShape(Struct):
    """A page of the audit log."""

    items: list[ActShape]
    next_cursor: str | None


class TaskShape(Struct):
    """A task that this site offers."""

    name: str
    quick: bool
    title: str
    example: Any
    summary: str
    version: Annotated[str, Meta(description="of its file: a digest, then when it was changed")]


class TaskFaultShape(Struct):
    """A file that is not offered, and why."""

    file: str
    why: str


class TaskIndexShape(Struct):
    """The tasks that this site offers."""

    tasks: list[TaskShape]
    not_offered: list[TaskFaultShape]
    host_call: list[str]


class FieldErrorShape(Struct):
    """What is wrong with one field of the body."""

    pointer: str
    detail: str


class ProblemShape(Struct):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Meta(description="what happened and what to do, in words")]
    instance: str
    code: Annotated[str, Meta(description="stable, for programs")]
    request_id: str
    errors: list[FieldErrorShape]
