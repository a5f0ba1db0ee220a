"""The contract of a store: a job that waits is changed, and its lane, its place and its instants follow."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.access.acts import Actor
from dispatcher.core.jobs.about import About
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import Amend, Cancel, Cause, Change, Demand, Ended, Objection, Verdict
from tests.store.contract import HOLDER, Desk, error, lapsed, result
from tests.support.jobs import spec

BERLIN = (("site", ("berlin",)),)
IN_BERLIN = 'echo {"site":"berlin"}'


def changed(desk: Desk, job: str, **wanted: Any) -> Any:
    report = desk.command(Amend(job=job, **wanted))
    assert report.done, report
    return desk.job(job)


def test_a_job_with_a_higher_priority_overtakes_those_that_wait(desk: Desk) -> None:
    first, second = desk.submit(spec(), spec())
    assert changed(desk, second.id, priority=1).terms.priority == 1
    assert [claim.job for claim in desk.claim(9)] == [second.id, first.id]


def test_a_changed_priority_is_obeyed_by_the_demand_of_the_same_turn(desk: Desk) -> None:
    first, second, third = desk.submit(spec(), spec(), spec())
    commands = [Amend(job=third.id, priority=2), Amend(job=first.id, priority=-1)]
    report = desk.turn(commands=commands, demand=[Demand(1, ("echo",), 2)])
    assert [claim.job for claim in report.claims] == [third.id, second.id]
    assert [claim.job for claim in desk.claim(9)] == [first.id]


def test_a_changed_job_goes_with_its_lane_and_the_counts_follow(desk: Desk) -> None:
    job, other = desk.submit(spec(data='"abc"'), spec())
    report = desk.turn(commands=[Amend(job=job.id, requires=BERLIN)])
    assert {entry.lane: entry.jobs for entry in report.ready} == {"echo": 1, IN_BERLIN: 1}
    assert [claim.job for claim in desk.claim(9, "echo")] == [other.id]
    (claim,) = desk.claim(9, IN_BERLIN)
    assert (claim.job, claim.data, claim.terms.requires) == (job.id, '"abc"', BERLIN)
    assert [view.id for view in desk.listed(requires=(("site", "berlin"),))] == [job.id]


def test_changed_tags_find_the_job_and_those_that_it_had_do_not(desk: Desk) -> None:
    job, other = desk.submit(spec(tags=("north", "old"), summary="order 7"), spec(tags=("old",)))
    assert changed(desk, job.id, tags=("north", "new")).about == About(tags=("north", "new"), summary="order 7")
    found = {tag: [view.id for view in desk.listed(tags=(tag,))] for tag in ("north", "old", "new")}
    assert found == {"north": [job.id], "old": [other.id], "new": [job.id]}
    assert [view.id for view in desk.listed(tags=("new", "north"))] == [job.id]
    assert changed(desk, other.id, tags=()).about == About()
    assert desk.listed(tags=("old",)) == []
    assert changed(desk, job.id, priority=3).about.tags == ("north", "new")


def test_tags_that_changed_twice_in_a_turn_are_those_of_the_last(desk: Desk) -> None:
    (job,) = desk.submit(spec(tags=("a",)))
    desk.turn(commands=[Amend(job=job.id, tags=("b",)), Amend(job=job.id, tags=("c",))])
    found = {tag: len(desk.listed(tags=(tag,))) for tag in ("a", "b", "c")}
    assert found == {"a": 0, "b": 0, "c": 1}


def test_a_job_may_change_its_lane_and_be_claimed_in_one_turn(desk: Desk) -> None:
    (job,) = desk.submit()
    report = desk.turn(commands=[Amend(job=job.id, requires=BERLIN)], demand=[Demand(1, ("echo", IN_BERLIN), 3)])
    assert [claim.job for claim in report.claims] == [job.id]
    assert report.claims[0].terms.requires == BERLIN


def test_a_job_that_has_left_its_lane_is_not_claimed_there(desk: Desk) -> None:
    (job,) = desk.submit()
    report = desk.turn(commands=[Amend(job=job.id, requires=BERLIN)], demand=[Demand(1, ("echo",), 3)])
    assert report.claims == []
    assert desk.states(job.id) == ["queued"]


def test_a_job_that_is_put_off_starts_when_its_new_time_has_come(desk: Desk) -> None:
    (job,) = desk.submit()
    at = desk.now_at
    report = desk.turn(
        commands=[Amend(job=job.id, delay_s=30.0, actor=Actor("anna"))], demand=[Demand(1, ("echo",), 1)]
    )
    (told,) = report.changes
    assert isinstance(told, Change)
    assert (told.old, told.new, told.actor) == (JobState.QUEUED, JobState.SCHEDULED, "anna")
    assert (report.claims, report.next_due_at) == ([], at + 30.0)
    desk.pass_time(29.0)
    assert desk.claim(9) == []
    desk.pass_time(2.0)
    assert [claim.job for claim in desk.claim(9)] == [job.id]


def test_a_scheduled_job_may_be_brought_forward_and_is_claimed_in_the_same_turn(desk: Desk) -> None:
    (job,) = desk.submit(spec(delay_s=1e6))
    report = desk.turn(commands=[Amend(job=job.id, delay_s=0.0)], demand=[Demand(1, ("echo",), 1)])
    assert [claim.job for claim in report.claims] == [job.id]


def test_a_job_that_backs_off_may_be_tried_at_once(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=500.0))
    assert changed(desk, claim.job, delay_s=0.0).run_at is None
    assert desk.claim_one().number == 2


def test_a_delay_that_somebody_sets_follows_the_wall_clock_and_not_the_queue_clock(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=500.0))
    changed(desk, claim.job, delay_s=100.0)
    desk.now_at += 101.0
    assert desk.claim_one().job == claim.job


def test_a_new_expiry_is_kept_and_an_old_one_forgotten(desk: Desk) -> None:
    later, never = desk.submit(spec(expires_s=5.0), spec(expires_s=5.0))
    changed(desk, later.id, expires_s=20.0)
    assert changed(desk, never.id, expires_s=None).expires_at is None
    desk.pass_time(10.0)
    desk.turn()
    assert desk.states(later.id, never.id) == ["queued", "queued"]
    desk.pass_time(20.0)
    desk.turn()
    assert desk.states(later.id, never.id) == ["expired", "queued"]


def test_a_job_that_would_never_start_is_not_changed(desk: Desk) -> None:
    (job,) = desk.submit(spec(expires_s=5.0))
    before = desk.job(job.id)
    report = desk.command(Amend(job=job.id, delay_s=6.0))
    assert (report.done, report.fault) == (False, Objection.NEVER_STARTS)
    assert desk.job(job.id) == before


def _running(desk: Desk) -> str:
    return desk.start().job


def _offered(desk: Desk) -> str:
    desk.submit()
    return desk.claim_one().job


def _succeeded(desk: Desk) -> str:
    claim = desk.start()
    desk.report(result(claim.attempt))
    return claim.job


def _cancelled(desk: Desk) -> str:
    (job,) = desk.submit()
    desk.command(Cancel(job.id, "no"))
    return job.id


def _doubtful(desk: Desk) -> str:
    claim = desk.start(effects="once")
    desk.report(Ended(claim.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost", counts_crash=True))
    return claim.job


@pytest.mark.parametrize("into", [_running, _offered, _succeeded, _cancelled, _doubtful])
@pytest.mark.parametrize("wanted", [{"priority": 1}, {"delay_s": 5.0}, {"delay_s": 0.0}, {"expires_s": 9.0}])
def test_a_job_that_does_not_wait_is_not_changed(desk: Desk, into: Any, wanted: dict[str, Any]) -> None:
    job = into(desk)
    before = desk.job(job)
    report = desk.command(Amend(job=job, **wanted))
    assert (report.done, report.fault) == (False, None)
    assert report.job is not None
    assert desk.job(job) == before


def test_a_job_that_is_given_back_in_the_turn_of_its_change_is_changed(desk: Desk) -> None:
    desk.submit()
    claim = desk.claim_one()
    report = desk.turn(reports=[lapsed(claim.attempt)], commands=[Amend(job=claim.job, requires=BERLIN)])
    assert report.commands[0].done
    assert [one.job for one in desk.claim(9, IN_BERLIN)] == [claim.job]


def test_a_late_result_still_counts_after_a_change(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=9.0))
    changed(desk, claim.job, delay_s=100.0)
    assert desk.report(result(claim.attempt)) is Verdict.RECORDED
    assert desk.states(claim.job) == ["succeeded"]


def test_a_change_of_a_job_that_is_not_there_does_nothing(desk: Desk) -> None:
    report = desk.command(Amend(job="job-99", priority=1))
    assert (report.done, report.job) == (False, None)


def test_a_change_outlives_a_restart(durable: Desk) -> None:
    (job,) = durable.submit()
    changed(durable, job.id, priority=3, requires=BERLIN, expires_s=60.0)
    before = durable.job(job.id)
    durable.reopen()
    assert durable.job(job.id) == before
    assert [claim.job for claim in durable.claim(9, IN_BERLIN)] == [job.id]


def test_a_job_that_is_in_none_of_the_named_states_is_not_changed(desk: Desk) -> None:
    (job,) = desk.submit(spec())
    report = desk.command(Amend(job=job.id, priority=5, if_states=(JobState.SCHEDULED,)))
    assert (report.done, report.fault, desk.job(job.id).terms.priority) == (False, None, 0)
    assert changed(desk, job.id, priority=5, if_states=(JobState.QUEUED,)).terms.priority == 5
