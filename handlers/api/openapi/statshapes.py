"""What the answer about counts looks like, for the description alone."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from handlers.api.openapi.shapes import Count, Instant
from handlers.overview.marks import MOST_MARKS

__all__ = [
    "DurationsShape",
    "EndedShape",
    "EndingsShape",
    "MarkShape",
    "MarksShape",
    "QuarterShape",
    "QuarterTypeShape",
    "StatsShape",
    "WorkerGoneShape",
]

_Ms = Annotated[Count | None, Meta(description="milliseconds, within 4.5 %; null: there is no sample")]


class DurationsShape(Struct):
    """How long jobs waited, or how long they ran."""

    n: Annotated[Count, Meta(description="samples: jobs that succeeded or failed by a try of their own")]
    p50_ms: _Ms
    p95_ms: _Ms


class EndingsShape(Struct, kw_only=True):
    """How the jobs of a minute or an hour have ended."""

    at: Annotated[Instant, Meta(description="when the minute or the hour begins")]
    succeeded: Count
    failed: Count
    cancelled: Count
    expired: Count
    wait: DurationsShape
    run: DurationsShape


class EndedShape(Struct, kw_only=True):
    """How jobs have ended in a window of time that ends now."""

    type: Annotated[str | None, Meta(description="null: all types")]
    window_ms: Count
    step_ms: Annotated[Count, Meta(description="a minute up to a window of 6 hours, else an hour")]
    start: Annotated[Instant, Meta(description="when the first step begins")] = field(name="from")
    until: Instant
    per_hour: Annotated[float, Meta(ge=0, description="jobs that succeeded or failed, from `from` on")]
    failed_percent: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="of those that succeeded or failed; null: there are none"),
    ]
    succeeded: Count
    failed: Count
    cancelled: Count
    expired: Count
    wait: DurationsShape
    run: DurationsShape
    points: Annotated[list[EndingsShape], Meta(description="the steps in which a job ended, in order")]


class MarkShape(Struct, kw_only=True):
    """A deploy, a pause or a restart."""

    at: Instant
    kind: Annotated[str, Meta(description="`deploy`, `pause` or `restart`")]
    code: Annotated[str, Meta(description="the action in the audit log")]
    sentence: str
    by: Annotated[str, Meta(description="who did it; `server`: it did so by itself")]
    acts: Annotated[int, Meta(ge=1, description="acts of one kind by one actor within 15 minutes are one mark")]
    links: dict[str, str]


class MarksShape(Struct):
    """The deploys, pauses and restarts of some time."""

    items: Annotated[list[MarkShape], Meta(max_length=MOST_MARKS, description="the newest first")]
    left_out: Annotated[Count, Meta(description="older ones that are not among the items")]
    more: Annotated[bool, Meta(description="whether there may be still more, which nobody has counted")]


class QuarterTypeShape(EndedShape, kw_only=True):
    """How the jobs of a type have ended in the quarter."""

    waited: Annotated[
        Count, Meta(description="jobs that waited when the quarter began; or ran a try before their last")
    ]
    ran: Annotated[Count, Meta(description="jobs that ran when the quarter began")]
    error: Annotated[
        str | None, Meta(description="the commonest one of its failed jobs, each number as #; null: none, or not found")
    ]


class WorkerGoneShape(Struct):
    """A worker that went, and has not come back."""

    name: str
    at: Instant


class QuarterShape(Struct, kw_only=True):
    """What is kept of a quarter of an hour."""

    at: Annotated[Instant, Meta(description="when it begins")]
    until: Annotated[Instant, Meta(description="when it ends; one that is not over: now")]
    over: bool
    ended: EndedShape
    types: Annotated[list[QuarterTypeShape], Meta(description="those of which most failed first; at most 40")]
    more_types: bool
    all_waited_and_ran: Annotated[bool, Meta(description="false: there were at least as many as `waited` and `ran`")]
    marks: MarksShape
    workers_gone: list[WorkerGoneShape]
    more_workers_gone: Annotated[
        bool, Meta(description="more than 1,000 workers are not here: the others were not looked at")
    ]
    not_kept: Annotated[list[str], Meta(description="what is not known of the past, in words")]
    links: Annotated[dict[str, str], Meta(description="its page, and lists of its jobs")]


class StatsShape(Struct):
    """Counts."""

    jobs: Annotated[dict[str, Count], Meta(description="by state, for every state")]
    workers: Annotated[dict[str, Count], Meta(description="by state, without empty ones")]
    draining: Annotated[bool, Meta(description="whether the server is about to stop")]
    #: Only where a type or a window is named.
    ended: EndedShape | UnsetType = UNSET
    #: Only where they are asked for.
    marks: MarksShape | UnsetType = UNSET
