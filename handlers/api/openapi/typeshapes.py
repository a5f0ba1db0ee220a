"""What the answers about types look like, for the description alone."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from handlers.api.openapi.shapes import Count, Instant

__all__ = ["OneTypeShape", "TypeShape", "TypesShape"]


class TypePauseShape(Struct):
    """An operator has paused a type: since when, by whom, why."""

    at: Instant
    by: str
    reason: str


class TypeShape(Struct):
    """A type of jobs."""

    type: str
    offered_at: Instant | None
    workers: Count
    counts: Annotated[dict[str, Count], Meta(description="jobs by state")]
    paused: Annotated[TypePauseShape | None, Meta(description="who has its jobs wait")]


class OneTypeShape(TypeShape):
    """A type, with its links."""

    links: dict[str, str]


class TypesShape(Struct):
    """A page of the list of types."""

    items: list[TypeShape]
    next_cursor: str | None
