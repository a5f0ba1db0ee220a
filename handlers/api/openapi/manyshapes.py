"""What the API answers with about orders for many jobs, as types; see ``shapes``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from dispatcher.core.jobs.acts.operations import OperationState
from handlers.api.openapi.shapes import Count, Instant, JobId, Links

__all__ = ["ActionShape", "OperationShape", "OperationsShape"]


#: Of jobs, and of workers.
_Action = Literal[
    "cancel", "retry", "delete", "set_priority",
    "pause", "resume", "drain", "reload", "block", "unblock", "forget",
    "labels", "test",
]  # fmt: skip


class OperationShape(Struct, kw_only=True):
    """An order for many jobs or workers, and how far it is."""

    id: JobId
    action: _Action
    filter: Annotated[dict[str, Any] | None, Meta(description="as it was given; null: ids were")]
    ids: Annotated[int, Meta(ge=0, description="how many ids were given")]
    priority: int | None
    labels: Annotated[dict[str, str | None] | None, Meta(description="for `labels`; null: is taken back")]
    type: Annotated[str | None, Meta(description="for `test`: the task whose example it is; null: each worker's first")]
    reason: str
    expect: Count | None
    dry_run: bool
    actor: Annotated[str, Meta(description="who asked for it")]
    state: OperationState
    matched: Annotated[int, Meta(ge=0, description="those that matched when they were counted")]
    would_do: Annotated[
        Count | None,
        Meta(description="of a dry run: to how many jobs it could be done; null: it is none, or for workers"),
    ]
    done: Count
    begun: Annotated[int, Meta(ge=0, description="jobs of them that have begun to run at least once")]
    skipped: Annotated[dict[str, Count], Meta(description="those that were let be, or would be, by a code")]
    stopped: Annotated[str | None, Meta(description="why it was stopped: a code; null: it was not")]
    detail: Annotated[str | None, Meta(description="the same in words")]
    started_at: Instant
    ended_at: Instant | None
    links: Links
    #: Only where one is asked for.
    did: (
        Annotated[list[str], Meta(description="ids of those that are done; empty if they are more than 1,000")]
        | UnsetType
    ) = UNSET


class OperationsShape(Struct):
    """All that are kept."""

    items: list[OperationShape]
    next_cursor: None


class ActionShape(Struct):
    """What has become of an order so far."""

    matched: Count
    done: Count
    skipped: dict[str, Count]
    operation: OperationShape
