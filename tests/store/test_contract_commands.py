"""The contract of a store: cancel and retry in every state, and the types that are known."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import Event, JobState, next_state
from dispatcher.core.jobs.turn import Cancel, Cause, Demand, Ended, ForgetTypes, OfferedTypes, Retry, Verdict
from tests.store.contract import HOLDER, NOW, Desk, error, lost, result
from tests.support.jobs import finished, spec


def _into(desk: Desk, state: JobState) -> str:
    """A job that is in this state."""
    if state is JobState.SCHEDULED:
        return desk.submit(spec(delay_s=1e6))[0].id
    if state is JobState.EXPIRED:
        (job,) = desk.submit(spec(expires_s=1.0))
        desk.pass_time(2.0)
        desk.turn()
        return job.id
    if state is JobState.QUEUED:
        return desk.submit()[0].id
    claim = desk.start(effects="once" if state is JobState.IN_DOUBT else "repeat")
    endings = {
        JobState.SUCCEEDED: result(claim.attempt),
        JobState.FAILED: error(claim.attempt, delay_s=None),
        JobState.IN_DOUBT: Ended(claim.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost", counts_crash=True),
    }
    if state in endings:
        desk.report(endings[state])
    elif state is JobState.CANCELLED:
        desk.command(Cancel(claim.job, "once"))
    return claim.job


def _may(event: Event) -> list[JobState]:
    return [state for state in JobState if next_state(state, event) is not None]


def _may_not(event: Event) -> list[JobState]:
    return [state for state in JobState if next_state(state, event) is None]


def test_a_command_for_some_states_leaves_a_job_in_another_state_as_it_is(desk: Desk) -> None:
    (job,) = desk.submit()
    for command in (Cancel, Retry):
        states = (JobState.SCHEDULED, JobState.FAILED)
        asked = Cancel(job.id, "", if_states=states) if command is Cancel else Retry(job.id, if_states=states)
        assert not desk.turn(commands=[asked]).commands[0].done
    assert desk.job(job.id).state == "queued"
    assert desk.turn(commands=[Cancel(job.id, "", if_states=(JobState.QUEUED,))]).commands[0].done
    assert not desk.turn(commands=[Retry(job.id, if_states=(JobState.FAILED,))]).commands[0].done


@pytest.mark.parametrize("state", _may(Event.CANCEL))
def test_an_open_job_can_be_cancelled(desk: Desk, state: JobState) -> None:
    job_id = _into(desk, state)
    at = desk.now_at
    report = desk.turn(commands=[Cancel(job_id, "not needed")])
    assert finished(report) == [job_id]
    (done,) = report.commands
    assert done.done
    assert done.job is not None
    assert done.job.state == "cancelled"
    job = desk.job(job_id)
    assert (job.state, job.reason, job.detail, job.ended_at) == ("cancelled", "cancelled", "not needed", at)
    desk.pass_time(1e7)
    assert desk.claim(9) == []


@pytest.mark.parametrize("state", _may_not(Event.CANCEL))
def test_a_job_that_has_ended_or_is_in_doubt_is_not_cancelled(desk: Desk, state: JobState) -> None:
    job_id = _into(desk, state)
    before = desk.job(job_id)
    report = desk.command(Cancel(job_id, "too late"))
    assert (report.done, report.revoked) == (False, None)
    assert report.job is not None
    assert report.job.state is state
    assert desk.job(job_id) == before


def test_cancelling_a_running_job_revokes_its_attempt(desk: Desk) -> None:
    claim = desk.start()
    assert desk.command(Cancel(claim.job, "stop")).revoked == claim.attempt
    (attempt,) = desk.job(claim.job).attempts
    assert (attempt.state, attempt.number) == ("cancelled", 1)
    assert attempt.ended_at is not None
    assert desk.report(result(claim.attempt)) is Verdict.STALE
    assert desk.states(claim.job) == ["cancelled"]


def test_cancelling_an_offered_job_leaves_no_number_behind(desk: Desk) -> None:
    desk.submit()
    claim = desk.claim_one()
    assert desk.command(Cancel(claim.job, "stop")).revoked == claim.attempt
    job = desk.job(claim.job)
    assert (job.number, [attempt.number for attempt in job.attempts]) == (0, [None])


def test_cancelling_a_job_that_waits_revokes_its_earlier_attempt_for_good(desk: Desk) -> None:
    claim = desk.start()
    desk.report(lost(claim.attempt))
    assert desk.command(Cancel(claim.job, "stop")).revoked is None
    assert desk.report(result(claim.attempt)) is Verdict.STALE
    desk.command(Retry(claim.job))
    assert desk.report(result(claim.attempt)) is Verdict.STALE
    assert desk.states(claim.job) == ["queued"]


@pytest.mark.parametrize("state", _may(Event.RETRY))
def test_a_job_that_did_not_succeed_can_be_run_again(desk: Desk, state: JobState) -> None:
    job_id = _into(desk, state)
    number = desk.job(job_id).number
    (report,) = desk.turn(commands=[Retry(job_id)]).commands
    assert report.done
    assert report.job is not None
    assert report.job.state == "queued"
    job = desk.job(job_id)
    assert (job.state, job.errors, job.crashes) == ("queued", 0, 0)
    reason = "decided" if state is JobState.IN_DOUBT else None  # by that a decision can be taken back
    assert (job.reason, job.detail, job.ended_at, job.expires_at) == (reason, None, None, None)
    claim = desk.claim_one()
    assert (claim.job, claim.number, claim.errors, claim.crashes) == (job_id, number + 1, 0, 0)
    assert desk.report(result(claim.attempt)) is Verdict.RECORDED


@pytest.mark.parametrize("state", _may_not(Event.RETRY))
def test_a_job_that_is_on_its_way_or_succeeded_is_not_retried(desk: Desk, state: JobState) -> None:
    job_id = _into(desk, state)
    before = desk.job(job_id)
    report = desk.command(Retry(job_id))
    assert not report.done
    assert report.job is not None
    assert report.job.state is state
    assert desk.job(job_id) == before


def test_a_retried_job_stands_behind_those_that_wait(desk: Desk) -> None:
    failed = _into(desk, JobState.FAILED)
    (waiting,) = desk.submit()
    desk.pass_time(1.0)
    desk.command(Retry(failed))
    assert [claim.job for claim in desk.claim(9)] == [waiting.id, failed]


@pytest.mark.parametrize("command", [Cancel("job-99", "why"), Retry("job-99"), Retry(""), Cancel("\N{SNOWMAN}", "")])
def test_a_command_for_a_job_that_is_not_there_does_nothing(desk: Desk, command) -> None:
    report = desk.command(command)
    assert (report.done, report.job, report.revoked) == (False, None, None)


def test_commands_on_one_job_in_one_turn_are_obeyed_in_order(desk: Desk) -> None:
    (job,) = desk.submit()
    commands = [Cancel(job.id, "one"), Cancel(job.id, "two"), Retry(job.id), Retry(job.id), Cancel(job.id, "three")]
    report = desk.turn(commands=commands)
    assert [command.done for command in report.commands] == [True, False, True, False, True]
    assert finished(report) == [job.id, job.id]
    assert desk.job(job.id).detail == "three"
    assert desk.counts() == {"cancelled": 1}


def test_a_running_job_can_be_cancelled_retried_and_claimed_anew_in_one_turn(desk: Desk) -> None:
    claim = desk.start()
    commands = [Cancel(claim.job, "stop"), Retry(claim.job)]
    (again,) = desk.turn(commands=commands, demand=[Demand(1, ("echo",), 1)]).claims
    assert (again.job, again.number) == (claim.job, 2)
    assert desk.report(result(claim.attempt)) is Verdict.STALE
    assert desk.report(result(again.attempt)) is Verdict.RECORDED


def test_types_are_those_that_a_job_or_a_worker_has_named(desk: Desk) -> None:
    desk.submit(spec("b"), spec("b", delay_s=500.0))
    assert desk.command(OfferedTypes(("c", "b"))).done
    desk.pass_time(50.0)
    desk.command(OfferedTypes(("a", "c")))
    types = desk.run(desk.store.types())
    assert [view.type for view in types] == ["a", "b", "c"]
    # The first time counts.
    first = [round((view.offered_at or 0) - NOW) for view in types]
    assert first == [50, 0, 0]
    assert {state: n for state, n in types[1].counts.items() if n} == {"queued": 1, "scheduled": 1}
    assert [n for view in (types[0], types[2]) for n in view.counts.values() if n] == []


def test_a_type_that_no_worker_has_offered_says_so(desk: Desk) -> None:
    desk.submit(spec("nobody"))
    (view,) = desk.run(desk.store.types())
    assert (view.type, view.offered_at) == ("nobody", None)


def test_types_and_their_first_offers_outlive_a_restart(durable: Desk) -> None:
    durable.command(OfferedTypes(("echo",)))
    durable.submit(spec("other"))
    durable.reopen()
    durable.pass_time(50.0)
    durable.command(OfferedTypes(("echo",)))
    types = durable.run(durable.store.types())
    assert [(view.type, view.offered_at) for view in types] == [("echo", NOW), ("other", None)]


def test_types_without_jobs_and_workers_are_forgotten(desk: Desk) -> None:
    desk.command(OfferedTypes(("idle", "gone")))
    (kept,) = desk.submit(spec("has-a-job"))
    desk.command(ForgetTypes(frozenset({"idle"})))
    assert [view.type for view in desk.run(desk.store.types())] == ["has-a-job", "idle"]
    (job,) = desk.submit(spec("gone"))
    assert [claim.job for claim in desk.claim(9, "gone", "has-a-job")] == [kept.id, job.id]


def test_a_type_whose_jobs_were_removed_is_forgotten_after_a_restart_too(durable: Desk) -> None:
    durable.reopen(retention_s=60.0)
    durable.submit()
    durable.report(result(durable.claim_one().attempt))
    durable.pass_time(200.0)
    durable.turn()
    durable.reopen()
    durable.command(ForgetTypes(frozenset()))
    assert durable.run(durable.store.types()) == []
    durable.reopen()
    assert durable.run(durable.store.types()) == []
