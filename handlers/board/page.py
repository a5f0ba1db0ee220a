"""``/board``: for a wall or a shop floor. It refreshes itself, and works without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobFilter, JobView, WorkerFilter, WorkerStatus, WorkerView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.histograms import FEW_SAMPLES, quantile_s
from handlers import queries
from handlers.board.departures import (
    BoardLine,
    BoardPart,
    UsualRuns,
    Why,
    ended_lines,
    parts_that_fit,
    running_lines,
    soon_lines,
    waiting_lines,
)
from handlers.console.page import PageHandler

__all__ = ["BoardPage"]

#: So many jobs fit on a wall of 1920 x 1080, with a line for each kind of which some are left out (console.css).
_ROOM = 14
#: Of workers with a label, so many of their jobs are read: more than can be shown, as some may be over.
_MOST_READ = 2 * _ROOM
#: So many jobs, and so many workers with the label, are looked at.
_LOOKED_AT, _MOST_WORKERS = 100, 20
#: What ended longer ago is not shown.
_LATELY_S = 600
_OVER = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED)
_HOUR_S = 3_600


class BoardPage(PageHandler):
    """Jobs of the workers with a label, and those that require it; of one type; or all."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.BOARD

    refresh_s = 5
    offers_refresh = True

    async def get(self) -> None:
        """The page. Raises BadParameter."""
        self._label, self._type = queries.label_argument(self, "label"), queries.text_argument(self, "type") or None
        label = queries.text_argument(self, "label")
        workers = await self._workers(label) if label else []
        running = await self._running(workers)
        waiting, scheduled = await self._waiting(), await self._jobs(JobState.SCHEDULED)
        usual = await self._usual([*running, *waiting[:_ROOM]])
        now = self.site.clock.utc()
        # With a label, jobs are found by their workers, some of each: there may always be others.
        most = _LOOKED_AT if self._label is None else 1
        parts = [
            _part("running", running_lines(running, usual, now), most),
            _part("waiting", self._waiting_lines(waiting, usual), _LOOKED_AT, len(waiting)),
            _part("soon", soon_lines(scheduled, now), _LOOKED_AT),
            _part("ended or in doubt", ended_lines(await self._ended(workers), now), most),
        ]
        self.show(
            "board.html", parts=parts_that_fit(parts, _ROOM), label=label, chosen=self._type,
            overlooks=_LOOKED_AT if len(scheduled) == _LOOKED_AT else 0,
        )  # fmt: skip

    head = get

    def _waiting_lines(self, jobs: Sequence[JobView], usual: UsualRuns) -> list[BoardLine]:
        """Of those alone that can be shown: why one waits is looked up for each."""
        return waiting_lines([(job, self._why(job)) for job in jobs[:_ROOM]], usual)

    def _why(self, job: JobView) -> Why:
        why = self.site.service.why(job)
        return ("next", 0) if why is None else (why.waiting.code, why.waiting.busy)

    async def _workers(self, label: str) -> list[WorkerView]:
        """Connected workers that have the label and offer the type."""
        wanted = WorkerFilter(state=WorkerStatus.CONNECTED, type=self._type or "", label=label, limit=_LOOKED_AT)
        return (await self.site.service.known_workers(wanted)).items

    async def _running(self, workers: list[WorkerView]) -> list[JobView]:
        if self._label is None:
            return await self._jobs(JobState.RUNNING)
        ids = [job_id for worker in workers for job_id in worker.jobs][:_MOST_READ]
        found = [await self.site.service.job(job_id) for job_id in ids]
        return [job for job in found if job.state is JobState.RUNNING and self._type in (None, job.type)]

    async def _waiting(self) -> list[JobView]:
        """Those that come next."""
        jobs = await self._jobs(JobState.QUEUED)
        return sorted(reversed(jobs), key=lambda job: (-job.terms.priority, job.created_at))

    async def _ended(self, workers: list[WorkerView]) -> list[JobView]:
        """What is in doubt, and what has ended lately: by what it requires, and by who has run it."""
        since = self.site.clock.utc() - _LATELY_S
        lately = JobFilter(states=_OVER, type=self._type, ended_after=since, limit=_LOOKED_AT)
        found = await self._jobs(JobState.IN_DOUBT)
        if self._label is None:
            return found + (await self.site.service.jobs(lately)).items
        found += (await self.site.service.jobs(replace(lately, requires=(self._label,)))).items
        for worker in workers[:_MOST_WORKERS]:
            found += (await self.site.service.jobs(replace(lately, worker=worker.name, limit=_ROOM))).items
        return list({job.id: job for job in found}.values())

    async def _jobs(self, state: JobState) -> list[JobView]:
        """The newest in a state that are to be shown."""
        wanted = () if self._label is None else (self._label,)
        asked = JobFilter(states=(state,), type=self._type, requires=wanted, limit=_LOOKED_AT)
        return (await self.site.service.jobs(asked)).items

    async def _usual(self, jobs: Iterable[JobView]) -> UsualRuns:
        usual: dict[str, float | None] = {}
        for name in sorted({job.type for job in jobs}):
            run = (await self.site.service.types.ended(name, _HOUR_S)).total.run
            usual[name] = quantile_s(run, 0.5) if sum(run.values()) >= FEW_SAMPLES else None
        return usual


def _part(word: str, lines: Sequence[BoardLine], most: int, total: int = 0) -> BoardPart:
    """``most``: from so many on there may be others. ``total``: how many there are, if not all have a line."""
    total = max(total, len(lines))
    return BoardPart(lines=lines, total=total, has_others=total >= most, word=word)
