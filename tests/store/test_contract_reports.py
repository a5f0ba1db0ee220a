"""The contract of a store: every report on an attempt, its verdict and what it does to the job."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.core.jobs.ledger import EVIDENCE_BYTES
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cancel, Cause, Demand, Ended, Holder, Logged, Progressed, Retry, Started, Verdict
from tests.store.conftest import OpenDesk
from tests.store.contract import HOLDER, NOW, Desk, Kind, error, lapsed, lost, released, result
from tests.support.jobs import finished, spec

RECORDED, DUPLICATE, STALE = Verdict.RECORDED, Verdict.DUPLICATE, Verdict.STALE


def test_an_accept_starts_the_attempt(desk: Desk) -> None:
    claim = desk.start()
    job = desk.job(claim.job)
    assert (job.state, job.number, job.worker, job.worker_name) == ("running", 1, "worker-1", "Anna")
    (attempt,) = job.attempts
    assert (attempt.state, attempt.number, attempt.worker, attempt.worker_name) == ("running", 1, "worker-1", "Anna")
    assert job.started_at == attempt.started_at
    assert NOW < (job.started_at or 0) < desk.now_at


def test_a_repeated_accept_changes_nothing(desk: Desk) -> None:
    claim = desk.start()
    before = desk.job(claim.job)
    desk.pass_time(5.0)
    assert desk.report(Started(claim.attempt, HOLDER)) is RECORDED
    assert desk.job(claim.job) == before


def test_a_result_ends_the_job(desk: Desk) -> None:
    claim = desk.start()
    report = desk.turn(reports=[result(claim.attempt, '{"n": 1e2}')])
    assert ([settled.verdict for settled in report.verdicts], finished(report)) == ([RECORDED], [claim.job])
    job = desk.job(claim.job)
    assert (job.state, job.result, job.error, job.reason) == ("succeeded", '{"n": 1e2}', None, None)
    assert job.ended_at is not None
    assert [(attempt.state, attempt.ended_at) for attempt in job.attempts] == [("succeeded", job.ended_at)]


def test_a_result_without_an_accept_implies_it(desk: Desk) -> None:
    desk.submit()
    claim = desk.claim_one()
    assert desk.report(result(claim.attempt)) is RECORDED
    job = desk.job(claim.job)
    assert (job.state, job.number, job.worker, job.started_at) == ("succeeded", 1, "worker-1", job.offered_at)
    assert [attempt.number for attempt in job.attempts] == [1]


def test_accept_progress_and_result_in_one_turn_are_applied_in_order(desk: Desk) -> None:
    desk.submit()
    name = desk.claim_one().attempt
    reports = [Started(name, HOLDER), Progressed(name, 50.0, "half"), Logged(name, "line"), result(name), result(name)]
    verdicts = [settled.verdict for settled in desk.turn(reports=reports).verdicts]
    assert verdicts == [RECORDED, RECORDED, RECORDED, RECORDED, DUPLICATE]
    assert desk.counts() == {"succeeded": 1}


def test_a_repeated_result_is_a_duplicate_and_the_first_value_stays(desk: Desk) -> None:
    claim = desk.start()
    assert desk.report(result(claim.attempt, "1")) is RECORDED
    before = desk.job(claim.job)
    desk.pass_time(9.0)
    assert desk.report(result(claim.attempt, "2")) is DUPLICATE
    assert desk.job(claim.job) == before


def test_a_repeated_result_is_a_duplicate_after_a_restart_too(durable: Desk) -> None:
    claim = durable.start()
    durable.report(result(claim.attempt, "1"))
    durable.reopen()
    assert durable.report(result(claim.attempt, "2")) is DUPLICATE
    assert durable.job(claim.job).result == "1"


def test_reports_on_an_attempt_that_never_was_are_stale(desk: Desk) -> None:
    desk.start()
    before = desk.listed()
    for name in ("", "0000000001-", "no such attempt", "\N{SNOWMAN}" * 100):
        reports = [result(name), error(name), lost(name), lapsed(name), Started(name, HOLDER), Logged(name, "x")]
        report = desk.turn(reports=reports)
        assert {settled.verdict for settled in report.verdicts} == {STALE}
        assert report.changes == []
    assert desk.listed() == before


def test_an_error_backs_the_job_off_and_counts(desk: Desk) -> None:
    claim = desk.start()
    report = desk.turn(reports=[error(claim.attempt, delay_s=4.0)])
    assert ([settled.verdict for settled in report.verdicts], finished(report)) == ([RECORDED], [])
    job = desk.job(claim.job)
    assert (job.state, job.errors, job.crashes, job.number) == ("scheduled", 1, 0, 1)
    assert (job.reason, job.detail, job.error, job.ended_at) == ("error", "no", '{"message":"no"}', None)
    assert [(attempt.state, attempt.error) for attempt in job.attempts] == [("error", '{"message":"no"}')]


def test_an_error_that_ends_the_job_fails_it(desk: Desk) -> None:
    claim = desk.start()
    report = desk.turn(reports=[error(claim.attempt, delay_s=None)])
    assert ([settled.verdict for settled in report.verdicts], finished(report)) == ([RECORDED], [claim.job])
    job = desk.job(claim.job)
    assert (job.state, job.reason, job.errors) == ("failed", "error", 1)
    assert job.ended_at is not None


def test_a_timeout_counts_as_an_error(desk: Desk) -> None:
    claim = desk.start()
    ended = Ended(claim.attempt, Cause.TIMED_OUT, Event.BACK_OFF, HOLDER, 2.0, "timed_out", counts_error=True)
    assert desk.report(ended) is RECORDED
    job = desk.job(claim.job)
    assert (job.state, job.reason, job.errors) == ("scheduled", "timed_out", 1)
    assert job.attempts[0].state == "timed_out"


def test_a_loss_returns_the_job_to_its_lane_and_counts_as_a_crash(desk: Desk) -> None:
    claim = desk.start()
    assert desk.report(lost(claim.attempt)) is RECORDED
    job = desk.job(claim.job)
    assert (job.state, job.errors, job.crashes, job.number) == ("queued", 0, 1, 1)
    assert job.attempts[0].state == "lost"


def test_a_loss_by_the_servers_restart_counts_nothing(desk: Desk) -> None:
    claim = desk.start()
    assert desk.report(lost(claim.attempt, counts=False)) is RECORDED
    job = desk.job(claim.job)
    assert (job.state, job.errors, job.crashes, job.number) == ("queued", 0, 0, 1)


def test_one_loss_too_many_fails_the_job_as_poison(desk: Desk) -> None:
    claim = desk.start()
    report = desk.turn(reports=[lost(claim.attempt, poison=True)])
    job = desk.job(claim.job)
    assert (finished(report), job.state, job.reason, job.crashes) == ([claim.job], "failed", "poison", 1)


@pytest.mark.parametrize(("ended", "state"), [(lapsed, "lapsed"), (released, "released")])
def test_an_offer_that_nobody_took_has_no_number_and_uses_up_nothing(desk: Desk, ended, state: str) -> None:
    (job,) = desk.submit()
    claim = desk.claim_one()
    assert desk.report(ended(claim.attempt)) is RECORDED
    shown = desk.job(job.id)
    assert (shown.state, shown.number, shown.errors, shown.crashes) == ("queued", 0, 0, 0)
    assert [(attempt.number, attempt.state) for attempt in shown.attempts] == [(None, state)]
    assert desk.claim_one().number == 1


def test_numbers_have_no_gaps_over_lapses_losses_errors_and_retries(desk: Desk) -> None:
    (job,) = desk.submit(spec())
    for ending in (lapsed, lost, lapsed, error, released, lost):
        claim = desk.claim_one()
        if ending in (lost, error):
            desk.report(Started(claim.attempt, HOLDER))
        assert desk.report(ending(claim.attempt)) is RECORDED
        desk.pass_time(5.0)
        desk.turn()
    claim = desk.claim_one()
    desk.report(error(claim.attempt, delay_s=None))
    desk.command(Retry(job.id))
    assert desk.claim_one().number == 5
    shown = desk.job(job.id)
    assert [attempt.number for attempt in shown.attempts] == [None, 1, None, 2, None, 3, 4, 5]
    assert (shown.number, shown.errors, shown.crashes) == (4, 0, 0)


# late reports


def test_a_late_result_is_recorded_while_the_job_is_queued_again(desk: Desk) -> None:
    claim = desk.start()
    desk.report(lost(claim.attempt))
    report = desk.turn(reports=[result(claim.attempt, "7")])
    assert ([settled.verdict for settled in report.verdicts], finished(report)) == ([RECORDED], [claim.job])
    job = desk.job(claim.job)
    assert (job.state, job.result, job.number) == ("succeeded", "7", 1)
    assert [attempt.state for attempt in job.attempts] == ["lost"]
    assert desk.claim(9) == []


def test_a_late_result_is_recorded_while_the_job_backs_off(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=100.0))
    assert desk.report(result(claim.attempt, "7")) is RECORDED
    job = desk.job(claim.job)
    assert (job.state, job.result, job.run_at) == ("succeeded", "7", None)
    desk.pass_time(200.0)
    assert desk.claim(9) == []


def test_a_late_result_settles_a_job_in_doubt(desk: Desk) -> None:
    claim = desk.start()
    assert desk.report(Ended(claim.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost")) is RECORDED
    assert desk.states(claim.job) == ["in_doubt"]
    assert desk.report(result(claim.attempt, "7")) is RECORDED
    assert desk.job(claim.job).result == "7"


@pytest.mark.parametrize("end", [lost, error, lapsed, released])
def test_where_late_results_do_not_count_they_are_stale_and_kept(
    open_desk: OpenDesk, kind: Kind, end: Callable[[str], Ended]
) -> None:
    desk = open_desk(kind, late_accept=False)
    claim = desk.start()
    desk.report(end(claim.attempt))
    before = desk.job(claim.job)
    assert desk.report(result(claim.attempt, "7")) is STALE
    assert desk.job(claim.job) == before
    assert desk.evidence(claim.attempt) == "7"


def test_where_late_results_do_not_count_a_result_in_time_and_one_of_a_job_in_doubt_do(
    open_desk: OpenDesk, kind: Kind
) -> None:
    desk = open_desk(kind, late_accept=False)
    first, second = desk.start(), desk.start()
    assert desk.report(result(first.attempt, "1")) is RECORDED
    assert desk.report(result(first.attempt, "1")) is DUPLICATE
    desk.report(Ended(second.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost"))
    assert desk.report(result(second.attempt, "2")) is RECORDED


def test_a_late_result_of_a_lapsed_offer_gives_the_attempt_its_number(desk: Desk) -> None:
    (job,) = desk.submit()
    claim = desk.claim_one()
    desk.report(lapsed(claim.attempt))
    assert desk.report(result(claim.attempt)) is RECORDED
    shown = desk.job(job.id)
    assert (shown.state, shown.number) == ("succeeded", 1)
    assert [(attempt.number, attempt.state) for attempt in shown.attempts] == [(1, "lapsed")]


def test_a_late_result_is_stale_after_a_newer_claim_and_the_newer_attempt_lives(desk: Desk) -> None:
    old = desk.start()
    desk.report(lost(old.attempt))
    new = desk.claim_one()
    assert desk.report(result(old.attempt, '"late"')) is STALE
    assert desk.states(new.job) == ["running"]
    assert desk.report(result(new.attempt, '"new"')) is RECORDED
    assert desk.report(result(old.attempt, '"late again"')) is STALE
    assert desk.job(new.job).result == '"new"'
    assert desk.evidence(old.attempt) == '"late"'


def test_a_late_result_is_stale_in_the_turn_that_claims_the_job_anew_only_after_it(desk: Desk) -> None:
    old = desk.start()
    desk.report(lost(old.attempt))
    report = desk.turn(reports=[result(old.attempt)], demand=[Demand(1, ("echo",), 1)])
    assert (report.verdicts[0].verdict, report.claims) == (RECORDED, [])


def test_a_late_result_is_stale_once_the_job_is_final(desk: Desk) -> None:
    failed, cancelled = desk.start(), desk.start()
    desk.report(error(failed.attempt, delay_s=None))
    desk.command(Cancel(cancelled.job, "no more"))
    assert desk.report(result(failed.attempt, "1")) is STALE
    assert desk.report(result(cancelled.attempt, "2")) is STALE
    assert desk.states(failed.job, cancelled.job) == ["failed", "cancelled"]
    assert [desk.job(claim.job).result for claim in (failed, cancelled)] == [None, None]
    assert [desk.evidence(claim.attempt) for claim in (failed, cancelled)] == ["1", "2"]


def test_a_result_that_comes_in_the_turn_of_a_cancel_is_recorded_before_it(desk: Desk) -> None:
    claim = desk.start()
    report = desk.turn(reports=[result(claim.attempt)], commands=[Cancel(claim.job, "too late")])
    assert report.verdicts[0].verdict is RECORDED
    assert not report.commands[0].done
    assert desk.states(claim.job) == ["succeeded"]


@pytest.mark.parametrize("ending", [error, lost, lapsed, released])
def test_a_late_end_that_is_no_result_is_stale(desk: Desk, ending) -> None:
    claims = queued, delayed, failed, doubtful = *(desk.start() for _ in range(3)), desk.start(effects="once")
    desk.turn(reports=[lost(queued.attempt), error(delayed.attempt), error(failed.attempt, delay_s=None)])
    desk.report(Ended(doubtful.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost"))
    before = [desk.job(claim.job) for claim in claims]
    for claim in claims:
        assert desk.report(ending(claim.attempt)) is STALE
        assert desk.report(error(claim.attempt, delay_s=None)) is STALE
        assert desk.report(Started(claim.attempt, HOLDER)) is STALE
        assert desk.report(Progressed(claim.attempt, 1.0, None)) is STALE
    assert [desk.job(claim.job) for claim in claims] == before


@pytest.mark.parametrize(("size", "kept"), [(EVIDENCE_BYTES, True), (EVIDENCE_BYTES + 1, False)])
def test_a_stale_result_is_kept_as_evidence_up_to_64_kib(desk: Desk, size: int, kept: bool) -> None:
    claim = desk.start()
    desk.command(Cancel(claim.job, "no"))
    value = '"' + "x" * (size - 2) + '"'
    assert desk.report(result(claim.attempt, value)) is STALE
    assert desk.evidence(claim.attempt) == (value if kept else None)


# progress and log


def test_progress_is_shown_until_the_next_try_starts(desk: Desk) -> None:
    claim = desk.start()
    desk.turn(reports=[Progressed(claim.attempt, 10.0, "reading"), Progressed(claim.attempt, 20.5, None)])
    job = desk.job(claim.job)
    assert (job.percent, job.note) == (20.5, "reading")
    desk.report(Progressed(claim.attempt, None, "writing"))
    job = desk.job(claim.job)
    assert (job.percent, job.note) == (20.5, "writing")
    desk.report(lost(claim.attempt))
    job = desk.job(claim.job)
    assert (job.percent, job.note) == (20.5, "writing")
    desk.report(Started(desk.claim_one(job.type).attempt, HOLDER))
    job = desk.job(claim.job)
    assert (job.percent, job.note) == (None, None)


def test_a_view_that_was_read_does_not_change_with_the_store(desk: Desk) -> None:
    claim = desk.start()
    desk.report(Logged(claim.attempt, "one"))
    before = desk.job(claim.job)
    copy = (list(before.log), list(before.attempts), before.state)
    desk.turn(reports=[Logged(claim.attempt, "two"), result(claim.attempt)])
    assert (before.log, before.attempts, before.state) == copy


def test_the_holder_of_a_result_is_shown(desk: Desk) -> None:
    desk.submit()
    claim = desk.claim_one()
    desk.report(result(claim.attempt, holder=Holder("worker-2", "Ben", "boot-9")))
    job = desk.job(claim.job)
    assert (job.worker, job.worker_name) == ("worker-2", "Ben")
    assert (job.attempts[0].worker, job.attempts[0].worker_name) == ("worker-2", "Ben")


def test_a_job_that_succeeds_keeps_what_it_had_before(durable: Desk) -> None:
    """A plain success is written in few columns: the others must stay."""
    durable.submit(spec(max_attempts=5, key="k", fingerprint="f", expires_s=900.0, requires=(("site", ("berlin",)),)))
    lane = 'echo {"site":"berlin"}'
    durable.report(error(durable.claim_one(lane).attempt, delay_s=1.0))
    durable.pass_time(2.0)
    claim = durable.claim_one(lane)
    durable.turn(reports=[Started(claim.attempt, HOLDER), Progressed(claim.attempt, 50.0, "half")])
    before = durable.job(claim.job)
    durable.report(result(claim.attempt, "7"))
    after = durable.job(claim.job)
    durable.reopen()
    assert durable.job(claim.job) == after
    changed = {name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)}
    assert changed == {"state", "reason", "detail", "percent", "note", "result", "ended_at", "stopped_at", "attempts"}
