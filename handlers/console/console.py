"""The console shows people one job, and has its buttons."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import JobView, WorkerFilter, WorkerStatus, WorkerView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Delete
from dispatcher.errors import BadRequest, Forbidden, JobNotFound, Unavailable, VersionMismatch, WrongState
from handlers import queries
from handlers.api.amending import copy_of
from handlers.api.loglines import LONGEST_SOUGHT, lines_gone, lines_with
from handlers.carried import carried
from handlers.console import words
from handlers.console.acts import canceller
from handlers.console.changing import CHANGED, ChangeForm, change_of, shown_change
from handlers.console.nearby import MOST_NEARBY, absent, nearby
from handlers.console.options import shown_options
from handlers.console.page import XSRF_HELP, OneJobPage
from handlers.console.presses import start_now
from handlers.console.submit import new_key
from handlers.console.tries import WIDTH, shown_tries
from handlers.console.values import part_of
from handlers.errors import problem_of
from handlers.intake import check_key, to_spec

__all__ = ["JobActionHandler", "JobPageHandler"]

#: The newest acts on a job that its page shows.
MOST_ACTS = 20
_TOO_LATE = "It waits no longer: only a job that waits can be changed."


class _OneJob(OneJobPage):
    """A page about one job."""

    async def show_job(
        self,
        job: JobView,
        *,
        everything: bool = False,
        as_sent: bool = False,
        notice: str = "",
        removing: bool = False,
        cancelling: bool = False,
        change: ChangeForm | None = None,
        sought: str = "",
    ) -> None:
        """Ends the answer with the job's page; ``removing``, ``cancelling``: it asks whether the job is to be removed,
        or why it is to be cancelled; ``change``: the form that changes it; ``sought``: what the lines of its log must
        hold."""
        lines = lines_with(sought, job.log)
        self.show(
            "job.html",
            job=job,
            options=shown_options(job),
            tries=shown_tries(job, lines, self.site.clock.utc()),
            width=WIDTH,
            **await self._acts(job),
            **await self._waiting(job),
            doubt_url=self.site.service.doubt_url,
            namesakes=self._namesakes(job),
            lines=lines,
            lines_gone=lines_gone(job.log),
            sought=sought,
            longest_sought=LONGEST_SOUGHT,
            everything=everything,
            as_sent=as_sent,
            part_of=part_of,
            notice=notice,
            removing=removing and words.can_remove(job),
            cancelling=cancelling and words.can_cancel(job),
            change=change if words.can_change(job) else None,
            names=[] if change is None else self.name_choices(),
            key=new_key(),
        )

    def _namesakes(self, job: JobView) -> list[tuple[str, str]]:
        """The names that it asks for and that several workers have, each with what that means."""
        wanted, called = dict(job.terms.requires).get(NAME, ()), self.site.service.called
        return [(name, note) for name in wanted if (note := words.namesakes(called(name)))]

    async def _acts(self, job: JobView) -> dict[str, Any]:
        """What people and programs have done to it, and which orders for many jobs are known still."""
        acts = await self.acts_on_job(job, MOST_ACTS)
        known = {operation.id for operation in self.site.service.operations.all()}
        return {"acts": acts, "canceller": canceller(job, acts), "orders": known}

    async def _waiting(self, job: JobView) -> dict[str, Any]:
        """Why it waits, when it may start, and what helps."""
        why = await self.site.service.why_exactly(job)
        if why is None:
            return {"waits": None, "outlook": None, "press": None, "nearby": []}
        return {
            # The headline of a job in doubt says it already.
            "waits": None if job.state is JobState.IN_DOUBT else why.words,
            "outlook": why.waiting.outlook,
            "press": start_now(job.type, why.waiting.code),
            "nearby": absent(why.waiting, await self._gone(job)) + nearby(job, why.waiting, self._offering(job.type)),
        }

    async def _gone(self, job: JobView) -> list[WorkerView]:
        """The workers that have gone, of those that the job asks for by their names."""
        names = dict(job.terms.requires).get(NAME, ())[:MOST_NEARBY]
        asked = [WorkerFilter(label=f"{NAME}:{name}", state=WorkerStatus.GONE) for name in names]
        return [worker for wanted in asked for worker in (await self.site.service.known_workers(wanted)).items]

    def _offering(self, type_name: str) -> Iterator[WorkerView]:
        """Workers that offer the type, by name; looked for when the first one is asked for."""
        yield from self.site.service.workers(WorkerFilter(type=type_name)).items


class JobPageHandler(_OneJob):
    """``/jobs/<id>``: everything known about one job."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.JOB_PAGE

    async def get(self, job_id: str) -> None:
        """The page; it loads itself anew while the job is open."""
        job = await self.site.service.job(job_id)
        change = shown_change(job) if self.is_asked("change") and self.may(Scope.OPERATE) else None
        decides = job.state is JobState.IN_DOUBT or words.can_reopen(job, self.site.clock.utc())
        cancelling = self.is_asked("cancel") and self.may(Scope.OPERATE)
        self.is_typed_into = (decides and self.may(Scope.OPERATE)) or cancelling
        self.refresh_s = 2 if words.is_open(job) and change is None and not cancelling else 0
        await self.show_job(
            job,
            everything=self.is_asked("full"),
            as_sent=self.is_asked("sent"),
            removing=self.is_asked("remove"),
            cancelling=cancelling,
            change=change,
            sought=self.get_query_argument("q", "")[:LONGEST_SOUGHT],
            notice="" if change is None or words.can_change(job) else _TOO_LATE,
        )

    def is_asked(self, name: str) -> bool:
        """Whether the address has this choice."""
        return self.get_query_argument(name, "") == "1"

    head = get


class JobActionHandler(_OneJob):
    """``/jobs/<id>/`` and a verb: the buttons of its page."""

    scopes: ClassVar = {"POST": Scope.OPERATE}

    def for_programs(self) -> str:
        """The same as this button."""
        link = self.site.prefix.link(f"/api/v1/jobs/{self.path_args[0]}")
        verbs = "/cancel, /retry, /decide, /adopt or /duplicate"
        by = "with 'Content-Type: application/json'"
        return f"Programs send JSON: POST {link}{verbs}, {by}, or PATCH or DELETE {link}."

    async def post(self, job_id: str, action: str) -> None:
        """Does it and leads back to the job. If the job's state no longer allows it, the job's page says so."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        service = self.site.service
        if action == "change":
            return await self._change(job_id)
        try:
            address = await self._act(job_id, action)
        except WrongState as refused:
            self.set_status(409)
            job, removing = await service.job(job_id), action == "delete"
            notice = words.KEY_IS_KEPT if removing and words.can_remove(job) else refused.detail
            await self.show_job(job, notice=notice, removing=removing)
            return
        self.redirect(address, status=303)
        return None

    async def _change(self, job_id: str) -> None:
        """What is refused comes back as it was typed, with why."""
        service, typed = self.site.service, {name: self.form.text(name) for name in (*CHANGED, "reason")}
        version, actor = self.form.field("version"), self.actor("console")
        try:
            await service.amend(change_of(await service.job(job_id), typed, version, actor))
        except (BadRequest, Unavailable, VersionMismatch, WrongState) as refused:
            job = await service.job(job_id)
            self.set_status(409 if isinstance(refused, VersionMismatch) else problem_of(refused).status)
            notice = "" if words.can_change(job) else refused.detail
            await self.show_job(job, change=shown_change(job, typed, refused), notice=notice)
            return
        self.redirect(f"/jobs/{job_id}", status=303)

    async def _act(self, job_id: str, action: str) -> str:
        """Returns where to go then."""
        if action == "duplicate":
            return await self._duplicated(job_id)
        if action == "delete":
            return await self._removed(job_id)
        await self._moved(job_id, action)
        return "/doubts" if self.form.field("back") == "doubts" else f"/jobs/{job_id}"

    async def _duplicated(self, job_id: str) -> str:
        """The key of the form makes two clicks one job."""
        key = check_key(self.form.field("key") or None)
        copied = copy_of(await self.site.service.job(job_id), b"")
        spec = to_spec(copied, self.site.settings, self.kept_key(key), self.site.terms_of)
        spec = carried(spec, self.request.headers, self.site.tasks, self.principal.owner, spec.key)
        accepted = await self.site.service.submit(spec, token_id=self.principal.token_id)
        assert accepted.job is not None, "submit() raises where it accepts nothing"
        return f"/jobs/{accepted.job.id}"

    async def _removed(self, job_id: str) -> str:
        command = Delete(job_id, self.form.field("free_key") == "1", self.actor("console"))
        with contextlib.suppress(JobNotFound):  # a second click, or somebody else: it is gone
            await self.site.service.delete(command)
        return "/jobs"

    async def _moved(self, job_id: str, action: str) -> None:
        service = self.site.service
        reason = self.form.field("reason")[:500].replace("\0", "\ufffd")
        if action == "cancel":
            await service.cancel(job_id, reason, actor=self.actor("console"))
        elif action == "retry":
            await service.retry(job_id, reason, actor=self.actor("console"))
        elif action == "reopen":
            await service.reopen(job_id, reason, actor=self.actor("console"))
        elif action == "adopt":
            await service.adopt(job_id, actor=self.actor("console"))
        else:
            value = "null" if action == "succeeded" else None
            await service.decide(job_id, value, reason, actor=self.actor("console"))
