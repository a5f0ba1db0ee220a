"""Jobs in doubt, one card each: what a person sees who must decide whether the work took effect. Works without
JavaScript. The buttons are those of the job's page (``JobActionHandler``), which lead back here.
"""

from __future__ import annotations

from typing import ClassVar

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobFilter, JobView
from dispatcher.core.jobs.states import JobState
from dispatcher.errors import JobNotFound
from handlers.console.page import PageHandler
from handlers.console.values import part_of

__all__ = ["CARDS", "LINES", "DoubtsPage"]

#: Cards on the page; the list of jobs has all.
CARDS = 20
#: The newest lines of a job's log on its card.
LINES = 5


class DoubtsPage(PageHandler):
    """``/doubts``."""

    scopes: ClassVar = {"GET": Scope.READ}

    async def get(self) -> None:
        """The page. It does not load itself anew: somebody may be typing a reason."""
        counts = await self.site.service.counts()
        found = await self.site.service.jobs(JobFilter(states=(JobState.IN_DOUBT,), limit=CARDS))
        jobs = [job for each in found.items if (job := await self._whole(each.id)) is not None]
        self.show(
            "doubts.html",
            jobs=jobs,
            total=counts.get(JobState.IN_DOUBT, 0),
            lines=LINES,
            part_of=part_of,
            doubt_url=self.site.service.doubt_url,
        )

    head = get

    async def _whole(self, job_id: str) -> JobView | None:
        """The job with its log; None: it is gone, or somebody has decided meanwhile."""
        try:
            job = await self.site.service.job(job_id)
        except JobNotFound:
            return None
        return job if job.state is JobState.IN_DOUBT else None
