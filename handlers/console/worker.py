"""One worker for people, and the buttons by which operators order it about. They work without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import OneWorkerView, WorkerStatus, WorkerView
from dispatcher.errors import Forbidden, TooManyJobs, WrongState
from handlers.api.jobjson import once_a_lane
from handlers.api.workers import LONGEST_NAME, LONGEST_NOTE, LONGEST_REASON
from handlers.console.days import worker_day
from handlers.console.describing import DESCRIBED, described, typed_of_worker
from handlers.console.page import XSRF_HELP, PageHandler
from handlers.console.submit import new_key
from handlers.console.words import worker_link
from handlers.errors import Invalid, problem_of
from handlers.intake import check_key
from handlers.testjobs import example_jobs, tasks_with_example

__all__ = ["OneWorkerPage", "WorkerActionHandler", "WorkerGateHandler", "reason_of"]

#: The newest acts on a worker that its page shows.
MOST_ACTS = 10
#: The orders whose form has a reason of its own; all others stand in one form.
_OWN_FORM = ("describe", "test")


def reason_of(typed: str) -> str:
    """The reason that was typed, as one line that is not too long."""
    return " ".join(typed.split())[:LONGEST_REASON].replace("\0", "\ufffd")


class _OneWorker(PageHandler):
    """A page about one worker."""

    async def show_worker(
        self,
        worker: OneWorkerView,
        notice: str = "",
        typed: Mapping[str, str] | None = None,
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        """Ends the answer with the worker's page.

        ``typed``: what somebody typed into the form that describes it. ``reasons``: and as a reason, by the form.
        """
        jobs = await self.site.service.recent_of(worker)
        self.is_typed_into = self.may(Scope.OPERATE)
        self.show(
            "worker.html",
            known=worker,
            workers=[worker.shown],
            called=self.site.service.called,
            jobs=jobs,
            acts=await self.acts(worker.shown.id, MOST_ACTS) if worker.shown.id else [],
            key=new_key(),
            examples=self._examples(worker),
            day=worker_day(self.site.service.day_of(worker, jobs)),
            why=once_a_lane(self.site.service.why),
            longest=LONGEST_REASON,
            notice=notice,
            typed=typed or typed_of_worker(worker.kept),
            reasons=reasons or {},
            orders=self._orders(worker.shown),
            limits={"name": LONGEST_NAME, "note": LONGEST_NOTE},
        )

    def _orders(self, one: WorkerView) -> list[tuple[str, str]]:
        """The buttons of its one form, by their orders: those that mean something now."""
        is_operator, is_admin = self.may(Scope.OPERATE) and bool(one.id), self.may(Scope.ADMIN)
        is_here, is_gone = one.state is WorkerStatus.CONNECTED, one.state is WorkerStatus.GONE
        buttons = [
            ("pause", "Pause", is_operator),
            ("drain", "Drain: finish, then leave", is_operator),
            ("resume", "Let it have jobs again", is_operator and one.held is not None),
            ("reload", "Reload its page when it is idle", is_operator and is_here),
            ("reload-now", "Reload its page at once", is_operator and is_here),
            ("block", "Block: turn its page away", is_admin and bool(one.id) and one.blocked is None),
            ("unblock", "Unblock", is_admin and one.blocked is not None),
            ("forget", "Forget it: it will not come back", is_admin and is_gone and one.blocked is None),
        ]
        return [(order, label) for order, label, fits in buttons if fits]

    def _examples(self, worker: OneWorkerView) -> list[str]:
        """Its types that come with an example, which a test job can have."""
        return [task.name for task in tasks_with_example(self.site.tasks) if task.name in worker.shown.types]


class OneWorkerPage(_OneWorker):
    """``/workers/<id>``: everything known about one worker."""

    scopes: ClassVar = {"GET": Scope.READ}
    offers_refresh = True

    async def get(self, worker_id: str) -> None:
        """The page."""
        await self.show_worker(await self.site.service.orders.one(worker_id))

    head = get


class WorkerActionHandler(_OneWorker):
    """``/workers/<id>/`` and an order: the buttons of its page."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    def for_programs(self) -> str:
        """The same as this button."""
        link = self.site.prefix.link(f"/api/v1/workers/{self.path_args[0]}")
        return f"Programs send JSON: POST {link}/pause and the like, with 'Content-Type: application/json'."

    async def post(self, worker_id: str, order: str) -> None:
        """Orders it and leads back to the worker, or to its test job. If that cannot be, the worker's page says so."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        try:
            if order == "test":
                return self.redirect(f"/jobs/{await self._tested(worker_id)}", status=303)
            worker = await self._ordered(worker_id, order)
        except (WrongState, Invalid, TooManyJobs) as refused:
            self.set_status(problem_of(refused).status)
            typed = {name: self.form.text(name) for name in DESCRIBED} if order == "describe" else None
            reasons = {order if order in _OWN_FORM else "": self.form.text("reason")}
            return await self.show_worker(await self.site.service.orders.one(worker_id), refused.detail, typed, reasons)
        # Of one that is not here nothing may be known any more: then it has no page.
        known = await self.site.service.orders.are_known([worker.shown.key])
        self.lead_back(worker_link(worker.shown) if known else "/workers")

    async def _tested(self, worker_id: str) -> str:
        """The id of its test job. The same form submits one."""
        self.principal.needs(Scope.SUBMIT)
        examples = example_jobs(self, self.form.field("type"), check_key(self.form.field("key") or None))
        reason, actor = reason_of(self.form.field("reason")), self.actor("console")
        accepted = await self.site.service.tests.one(worker_id, examples, reason, actor=actor)
        assert accepted.job is not None, "it raises where it accepts nothing"
        return accepted.job.id

    async def _ordered(self, worker_id: str, order: str) -> OneWorkerView:
        orders, actor = self.site.service.orders, self.actor("console")
        reason = reason_of(self.form.field("reason"))
        if order in ("pause", "drain"):
            return await orders.pause(worker_id, reason, actor=actor, leaves=order == "drain")
        if order == "resume":
            return await orders.resume(worker_id, reason, actor=actor)
        if order == "block":
            return await orders.block(worker_id, reason, actor=actor)
        if order == "unblock":
            return await orders.unblock(worker_id, reason, actor=actor)
        if order == "forget":
            return await orders.forget(worker_id, reason, actor=actor)
        if order == "describe":
            typed = {name: self.form.text(name) for name in DESCRIBED}
            told = described(typed, (await orders.one(worker_id)).kept, reason)
            return await orders.describe(
                worker_id, actor=actor, wanted=told.wanted, name=told.name, note=told.note, labels=told.labels
            )
        return await orders.reload(worker_id, reason, actor=actor, at_once=order == "reload-now")


class WorkerGateHandler(WorkerActionHandler):
    """The same for orders of administrators."""

    scopes: ClassVar = {"POST": Scope.ADMIN}
