"""Orders for many jobs or workers, for people: first they are counted, then somebody says yes, then it says how far.

The buttons below a list count what its filter finds, or the jobs that were ticked: a dry run, which changes nothing.
Its page asks for a reason and, for many jobs, for their number. All of it works without JavaScript. The rules are those
of the API (``handlers/orders.py``).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import parse_qs, urlencode

from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.acts.operations import (
    OperationAction,
    OperationOrder,
    OperationState,
    OperationView,
    WorkerAction,
)
from dispatcher.core.jobs.terms import MOST_LABELS
from dispatcher.core.jobs.turn import Objection
from dispatcher.errors import BadParameter, BadRequest, Forbidden, Unavailable, WrongState
from handlers.api.workers import LONGEST_REASON as LONGEST_FOR_WORKERS
from handlers.console.describing import labelled, typed_of_labels
from handlers.console.page import XSRF_HELP, PageHandler
from handlers.errors import Invalid
from handlers.orders import ANSWER_S, LONGEST_REASON, MOST_IDS, OrderRules, scopes_for
from handlers.queries import CONSOLE_JOBS, OPERATION_PAGE, PLACE, job_filter
from handlers.testjobs import example_jobs, tasks_with_example

__all__ = [
    "ACTIONS",
    "FILTER_FIELDS",
    "MOST_UNTYPED",
    "WORKER_ACTIONS",
    "AskedFilter",
    "CountPage",
    "OperationButton",
    "OperationPage",
    "OperationsPage",
    "OrderPage",
]

#: The fields of the list's filter that say which jobs it shows.
FILTER_FIELDS = tuple(name for name in CONSOLE_JOBS if name not in PLACE)
#: With more jobs than this their number must be typed.
MOST_UNTYPED = 100
#: What the buttons below a list say.
ACTIONS: Mapping[str, str] = {
    OperationAction.RETRY: "Run again",
    OperationAction.CANCEL: "Cancel",
    OperationAction.SET_PRIORITY: "Change the priority",
    OperationAction.DELETE: "Remove",
}
WORKER_ACTIONS: Mapping[str, str] = {
    WorkerAction.PAUSE: "Pause",
    WorkerAction.RESUME: "Resume",
    WorkerAction.DRAIN: "Drain",
    WorkerAction.RELOAD: "Reload",
    WorkerAction.BLOCK: "Block",
    WorkerAction.UNBLOCK: "Unblock",
    WorkerAction.FORGET: "Forget",
    WorkerAction.LABELS: "Change the labels",
    WorkerAction.TEST: "Send a test job",
}
_DOING = {**ACTIONS, **WORKER_ACTIONS}
_PRIORITY = (-1_000, 1_000)
#: The fields of the form that says yes.
_TYPED = ("reason", "count", "priority", "free_key", "labels", "unset", "type")
_LONGEST = {"job": LONGEST_REASON, "worker": LONGEST_FOR_WORKERS}
#: What the button that takes an order back does.
_UNDO_WORDS: Mapping[str, str] = {
    OperationAction.RETRY: "run them again",
    OperationAction.CANCEL: "cancel them",
    WorkerAction.RESUME: "let them have jobs again",
    WorkerAction.UNBLOCK: "unblock them",
}
#: Why a job was left as it is, by the code that the API tells.
_LEFT = {
    "not_found": "no longer there",
    "wrong_state": "in a state that does not allow it",
    "invalid": f"would have more than {MOST_LABELS} labels",
    "too_many_jobs": "not now: the token has submitted as many new jobs as it may",
    Objection.NEVER_STARTS.value: "to expire before the new time to start",
    Objection.KEY_KEPT.value: "ended less than a day ago, with an idempotency key that must be kept so long",
    Objection.MOVED.value: "changed by somebody else meanwhile",
}


class AskedFilter:
    """The filter of a list, read as an address is."""

    def __init__(self, asked: Mapping[str, list[str]]) -> None:
        self._asked = asked

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """The values of a field, in order."""
        return self._asked.get(name, [])


class OrderPage(OrderRules, PageHandler):
    """A page about orders for many jobs."""

    # The console is for those who may see all jobs: whoever may not is refused before.
    looks_at_jobs = False
    #: Where programs do the same.
    address = "/api/v1/jobs/actions"

    def for_programs(self) -> str:
        """The same for a program."""
        link = self.site.prefix.link(self.address)
        return f"Programs send JSON: POST {link}, with 'Content-Type: application/json'."

    def show_operation(
        self, operation: OperationView, notice: str = "", typed: Mapping[str, str] | None = None
    ) -> None:
        """Ends the answer with its page, which loads itself anew until the order is over.

        ``typed``: what was typed into its form, and is refused.
        """
        self.refresh_s = 2 if operation.ended_at is None else 0
        order = operation.order
        known = {"reason": order.reason, **typed_of_labels(order.labels)}
        self.show(
            "operation.html",
            operation=operation,
            meant=_meant(operation),
            more=operation.skipped.get(Objection.KEY_KEPT.value, 0),
            actions=_DOING,
            noun=operation.order.noun,
            allowed=all(map(self.may, scopes_for(order.action))),
            asked=asked_of(operation.order),
            query=urlencode(asked_of(operation.order)),
            at=operation.done + sum(operation.skipped.values()),
            skipped=[(count, _LEFT.get(code, code)) for code, count in operation.skipped.items()],
            most_untyped=MOST_UNTYPED,
            longest=_LONGEST[order.noun],
            examples=[task.name for task in tasks_with_example(self.site.tasks)],
            labels=[label if value is None else f"{label}:{value}" for label, value in order.labels],
            priorities=_PRIORITY,
            undo="" if (back := operation.undo()) is None else _UNDO_WORDS[back],
            notice=notice,
            typed=known if typed is None else typed,
        )

    def check_form(self) -> None:
        """Reads the form. Raises Forbidden if it is not one of ours."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")

    def ticked(self, noun: str) -> tuple[str, ...]:
        """The ids that were ticked. Raises BadRequest."""
        ids = tuple(dict.fromkeys(self.form.fields("id")))
        if not ids:
            raise BadRequest(f"No {noun} is ticked: go back, and tick those that you mean.")
        if len(ids) > MOST_IDS:
            raise BadRequest(f"At most {MOST_IDS:,} {noun}s can be ticked.")
        return ids

    async def begin(self, order: OperationOrder) -> None:
        """Begins it, waits a little for its end, and leads to its page. Raises Unavailable, Draining."""
        operations = self.site.service.operations
        begun = operations.begin(await self.permitted(order))
        with contextlib.suppress(Unavailable):  # too many wait; it has begun all the same
            await self.client.patiently(operations.wait(begun.id, ANSWER_S))
        self.redirect(f"/operations/{begun.id}", status=303)


class CountPage(OrderPage):
    """``/jobs/act``: the buttons below the list of jobs. They count, and change nothing."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    def body_limit(self) -> int:
        """Room for the longest ids."""
        return MOST_IDS * 100

    async def post(self) -> None:
        """Counts the jobs and leads to the order's page."""
        self.check_form()
        action = self.form.field("action")
        if action not in ACTIONS:
            raise BadRequest("The form names no action: go back to the list, and press one of its buttons.")
        order = OperationOrder(action=OperationAction(action), dry_run=True, actor=self.actor("console"))
        if self.form.field("only") == "ticked":
            await self.begin(replace(order, ids=self._ticked()))
        else:
            typed = parse_qs(self.form.field("filter"), errors="replace")
            asked = {name: typed[name] for name in FILTER_FIELDS if name in typed}
            if not asked:
                raise BadParameter("The list shows all jobs: choose a state, a type or another filter first.")
            wanted = job_filter(AskedFilter(asked), self.site.clock.utc())
            await self.begin(replace(order, wanted=wanted, asked=json.dumps(asked, ensure_ascii=False)))

    def _ticked(self) -> tuple[str, ...]:
        return tuple(job_id.lower() for job_id in self.ticked("job"))


class OperationsPage(OrderPage):
    """``/operations``: the newest orders."""

    scopes: ClassVar = {"GET": Scope.READ}
    offers_refresh = True

    async def get(self) -> None:
        """The page."""
        self.show("operations.html", operations=self.known(), actions=_DOING, asked_of=asked_of, state_of=_state_of)

    head = get


class OperationPage(OrderPage):
    """``/operations/<id>``: what was asked, and how far it is."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = OPERATION_PAGE

    async def get(self, operation_id: str) -> None:
        """The page."""
        self.show_operation(self.one(operation_id))

    head = get


class OperationButton(OrderPage):
    """``/operations/<id>/`` and a verb: the buttons of its page."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    async def post(self, operation_id: str, verb: str) -> None:
        """``go`` does what was counted, ``again`` counts anew, ``undo`` what takes it back; ``stop`` stops it."""
        self.check_form()
        operation = self.one(operation_id)
        if verb == "stop":
            with contextlib.suppress(WrongState):  # it was over already; its page says so
                await self.site.service.operations.stop(operation_id, self.actor("console").name)
            self.redirect(f"/operations/{operation_id}", status=303)
        elif verb == "again":
            await self.begin(replace(operation.order, dry_run=True, expect=None, actor=self.actor("console")))
        elif verb == "undo":
            await self._undo(operation)
        else:
            await self._go(operation)

    async def _undo(self, operation: OperationView) -> None:
        """Only counts: its page asks, as for any other order."""
        action = operation.undo()
        if action is None:
            self.set_status(409)
            return self.show_operation(operation, "This order cannot be taken back.")
        order = OperationOrder(action=action, ids=operation.did, dry_run=True, actor=self.actor("console"))
        if operation.order.action is OperationAction.CANCEL:
            order = replace(order, had_begun=operation.begun)
        await self.begin(order)

    async def _go(self, operation: OperationView) -> None:
        typed = {name: self.form.text(name) for name in _TYPED}
        if fault := self._unready(operation):
            self.set_status(422)
            return self.show_operation(operation, fault, typed)
        try:
            said = self._as_said(operation)
        except Invalid as refused:
            self.set_status(422)
            return self.show_operation(operation, refused.detail, typed)
        reason = " ".join(self.form.field("reason").split())[: _LONGEST[operation.order.noun]]
        order = replace(
            said,
            dry_run=False,
            expect=operation.matched,
            reason=reason,
            free_key=self.form.field("free_key") == "1",
            actor=self.actor("console"),
        )
        await self.begin(order)

    def _as_said(self, operation: OperationView) -> OperationOrder:
        """The order with what only this form says. Raises Invalid."""
        order, form = operation.order, self.form
        if order.action is OperationAction.SET_PRIORITY:
            return replace(order, priority=int(form.field("priority")))
        if order.action is WorkerAction.LABELS:
            return replace(order, labels=labelled(form.text("labels"), form.text("unset")))
        if order.action is WorkerAction.TEST:
            # The same page sends each of them one, however often its button is pressed.
            return replace(order, examples=example_jobs(self, form.field("type"), f"form-{operation.id}"))
        return order

    def _unready(self, operation: OperationView) -> str:
        """Why it cannot go; empty: it can."""
        if not operation.order.dry_run or operation.ended_at is None or operation.stopped:
            return f"This order was not just counted: count the {operation.order.noun}s again."
        typed = "".join(letter for letter in self.form.field("count") if letter not in " ,.'\u00a0\u202f")
        meant = _meant(operation)
        if not meant:
            return f"Nothing can be done to these {operation.order.noun}s now: count them again."
        if meant > MOST_UNTYPED and typed != str(meant):
            return f"Type {meant} to say that you mean all of these {operation.order.noun}s."
        if operation.order.action is OperationAction.SET_PRIORITY and not _is_priority(self.form.field("priority")):
            return f"The priority must be a whole number from {_PRIORITY[0]:,} to {_PRIORITY[1]:,}."
        return ""


def _meant(operation: OperationView) -> int:
    """How many the button means: those that were counted, but for those to which nothing can be done. Where all that
    could be removed have keys that are kept, these are meant: the form has them removed, too."""
    if operation.would_do is None or not operation.order.dry_run:
        return operation.matched
    return operation.would_do or operation.skipped.get(Objection.KEY_KEPT.value, 0)


def _is_priority(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 5 and _PRIORITY[0] <= int(text) <= _PRIORITY[1]


def asked_of(order: OperationOrder) -> list[tuple[str, str]]:
    """What the filter asked for: fields and values. Empty where jobs were named by their ids."""
    asked = json.loads(order.asked) or {}
    return [(name, text) for name, said in asked.items() for text in ([said] if isinstance(said, str) else said)]


def _state_of(operation: OperationView) -> str:
    if operation.stopped:
        return "Stopped"
    if operation.ended_at is not None:
        return "Counted" if operation.order.dry_run else "Done"
    return "Counting" if operation.state is OperationState.COUNTING else "Running"
