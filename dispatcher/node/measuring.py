"""One look at the node for metrics, made of what is counted anyway: it walks over no jobs and no pages. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dispatcher.core.jobs.measures import OTHER_TYPES
from dispatcher.core.jobs.model import TypeView

__all__ = ["jobs_by_type"]


def jobs_by_type(all_jobs: Mapping[str, int], named: Iterable[TypeView]) -> dict[tuple[str, str], int]:
    """Jobs by type and state; what ``all_jobs``, the counts by state, has beyond the named types is of the others."""
    left = Counter(all_jobs)
    found: dict[tuple[str, str], int] = {}
    for view in named:
        for state, jobs in view.counts.items():
            found[view.type, state] = jobs
            left[state] -= jobs
    # The two are read one after the other: a job may have moved in between.
    return found | {(OTHER_TYPES, state): max(jobs, 0) for state, jobs in left.items()}
