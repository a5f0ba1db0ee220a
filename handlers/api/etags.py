"""The ETag of a job, and the headers that name one. Pure.

``W/"ROW-REST"``: ROW is the version of the job's row, which a change must know; REST stands for what else an answer
shows: attempts, the log, why the job waits, where people look. So a new line of the log makes another answer, and
forbids no change.
"""

from __future__ import annotations

import re

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.versions import digest, version_of
from dispatcher.errors import BadRequest
from handlers.api.jobjson import WhyItWaits
from handlers.guard import Headers

__all__ = ["if_versions", "tag_of"]

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def tag_of(job: JobView, why: WhyItWaits | None, doubt_url: str | None = None) -> str:
    """Weak, as the same job may be written in several ways."""
    line = job.log[-1] if job.log else None
    attempts = [(attempt.state, attempt.started_at, attempt.ended_at, attempt.late_at) for attempt in job.attempts]
    waits = why and (why.words, why.waiting)
    rest = digest(attempts, len(job.log), line, job.stopped_at, job.evidence, waits, doubt_url)
    return f'W/"{version_of(job)}-{rest}"'


def if_versions(headers: Headers) -> tuple[str, ...]:
    """The versions of which ``If-Match`` says that the job must have one; empty: any. Raises BadRequest."""
    text = headers.get("If-Match")
    if text is None or text.strip() == "*":
        return ()
    versions = tuple(tag.partition("-")[0] for tag in _TAG.findall(text))
    if not versions:
        raise BadRequest('If-Match must be the ETag of an earlier answer, as in If-Match: W/"…", with its quotes.')
    return versions
