"""Which jobs waited and which ran at an instant of the past, told by what is known of them now. Pure.

A job's row has the times of its last try alone. So a job that waited for its last try then, or ran an earlier one,
counts as one that waited.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from dispatcher.core.jobs.model import JobView

__all__ = ["Stood", "StoodThen", "stood_then"]


class Stood(Struct):
    """Jobs of one type."""

    waited: int = 0
    ran: int = 0


class StoodThen(Struct, frozen=True, kw_only=True):
    """The jobs that were here at an instant, by type."""

    #: UTC seconds.
    at: float
    types: dict[str, Stood]
    #: Whether these are all; else there were at least so many.
    all: bool

    def words(self, number: int) -> str:
        """``12``, ``at least 12``, ``not known``."""
        if self.all:
            return f"{number:,}"
        return f"at least {number:,}" if number else "not known"

    def of(self, type_name: str) -> Stood:
        """Those of a type."""
        return self.types.get(type_name) or Stood()


def stood_then(jobs: Iterable[JobView], at: float, *, complete: bool) -> StoodThen:
    """``jobs``: were submitted before, and had not ended. ``complete``: all of them."""
    types: dict[str, Stood] = {}
    for job in jobs:
        one = types.setdefault(job.type, Stood())
        if job.started_at is not None and job.started_at <= at and (job.stopped_at is None or job.stopped_at > at):
            one.ran += 1
        else:
            one.waited += 1
    return StoodThen(at=at, types=types, all=complete)
