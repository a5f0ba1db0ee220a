"""``/api/v1/workers/actions``: one order for many workers. docs/api.md describes it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from dispatcher.core.jobs.acts.operations import OperationOrder, WorkerAction
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import JobSpec, WorkerFilter
from dispatcher.errors import BadParameter
from handlers.api.actions import OrderHandler
from handlers.api.workers import Labels, Reason
from handlers.errors import FieldError, Invalid, field_error
from handlers.intake import decode_object
from handlers.orders import MOST_IDS
from handlers.queries import worker_filter
from handlers.testjobs import example_jobs

__all__ = ["WorkerActionBody", "WorkerActionsHandler", "WorkerFilterBody"]

#: Of an id: ``name:`` and a label's value, which are characters of up to four bytes.
_LONGEST_ID = 300
_FilterText = Annotated[str, Meta(min_length=1, max_length=_LONGEST_ID)]


class WorkerFilterBody(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which workers, as in ``GET /api/v1/workers``; at least one field."""

    name: _FilterText | UnsetType = UNSET
    type: _FilterText | UnsetType = UNSET
    state: _FilterText | UnsetType = UNSET
    label: _FilterText | UnsetType = UNSET

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As those of a request."""
        value = getattr(self, name, UNSET)
        return [] if value is UNSET else [value]

    def is_empty(self) -> bool:
        """Whether it says nothing: then it would mean all workers."""
        return all(value is UNSET for value in asdict(self).values())


class WorkerActionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done to which workers."""

    action: WorkerAction
    filter: WorkerFilterBody | UnsetType = UNSET
    ids: Annotated[list[_FilterText], Meta(min_length=1, max_length=MOST_IDS)] | UnsetType = UNSET
    #: For ``labels``: as in a change of one worker; those that are not named stay.
    labels: Labels | UnsetType = UNSET
    #: For ``test``: which task's example; without it the first that each worker offers.
    type: _FilterText | UnsetType = UNSET
    reason: Reason = ""
    expect: Annotated[int, Meta(ge=0)] | None = None
    dry_run: bool = False


_decoder = msgspec.json.Decoder(WorkerActionBody)
_ONE_OF = "must have either filter or ids"
_NO_RENAME = (
    "cannot be rename: a name is given to one worker alone, with PATCH /api/v1/workers/<id>, as of several with one "
    "name any would get the jobs that are for it"
)
_NO_LABELS = "is needed for labels, and belongs to no other action"
_NO_NAME = "has no label `name`: a name is given to one worker alone, with PATCH /api/v1/workers/<id>"
_NO_WORKERS = "must say which workers: at least one of name, type, label and state"


def _worker_fault(said: str) -> FieldError:
    """What is wrong with the body, by what its decoder said."""
    if "'rename'" in said:
        return field_error("action", _NO_RENAME)
    if "`$.action`" in said or "field `action`" in said:
        return field_error("action", f"must be one of {', '.join(WorkerAction)}")
    return field_error("", f"is not an order for many workers: {said}")


class WorkerActionsHandler(OrderHandler):
    """``/api/v1/workers/actions``."""

    def body_limit(self) -> int:
        """Room for the longest names."""
        return MOST_IDS * _LONGEST_ID * 4

    async def post(self) -> None:
        """Begins it."""
        body = self._body_as_asked()
        asked = OperationOrder(
            action=body.action,
            wanted=None if body.filter is UNSET else self._wanted(body.filter),
            ids=() if body.ids is UNSET else tuple(dict.fromkeys(body.ids)),
            reason=body.reason.strip(),
            labels=() if body.labels is UNSET else tuple(body.labels.items()),
            examples=self._examples(body),
            expect=body.expect,
            dry_run=body.dry_run,
            actor=self.actor("api"),
            asked="null" if body.filter is UNSET else msgspec.json.encode(body.filter).decode(),
        )
        await self.carry_out(await self.permitted(asked))

    def _examples(self, body: WorkerActionBody) -> tuple[JobSpec, ...]:
        if body.action is not WorkerAction.TEST:
            return ()
        return example_jobs(self, "" if body.type is UNSET else body.type, None)

    def _wanted(self, given: WorkerFilterBody) -> WorkerFilter:
        try:
            return worker_filter(given)
        except BadParameter as error:
            raise Invalid([field_error("filter", error.detail)]) from None

    def _body_as_asked(self) -> WorkerActionBody:
        try:
            body = decode_object(_decoder, bytes(self.body))
        except msgspec.ValidationError as error:
            raise Invalid([_worker_fault(str(error))]) from None
        if (body.filter is UNSET) == (body.ids is UNSET):
            raise Invalid([field_error("filter", _ONE_OF)])
        if body.filter is not UNSET and body.filter.is_empty():
            raise Invalid([field_error("filter", _NO_WORKERS)])
        if (body.action is WorkerAction.LABELS) == (body.labels in (UNSET, {})):
            raise Invalid([field_error("labels", _NO_LABELS)])
        if body.labels is not UNSET and NAME in body.labels:
            raise Invalid([field_error("labels", _NO_NAME)])
        if body.type is not UNSET and body.action is not WorkerAction.TEST:
            raise Invalid([field_error("type", "belongs to test alone")])
        return body
