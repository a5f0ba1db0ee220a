"""Jobs in doubt, one card each: what a person sees who must decide whether the work took effect. Below them the
decisions that can be taken back. Works without JavaScript. The buttons are those of the job's page
(``JobActionHandler``), which lead back here.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from dispatcher.access.acts import AuditEntry, AuditFilter, AuditOutcome
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.ledger import REOPEN_S
from dispatcher.core.jobs.model import JobFilter, JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.errors import JobNotFound
from handlers.console import words
from handlers.console.page import PageHandler
from handlers.console.values import part_of

__all__ = ["CARDS", "LINES", "DoubtsPage"]

#: Cards on the page; the list of jobs has all.
CARDS = 20
#: The newest lines of a job's log on its card.
LINES = 5
#: The newest decisions that are looked at, of each kind.
DECISIONS = 20


class Decision(Struct, frozen=True):
    """What somebody has decided, and can take back."""

    act: AuditEntry
    job: JobView


class DoubtsPage(PageHandler):
    """``/doubts``."""

    scopes: ClassVar = {"GET": Scope.READ}
    offers_refresh = True

    async def get(self) -> None:
        """The page."""
        self.is_typed_into = self.may(Scope.OPERATE)
        counts = await self.site.service.counts()
        found = await self.site.service.jobs(JobFilter(states=(JobState.IN_DOUBT,), limit=CARDS))
        jobs = [job for each in found.items if (job := await self._whole(each.id)) is not None]
        self.show(
            "doubts.html",
            jobs=jobs,
            decided=await self._decided(),
            total=counts.get(JobState.IN_DOUBT, 0),
            lines=LINES,
            part_of=part_of,
            doubt_url=self.site.service.doubt_url,
        )

    head = get

    async def _whole(self, job_id: str) -> JobView | None:
        """The job with its log; None: it is gone, or somebody has decided meanwhile."""
        job = await self._job(job_id)
        return job if job is not None and job.state is JobState.IN_DOUBT else None

    async def _job(self, job_id: str) -> JobView | None:
        try:
            return await self.site.service.job(job_id)
        except JobNotFound:
            return None

    async def _decided(self) -> list[Decision]:
        """The newest first. That a job in doubt runs again is a retry as of any other job: the job tells them apart."""
        acts, now = self.site.service.access.acts, self.site.clock.utc()
        pages = [
            await acts(AuditFilter(action=action, after=now - REOPEN_S, limit=DECISIONS))
            for action in ("job.decide", "job.retry")
        ]
        found = sorted((act for page in pages for act in page.items), key=lambda act: -act.number)
        newest: dict[str, AuditEntry] = {}
        for act in found:
            if act.outcome is AuditOutcome.DONE:
                newest.setdefault(act.target, act)
        jobs = [(act, await self._job(act.target)) for act in newest.values()]
        return [Decision(act, job) for act, job in jobs if job is not None and words.can_reopen(job, now)]
