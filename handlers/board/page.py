"""``/board``: for a wall or a shop floor. It refreshes itself, and works without JavaScript."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from msgspec.structs import replace

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobFilter, JobView, WorkerFilter, WorkerStatus, WorkerView
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.views.histograms import FEW_SAMPLES, quantile_s
from handlers import queries
from handlers.board.departures import BoardLine, UsualRuns, Why, ended_lines, running_lines, waiting_lines
from handlers.console.page import PageHandler

__all__ = ["BoardPage"]

#: Lines of each kind.
_MOST_RUNNING, _MOST_WAITING, _MOST_ENDED = 8, 6, 6
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
        waiting, more = await self._waiting()
        usual = await self._usual([*running, *waiting])
        now = self.site.clock.utc()
        lines = [
            *running_lines(running, usual, now)[:_MOST_RUNNING],
            *waiting_lines([(job, self._why(job)) for job in waiting[:_MOST_WAITING]], usual),
            *ended_lines(await self._ended(workers), now)[:_MOST_ENDED],
        ]
        self._show(lines, len(waiting) - _MOST_WAITING, more)

    head = get

    def _show(self, lines: list[BoardLine], behind: int, more: bool) -> None:
        label = queries.text_argument(self, "label")
        self.show("board.html", lines=lines, behind=max(0, behind), more=more, label=label, chosen=self._type)

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
        ids = [job_id for worker in workers for job_id in worker.jobs][:_LOOKED_AT]
        found = [await self.site.service.job(job_id) for job_id in ids[: 2 * _MOST_RUNNING]]
        return [job for job in found if job.state is JobState.RUNNING and self._type in (None, job.type)]

    async def _waiting(self) -> tuple[list[JobView], bool]:
        """Those that come next; and whether there are more than were looked at."""
        jobs = await self._jobs(JobState.QUEUED)
        in_turn = sorted(reversed(jobs), key=lambda job: (-job.terms.priority, job.created_at))
        return in_turn, len(jobs) == _LOOKED_AT

    async def _ended(self, workers: list[WorkerView]) -> list[JobView]:
        """What is in doubt, and what has ended lately: by what it requires, and by who has run it."""
        since = self.site.clock.utc() - _LATELY_S
        lately = JobFilter(states=_OVER, type=self._type, ended_after=since, limit=_LOOKED_AT)
        found = await self._jobs(JobState.IN_DOUBT)
        if self._label is None:
            return found + (await self.site.service.jobs(lately)).items
        found += (await self.site.service.jobs(replace(lately, requires=(self._label,)))).items
        for worker in workers[:_MOST_WORKERS]:
            found += (await self.site.service.jobs(replace(lately, worker=worker.name, limit=_MOST_ENDED))).items
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
