"""``/jobs/<id>/record``: the flight record of a job as one file, to be kept, sent and opened without a network.

The file needs nothing else: no script, no address of this server. ``?beside=`` lays another job beside it.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar

from msgspec import Struct

from dispatcher.access.acts import AuditEntry, AuditFilter
from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobView, OneWorkerView
from dispatcher.errors import WorkerNotFound
from handlers import queries
from handlers.console.options import shown_options
from handlers.console.page import PageHandler
from handlers.console.sentences import ACTS, headline
from handlers.console.values import Part, part_of
from handlers.record.masking import Mask
from handlers.record.moments import Happening, happenings

__all__ = ["JobRecordPage"]

#: So many acts on a job are looked at, and so many of the workers that had it last.
_MOST_ACTS, _MOST_WORKERS = 100, 20


class _FlightRecord(Struct, frozen=True):
    """What the file has of one job."""

    job: JobView
    #: The job's state, in a sentence.
    headline: str
    mask: Mask
    rows: list[Happening]
    options: list[tuple[str, str]]
    workers: list[OneWorkerView]
    #: Data and results, hidden.
    values: list[tuple[str, Part]]


class JobRecordPage(PageHandler):
    """One file, or two jobs side by side in one."""

    scopes: ClassVar = {"GET": Scope.READ}
    query_fields = queries.RECORD

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Ids in the path have small letters; some programs write them large. Called by Tornado."""
        text = super().decode_argument(value, name)
        return text.lower() if name is None else text

    async def get(self, job_id: str) -> None:
        """The file. Raises JobNotFound, BadParameter."""
        beside = queries.text_argument(self, "beside").strip().lower()
        ids = list(dict.fromkeys([job_id, beside] if beside else [job_id]))
        records = [await self._record(one) for one in ids]
        self.set_header("Content-Disposition", f'attachment; filename="pagehand-{"-".join(ids)}.html"')
        self.show("record.html", records=records)

    head = get

    async def _record(self, job_id: str) -> _FlightRecord:
        service, now = self.site.service, self.site.clock.utc()
        job = await service.job(job_id)
        workers = await self._workers(job)
        mask = Mask([job.data, job.result, job.evidence])
        named = [("Data", job.data), ("Result", job.result), ("Late result", job.evidence)]
        return _FlightRecord(
            job=job,
            headline=headline(job, now),
            mask=mask,
            rows=happenings(job, await self._acts(job_id), workers, now),
            options=shown_options(job),
            workers=workers,
            values=[
                (title, part_of(mask.value(text), everything=False, as_sent=False)) for title, text in named if text
            ],
        )

    async def _acts(self, job_id: str) -> list[AuditEntry]:
        page = await self.site.service.access.acts(AuditFilter(target=job_id, limit=_MOST_ACTS))
        return [act for act in page.items if act.action in ACTS]

    async def _workers(self, job: JobView) -> list[OneWorkerView]:
        """Those that had it last, if they are here or something is kept of them."""
        found = []
        had_it = dict.fromkeys(attempt.worker for attempt in reversed(job.attempts) if attempt.worker)
        for worker_id in list(had_it)[:_MOST_WORKERS]:
            with contextlib.suppress(WorkerNotFound):
                found.append(await self.site.service.orders.one(worker_id))
        return found
