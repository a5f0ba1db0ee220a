"""What the answers about how the server is doing and what jobs fail with look like, for the description alone."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from handlers.api.openapi.shapes import Count, Instant, JobId
from handlers.api.openapi.statshapes import EndedShape
from handlers.api.openapi.typeshapes import TypeShape

__all__ = [
    "CountersShape",
    "FailureGroupShape",
    "FailuresShape",
    "OverviewProblemShape",
    "OverviewShape",
    "PresentShape",
    "TypeLineShape",
]


class PresentShape(Struct):
    """How workers stand."""

    ready: Annotated[Count, Meta(description="with room for a job")]
    busy: Count
    paused: Count
    aside: Annotated[Count, Meta(description="skipped for a while, because they ignored their last jobs")]
    away: Annotated[Count, Meta(description="without a sign of life, and not gone yet")]


class OverviewProblemShape(Struct):
    """One thing to look at."""

    code: str
    sentence: str
    type: Annotated[str | None, Meta(description="null: it is about none, or about several")]
    since: Annotated[Instant | None, Meta(description="of the oldest one; null: not known")]
    links: dict[str, str]


class CountersShape(Struct):
    """What people look at first."""

    waiting: Annotated[Count, Meta(description="queued or scheduled")]
    running: Count
    in_doubt: Count
    succeeded: Annotated[Count, Meta(description="in the last hour")]
    failed: Annotated[Count, Meta(description="in the last hour")]
    ready: Annotated[Count, Meta(description="workers")]
    gone: Annotated[Count, Meta(description="workers that are not here; 1,000: or more")]


class TypeLineShape(TypeShape, kw_only=True):
    """A type with its last hour."""

    waits_since: Annotated[Instant | None, Meta(description="since when its next job has been ready; null: none is")]
    present: Annotated[
        PresentShape | None, Meta(description="its workers; null: they differ so much that they are not counted")
    ]
    ended: EndedShape


class MissedShape(Struct):
    """A worker that is usually here at this hour and is not."""

    name: str
    gone_at: Instant


class RollCallShape(Struct):
    """Who of those that are usually here at this hour of the week is here."""

    usual: Count
    here: Count
    missed: Annotated[list[MissedShape], Meta(description="at most 20 of them, those that went last first")]


class OverviewShape(Struct):
    """How the server is doing."""

    at: Instant
    well: Annotated[bool, Meta(description="whether there is nothing to look at")]
    sentence: str
    problems: Annotated[list[OverviewProblemShape], Meta(description="the gravest kind first")]
    counters: CountersShape
    workers: PresentShape
    roll_call: RollCallShape
    types: Annotated[list[TypeLineShape], Meta(description="the busiest ones, by name")]
    more_types: bool


class FailureGroupShape(Struct):
    """Failed jobs of one type with one message."""

    type: str
    message: Annotated[str, Meta(description="its first line; each number stands as #")]
    jobs: Annotated[int, Meta(ge=1)]
    first_at: Instant
    last_at: Instant
    workers: Annotated[list[str], Meta(description="names of those that had them last, at most five")]
    worker_count: Count
    ids: Annotated[list[JobId], Meta(description="of the jobs, the newest first: for an order for many jobs")]


class FailuresShape(Struct):
    """What the newest failed jobs failed with."""

    items: list[FailureGroupShape]
    looked_at: Annotated[Count, Meta(description="failed jobs of any type, the newest ones")]
    more: Annotated[bool, Meta(description="whether there are older ones")]
    back_to: Annotated[Instant | None, Meta(description="when the oldest of these was submitted; null: there is none")]
