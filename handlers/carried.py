"""What a new job carries besides what its submitter says of it: the trace of the request, its task's summary."""

from __future__ import annotations

from msgspec.structs import replace

from dispatcher.core.jobs.about import traceparent_of
from dispatcher.core.jobs.model import JobSpec
from handlers.guard import Headers
from handlers.worker.tasks import TaskDirectory

__all__ = ["carried"]


def carried(spec: JobSpec, headers: Headers, tasks: TaskDirectory) -> JobSpec:
    """The same job with both. A header that is no ``traceparent`` is ignored, as the standard says."""
    header, template = headers.get("Traceparent"), tasks.summaries().get(spec.type)
    about = spec.about
    if header is not None and (trace := traceparent_of(header)) is not None:
        about = replace(about, traceparent=trace)
    if template is not None and about.summary is None:
        about = replace(about, summary=template.filled(spec.data))
    return spec if about is spec.about else replace(spec, about=about)
