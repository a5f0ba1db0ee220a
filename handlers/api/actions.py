"""Orders for many jobs: ``/api/v1/jobs/actions`` begins one, ``/api/v1/operations`` tells how far they are."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import OperationAction, OperationOrder, OperationView, WorkerAction
from dispatcher.core.jobs.model import JobFilter
from dispatcher.errors import BadParameter, Unavailable, WrongState
from handlers import queries
from handlers.api.jobjson import Json, instant
from handlers.api.resources import ConsoleApiHandler
from handlers.errors import FieldError, Invalid, field_error
from handlers.intake import decode_object
from handlers.orders import ANSWER_S, LONGEST_REASON, MOST_IDS, OrderRules
from handlers.queries import job_filter

__all__ = [
    "LONGEST_TEXT",
    "MOST_TEXTS",
    "ActionBody",
    "ActionsHandler",
    "FilterBody",
    "OneOperationHandler",
    "OperationsHandler",
    "OrderHandler",
    "StopHandler",
]

#: Of one text of a filter, in characters; and how many texts a field of it has.
LONGEST_TEXT, MOST_TEXTS = 300, 100
_Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
_Texts = _Text | Annotated[list[_Text], Meta(min_length=1, max_length=MOST_TEXTS)]


class FilterBody(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which jobs, as in ``GET /api/v1/jobs``; at least one field. A list means what a repeated field means there."""

    state: _Texts | UnsetType = UNSET
    type: _Text | UnsetType = UNSET
    requires: _Texts | UnsetType = UNSET
    worker: _Text | UnsetType = UNSET
    tag: _Texts | UnsetType = UNSET
    batch: _Text | UnsetType = UNSET
    owner: _Text | UnsetType = UNSET
    key: _Text | UnsetType = UNSET
    error: _Text | UnsetType = UNSET
    created_after: _Text | UnsetType = UNSET
    created_before: _Text | UnsetType = UNSET
    ended_after: _Text | UnsetType = UNSET
    ended_before: _Text | UnsetType = UNSET
    q: _Text | UnsetType = UNSET

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As those of a request, where control characters are blanks."""
        value = getattr(self, name, UNSET)
        texts = [] if value is UNSET else [value] if isinstance(value, str) else list(value)
        return [_CONTROLS.sub(" ", text) for text in texts]

    def is_empty(self) -> bool:
        """Whether it says nothing: then it would mean all jobs."""
        return all(value is UNSET for value in asdict(self).values())


class ActionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be done to which jobs."""

    action: OperationAction
    filter: FilterBody | UnsetType = UNSET
    ids: (
        Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(min_length=1, max_length=MOST_IDS)]
        | UnsetType
    ) = UNSET
    priority: Annotated[int, Meta(ge=-1_000, le=1_000)] | UnsetType = UNSET
    free_key: bool = False
    reason: Annotated[str, Meta(max_length=LONGEST_REASON)] = ""
    expect: Annotated[int, Meta(ge=0)] | None = None
    dry_run: bool = False


_decoder = msgspec.json.Decoder(ActionBody)
#: Those that Tornado takes out of the fields of an address.
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_NO_JOBS = "must say which jobs: at least one of the fields of GET /api/v1/jobs, without limit and cursor"
_ONE_OF = "must have either filter or ids"


def _fault(said: str) -> FieldError:
    """What is wrong with the body, by what its decoder said."""
    if "`$.action`" in said or "field `action`" in said:
        return field_error("action", f"must be one of {', '.join(OperationAction)}")
    return field_error("", f"is not an order for many jobs: {said}")


def _operation_json(operation: OperationView) -> Json:
    order, address = operation.order, f"/api/v1/operations/{operation.id}"
    return {
        "id": operation.id,
        "action": order.action.value,
        "filter": msgspec.Raw(order.asked.encode()),
        "ids": len(order.ids),
        "priority": order.priority if order.action is OperationAction.SET_PRIORITY else None,
        "labels": dict(order.labels) if order.action is WorkerAction.LABELS else None,
        "type": order.examples[0].type if len(order.examples) == 1 else None,
        "reason": order.reason,
        "expect": order.expect,
        "dry_run": order.dry_run,
        "actor": order.actor.name,
        "state": operation.state.value,
        "matched": operation.matched,
        "would_do": operation.would_do,
        "done": operation.done,
        "begun": operation.begun,
        "skipped": operation.skipped,
        "stopped": operation.stopped,
        "detail": operation.detail,
        "started_at": instant(operation.started_at),
        "ended_at": instant(operation.ended_at),
        "links": {"self": address, "stop": f"{address}/stop"},
    }


class OrderHandler(OrderRules, ConsoleApiHandler):
    """An address that takes one order for many."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def carry_out(self, order: OperationOrder) -> None:
        """200 if it has ended already, 202 if it goes on. It goes on if the client leaves, too."""
        operations = self.site.service.operations
        begun = operations.begin(order)
        try:
            operation = await self.client.patiently(operations.wait(begun.id, ANSWER_S))
        except Unavailable:  # too many wait. It has begun: a refusal would have it given a second time
            operation = operations.one(begun.id)
        if operation is None:
            return
        if operation.stopped == "count_changed":
            raise WrongState(f"{operation.detail}.", code="count_changed")
        self.set_header("Location", self.site.prefix.link(f"/api/v1/operations/{operation.id}"))
        told = {"matched": operation.matched, "done": operation.done, "skipped": operation.skipped}
        status = 202 if operation.ended_at is None else 200
        self.answer({**told, "operation": _operation_json(operation)}, status)


class ActionsHandler(OrderHandler):
    """``/api/v1/jobs/actions``."""

    def body_limit(self) -> int:
        """Room for the longest ids."""
        return MOST_IDS * 100

    async def post(self) -> None:
        """Begins it."""
        await self.carry_out(await self._order(self._body_as_asked()))

    async def _order(self, body: ActionBody) -> OperationOrder:
        """The same, for the core. Raises Invalid, Forbidden."""
        ids = () if body.ids is UNSET else tuple(dict.fromkeys(job_id.lower() for job_id in body.ids))
        asked = OperationOrder(
            action=body.action,
            wanted=None if body.filter is UNSET else self._wanted(body.filter),
            ids=ids,
            priority=0 if body.priority is UNSET else body.priority,
            free_key=body.free_key,
            reason=body.reason,
            expect=body.expect,
            dry_run=body.dry_run,
            actor=self.actor("api"),
            asked="null" if body.filter is UNSET else msgspec.json.encode(body.filter).decode(),
        )
        return await self.permitted(asked)

    def _wanted(self, given: FilterBody) -> JobFilter:
        try:
            return job_filter(given, self.site.clock.utc())
        except BadParameter as error:
            raise Invalid([field_error("filter", error.detail)]) from None

    def _body_as_asked(self) -> ActionBody:
        try:
            body = decode_object(_decoder, bytes(self.body))
        except msgspec.ValidationError as error:
            raise Invalid([_fault(str(error))]) from None
        if (body.filter is UNSET) == (body.ids is UNSET):
            raise Invalid([field_error("filter", _ONE_OF)])
        if body.filter is not UNSET and body.filter.is_empty():
            raise Invalid([field_error("filter", _NO_JOBS)])
        if (body.action is OperationAction.SET_PRIORITY) == (body.priority is UNSET):
            raise Invalid([field_error("priority", "is needed for set_priority, and belongs to no other action")])
        if body.free_key and body.action is not OperationAction.DELETE:
            raise Invalid([field_error("free_key", "belongs to delete alone")])
        return body


class OperationsHandler(OrderRules, ConsoleApiHandler):
    """``/api/v1/operations``."""

    scopes: ClassVar = {"GET": Scope.READ}

    async def get(self) -> None:
        """The newest, and those that run, the newest first."""
        self.answer({"items": [_operation_json(operation) for operation in self.known()], "next_cursor": None})

    head = get


class OneOperationHandler(OrderRules, ConsoleApiHandler):
    """``/api/v1/operations/<id>``."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.WAIT

    async def get(self, operation_id: str) -> None:
        """How far it is; with ``?wait=N`` as soon as it has ended, or after N seconds."""
        wait_s, operations = queries.wait_argument(self), self.site.service.operations
        self.one(operation_id)
        operation = await self.client.patiently(operations.wait(operation_id, wait_s))
        if operation is not None:
            self.admit_again()
            self.answer(_operation_json(operation) | {"did": list(operation.did)})

    head = get


class StopHandler(OrderRules, ConsoleApiHandler):
    """``/api/v1/operations/<id>/stop``."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, operation_id: str) -> None:
        """The operation when nothing more is done; what was done stays done."""
        if self.body and bytes(self.body) != b"{}":
            raise Invalid([field_error("", "must be empty or an empty object")])
        self.one(operation_id)
        operation = await self.site.service.operations.stop(operation_id, self.actor("api").name)
        self.answer(_operation_json(operation))
