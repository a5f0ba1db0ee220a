"""What followers get: changes, and who is missed. As ``shapes``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.telling import MOST_NAMED
from handlers.api.openapi.overviewshapes import MissedShape
from handlers.api.openapi.shapes import Count, Instant, JobId

__all__ = ["ChangeShape", "ChangesShape", "RollEventShape"]


class ChangeShape(Struct):
    """One transition of one job."""

    id: Annotated[str, Meta(description="where it stands: `LIFE-NUMBER`")]
    job: JobId
    type: str
    old: JobState | None = msgspec.field(name="from")
    new: JobState = msgspec.field(name="to")
    at: Instant
    attempt: str | None
    worker: str | None
    reason: str | None
    actor: str | None
    owner: Annotated[str | None, Meta(description="the name of the token that submitted the job")]


class RollEventShape(Struct):
    """Workers that are usually here are newly missed, or nobody is missed any more."""

    id: Annotated[str, Meta(description="where it stands: `LIFE-NUMBER`")]
    event: Literal["workers.missed", "workers.complete"]
    at: Instant
    usual: Annotated[Count, Meta(description="workers that are usually here at this hour")]
    here: Count
    missed: Count
    workers: Annotated[list[MissedShape], Meta(max_length=MOST_NAMED, description="those that were not missed before")]


class GapShape(Struct):
    """Some changes are missing before what comes next."""

    reason: Literal["passed", "other_life"]
    detail: str
    catch_up: str


#: msgspec cannot tell two structs of a union apart that have no tag in common.
_EITHER = [{"$ref": f"#/components/schemas/{shape.__name__}"} for shape in (ChangeShape, RollEventShape)]


class ChangesShape(Struct):
    """A page of changes, and of what else the query names as `event`."""

    items: Annotated[list[Any], Meta(extra_json_schema={"items": {"anyOf": _EITHER}})]
    after: Annotated[str, Meta(description="send it back, and get what came behind it")]
    gap: GapShape | None
