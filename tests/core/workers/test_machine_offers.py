"""Offers, accepts and answers: the life of one attempt."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Ended, Logged, Progressed, Settled, Started, Verdict
from dispatcher.core.workers.effects import Answer, CancelOrder, Offer, Order, Record, Refuse, Withdraw
from tests.core.workers.support import Node, all_of, claim, end, ends, only


def test_a_claim_is_offered_to_the_session_of_a_worker_of_its_pool(node):
    assert only(node.offer("a1"), Offer).session == "s1"
    assert node.room() == 0


def test_a_claim_that_nobody_can_take_any_more_is_given_back_at_no_cost(node):
    pool = node.machine.workers["w1"].pool
    node.pause("s1", True)
    ended = end(node.claimed([claim("a1", pool=pool)]))
    assert (ended.cause, ended.event, ended.holder) == ("lapsed", Event.REQUEUE, None)
    assert (ended.counts_error, ended.counts_crash) == (False, False)
    assert not node.machine.attempts


def test_an_offer_that_is_not_written_waits_without_a_deadline(node):
    node.offer("a1", written=False)
    assert node.until_due_s() is None


def test_an_offer_lapses_its_ttl_after_it_was_written(node):
    node.offer("a1", written=False)
    node.pass_s(7)
    node.written(["a1"])
    assert node.until_due_s() == 10
    assert node.pass_s(9.99) == []
    ended = end(node.pass_s(0.01))
    assert (ended.cause, ended.event, ended.counts_error, ended.counts_crash) == ("lapsed", "requeue", False, False)
    assert node.room() == 1


def test_writing_again_does_not_prolong_an_offer(node):
    node.offer("a1")
    node.pass_s(4)
    node.written(["a1", "unheard of"])
    assert node.until_due_s() == 6


def test_writing_what_was_accepted_changes_nothing(node):
    node.run("a1")
    node.written(["a1"])
    assert node.until_due_s() == 60


def test_the_timeout_runs_from_the_accept_and_not_from_the_offer(node):
    node.offer("a1", timeout_s=25.0)
    node.pass_s(9)
    started = only(node.accept("s1", "a1"), Record).report
    assert isinstance(started, Started)
    assert started.holder.worker == "w1"
    assert node.until_due_s() == 25


def test_a_repeated_accept_does_not_prolong_the_timeout(node):
    node.run("a1")
    node.pass_s(30)
    assert node.accept("s1", "a1") == []
    assert node.until_due_s() == 30


def test_an_accept_counts_even_before_its_offer_was_seen_to_be_written(node):
    node.offer("a1", written=False)
    assert all_of(node.accept("s1", "a1"), Record)
    assert node.until_due_s() == 60


def test_the_accept_of_a_lapsed_offer_is_answered_with_cancel(node):
    node.offer("a1")
    node.pass_s(10)
    assert only(node.accept("s1", "a1"), CancelOrder).reason == "stale"


def test_the_accept_of_what_was_cancelled_is_answered_with_the_reason(node):
    node.offer("a1")
    node.cancelled("a1", "not needed")
    assert node.accept("s1", "a1") == [CancelOrder("s1", "a1", "not needed")]


def test_nobody_accepts_what_another_worker_has(node):
    node.join("s2", "w2", types=("b",))
    node.offer("a1")
    assert only(node.accept("s2", "a1"), CancelOrder).session == "s2"
    assert only(node.accept("unheard of", "a1"), CancelOrder).session == "unheard of"
    assert node.until_due_s() == 10


def test_a_result_is_recorded_and_then_answered(node):
    node.run("a1")
    effects = node.result("s1", "a1", "42")
    ended = end(effects)
    assert (ended.cause, ended.event, ended.value, ended.implies_accept) == ("succeeded", "succeed", "42", True)
    assert not all_of(effects, Answer), "answered before it was durable"
    assert node.room() == 1
    assert node.until_due_s() is None
    assert node.judged(effects) == [Answer("s1", "a1", Verdict.RECORDED)]


def test_a_result_without_an_accept_ends_the_attempt(node):
    node.offer("a1")
    assert ends(node.result("s1", "a1", "42")) == {"a1": "succeeded"}
    assert node.until_due_s() is None


def test_the_verdict_on_an_accept_does_not_answer_a_result(node):
    node.offer("a1")
    accepted = node.accept("s1", "a1")
    answered = node.result("s1", "a1", "42")
    assert node.judged(accepted) == []
    assert node.judged(answered) == [Answer("s1", "a1", Verdict.RECORDED)]


def test_the_verdict_on_a_lapse_does_not_answer_a_result(node):
    node.offer("a1")
    lapsed = node.pass_s(10)
    answered = node.result("s1", "a1", "42")
    assert node.judged(lapsed) == []
    assert all_of(node.judged(answered), Answer)


def test_a_result_that_is_repeated_before_its_verdict_is_stored_once(node):
    node.run("a1")
    first = node.result("s1", "a1", "42")
    node.join("s2")
    assert node.result("s2", "a1", "42") == []
    assert node.judged(first) == [Answer("s2", "a1", Verdict.RECORDED)]


def test_a_result_that_is_repeated_after_its_verdict_is_judged_again(node):
    node.run("a1")
    node.judged(node.result("s1", "a1", "42"))
    again = node.result("s1", "a1", "42")
    assert ends(again) == {"a1": "succeeded"}
    assert node.judged(again, Verdict.DUPLICATE) == [Answer("s1", "a1", Verdict.DUPLICATE)]


def test_a_result_counts_whoever_brings_it(node):
    node.run("a1")
    node.join("s2", "w2")
    ended = end(node.result("s2", "a1", "42"))
    assert ended.holder is not None
    assert ended.holder.worker == "w1"
    assert node.room() == 2


def test_a_result_that_the_store_cannot_hold_fails_the_job_and_is_refused(node):
    node.run("a1")
    effects = node.judged(node.result("s1", "a1", "42"), Verdict.REFUSED)
    refused, ended = only(effects, Refuse), end(effects)
    assert (refused.session, refused.code, refused.attempt) == ("s1", "unstorable", "a1")
    assert (ended.event, ended.reason, ended.implies_accept) == (Event.FAIL, "unstorable", True)
    assert node.judged(effects) == [], "nobody waits for the verdict on that"


def test_an_error_is_tried_again_after_a_backoff(node):
    node.run("a1")
    effects = node.error("s1", "a1", '{"message": "x"}', "x", True)
    ended = end(effects)
    assert (ended.event, ended.error, ended.detail) == (Event.BACK_OFF, '{"message": "x"}', "x")
    assert 1.6 <= ended.delay_s <= 2.4
    assert node.judged(effects) == [Answer("s1", "a1", Verdict.RECORDED)]
    assert node.room() == 1


def test_an_error_that_is_repeated_before_its_verdict_is_stored_once(node):
    node.run("a1")
    first = node.error("s1", "a1", "{}", "x", True)
    assert node.error("s1", "a1", "{}", "x", True) == []
    assert len(node.judged(first)) == 1


def test_an_error_of_an_attempt_that_is_over_is_stale(node):
    assert node.error("s1", "unheard of", "{}", "x", True) == [Answer("s1", "unheard of", Verdict.STALE)]


def test_progress_and_log_count_while_the_attempt_runs(node):
    node.run("a1")
    node.pass_s(50)
    assert only(node.progress("s1", "a1", 50.0, "half"), Record).report == Progressed("a1", 50.0, "half")
    assert only(node.log("s1", "a1", "hello"), Record).report == Logged("a1", "hello")
    assert only(node.log("s1", "a1", "hello", n=2), Record).report == Logged("a1", "hello", 2)
    assert node.until_due_s() == 10, "progress never extends the timeout"


def test_a_task_that_is_being_cancelled_still_logs_until_the_page_has_released_it(node):
    node.run("a1")
    node.cancelled("a1", "wrong order")
    assert only(node.log("s1", "a1", "stopped at page 3"), Record).report == Logged("a1", "stopped at page 3")
    assert node.progress("s1", "a1", 50.0, "half") == []
    node.released("s1", "a1", "")
    assert node.log("s1", "a1", "too late") == []


@pytest.mark.parametrize("session", ["s1", "s2", "unheard of"])
def test_progress_and_log_are_ignored_where_nothing_runs(node, session):
    node.join("s2", "w2", types=("b",))
    node.offer("a1")
    assert node.progress(session, "a1", 50.0, None) == []
    assert node.log(session, "a1", "hello") == []


def test_a_page_gives_back_an_offer_or_a_running_job_at_no_cost(node):
    node.offer("a1")
    ended = end(node.released("s1", "a1", "declined"))
    assert (ended.cause, ended.event, ended.counts_error) == ("released", Event.REQUEUE, False)
    assert "declined" in (ended.detail or "")
    node.run("a2")
    assert end(node.released("s1", "a2", "")).cause == "released"
    assert node.room() == 1
    assert node.until_due_s() is None


def test_nobody_gives_back_what_he_does_not_have(node):
    node.join("s2", "w2", types=("b",))
    node.run("a1")
    assert node.released("s2", "a1", "declined") == []
    assert node.released("s1", "unheard of", "declined") == []
    assert node.until_due_s() == 60


# -- when the timeout passes


def test_a_timeout_ends_the_attempt_and_tells_the_page(node):
    node.run("a1")
    effects = node.pass_s(60)
    assert (end(effects).cause, end(effects).event) == ("timed_out", Event.BACK_OFF)
    assert only(effects, CancelOrder) == CancelOrder("s1", "a1", "timed_out")


def test_a_page_that_was_timed_out_holds_its_slot_until_it_answers(node):
    node.run("a1")
    node.pass_s(60)
    assert node.room() == 0
    assert node.released("s1", "a1", "cancelled") == []
    assert node.room() == 1
    assert node.until_due_s() is None


@pytest.mark.parametrize("answer", ["result", "error"])
def test_any_answer_to_a_timed_out_attempt_frees_the_slot(node, answer):
    node.run("a1")
    node.pass_s(60)
    if answer == "result":
        assert ends(node.result("s1", "a1", "42")) == {"a1": "succeeded"}, "the store judges a late result"
    else:
        assert node.error("s1", "a1", "{}", "x", True) == [Answer("s1", "a1", Verdict.STALE)]
    assert node.room() == 1


def test_a_page_that_does_not_answer_a_cancel_is_told_to_reload_once(node):
    node.run("a1")
    node.pass_s(60)
    assert node.until_due_s() == 60
    assert node.pass_s(60) == [Order("s1", "reload")]
    assert node.until_due_s() is None
    assert node.room() == 0


def test_a_page_that_cannot_be_reached_is_not_told_to_reload(node):
    node.run("a1")
    node.pass_s(60)
    node.quiet("s1")
    node.pass_s(30)
    assert node.machine.workers == {}
    assert node.until_due_s() is None


def test_a_page_without_a_session_gets_no_order_to_reload():
    node = Node(reconnect_grace_s=500.0)
    node.join()
    node.run("a1")
    node.pass_s(60)
    node.ended("s1")
    assert node.pass_s(60) == []


def test_the_accept_of_a_timed_out_attempt_is_answered_with_cancel_again(node):
    node.run("a1")
    node.pass_s(60)
    assert only(node.accept("s1", "a1"), CancelOrder).attempt == "a1"


# -- cancel


def test_the_page_of_a_cancelled_job_is_told_and_holds_its_slot(node):
    node.run("a1")
    assert node.cancelled("a1", "not needed") == [CancelOrder("s1", "a1", "not needed")]
    assert node.room() == 0
    assert node.until_due_s() == 60, "only the order to reload is due now"
    assert node.cancelled("a1", "not needed") == []
    node.released("s1", "a1", "cancelled")
    assert node.room() == 1


def test_cancelling_an_offer_that_was_not_sent_frees_the_slot_at_once(node):
    node.offer("a1", written=False)
    assert node.cancelled("a1", "not needed") == [Withdraw("s1", "a1")]
    assert node.room() == 1


def test_cancelling_an_attempt_that_nobody_has_tells_nobody(node):
    assert node.cancelled("unheard of", "not needed") == []


def test_a_cancel_reaches_nobody_while_the_page_has_no_session(node):
    node.run("a1")
    node.ended("s1")
    assert node.cancelled("a1", "not needed") == []
    assert not node.machine.attempts["a1"].live()


# -- whose turn it is


def test_a_retry_prefers_a_worker_that_has_not_had_the_job(node):
    node.join("s2", "w2")
    assert only(node.offer("a1", had=("w1",)), Offer).session == "s2"
    assert only(node.offer("a2", had=("w2",)), Offer).session == "s1"


def test_a_paused_page_gets_no_offers_until_it_goes_on(node):
    node.pause("s1", True)
    assert node.room() == 0
    node.pause("s1", False)
    assert node.room() == 1
    assert node.pause("unheard of", True) == []


def test_a_page_with_two_slots_gets_two_jobs():
    node = Node()
    node.join(slots=2)
    node.offer("a1")
    node.offer("a2")
    assert node.room() == 0
    assert len(node.machine.workers["w1"].attempts) == 2


def test_a_timer_of_an_ended_attempt_has_no_effect_on_the_next(node):
    node.run("a1", timeout_s=20.0)
    node.pass_s(15)
    node.result("s1", "a1", "1")
    node.run("a2", timeout_s=20.0)
    assert node.pass_s(10) == []
    assert node.until_due_s() == 10


def test_time_never_goes_back(node):
    node.run("a1", timeout_s=20.0)
    node.pass_s(15)
    node.now -= 100
    assert node.result("s1", "unheard of", "1")
    node.now += 100
    assert node.until_due_s() == 5


def test_many_verdicts_each_reach_their_own_page(node):
    node.join("s2", "w2")
    node.run("a1", had=("w2",))
    node.run("a2", worker="w2", had=("w1",))
    effects = node.result("s1", "a1", "1") + node.result("s2", "a2", "2")
    reports = [effect.report for effect in all_of(effects, Record)]
    assert all(isinstance(report, Ended) for report in reports)
    verdicts = [Settled("a1", Verdict.RECORDED), Settled("a2", Verdict.STALE)]
    assert node.settled(reports, verdicts) == [
        Answer("s1", "a1", Verdict.RECORDED),
        Answer("s2", "a2", Verdict.STALE),
    ]
