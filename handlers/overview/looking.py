"""What the overview tells besides the dispatcher's look: read for the page and for programs alike."""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.overview import Overview
from handlers.failures.groups import commonest
from handlers.overview.concerns import Beside
from handlers.site import Site

__all__ = ["MOST_FAILED", "beside"]

#: The newest failed jobs among which the commonest error of a type is found.
MOST_FAILED = 100


async def beside(site: Site, seen: Overview) -> Beside:
    """What is known beside it."""
    files = [fault.file for fault in site.tasks.faults()]
    pages, old = site.service.rollouts.old()
    withheld = site.service.rollouts.withheld()
    told = Beside(task_files=files, old_pages=pages, old_types=old, withheld=withheld)
    if not seen.troubles.often and not seen.troubles.failing:
        return told
    failed = await site.service.jobs(JobFilter(states=(JobState.FAILED,), limit=MOST_FAILED))
    return replace(told, errors=commonest(failed.items))
