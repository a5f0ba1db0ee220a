"""What the answers about workers look like, for the description alone."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from dispatcher.core.jobs.diaries import QuarterState
from dispatcher.core.jobs.model import WorkerStatus
from handlers.api.openapi.shapes import Count, Instant, JobId, JobLineShape

__all__ = ["OneWorkerShape", "WorkerShape", "WorkersShape"]


class HoldShape(Struct):
    """An operator's word: since when, by whom, why."""

    at: Instant
    by: str
    reason: str
    leaves: Annotated[bool, Meta(description="its page says goodbye when it has nothing to do")]


class WorkerShape(Struct):
    """A worker: a page that this server knows."""

    id: str
    name: str
    state: WorkerStatus
    paused: bool
    types: list[str]
    labels: dict[str, str]
    slots: Count
    jobs: list[JobId]
    hanging: list[JobId]
    unloaded: Annotated[dict[str, str], Meta(description="tasks that its page could not load, each with why")]
    done: Annotated[
        Count | None, Meta(description="tries of today with a result; null: another server has its page, and counts")
    ]
    failed: Annotated[
        Count | None, Meta(description="tries of today with an error, timed out or without progress; null: as `done`")
    ]
    connected_s: float
    last_contact_s: float | None
    page: Annotated[dict[str, str], Meta(description="what the page says about itself")]
    remote: str
    transport: str | None
    node: Annotated[str | None, Meta(description="the server that has its page")]
    gone_at: Instant | None
    held: Annotated[HoldShape | None, Meta(description="who keeps it from jobs")]
    blocked: Annotated[HoldShape | None, Meta(description="who has had its page turned away")]
    versions: Annotated[dict[str, str], Meta(description="the versions of its tasks, as far as its page tells them")]


class OperatorShape(Struct):
    """What operators have said of a worker; it wins over what its page says."""

    name: str | None
    labels: dict[str, str]


class JoinedShape(Struct):
    """With which token a worker has joined, and when."""

    token: Annotated[str, Meta(description="the id of the token")]
    at: Instant


class PassageShape(Struct):
    """What happened to the connection of a worker."""

    event: Annotated[
        str,
        Meta(description="connected, away, quiet, back with the same session; unheard: nobody noted what came then"),
    ]
    ago_s: float


class StandstillShape(Struct):
    """A page did nothing, and has said so since: it was no crash."""

    for_s: float
    ago_s: Annotated[float, Meta(description="since it ended")]


class QuarterOfWorkerShape(Struct):
    """A quarter of an hour of a worker's day."""

    at: Instant
    state: Annotated[QuarterState, Meta(description="of several the first one of these")]
    tries: Annotated[Count, Meta(description="tries that ended in it")]


class OneWorkerShape(WorkerShape):
    """A worker, with all that is known of it."""

    note: str
    operator: OperatorShape
    page_name: str
    page_labels: dict[str, str]
    page_paused: bool
    joined: Annotated[JoinedShape | None, Meta(description="null: it has no credential")]
    connections: Annotated[Count, Meta(description="since it was last gone, or the server started")]
    lately: Annotated[list[PassageShape], Meta(description="its comings and goings, the newest first, at most 50")]
    reloads: Annotated[bool, Meta(description="its page loads anew when it has nothing to do")]
    hidden_s: Annotated[float | None, Meta(description="its page has been in the background for so long")]
    slow_timers: Annotated[bool, Meta(description="the timers of its page come late")]
    stood_still: Annotated[StandstillShape | None, Meta(description="of the last hour, as its page says")]
    recent: Annotated[list[JobLineShape], Meta(description="the jobs that it has, then those that it had last")]
    day: Annotated[list[QuarterOfWorkerShape], Meta(description="the last 24 hours, the oldest quarter first")]
    links: dict[str, str]


class WorkersShape(Struct):
    """A page of the list of workers."""

    items: list[WorkerShape]
    next_cursor: str | None
