"""``/jobs/<id>/record``: the flight record of a job as one file, to be kept, sent and opened without a network.

The file needs nothing else: no script, no address of this server. ``?beside=`` lays another job beside it: by its id,
or the newest other one of its type that succeeded or failed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import AttemptView, JobFilter, JobView, OneWorkerView
from dispatcher.core.jobs.states import JobState
from dispatcher.errors import JobNotFound, WorkerNotFound
from handlers import queries
from handlers.console.acts import canceller
from handlers.console.options import shown_options
from handlers.console.page import OneJobPage
from handlers.console.sentences import headline
from handlers.console.values import Part, part_of
from handlers.record.acts import ActsAbout, acts_about
from handlers.record.masking import LONGEST_READ, Mask
from handlers.record.moments import Happening, happenings
from handlers.record.strangers import page_lines, values_of

__all__ = ["JobRecordPage"]

#: So many of the workers that had it last are looked at.
_MOST_WORKERS = 20
#: So many jobs that a worker had before a line of its page are looked at for their values.
_MOST_OTHERS = 20
#: What may stand beside it by another word than its id: how it ended, in a word, and whether its worker was the same.
_LAST = {
    "last-success": (JobState.SUCCEEDED, "succeeded", False),
    "last-failure": (JobState.FAILED, "failed", False),
    "last-success-of-worker": (JobState.SUCCEEDED, "succeeded", True),
    "last-failure-of-worker": (JobState.FAILED, "failed", True),
}
#: After so many characters others are served.
_SLICE_CHARS = 10_000


class _FlightRecord(Struct, frozen=True):
    """What the file has of one job."""

    job: JobView
    #: The job's state, in a sentence whose reason says no value.
    headline: str
    mask: Mask
    #: What was said is hidden where it says a value.
    rows: list[Happening]
    acts: ActsAbout
    options: list[tuple[str, str]]
    workers: list[OneWorkerView]
    #: Data and results, hidden.
    values: list[tuple[str, Part]]


class JobRecordPage(OneJobPage):
    """One file, or two jobs side by side in one."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.RECORD

    async def get(self, job_id: str) -> None:
        """The file. Raises JobNotFound, BadParameter."""
        beside = queries.text_argument(self, "beside").strip().lower()
        jobs = [await self.site.service.job(job_id)]
        if beside in _LAST:
            beside = await self._last(jobs[0], *_LAST[beside])
        if beside not in ("", job_id):
            jobs.append(await self.site.service.job(beside))
        # One for all: what is said of one job may repeat a value of the other.
        values = [text for job in jobs for text in values_of(job)]
        mask = Mask(values)
        records = [await self._record(job, mask, values) for job in jobs]
        names = "-".join(job.id for job in jobs)
        self.set_header("Content-Disposition", f'attachment; filename="pagehand-{names}.html"')
        self.show("record.html", records=records)

    head = get

    async def _last(self, job: JobView, state: JobState, verb: str, of_worker: bool) -> str:
        """The id of the newest other job of its type that ended so. Raises JobNotFound."""
        worker = job.worker_name or ""
        wanted = JobFilter(states=(state,), type=job.type, worker=worker if of_worker else None, limit=2)
        found = (await self.site.service.jobs(wanted)).items if worker or not of_worker else []
        others = [other.id for other in found if other.id != job.id]
        if not others:
            where = f" on {worker or 'its worker'}" if of_worker else ""
            raise JobNotFound(f"No other job of the type {job.type} has {verb}{where}.")
        return others[0]

    async def _record(self, job: JobView, mask: Mask, values: Sequence[str]) -> _FlightRecord:
        now, had_it = self.site.clock.utc(), _had_it(job)
        workers, acts = await self._workers(had_it), await acts_about(self.site.service.access.acts, job, had_it)
        rows = happenings(job, acts.items, workers, now)
        named = [("Data", job.data), ("Result", job.result), ("Late result", job.evidence)]
        return _FlightRecord(
            job=job,
            headline=headline(replace(job, detail=mask.words(job.detail or "")), now, canceller(job, acts.items[::-1])),
            mask=mask,
            rows=await _masked(rows, mask, await self._of_pages(job, values)),
            acts=acts,
            options=shown_options(job),
            workers=workers,
            values=[
                (title, part_of(mask.value(text), everything=False, as_sent=False)) for title, text in named if text
            ],
        )

    async def _of_pages(self, job: JobView, values: Sequence[str]) -> dict[int, Mask]:
        """By line of the log: a mask of its own, where it may say values of other jobs of the page."""
        lines = page_lines(job)
        masks = dict.fromkeys(lines.hidden, Mask((), hides_all=True))
        for attempt, at, numbers in lines.mixed:
            masks |= dict.fromkeys(numbers, Mask([*values, *await self._others(job, attempt, at)]))
        return masks

    async def _others(self, job: JobView, attempt: AttemptView, at: float) -> list[str]:
        """Values of the newest jobs that workers of this name had before that."""
        found = await self.site.service.jobs(
            JobFilter(worker=attempt.worker_name, created_before=at + 1.0, limit=_MOST_OTHERS + 1)
        )
        values: list[str] = []
        for other in found.items:
            if other.id != job.id and sum(map(len, values)) <= LONGEST_READ:
                with contextlib.suppress(JobNotFound):  # somebody has removed it meanwhile
                    values += values_of(await self.site.service.job(other.id))
        return values

    async def _workers(self, ids: Iterable[str]) -> list[OneWorkerView]:
        """Those of them that are here, or of which something is kept."""
        found = []
        for worker_id in ids:
            with contextlib.suppress(WorkerNotFound):
                found.append(await self.site.service.orders.one(worker_id))
        return found


def _had_it(job: JobView) -> list[str]:
    """The ids of the workers that had it last."""
    ids = dict.fromkeys(attempt.worker for attempt in reversed(job.attempts) if attempt.worker)
    return list(ids)[:_MOST_WORKERS]


async def _masked(rows: list[Happening], mask: Mask, of_pages: Mapping[int, Mask]) -> list[Happening]:
    """The same without values; ``of_pages``: the masks of single lines.

    Lines and stacks may be long, and others must be served meanwhile.
    """
    found, left = [], _SLICE_CHARS
    for row in rows:
        left -= len(row.said)
        if left < 0:
            left = _SLICE_CHARS
            await asyncio.sleep(0)
        found.append(replace(row, said=of_pages.get(row.line_no, mask).words(row.said)))
    return found
