"""The contract of a store: jobs that wait for a time, jobs that expire, and the queue clock."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.turn import Amend, Demand, Retry, Started
from dispatcher.store.applier.turn import SWEEP
from tests.store.contract import HOLDER, NOW, Desk, error, lapsed, result
from tests.support.jobs import finished, spec


def test_a_delayed_job_is_not_claimed_before_its_time(desk: Desk) -> None:
    (job,) = desk.submit(spec(delay_s=10.0))
    assert (job.state, job.run_at) == ("scheduled", NOW + 10.0)
    assert desk.turn().next_due_at == NOW + 10.0
    desk.pass_time(9.9)
    assert desk.claim(9) == []
    desk.pass_time(0.1)
    assert [claim.job for claim in desk.claim(9)] == [job.id]
    assert desk.job(job.id).run_at is None


def test_a_backoff_ends_at_its_time(desk: Desk) -> None:
    claim = desk.start()
    at = desk.now_at
    report = desk.turn(reports=[error(claim.attempt, delay_s=4.0)], demand=[Demand(1, ("echo",), 1)])
    assert (report.claims, report.next_due_at) == ([], None)
    assert report.next_backoff_s == pytest.approx(desk.elapsed_s - 0.001 + 4.0)
    assert desk.job(claim.job).run_at == at + 4.0
    desk.pass_time(4.0)
    assert desk.claim_one().number == 2


def test_a_backoff_is_a_duration_and_follows_no_wall_clock(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=4.0))
    desk.now_at -= 86_400.0
    desk.pass_time(3.9)
    assert desk.claim(1) == []
    desk.pass_time(0.1)
    assert desk.claim_one().number == 2


def test_a_job_that_becomes_ready_again_has_its_head_start_again(desk: Desk) -> None:
    urgent, failing = desk.submit(spec(delay_s=50.0, priority=1), spec("other", priority=-1))
    claim = desk.claim_one("other")
    desk.report(error(claim.attempt, delay_s=None))
    (plain,) = desk.submit(spec())
    desk.pass_time(55.0)
    # 55 s - 60 s, 0 s, 55 s + 60 s
    desk.command(Retry(failing.id))
    (late,) = desk.submit(spec())
    claims = desk.claim(9, "echo", "other")
    assert [claim.job for claim in claims] == [urgent.id, plain.id, late.id, failing.id]


def test_delayed_jobs_follow_the_wall_clock_however_it_is_stepped(desk: Desk) -> None:
    (job,) = desk.submit(spec(delay_s=3600.0))
    desk.now_at += 4000.0
    assert desk.claim_one().job == job.id
    (later,) = desk.submit(spec(delay_s=3600.0))
    desk.now_at -= 100_000.0
    assert desk.claim(9) == []
    assert desk.states(later.id) == ["scheduled"]


def test_the_next_instant_is_the_earliest_of_all_and_none_when_nothing_waits(desk: Desk) -> None:
    specs = [spec(delay_s=50.0), spec(expires_s=30.0), spec(delay_s=40.0, expires_s=60.0)]
    assert desk.turn().next_due_at is None
    desk.now_at = NOW
    assert desk.turn(submissions=specs).next_due_at == NOW + 30.0
    for instant, after in ((30.0, NOW + 40.0), (50.0, NOW + 60.0), (60.0, None)):
        desk.now_at = NOW + instant
        assert desk.turn().next_due_at == after


@pytest.mark.parametrize("delay_s", [0.0, 5.0])
def test_a_job_that_was_not_started_in_time_expires_and_is_never_offered(desk: Desk, delay_s: float) -> None:
    (job,) = desk.submit(spec(delay_s=delay_s, expires_s=10.0))
    desk.pass_time(4.0)
    assert finished(desk.turn()) == []
    desk.pass_time(6.0)
    report = desk.turn(demand=[Demand(1, ("echo",), 1)])
    assert (finished(report), report.claims) == ([job.id], [])
    shown = desk.job(job.id)
    assert (shown.state, shown.reason) == ("expired", "expired")
    assert shown.ended_at == pytest.approx(NOW + 10.0, abs=0.01)


def test_a_job_that_is_due_and_has_expired_at_once_expires(desk: Desk) -> None:
    (job,) = desk.submit(spec(delay_s=5.0, expires_s=10.0))
    desk.pass_time(100.0)
    assert desk.claim(9) == []
    assert desk.states(job.id) == ["expired"]


def test_a_running_job_does_not_expire(desk: Desk) -> None:
    (job,) = desk.submit(spec(expires_s=10.0))
    claim = desk.claim_one()
    desk.report(Started(claim.attempt, HOLDER))
    desk.pass_time(100.0)
    assert finished(desk.turn()) == []
    desk.report(result(claim.attempt))
    assert desk.states(job.id) == ["succeeded"]


def test_an_offer_that_lapses_brings_the_jobs_expiry_back(desk: Desk) -> None:
    (job,) = desk.submit(spec(expires_s=10.0))
    claim = desk.claim_one()
    desk.submit(spec("other", expires_s=5.0))
    desk.pass_time(6.0)
    # The other one expires; while ours runs, nothing else is expected.
    assert desk.turn().next_due_at is None
    assert desk.turn(reports=[lapsed(claim.attempt)]).next_due_at == job.expires_at == NOW + 10.0
    desk.pass_time(5.0)
    assert desk.claim(1) == []
    assert desk.states(job.id) == ["expired"]


def test_a_backoff_brings_the_jobs_expiry_back(desk: Desk) -> None:
    (job,) = desk.submit(spec(expires_s=10.0))
    claim = desk.claim_one()
    desk.submit(spec("other", expires_s=5.0))
    desk.pass_time(6.0)
    desk.turn()
    assert desk.turn(reports=[error(claim.attempt, delay_s=100.0)]).next_due_at == job.expires_at
    desk.pass_time(5.0)
    assert finished(desk.turn()) == [job.id]


def test_a_retry_takes_the_expiry_away(desk: Desk) -> None:
    (job,) = desk.submit(spec(expires_s=10.0))
    desk.pass_time(10.0)
    desk.turn()
    assert desk.command(Retry(job.id)).done
    desk.pass_time(10.0)
    assert desk.claim_one().job == job.id
    assert desk.job(job.id).expires_at is None


def test_more_due_jobs_than_one_turn_moves_are_moved_by_the_next_turns(desk: Desk) -> None:
    total = SWEEP + 200
    # The first one to be submitted becomes due last.
    jobs = desk.submit(*[spec(delay_s=10.0 - n / total) for n in range(total)])
    desk.pass_time(20.0)
    first = desk.turn(demand=[Demand(1, ("echo",), total)])
    assert first.more
    assert [claim.job for claim in first.claims] == [job.id for job in jobs[200:]]
    second = desk.turn(demand=[Demand(1, ("echo",), total)])
    assert (len(second.claims), second.more, second.next_due_at) == (200, False, None)


def test_more_expired_jobs_than_one_turn_moves_are_not_offered_meanwhile(desk: Desk) -> None:
    total = SWEEP + 200
    desk.submit(*[spec(expires_s=10.0, priority=1) for _ in range(total)])
    (good,) = desk.submit(spec())
    desk.pass_time(20.0)
    claims, ended, turns = [], [], 0
    more = True
    while more:
        report = desk.turn(demand=[Demand(1, ("echo",), 150)])
        claims += report.claims
        ended += finished(report)
        more, turns = report.more, turns + 1
    assert turns == 2
    assert [claim.job for claim in claims] == [good.id]
    assert len(ended) == len(set(ended)) == total
    assert desk.counts() == {"expired": total, "running": 1}


def test_what_is_due_is_known_again_after_the_store_was_opened_anew(durable: Desk) -> None:
    durable.submit(spec(delay_s=10.0), spec("other", expires_s=20.0))
    durable.reopen()
    assert durable.turn().next_due_at == NOW + 10.0
    durable.pass_time(15.0)
    assert len(durable.claim(1)) == 1
    durable.pass_time(15.0)
    assert len(finished(durable.turn())) == 1


def test_the_queue_clock_goes_on_over_a_restart_and_never_back(durable: Desk) -> None:
    (first,) = durable.submit(spec())
    durable.pass_time(100.0)
    (second,) = durable.submit(spec())
    durable.reopen()
    # A new process counts from 0, whatever the wall clock says.
    durable.now_at -= 1_000_000.0
    (third,) = durable.submit(spec())
    (urgent,) = durable.submit(spec(priority=1))
    # The head start of 60 s reaches before the second (100 s) and not before the first (0 s).
    assert [claim.job for claim in durable.claim(9)] == [first.id, urgent.id, second.id, third.id]


def test_the_queue_clock_counts_over_many_restarts(durable: Desk) -> None:
    jobs = []
    for _ in range(3):
        jobs += durable.submit(spec())
        durable.pass_time(40.0)
        durable.turn(submissions=[spec("other")])
        durable.reopen()
    # At 120 s, so that its head start ends between the second (40 s) and the third (80 s).
    (urgent,) = durable.submit(spec(priority=1))
    ids = [job.id for job in jobs]
    assert [claim.job for claim in durable.claim(9)] == [ids[0], ids[1], urgent.id, ids[2]]


def test_jobs_that_are_due_at_the_same_instant_go_in_the_order_in_which_they_came(desk: Desk) -> None:
    first, second = desk.submit(spec(delay_s=10.0), spec(delay_s=10.0))
    desk.command(Amend(job=first.id, priority=0, expires_s=99.0))
    desk.pass_time(11.0)
    assert [change.job for change in desk.turn().changes] == [first.id, second.id]
