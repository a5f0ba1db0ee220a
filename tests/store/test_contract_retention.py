"""The contract of a store: how long ended jobs are kept (promises S2, S24)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.core.model import JobFilter
from dispatcher.core.turn import Cancel
from dispatcher.store.turn import PURGE, PURGE_EVERY_S
from tests.store.contract import Desk, Kind, result, spec

DAY_S = 86_400.0


@pytest.fixture
def keep(open_desk: Callable[..., Desk], kind: Kind) -> Callable[[float], Desk]:
    """A store that keeps ended jobs for so long."""
    return lambda retention_s: open_desk(kind, retention_s=retention_s)


def ended_job(desk: Desk, **fields: object) -> str:
    (job,) = desk.submit(spec(**fields))
    desk.turn(commands=[Cancel(job.id, "done with")])
    return job.id


def exists(desk: Desk, job_id: str) -> bool:
    return desk.run(desk.store.job(job_id)) is not None


def test_an_ended_job_is_kept_for_its_retention_and_then_removed_whole(keep) -> None:
    desk = keep(2 * DAY_S)
    job_id = ended_job(desk)
    desk.pass_time(2 * DAY_S - 1)
    desk.turn()
    assert exists(desk, job_id)
    desk.pass_time(1 + PURGE_EVERY_S)
    desk.turn()
    assert not exists(desk, job_id)
    assert desk.run(desk.store.jobs(JobFilter())).items == []
    assert sum(desk.run(desk.store.counts()).values()) == 0


def test_an_open_job_is_kept_however_old(keep) -> None:
    desk = keep(60.0)
    (job,) = desk.submit()
    desk.pass_time(4_000 * DAY_S)
    desk.turn()
    assert desk.states(job.id) == ["queued"]


def test_a_key_lives_for_a_day_even_where_jobs_do_not(keep) -> None:
    desk = keep(60.0)
    job_id = ended_job(desk, key="k")
    desk.pass_time(DAY_S - 1)
    desk.turn()
    assert exists(desk, job_id)
    desk.pass_time(1 + PURGE_EVERY_S)
    desk.turn()
    assert not exists(desk, job_id)
    (again,) = desk.submit(spec(key="k"))
    assert again.id != job_id


def test_removal_goes_on_in_slices(keep) -> None:
    desk = keep(60.0)
    jobs = desk.submit(*[spec() for _ in range(2 * PURGE + 1)])
    desk.turn(commands=[Cancel(job.id, "done with") for job in jobs])
    desk.pass_time(1_000.0)
    assert [desk.turn().more for _ in range(3)] == [True, True, False]
    assert not any(exists(desk, job.id) for job in jobs)


def test_a_result_for_a_removed_job_is_stale(keep) -> None:
    desk = keep(60.0)
    claim = desk.start()
    desk.turn(commands=[Cancel(claim.job, "done with")])
    desk.pass_time(1_000.0)
    desk.turn()
    assert not exists(desk, claim.job)
    assert desk.report(result(claim.attempt)) == "stale"
