"""A batch as it is seen: its counts, and what is still to come."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.keys import KEY_MARK, key_in_batch
from dispatcher.core.jobs.states import FINAL, JobState
from dispatcher.core.jobs.views.batches import BatchTally, BatchView, batch_view


def tally(state: JobState, seq: int, type: str = "echo", jobs: int = 1) -> BatchTally:
    return BatchTally(type, state, jobs, seq, f"job-{seq}", 7.0)


def test_the_counts_of_all_types_stand_in_the_order_of_the_states() -> None:
    tallies = [tally(JobState.FAILED, 4), tally(JobState.QUEUED, 2, jobs=2), tally(JobState.QUEUED, 5, "sum", jobs=3)]
    batch = batch_view("b", tallies)
    assert batch == BatchView(
        id="b", created_at=7.0, counts={"queued": 5, "failed": 1}, types=frozenset({"echo", "sum"}), pending="job-5"
    )
    assert batch is not None
    assert list(batch.counts) == ["queued", "failed"]


def test_a_batch_of_which_no_job_is_kept_is_none() -> None:
    assert batch_view("b", []) is None


@pytest.mark.parametrize("state", list(JobState))
def test_what_is_final_or_in_doubt_is_not_waited_for(state: JobState) -> None:
    batch = batch_view("b", [tally(state, 3)])
    assert batch is not None
    assert (batch.pending is None) == (state in FINAL or state is JobState.IN_DOUBT)


def test_the_keys_of_a_batch_are_those_of_no_job_alone() -> None:
    assert [key_in_batch("k", index) for index in (0, 12)] == ["k·0", "k·12"]
    assert not KEY_MARK.isascii()
