"""The contract of a store: delays and expiries at the edges of what a float can tell apart."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.terms import MAX_DELAY_S
from dispatcher.core.jobs.turn import Demand
from tests.store.contract import KINDS, Desk, Kind
from tests.support.jobs import spec

#: Durations too short for the clock to tell apart, a little longer ones, plain ones, and the longest allowed.
DELAYS = [0.0, -0.0, 5e-324, sys.float_info.min, 1e-300, 1e-9, 1e-7, 2.4e-7, 0.001, 0.1, 1.0, 86_400.0]
DELAYS += [MAX_DELAY_S - 4e-9, float(MAX_DELAY_S)]
LIVES = [0.1, 0.1 + 2e-17, 0.1 + 1e-9, 1.0, 1.0 + 1e-15, 86_400.0, MAX_DELAY_S - 4e-9, float(MAX_DELAY_S)]
SHORT_S = st.floats(0, 1e-3, allow_subnormal=True)


def _may_be(job: JobSpec) -> bool:
    """Whether the intake takes such a schedule."""
    return job.expires_s is None or job.expires_s > job.delay_s


JOBS = st.lists(
    st.builds(
        spec,
        delay_s=st.sampled_from(DELAYS) | SHORT_S | st.floats(0, MAX_DELAY_S),
        expires_s=st.none() | st.sampled_from(LIVES) | SHORT_S.map(lambda more: 0.1 + more),
        priority=st.sampled_from([-1_000, 0, 1_000]),
    ).filter(_may_be),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@given(jobs=JOBS)
@example(jobs=[spec(delay_s=5e-324)])
@example(jobs=[spec(delay_s=0.1, expires_s=0.1 + 2e-17)])
@example(jobs=[spec(delay_s=0.1, expires_s=0.1 + 1e-9), spec(delay_s=0.1)])
@example(jobs=[spec(delay_s=MAX_DELAY_S - 4e-9, expires_s=float(MAX_DELAY_S), priority=-1_000)])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_job_starts_in_time_or_expires_however_little_lies_between(
    kind: Kind, quick_path: Path, jobs: list[JobSpec]
) -> None:
    with tempfile.TemporaryDirectory(dir=quick_path) as directory:
        desk = Desk(kind, Path(directory))
        try:
            live(desk, jobs)
        finally:
            desk.end()


def live(desk: Desk, jobs: list[JobSpec]) -> None:
    """Submits them, and goes from each instant that the store announces to the next."""
    at = desk.now_at
    wanted = {view.id: job for view, job in zip(desk.submit(*jobs), jobs, strict=True)}
    due_at: float | None = at
    turns = 0
    while due_at is not None:
        turns += 1
        assert turns <= 4 * len(jobs), "turns without end"
        instant = desk.now_at = max(desk.now_at, due_at)
        report = desk.turn(demand=[Demand(1, ("echo",), 9)])
        due_at = report.next_due_at
        for claim in report.claims:
            job = wanted[claim.job]
            assert at + job.delay_s <= instant, "too early"
            assert job.expires_s is None or instant < at + job.expires_s, "too late"
        assert desk.faults() == []
    assert desk.counts().keys() <= {"running", "expired"}, "some job waits, and nothing is due any more"
