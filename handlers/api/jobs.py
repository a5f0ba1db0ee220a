"""The list of jobs, and one job: ``/api/v1/jobs`` and ``/api/v1/jobs/<id>``."""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.turn import Delete
from dispatcher.errors import BadParameter
from handlers import queries
from handlers.api.amending import amend_of
from handlers.api.etags import if_versions, tag_of
from handlers.api.jobjson import JOB_FIELDS, LINE_FIELDS, ONLY_OF_ONE, Json, chosen_of, instant, job_json, job_lines
from handlers.api.loglines import as_text, check_sought, lines_with
from handlers.api.newjob import NewJobRules, submit
from handlers.api.resources import ConsoleApiHandler
from handlers.api.wholelist import give_list
from handlers.errors import Invalid, field_error
from handlers.queries import ListFormat, job_filter

__all__ = ["JobHandler", "JobLogHandler", "JobsHandler"]


class JobsHandler(NewJobRules, ConsoleApiHandler):
    """``/api/v1/jobs``: POST submits one job, GET lists. ``api/shortway.py`` takes most POSTs before they come here."""

    query_fields = queries.JOBS

    async def post(self) -> None:
        """Submits one job; answers when it is durable."""
        answer = await submit(self, self.request.headers, bytes(self.body), self.client)
        if answer is not None:
            self.give(answer)

    async def get(self) -> None:
        """A page of the list, newest first, or all of it."""
        wanted = job_filter(self, self.site.clock.utc())
        self.principal.needs_types([] if wanted.type is None else [wanted.type])
        own = self.own_jobs(wanted)
        chosen, fields = queries.format_argument(self), queries.fields_argument(self, LINE_FIELDS, ONLY_OF_ONE)
        self.set_header("Vary", "Origin, Accept")
        if chosen is not ListFormat.JSON:
            if own.snippets:
                raise BadParameter("snippets is for pages: leave out format, or snippets.", parameter="snippets")
            return await give_list(self, own, chosen, fields)
        page = await self.site.service.jobs(own)
        lines = job_lines(page.items, self.site.service.why, snippets=own.snippets)
        items = [chosen_of(line, (*fields, "snippets") if fields and own.snippets else fields) for line in lines]
        reach = await self.site.service.reach(own, page)
        beside: Json = {"total": reach.total, "looked_back_to": instant(reach.looked_back_to)}
        self.answer_page(items, wanted, page.next_cursor, beside, fields=",".join(fields))

    head = get


class JobHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>``."""

    scopes: ClassVar = {"GET": Scope.READ, "PATCH": Scope.OPERATE, "DELETE": Scope.OPERATE}
    looks_at_jobs = True

    query_fields = queries.ONE_JOB

    async def get(self, job_id: str) -> None:
        """The job; with ``?wait=N`` as soon as it is final or in doubt, or after N seconds."""
        fields = queries.fields_argument(self, JOB_FIELDS)
        job = await self.job_after(job_id, queries.wait_argument(self))
        if job is not None:
            await self._write_unless_known(job, fields)

    head = get

    async def _write_unless_known(self, job: JobView, fields: tuple[str, ...]) -> None:
        """Who has this version of the answer already is told that, and no more."""
        why, doubt_url = await self.why(job), self.site.service.doubt_url(job)
        self.set_header("ETag", tag_of(job, why, doubt_url))
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
        else:
            self.answer(chosen_of(job_json(job, why, doubt_url), fields))

    def compute_etag(self) -> None:
        """Called by Tornado; ours is there already."""

    async def patch(self, job_id: str) -> None:
        """Changes a job that waits; answers with the job when that is durable."""
        amend = amend_of(job_id, bytes(self.body), self.actor("api"), if_versions(self.request.headers))
        await self.check_job(job_id)
        await self.site.service.amend(amend)
        await self.write_whole(job_id)

    async def delete(self, job_id: str) -> None:
        """Removes a job that has ended, with all that belongs to it."""
        if self.body:
            raise Invalid([field_error("", "must be empty: a DELETE says what it wants in its address")])
        free_key = queries.flag_argument(self, "free_key")
        command = Delete(job_id, free_key, self.actor("api"), if_versions(self.request.headers))
        await self.check_job(job_id)
        await self.site.service.delete(command)
        self.set_status(204)
        self.clear_header("Content-Type")

    @classmethod
    def fields_of(cls, method: str) -> tuple[str, ...]:
        """Those of a DELETE are others."""
        return queries.DELETE if method == "DELETE" else super().fields_of(method)


class JobLogHandler(ConsoleApiHandler):
    """``/api/v1/jobs/<id>/log``: the lines that its tasks wrote, as text to keep."""

    scopes: ClassVar = {"GET": Scope.READ}
    looks_at_jobs = True

    query_fields = queries.LOG

    async def get(self, job_id: str) -> None:
        """The newest lines, oldest first; with ``?q=`` those that hold this text."""
        sought = check_sought(queries.text_argument(self, "q"))
        job = await self.site.service.job(job_id)
        self.check_shown(job)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="pagehand-{job.id}.log"')
        self.finish(as_text(lines_with(sought, job.log)))

    head = get
