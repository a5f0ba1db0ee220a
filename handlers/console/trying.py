"""``/jobs/<id>/try``: the task runs with the job's data in the browser of whoever looks at the job.

Nothing is recorded: the page has what a worker would be sent, runs the task when somebody presses the button, and
sends nothing.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from dispatcher.access.scopes import Scope
from dispatcher.core.jobs.model import JobView
from handlers.console.page import OneJobPage
from handlers.console.values import part_of

__all__ = ["TryPage", "offer_of"]

_TRY = "try"


class TryPage(OneJobPage):
    """The page. It shows a job's data and runs what somebody may submit, so it needs both."""

    scopes: ClassVar = {"GET": (Scope.READ, Scope.SUBMIT)}

    async def get(self, job_id: str) -> None:
        """The page; it does nothing by itself."""
        job, site = await self.site.service.job(job_id), self.site
        self.show(
            "trying.html",
            job=job,
            offer=offer_of(job),
            file=site.prefix.link(f"/tasks/{job.type}.js"),
            is_task=job.type in site.tasks.names(),
            host_call=msgspec.json.encode(site.tasks.host_call).decode(),
            limit=site.settings.body_limit,
            data=part_of(job.data, everything=False, as_sent=False),
        )

    head = get


def offer_of(job: JobView) -> str:
    """The message by which a worker would be offered the job, as JSON (docs/protocol.md)."""
    about = {"tags": job.about.tags, "summary": job.about.summary, "traceparent": job.about.traceparent}
    message: dict[str, object] = {
        "op": "job",
        "attempt": _TRY,
        "id": job.id,
        "type": job.type,
        "number": 1,
        "timeout_ms": round(job.terms.timeout_s * 1000),
        "data": msgspec.Raw(job.data.encode()),
    }
    return msgspec.json.encode(message | {name: value for name, value in about.items() if value}).decode()
