"""The contract of a store: a job that has ended is removed, with all that belongs to it."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import Cancel, Claim, Delete, Demand, ForgetTypes, Logged, Objection, Retry, Verdict
from tests.store.contract import Desk, error, result
from tests.support.jobs import spec

DAY_S = 86_400.0


def done(desk: Desk, **fields: str) -> Claim:
    claim = desk.start(**fields)
    desk.report(Logged(claim.attempt, "a line"))
    desk.report(result(claim.attempt))
    return claim


def test_a_job_goes_with_its_data_result_attempts_lines_and_counts(desk: Desk) -> None:
    kept, gone = done(desk), done(desk)
    report = desk.command(Delete(gone.job, actor=Actor("anna")))
    assert report.done
    rows = desk.rows()
    assert [job.id for job in rows.jobs.values()] == [kept.job]
    assert [len(part) for part in (rows.data, rows.results, rows.attempts, rows.logs)] == [1, 1, 1, 1]
    assert desk.counts() == {"succeeded": 1}
    assert desk.run(desk.store.job(gone.job)) is None
    assert [job.id for job in desk.listed()] == [kept.job]


def test_a_job_is_removed_once(desk: Desk) -> None:
    claim = done(desk)
    reports = desk.turn(commands=[Delete(claim.job), Delete(claim.job), Retry(claim.job)]).commands
    assert [report.done for report in reports] == [True, False, False]
    assert [report.job for report in reports[1:]] == [None, None]
    assert desk.counts() == {}


@pytest.mark.parametrize("fields", [{}, {"delay_s": 50.0}])
def test_a_job_that_waits_is_not_removed(desk: Desk, fields: dict[str, Any]) -> None:
    (job,) = desk.submit(spec(**fields))
    report = desk.command(Delete(job.id))
    assert (report.done, report.fault) == (False, None)
    assert report.job is not None
    assert desk.states(job.id) == [report.job.state]


def test_a_job_that_runs_is_not_removed(desk: Desk) -> None:
    claim = desk.start()
    assert not desk.command(Delete(claim.job)).done
    assert desk.report(result(claim.attempt)) is Verdict.RECORDED


def test_a_job_that_is_cancelled_and_removed_in_one_turn_is_not_claimed_in_it(desk: Desk) -> None:
    job, other = desk.submit(spec(), spec())
    commands = [Cancel(job.id, "no"), Delete(job.id)]
    report = desk.turn(commands=commands, demand=[Demand(1, ("echo",), 5)])
    assert [command.done for command in report.commands] == [True, True]
    assert [claim.job for claim in report.claims] == [other.id]
    assert desk.counts() == {"running": 1}
    assert len(desk.rows().jobs) == 1


def test_a_job_that_ends_and_is_removed_in_one_turn_leaves_nothing(desk: Desk) -> None:
    claim = desk.start()
    reports = [Logged(claim.attempt, "a line"), result(claim.attempt)]
    report = desk.turn(reports=reports, commands=[Delete(claim.job)])
    assert [settled.verdict for settled in report.verdicts] == [Verdict.RECORDED] * 2
    rows = desk.rows()
    assert not any((rows.jobs, rows.data, rows.results, rows.attempts, rows.logs))
    assert desk.report(result(claim.attempt)) is Verdict.STALE


def test_a_result_that_comes_after_the_removal_is_stale(desk: Desk) -> None:
    claim = desk.start()
    desk.turn(commands=[Cancel(claim.job, "no"), Delete(claim.job)])
    assert desk.report(result(claim.attempt)) is Verdict.STALE
    assert desk.report(error(claim.attempt)) is Verdict.STALE


def test_a_job_with_a_key_stays_for_a_day_and_then_goes(desk: Desk) -> None:
    claim = done(desk, key="order-7")
    desk.pass_time(DAY_S - 10.0)
    report = desk.command(Delete(claim.job))
    assert (report.done, report.fault) == (False, Objection.KEY_KEPT)
    desk.pass_time(20.0)
    assert desk.command(Delete(claim.job)).done
    assert desk.submit(spec(key="order-7"))[0].id != claim.job


def test_a_key_is_freed_at_once_if_somebody_says_so_even_for_a_submission_of_the_same_turn(desk: Desk) -> None:
    claim = done(desk, key="order-7")
    report = desk.turn(commands=[Delete(claim.job, free_key=True)], submissions=[spec(key="order-7")])
    (accepted,) = report.accepted
    assert not accepted.replayed
    assert desk.taken(accepted).id != claim.job
    assert desk.counts() == {"queued": 1}


def test_the_last_job_of_a_type_takes_its_lane_with_it_when_types_are_forgotten(desk: Desk) -> None:
    claim = done(desk)
    desk.command(Delete(claim.job))
    desk.command(ForgetTypes(frozenset()))
    assert desk.run(desk.store.types()) == []


def test_a_removed_job_stays_away_after_a_restart(durable: Desk) -> None:
    kept, gone = done(durable), done(durable)
    durable.command(Delete(gone.job))
    durable.reopen()
    assert [job.id for job in durable.listed()] == [kept.job]
    assert durable.counts() == {"succeeded": 1}


def test_a_job_that_is_in_none_of_the_named_states_is_let_be(desk: Desk) -> None:
    claim = done(desk)
    report = desk.command(Delete(claim.job, if_states=(JobState.FAILED, JobState.EXPIRED)))
    assert (report.done, report.fault, desk.counts()) == (False, None, {"succeeded": 1})
    assert report.job is not None
    assert desk.command(Delete(claim.job, if_states=(JobState.SUCCEEDED,))).done


_UNSTORABLE = '"\ud800"'


def test_the_number_of_a_removed_job_is_given_to_no_other_in_a_turn_that_is_tried_again(desk: Desk) -> None:
    older, newest = done(desk), done(desk)
    numbers = {*desk.rows().jobs}
    desk.command(Delete(newest.job))
    # The store cannot hold the first of them, so the turn is done once more without it.
    desk.turn(commands=[Delete(older.job)], submissions=[spec(data=_UNSTORABLE), spec()])
    [number] = desk.rows().jobs
    assert number > max(numbers)


def test_the_number_of_a_removed_job_is_given_to_no_other_after_a_restart(durable: Desk) -> None:
    done(durable)
    newest = done(durable)
    numbers = {*durable.rows().jobs}
    durable.command(Delete(newest.job))
    durable.reopen()
    durable.submit()
    assert max(durable.rows().jobs) > max(numbers)
