"""The version of a job: a short text that is another one after each change of its row. Pure.

It takes no account of the data, the result and the log, so it costs the same however long these are. A store finds the
same version in its row as a reader finds in the view of the job.
"""

from __future__ import annotations

import hashlib

from dispatcher.core.jobs.model import JobView
from dispatcher.core.jobs.rows import JobRow

__all__ = ["digest", "version_of"]


def version_of(job: JobRow | JobView) -> str:
    """The version of the job as it stands. What its tasks have logged does not make another one."""
    return digest(
        job.state, job.reason, job.detail, job.terms, job.about, job.number, job.errors, job.crashes, job.percent,
        job.note, job.error, job.worker, job.worker_name, job.run_at, job.expires_at, job.offered_at, job.started_at,
        job.ended_at,
    )  # fmt: skip


def digest(*parts: object) -> str:
    """A short text for these values: the same for the same ones, also in another run."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
