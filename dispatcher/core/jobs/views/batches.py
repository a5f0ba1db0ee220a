"""A batch as people and programs see it: jobs that were submitted together, and what has become of them."""

from __future__ import annotations

from msgspec import Struct

from dispatcher.core.jobs.states import SETTLED, JobState

__all__ = ["BatchItem", "BatchTally", "BatchView", "batch_view"]


class BatchTally(Struct, frozen=True):
    """Jobs of one batch, of one type and in one state."""

    type: str
    state: JobState
    jobs: int
    #: The newest of them.
    seq: int
    id: str
    created_at: float
    #: Who submitted the batch; None: nobody has said.
    owner: str | None = None


class BatchView(Struct, frozen=True, kw_only=True):
    """A batch, as far as its jobs are kept."""

    id: str
    created_at: float
    #: Jobs by state; states without any are left out.
    counts: dict[str, int]
    types: frozenset[str]
    #: The newest of its jobs that may still change by itself; None: all have ended or are in doubt.
    pending: str | None
    owner: str | None = None


class BatchItem(Struct, frozen=True):
    """What has become of one job of a batch."""

    seq: int
    id: str
    state: JobState
    #: JSON texts; the result of a job that succeeded, the last error of any other.
    result: str | None
    error: str | None


def batch_view(batch_id: str, tallies: list[BatchTally]) -> BatchView | None:
    """The batch of these jobs; None: there are none."""
    if not tallies:
        return None
    counts: dict[str, int] = {}
    for tally in tallies:
        counts[tally.state.value] = counts.get(tally.state.value, 0) + tally.jobs
    pending = [(tally.seq, tally.id) for tally in tallies if tally.state not in SETTLED]
    return BatchView(
        id=batch_id,
        created_at=tallies[0].created_at,
        counts={state.value: counts[state.value] for state in JobState if state.value in counts},
        types=frozenset(tally.type for tally in tallies),
        pending=max(pending)[1] if pending else None,
        owner=tallies[0].owner,
    )
