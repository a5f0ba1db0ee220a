"""The lines of a job's log in a store: their order, numbers and tries, and how many are kept."""

from __future__ import annotations

from dispatcher.core.jobs.turn import Cancel, Logged, Started, Verdict
from tests.store.contract import HOLDER, Desk, lost, result


def test_log_lines_are_kept_in_order_with_their_instants(desk: Desk) -> None:
    claim = desk.start()
    desk.turn(reports=[Logged(claim.attempt, "one"), Logged(claim.attempt, "two \N{SNOWMAN}")])
    desk.pass_time(3.0)
    at = desk.now_at
    desk.report(Logged(claim.attempt, "three"))
    log = desk.job(claim.job).log
    assert [line.line for line in log] == ["one", "two \N{SNOWMAN}", "three"]
    assert log[2].at == at


def test_a_log_line_says_which_try_wrote_it(desk: Desk) -> None:
    first = desk.start()
    desk.report(Logged(first.attempt, "no paper"))
    desk.report(lost(first.attempt))
    desk.pass_time(600.0)
    second = desk.claim_one()
    assert desk.report(Started(second.attempt, HOLDER)) is Verdict.RECORDED
    desk.turn(reports=[Logged(second.attempt, "paper"), result(second.attempt)])
    assert second.job == first.job
    assert [(line.line, line.number) for line in desk.job(first.job).log] == [("no paper", 1), ("paper", 2)]


def test_lines_are_counted_through_the_tries_of_a_job_and_beside_other_jobs(desk: Desk) -> None:
    one, other = desk.start(), desk.start()
    desk.turn(reports=[Logged(claim.attempt, text) for text in ("a", "b") for claim in (one, other)])
    desk.turn(reports=[Logged(one.attempt, "c"), lost(one.attempt)])
    desk.pass_time(600.0)
    again = desk.claim_one()
    desk.turn(reports=[Started(again.attempt, HOLDER), Logged(again.attempt, "d")])
    assert [(line.line, line.line_no) for line in desk.job(one.job).log] == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert [(line.line, line.line_no) for line in desk.job(other.job).log] == [("a", 1), ("b", 2)]


def test_the_newest_log_lines_are_shown(desk: Desk) -> None:
    claim = desk.start()
    desk.turn(reports=[Logged(claim.attempt, str(n)) for n in range(500)])
    assert [(line.line, line.line_no) for line in desk.job(claim.job).log] == [(str(n - 1), n) for n in range(301, 501)]
    desk.report(Logged(claim.attempt, "500"))
    assert [line.line_no for line in desk.job(claim.job).log] == list(range(302, 502)), "a line keeps its number"


def test_a_cancelled_job_keeps_the_last_lines_of_its_task(desk: Desk) -> None:
    claim = desk.start()
    desk.command(Cancel(claim.job, "wrong order"))
    assert desk.report(Logged(claim.attempt, "stopped at page 3")) is Verdict.RECORDED
    job = desk.job(claim.job)
    assert ([line.line for line in job.log], job.state) == (["stopped at page 3"], "cancelled")
    done = desk.start()
    desk.report(result(done.attempt))
    assert desk.report(Logged(done.attempt, "late")) is Verdict.STALE
    assert desk.job(done.job).log == []


def test_a_line_that_is_said_again_is_kept_once_also_over_a_restart(durable: Desk) -> None:
    desk = durable
    claim = desk.start()
    order = [Logged(claim.attempt, "printing order 4990", n) for n in (1, 2)]
    verdicts = [settled.verdict for settled in desk.turn(reports=[order[0], order[0]]).verdicts]
    assert verdicts == [Verdict.RECORDED, Verdict.DUPLICATE]
    desk.reopen()
    found = [desk.report(line) for line in (order[0], order[1], order[1], Logged(claim.attempt, "of an old page"))]
    assert found == [Verdict.DUPLICATE, Verdict.RECORDED, Verdict.DUPLICATE, Verdict.RECORDED]
    lines = [(line.line, line.line_no) for line in desk.job(claim.job).log]
    assert lines == [("printing order 4990", 1), ("printing order 4990", 2), ("of an old page", 3)]
    desk.report(lost(claim.attempt))
    assert desk.report(order[1]) is Verdict.DUPLICATE, "its page does not know yet that it is lost"
