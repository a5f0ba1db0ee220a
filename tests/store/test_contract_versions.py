"""The contract of a store: a command that is meant for a version of a job is obeyed for that version alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.core.jobs.turn import Amend, Cancel, Delete, Objection, Progressed
from dispatcher.core.jobs.versions import version_of
from tests.store.contract import Desk, error, lapsed, lost, result
from tests.support.jobs import spec


def queued(desk: Desk) -> str:
    return desk.submit(spec(timeout_s=30, expires_s=500.0))[0].id


def delayed(desk: Desk) -> str:
    return desk.submit(spec(delay_s=50.0))[0].id


def backing_off(desk: Desk) -> str:
    claim = desk.start()
    desk.report(Progressed(claim.attempt, 50.0, "half"))
    desk.report(error(claim.attempt))
    return claim.job


def lost_once(desk: Desk) -> str:
    claim = desk.start()
    desk.report(lost(claim.attempt))
    return claim.job


def lapsed_once(desk: Desk) -> str:
    desk.submit()
    claim = desk.claim_one()
    desk.report(lapsed(claim.attempt))
    return claim.job


def amended(desk: Desk) -> str:
    job = queued(desk)
    desk.command(Amend(job=job, priority=3, requires=(("site", ("berlin",)),)))
    return job


def done(desk: Desk) -> str:
    claim = desk.start()
    desk.report(result(claim.attempt))
    return claim.job


def failed(desk: Desk) -> str:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=None))
    return claim.job


def cancelled(desk: Desk) -> str:
    job = queued(desk)
    desk.command(Cancel(job, "no"))
    return job


Make = Callable[[Desk], str]


@pytest.mark.parametrize("make", [queued, delayed, backing_off, lost_once, lapsed_once, amended])
def test_a_job_is_changed_in_the_version_that_was_read_and_in_no_other(desk: Desk, make: Make) -> None:
    job = make(desk)
    version = version_of(desk.job(job))
    assert desk.command(Amend(job=job, priority=7, if_versions=("other", version))).done
    report = desk.command(Amend(job=job, priority=8, if_versions=(version,)))
    assert (report.done, report.fault) == (False, Objection.MOVED)
    assert desk.job(job).terms.priority == 7


@pytest.mark.parametrize("make", [done, failed, cancelled])
def test_a_job_is_removed_in_the_version_that_was_read_and_in_no_other(desk: Desk, make: Make) -> None:
    job = make(desk)
    report = desk.command(Delete(job, if_versions=("other",)))
    assert (report.done, report.fault) == (False, Objection.MOVED)
    assert desk.command(Delete(job, if_versions=(version_of(desk.job(job)),))).done


def test_the_version_of_a_job_outlives_a_restart(durable: Desk) -> None:
    jobs = [make(durable) for make in (queued, backing_off, done)]
    before = [version_of(durable.job(job)) for job in jobs]
    durable.reopen()
    assert [version_of(durable.job(job)) for job in jobs] == before


def test_the_state_of_a_job_that_runs_is_told_before_its_version(desk: Desk) -> None:
    claim = desk.start()
    report = desk.command(Amend(job=claim.job, priority=7, if_versions=("other",)))
    assert (report.done, report.fault) == (False, None)
