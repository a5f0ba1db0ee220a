"""The contract of a store: what people decide about jobs in doubt, and late answers that they adopt."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dispatcher.access.acts import Actor, AuditFilter
from dispatcher.core.jobs.acts.doubts import AnswerDoubt
from dispatcher.core.jobs.ledger import REOPEN_S
from dispatcher.core.jobs.states import Event, JobState
from dispatcher.core.jobs.turn import Adopt, Cancel, Cause, Claim, Decide, Ended, Reopen, Retry, Started, Verdict
from tests.store.contract import HOLDER, Desk, error, lapsed, lost, result


def _in_doubt(desk: Desk) -> Claim:
    claim = desk.start(effects="once")
    desk.report(Ended(claim.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost", counts_crash=True))
    return claim


def _late_answers(desk: Desk, *values: str) -> list[Claim]:
    """The attempts of a failed job that were lost and have answered too late, one for each value."""
    claims = [desk.start()]
    for _ in values[1:]:
        desk.report(lost(claims[-1].attempt))
        claims.append(desk.claim_one())
    desk.report(lost(claims[-1].attempt))
    last = desk.claim_one()
    desk.report(error(last.attempt, delay_s=None))
    for claim, value in zip(claims, values, strict=True):
        assert desk.report(result(claim.attempt, value)) is Verdict.STALE
    return claims


@pytest.mark.parametrize(("value", "state"), [('{"paid": 1.0}', JobState.SUCCEEDED), (None, JobState.FAILED)])
def test_a_person_settles_a_job_in_doubt(desk: Desk, value: str | None, state: JobState) -> None:
    claim = _in_doubt(desk)
    report = desk.command(Decide(claim.job, value, "the bank says so"))
    assert (report.done, report.revoked) == (True, None)
    job = desk.job(claim.job)
    assert (job.state, job.reason, job.detail, job.result) == (state, "decided", "the bank says so", value)
    assert desk.counts() == {str(state): 1}


@pytest.mark.parametrize("command", [None, Decide("", "1", ""), Decide("", None, "")])
def test_a_job_stopped_to_run_when_its_attempt_ended_whatever_a_person_decides(
    desk: Desk, command: Decide | None
) -> None:
    claim = desk.start(effects="once")
    desk.pass_time(4.0)
    ended_at = desk.now_at
    desk.report(Ended(claim.attempt, Cause.TIMED_OUT, Event.DOUBT, HOLDER, reason="timed_out"))
    desk.pass_time(60.0)
    if command is not None:
        desk.command(replace(command, job=claim.job))
    for job in (desk.job(claim.job), *desk.listed()):
        assert job.stopped_at == ended_at
        assert job.ended_at == (None if command is None else pytest.approx(ended_at + 60, abs=1))


def test_a_job_stopped_to_run_with_its_newest_attempt_and_not_while_one_runs(desk: Desk) -> None:
    claim = desk.start()
    assert [job.stopped_at for job in desk.listed()] == [None]
    desk.report(error(claim.attempt))
    stopped_at = desk.listed()[0].stopped_at
    desk.pass_time(5.0)
    desk.turn()
    assert (
        stopped_at == desk.job(claim.job).attempts[0].ended_at == desk.listed(states=(JobState.QUEUED,))[0].stopped_at
    )
    again = desk.claim_one()
    assert [job.stopped_at for job in desk.listed()] == [None]
    desk.report(Started(again.attempt, HOLDER))
    desk.pass_time(5.0)
    desk.command(Cancel(claim.job, ""))
    assert desk.listed()[0].stopped_at == desk.job(claim.job).ended_at


def test_a_job_stopped_to_run_when_its_result_came_even_if_it_came_late(desk: Desk) -> None:
    claims = [desk.start(), desk.start()]
    desk.report(error(claims[1].attempt))
    for claim in claims:
        desk.pass_time(1.0)
        desk.report(result(claim.attempt))
    assert [job.stopped_at for job in desk.listed()] == [job.ended_at for job in desk.listed()]
    assert None not in [job.stopped_at for job in desk.listed()]


_QUESTION = "Did the label for order 4711 come out?"


def _answer(claim: Claim, happened: bool | None, **fields: Any) -> AnswerDoubt:
    asked: dict[str, Any] = {"attempt": claim.attempt, "worker": HOLDER.worker, "question": _QUESTION}
    asked |= {"actor": Actor("worker FRONT-DESK-07", remote="10.0.0.9")} | fields
    return AnswerDoubt(job=claim.job, happened=happened, **asked)


def _acts(desk: Desk) -> list[tuple[str, str, str, str]]:
    page = desk.run(desk.store.acts(AuditFilter()))
    return [(act.actor.name, act.action, act.target, act.detail) for act in page.items]


@pytest.mark.parametrize(
    ("happened", "state", "action", "detail"),
    [
        (True, "succeeded", "job.decide", f"succeeded: {_QUESTION} Yes"),
        (False, "queued", "job.retry", f"{_QUESTION} No"),
    ],
)
def test_the_person_at_the_page_settles_a_job_in_doubt_and_is_the_author(
    desk: Desk, happened: bool, state: str, action: str, detail: str
) -> None:
    claim = _in_doubt(desk)
    report = desk.turn(commands=[_answer(claim, happened)])
    assert [done.done for done in report.commands] == [True]
    assert [(change.new, change.actor) for change in report.changes] == [(state, "worker FRONT-DESK-07")]
    job = desk.job(claim.job)
    assert (job.state, job.result) == (state, "null" if happened else None)
    assert _acts(desk) == [("worker FRONT-DESK-07", action, claim.job, detail)]


def test_a_page_that_only_asks_changes_nothing_and_hears_whether_its_answer_would_count(desk: Desk) -> None:
    claim = desk.start(effects="once")
    assert not desk.command(_answer(claim, None)).done
    doubt = Ended(claim.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost", counts_crash=True)
    report = desk.turn(reports=[doubt], commands=[_answer(claim, None)])
    assert [done.done for done in report.commands] == [True], "the reports of a turn come before its commands"
    before = desk.job(claim.job)
    assert (before.state, desk.command(_answer(claim, None)).done) == (JobState.IN_DOUBT, True)
    assert (desk.job(claim.job), _acts(desk)) == (before, [])


@pytest.mark.parametrize("field", ["worker", "attempt"])
@pytest.mark.parametrize("happened", [None, True, False])
def test_an_answer_of_another_worker_or_about_another_attempt_changes_nothing(
    desk: Desk, field: str, happened: bool | None
) -> None:
    claim, other = _in_doubt(desk), desk.start()
    before = desk.job(claim.job)
    wrong = {"worker": "worker-2", "attempt": other.attempt}[field]
    report = desk.command(_answer(claim, happened, **{field: wrong}))
    assert (report.done, report.job) == (False, None), "it hears nothing of the job either"
    assert (desk.job(claim.job), _acts(desk)) == (before, [])


def test_an_answer_about_an_earlier_attempt_does_not_settle_the_next_doubt(desk: Desk) -> None:
    first = _in_doubt(desk)
    desk.command(_answer(first, False))
    second = desk.claim_one()
    desk.report(Started(second.attempt, HOLDER))
    assert not desk.command(_answer(first, True)).done
    desk.report(Ended(second.attempt, Cause.LOST, Event.DOUBT, HOLDER, reason="lost", counts_crash=True))
    assert not desk.command(_answer(first, True)).done
    assert desk.job(first.job).state is JobState.IN_DOUBT
    assert desk.command(_answer(second, True)).done


def test_what_an_operator_has_decided_first_stays(desk: Desk) -> None:
    claim = _in_doubt(desk)
    desk.command(Decide(claim.job, None, "nothing came out"))
    report = desk.command(_answer(claim, True))
    assert (report.done, report.job is not None) == (False, True)
    assert desk.job(claim.job).state is JobState.FAILED


def test_only_a_job_in_doubt_can_be_decided(desk: Desk) -> None:
    claim = desk.start()
    for ending in (None, lost(claim.attempt)):
        if ending is not None:
            desk.report(ending)
        before = desk.job(claim.job)
        assert not desk.command(Decide(claim.job, "1", "too early")).done
        assert desk.job(claim.job) == before


_ANNA = Actor("anna")


@pytest.mark.parametrize("decision", [Decide("", None, "nothing came out"), Decide("", '"wrong"', ""), Retry("")])
def test_a_decision_is_taken_back_and_the_job_is_in_doubt_as_it_was(desk: Desk, decision: Decide | Retry) -> None:
    claim = _in_doubt(desk)
    before = desk.job(claim.job)
    desk.command(replace(decision, job=claim.job))
    desk.pass_time(REOPEN_S - 5.0)
    report = desk.command(Reopen(claim.job, "it lies in the tray", _ANNA))
    assert (report.done, report.revoked) == (True, None)
    after = desk.job(claim.job)
    assert (after.state, after.reason, after.detail) == (JobState.IN_DOUBT, "lost", None)
    assert (after.ended_at, after.stopped_at, after.attempts) == (None, before.stopped_at, before.attempts)
    assert after.result is None
    assert desk.counts() == {"in_doubt": 1}
    assert desk.claim(5) == []
    assert _acts(desk) == [("anna", "job.reopen", claim.job, "it lies in the tray")]
    assert desk.command(Decide(claim.job, '"out"', "")).done, "and it is decided anew"
    assert desk.job(claim.job).result == '"out"'


@pytest.mark.parametrize("decision", [Decide("", None, ""), Decide("", "1", ""), Retry("")])
def test_after_a_day_a_decision_stays(desk: Desk, decision: Decide | Retry) -> None:
    claim = _in_doubt(desk)
    desk.command(replace(decision, job=claim.job))
    desk.pass_time(REOPEN_S + 5.0)
    before = desk.job(claim.job)
    assert not desk.command(Reopen(claim.job, "too late")).done
    assert desk.job(claim.job) == before


def test_a_job_that_runs_again_is_had_back_only_until_a_page_gets_it(desk: Desk) -> None:
    claim = _in_doubt(desk)
    desk.command(Retry(claim.job))
    again = desk.claim_one()
    assert not desk.command(Reopen(claim.job, "stop")).done
    desk.report(lapsed(again.attempt))
    assert not desk.command(Reopen(claim.job, "stop")).done, "a page may have begun it"
    assert desk.job(claim.job).state is JobState.QUEUED


def test_what_a_page_has_answered_never_changes(desk: Desk) -> None:
    own, adopted = _in_doubt(desk), _late_answers(desk, '"late"')[0]
    desk.command(Retry(own.job))
    desk.report(result(own.attempt, '"after all"'))
    desk.command(Adopt(adopted.job))
    for job_id in (own.job, adopted.job):
        before = desk.job(job_id)
        assert not desk.command(Reopen(job_id, "I erred")).done
        assert desk.job(job_id) == before


def test_the_words_of_a_result_that_was_taken_back_are_found_no_more(desk: Desk) -> None:
    job, other = _in_doubt(desk).job, _in_doubt(desk).job
    for each in (job, other):
        desk.command(Decide(each, '"lighthouse"', ""))
    desk.command(Reopen(job, ""))
    assert [found.id for found in desk.listed(search="lighthouse")] == [other]
    desk.command(Decide(job, '"harbour"', ""))
    assert [found.id for found in desk.listed(search="harbour")] == [job]


def test_a_decision_that_is_taken_back_and_made_anew_in_one_turn_leaves_the_last_one(desk: Desk) -> None:
    job, other = _in_doubt(desk).job, _in_doubt(desk).job
    desk.command(Decide(job, '"first"', ""))
    made = Decide(job, '"second"', ""), Decide(job, '"third"', "")
    report = desk.turn(commands=[
        Reopen(job, ""), made[0], Reopen(job, ""), made[1], Decide(other, "1", ""), Reopen(other, "")
    ])  # fmt: skip
    assert [done.done for done in report.commands] == [True] * 6
    assert (desk.job(job).result, desk.job(other).result) == ('"third"', None)
    assert desk.counts() == {"succeeded": 1, "in_doubt": 1}


def test_a_page_s_own_late_result_takes_the_place_of_one_that_was_taken_back(desk: Desk) -> None:
    claim = _in_doubt(desk)
    desk.command(Decide(claim.job, '"a guess"', ""))
    desk.command(Reopen(claim.job, "the printer has it"))
    assert desk.report(result(claim.attempt, '"out"')) is Verdict.RECORDED
    job = desk.job(claim.job)
    assert (job.state, job.reason, job.result) == (JobState.SUCCEEDED, None, '"out"')
    assert not desk.command(Reopen(claim.job, "")).done


def test_only_what_was_in_doubt_is_in_doubt_again(desk: Desk) -> None:
    failed, waiting = desk.start(), _in_doubt(desk)
    desk.report(error(failed.attempt, delay_s=None))
    assert not desk.command(Reopen(failed.job, "")).done
    assert not desk.command(Reopen(waiting.job, "it is so")).done
    desk.command(Decide(waiting.job, None, ""))
    desk.command(Retry(waiting.job))
    assert not desk.command(Reopen(waiting.job, "")).done, "somebody has had the failed job run again"
    desk.command(Retry(failed.job))
    assert not desk.command(Reopen(failed.job, "")).done


@pytest.mark.parametrize("value", [None, '"a guess"'])
def test_what_was_taken_back_outlives_a_restart(durable: Desk, value: str | None) -> None:
    claim = _in_doubt(durable)
    durable.command(Decide(claim.job, value, ""))
    durable.reopen()
    assert durable.command(Reopen(claim.job, "")).done
    durable.reopen()
    job = durable.job(claim.job)
    assert (job.state, job.result) == (JobState.IN_DOUBT, None)
    assert durable.report(result(claim.attempt)) is Verdict.RECORDED


def test_the_newest_late_answer_of_a_failed_job_is_shown_and_adopted(desk: Desk) -> None:
    job_id = _late_answers(desk, '"first"', '"second"')[0].job
    assert desk.job(job_id).evidence == '"second"'
    assert desk.command(Adopt(job_id)).done
    job = desk.job(job_id)
    assert (job.state, job.reason, job.result, job.evidence) == ("succeeded", "adopted", '"second"', None)
    assert desk.counts() == {"succeeded": 1}


def test_what_was_adopted_and_decided_outlives_a_restart(durable: Desk) -> None:
    adopted, decided = _late_answers(durable, '"late"')[0].job, _in_doubt(durable).job
    durable.reopen()
    durable.command(Adopt(adopted))
    durable.command(Decide(decided, '"paid"', "the bank says so"))
    durable.reopen()
    assert [durable.job(job_id).result for job_id in (adopted, decided)] == ['"late"', '"paid"']


def test_a_failed_job_without_a_late_answer_has_nothing_to_adopt(desk: Desk) -> None:
    claim = desk.start()
    desk.report(error(claim.attempt, delay_s=None))
    before = desk.job(claim.job)
    assert not desk.command(Adopt(claim.job)).done
    assert desk.job(claim.job) == before


def test_a_late_answer_that_was_kept_is_not_replaced_by_a_repetition(desk: Desk) -> None:
    (late,) = _late_answers(desk, '"late"')
    assert desk.report(result(late.attempt, '"another"')) is Verdict.STALE
    assert desk.evidence(late.attempt) == '"late"'
