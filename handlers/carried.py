"""What a new job carries besides what its submitter says of it: the trace of the request, its task's summary, its
owner.
"""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.core.jobs.about import traceparent_of
from dispatcher.core.jobs.model import JobSpec
from handlers.guard import Headers
from handlers.worker.tasks import TaskDirectory

__all__ = ["carried"]


def carried(spec: JobSpec, headers: Headers, tasks: TaskDirectory, owner: str | None, key: str | None) -> JobSpec:
    """The same job with all of it. A header that is no ``traceparent`` is ignored, as the standard says.

    ``key``: the idempotency key as it is kept.
    """
    header, template = headers.get("Traceparent"), tasks.summaries().get(spec.type)
    about = spec.about
    if header is not None and (trace := traceparent_of(header)) is not None:
        about = replace(about, traceparent=trace)
    if template is not None and about.summary is None:
        about = replace(about, summary=template.filled(spec.data))
    if owner is not None:
        about = replace(about, owner=owner)
    return spec if about is spec.about and key == spec.key else replace(spec, about=about, key=key)
