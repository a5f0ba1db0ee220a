"""The console shows people what is going on: the overview, and one job."""

from __future__ import annotations

from dispatcher.core.jobs.matching import NAME
from dispatcher.core.jobs.model import JobFilter, JobView, TypeView, WorkerFilter, WorkerStatus
from dispatcher.errors import Forbidden, WrongState
from handlers.api.jobjson import once_a_lane
from handlers.console import words
from handlers.console.options import shown_options
from handlers.console.page import XSRF_HELP, PageHandler
from handlers.console.values import part_of

__all__ = ["JobActionHandler", "JobPageHandler", "OverviewPage"]

#: How many the overview shows; the lists have all.
MOST_PROBLEMS = 20
WORKERS_SHOWN = 20


class OverviewPage(PageHandler):
    """``/``: problems first, then counters, workers, the newest jobs."""

    offers_refresh = True

    async def get(self) -> None:
        """The page."""
        service = self.site.service
        unserved, counts = await service.unserved_types(MOST_PROBLEMS + 1), await service.counts()
        recent = await service.jobs(JobFilter(limit=10))
        present = service.worker_counts()
        self.show(
            "overview.html",
            problems=problems(unserved, counts, draining=service.draining, ready=service.ready()),
            counts=counts,
            workers=service.workers(WorkerFilter(limit=WORKERS_SHOWN)).items,
            present=sum(present.values()),
            connected=present.get(WorkerStatus.CONNECTED, 0),
            jobs=recent.items,
            why=once_a_lane(service.why),
            called=service.called,
        )

    head = get


def problems(unserved: list[TypeView], counts: dict[str, int], *, draining: bool, ready: bool) -> list[tuple[str, str]]:
    """The problems that somebody must look at: a sentence each, and the address that shows more."""
    found = []
    if draining:
        found.append(("The server is stopping: it takes no new jobs.", ""))
    elif not ready:
        found.append(("The server takes no new jobs at the moment.", "/readyz?verbose"))
    for view in unserved[:MOST_PROBLEMS]:
        waiting = view.counts.get("queued", 0)
        verb = "waits" if waiting == 1 else "wait"
        never = "no worker has ever offered it" if view.offered_at is None else "no connected worker offers it"
        found.append(
            (f"{words.plural(waiting, 'job')} of type {view.type} {verb}: {never}.", _jobs("queued", view.type))
        )
    if len(unserved) > MOST_PROBLEMS:
        found.append(("Jobs of more types wait, and no connected worker offers them.", "/types"))
    if doubtful := counts.get("in_doubt", 0):
        verb = "is" if doubtful == 1 else "are"
        found.append((f"{words.plural(doubtful, 'job')} {verb} in doubt: a person must decide.", _jobs("in_doubt", "")))
    return found


def _jobs(state: str, job_type: str) -> str:
    # A type is [A-Za-z0-9._-], so it needs no quoting; the template escapes it anyway.
    return f"/jobs?state={state}" + (f"&type={job_type}" if job_type else "")


class _OneJob(PageHandler):
    """A page about one job."""

    def show_job(self, job: JobView, *, everything: bool = False, as_sent: bool = False, notice: str = "") -> None:
        """Ends the answer with the job's page."""
        service, names = self.site.service, dict(job.terms.requires).get(NAME, ())
        self.show(
            "job.html",
            job=job,
            options=shown_options(job),
            waits=service.why_waits(job),
            namesakes=[(name, note) for name in names if (note := words.namesakes(service.called(name)))],
            everything=everything,
            as_sent=as_sent,
            part_of=part_of,
            notice=notice,
        )


class JobPageHandler(_OneJob):
    """``/jobs/<id>``: everything known about one job."""

    async def get(self, job_id: str) -> None:
        """The page; it loads itself anew while the job is open."""
        job = await self.site.service.job(job_id)
        self.refresh_s = 2 if words.is_open(job) else 0
        self.show_job(job, everything=self.is_asked("full"), as_sent=self.is_asked("sent"))

    def is_asked(self, name: str) -> bool:
        """Whether the address has this choice."""
        return self.get_query_argument(name, "") == "1"

    head = get


class JobActionHandler(_OneJob):
    """``/jobs/<id>/`` and ``cancel``, ``retry``, ``succeeded``, ``failed`` or ``adopt``: the buttons of its page."""

    async def post(self, job_id: str, action: str) -> None:
        """Does it and leads back to the job. If the job's state no longer allows it, the job's page says so."""
        self.read_form()
        if self.xsrf_fails():
            raise Forbidden(XSRF_HELP, code="bad_xsrf")
        service = self.site.service
        try:
            await self._act(job_id, action)
        except WrongState as refused:
            self.set_status(409)
            self.show_job(await service.job(job_id), notice=refused.detail)
            return
        self.redirect(f"/jobs/{job_id}", status=303)

    async def _act(self, job_id: str, action: str) -> None:
        service = self.site.service
        reason = self.field("reason")[:500].replace("\0", "\ufffd")
        if action == "cancel":
            await service.cancel(job_id, reason, actor="console")
        elif action == "retry":
            await service.retry(job_id, actor="console")
        elif action == "adopt":
            await service.adopt(job_id, actor="console")
        else:
            value, reason = "null" if action == "succeeded" else None, reason or "decided on its page"
            await service.decide(job_id, value, reason, actor="console")
