"""What the answers about types look like, for the description alone."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from dispatcher.core.jobs.acts.rollouts import RolloutState
from dispatcher.core.jobs.terms import Attempts, Crashes, Effects, Priority, Silence, Timeout
from handlers.api.openapi.shapes import Count, Instant

__all__ = ["DefaultsShape", "OneTypeShape", "RolloutShape", "TypeShape", "TypesShape"]


class TypePauseShape(Struct):
    """An operator has paused a type: since when, by whom, why."""

    at: Instant
    by: str
    reason: str


class DefaultsShape(Struct):
    """Terms of new jobs."""

    priority: Priority | UnsetType = UNSET
    timeout_s: Timeout | UnsetType = UNSET
    max_attempts: Attempts | UnsetType = UNSET
    max_crashes: Crashes | UnsetType = UNSET
    heartbeat_s: Silence | UnsetType = UNSET
    effects: Effects | UnsetType = UNSET


class UnloadingWorkerShape(Struct):
    """A worker whose page could not load a task."""

    id: str
    name: str


class UnloadedWhyShape(Struct):
    """One reason why pages could not load a task."""

    why: Annotated[str, Meta(description="a code of the worker page, and its words")]
    pages: Count
    workers: Annotated[list[UnloadingWorkerShape], Meta(description="the first of them, at most 5")]


class UnloadedShape(Struct):
    """A task that connected pages of this server could not load."""

    pages: Count
    of: Annotated[Count, Meta(description="these, and the pages that offer the type")]
    sentence: str
    whys: Annotated[list[UnloadedWhyShape], Meta(description="the commonest, at most 3")]


class TypeShape(Struct):
    """A type of jobs."""

    type: str
    offered_at: Instant | None
    workers: Count
    counts: Annotated[dict[str, Count], Meta(description="jobs by state")]
    paused: Annotated[TypePauseShape | None, Meta(description="who has its jobs wait")]
    defaults: Annotated[
        DefaultsShape, Meta(description="terms of new jobs that name none; what is not there is as the server has it")
    ]
    unloaded: UnloadedShape | None


class TaskVersionShape(Struct):
    """One version of a task, and how many pages have it."""

    version: str
    changed_at: Instant | None
    pages: Count
    newest: Annotated[bool, Meta(description="whether the site offers it")]


class WithheldShape(Struct):
    """A task whose file failed on a canary, so that the site offers a former version in its place."""

    type: str
    version: Annotated[str, Meta(description="what the site offers")]
    changed_at: Annotated[Instant | None, Meta(description="when that was changed")]
    failed: Annotated[str, Meta(description="what stands in the file")]
    failed_changed_at: Annotated[Instant | None, Meta(description="when that was changed")]
    sentence: str


class DeployedShape(Struct):
    """Which versions of the task the pages have that are connected to this server."""

    type: str
    version: Annotated[str | None, Meta(description="what the site offers")]
    changed_at: Annotated[Instant | None, Meta(description="when its file was changed")]
    withheld: Annotated[
        str | None, Meta(description="what stands in its file and is not offered: it failed on a canary")
    ]
    pages: Annotated[Count, Meta(description="those that offer the type")]
    old: Annotated[Count, Meta(description="those with another version than the site")]
    silent: Annotated[Count, Meta(description="those that do not say which one they have")]
    versions: list[TaskVersionShape]
    sentence: str


class OneTypeShape(TypeShape):
    """A type, with the versions of its task, and its links."""

    deployed: DeployedShape
    links: dict[str, str]


class TallyShape(Struct):
    """Tries that have ended, and how many of them failed."""

    ended: Count
    failed: Count


class RunShape(Struct):
    """One rollout."""

    state: RolloutState
    sentence: str
    at_a_time: Count
    canary: bool
    without: Annotated[list[str], Meta(description="labels that leave pages out: `site:berlin`")]
    reason: str
    actor: str
    reloaded: Annotated[
        Count,
        Meta(description="pages that have come back with the new files, or, as it goes back, with the former ones"),
    ]
    reloading: Annotated[list[str], Meta(description="names of those that have been told, and are not back yet")]
    left: Annotated[Count, Meta(description="connected pages with an old task that have not been told")]
    left_out: Annotated[Count, Meta(description="and those that are left out")]
    types: Annotated[list[str], Meta(description="the types whose files the reloaded pages have anew")]
    watching: Annotated[bool, Meta(description="a canary waits for jobs of the reloaded pages")]
    withheld: Annotated[list[WithheldShape], Meta(description="what it withheld, if it went back")]
    lost: Annotated[list[str], Meta(description="names of pages that did not go back with the others")]
    new: Annotated[TallyShape, Meta(description="tries of these types on the reloaded pages")]
    rest: Annotated[TallyShape, Meta(description="the same on the others, since the first page was back")]
    stopped: Annotated[str | None, Meta(description="a code: why it has stopped")]
    detail: Annotated[str | None, Meta(description="the same in words")]
    started_at: Instant
    ended_at: Instant | None


class RolloutShape(Struct):
    """The newest rollout, and which pages have old tasks."""

    old: Annotated[Count, Meta(description="connected pages that have an old task")]
    types: Annotated[list[DeployedShape], Meta(description="of at most 20 types")]
    withheld: Annotated[list[WithheldShape], Meta(description="tasks whose files are withheld now")]
    rollout: Annotated[RunShape | None, Meta(description="the newest since the server started")]
    links: dict[str, str]


class TypesShape(Struct):
    """A page of the list of types."""

    items: list[TypeShape]
    next_cursor: str | None
