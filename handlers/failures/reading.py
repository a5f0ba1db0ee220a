"""Reads the newest failed jobs, a page at a time, and groups them: between two pages the loop serves others."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.core.jobs.model import JobFilter
from dispatcher.core.jobs.states import JobState
from handlers.failures.groups import FailureGroup, Grouping
from handlers.site import Site

__all__ = ["MOST_FAILURES", "Failures", "read_failures"]

#: So many failed jobs are looked at, the newest ones. One order may name as many.
MOST_FAILURES = 1_000
_PAGE = 100


class Failures(Struct, frozen=True, kw_only=True):
    """What the newest failed jobs failed with."""

    groups: list[FailureGroup]
    #: Failed jobs that were looked at, of any type; and whether there are older ones.
    looked_at: int
    more: bool
    #: UTC seconds: when the oldest one that was looked at was submitted; None: there is none.
    back_to: float | None


async def read_failures(site: Site, type_name: str = "") -> Failures:
    """Those of one type, or of all."""
    grouping, looked_at, cursor, back_to = Grouping(), 0, None, None
    while looked_at < MOST_FAILURES:
        page = await site.service.jobs(JobFilter(states=(JobState.FAILED,), limit=_PAGE, cursor=cursor))
        grouping.add(job for job in page.items if type_name in ("", job.type))
        looked_at += len(page.items)
        back_to = page.items[-1].created_at if page.items else back_to
        cursor = page.next_cursor
        if cursor is None:
            break
    return Failures(groups=grouping.groups(), looked_at=looked_at, more=cursor is not None, back_to=back_to)
