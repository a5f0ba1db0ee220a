"""A person's decisions about a job in doubt, and about a late answer."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.rows import WriteSet
from dispatcher.core.jobs.states import FINAL, Event, JobState
from dispatcher.core.jobs.turn import Cause, Ended, Verdict
from tests.core.jobs.test_ledger import HOLDER, Book


def doubtful():
    book = Book(effects="once").claim("a1")
    book.start()
    settled = book.settle(Ended("a1", Cause.LOST, Event.DOUBT, HOLDER, reason="lost", detail="the page went away"))
    assert settled.verdict is Verdict.RECORDED, "whoever waits for the job is told"
    assert (book.job.state, book.job.reason, book.job.ended_at) == (JobState.IN_DOUBT, "lost", None)
    assert (book.job.errors, book.job.crashes, book.job.rank) == (0, 0, None)
    return book


def test_a_job_in_doubt_is_settled_by_its_own_late_result():
    book = doubtful()
    assert book.succeed() is Verdict.RECORDED
    assert (book.job.state, book.attempts["a1"].late_at) == (JobState.SUCCEEDED, book.now)
    assert book.attempts["a1"].cause is Cause.LOST
    assert book.succeed() is Verdict.DUPLICATE


def test_a_late_error_does_not_settle_a_job_in_doubt():
    book = doubtful()
    assert book.fail(event=Event.FAIL) is Verdict.STALE
    assert book.job.state is JobState.IN_DOUBT


def test_a_person_says_that_a_job_in_doubt_succeeded_with_this_value():
    book = doubtful()
    ledger.decide(book.job, '"it lies in the tray"', "I looked", 300.0, book.writes)
    assert (book.job.state, book.job.reason, book.job.detail) == (JobState.SUCCEEDED, "decided", "I looked")
    assert (book.job.ended_at, book.writes.results) == (300.0, [(1, '"it lies in the tray"')])


def test_a_person_says_that_a_job_in_doubt_failed():
    book = doubtful()
    book.writes = WriteSet()
    ledger.decide(book.job, None, "the tray is empty", 300.0, book.writes)
    assert (book.job.state, book.job.ended_at, book.writes.results) == (JobState.FAILED, 300.0, [])
    assert book.writes.jobs == {1: book.job}


def test_a_result_that_comes_after_the_decision_is_stale_and_kept():
    """It was not recorded, so the page must not be told that it was."""
    book = doubtful()
    ledger.decide(book.job, "1", "I looked", 300.0, book.writes)
    assert book.succeed(value="2") is Verdict.STALE
    assert book.attempts["a1"].evidence == "2"
    assert not book.writes.results


def test_a_person_may_have_a_job_in_doubt_run_again():
    book = doubtful()
    ledger.retry(book.job, 500.0, book.writes)
    assert (book.job.state, book.job.rank, book.job.number) == (JobState.QUEUED, 500.0, 1)


def decided(event: Event) -> Book:
    """Somebody has decided so, and somebody else wonders."""
    book = doubtful()
    if event is Event.RETRY:
        ledger.retry(book.job, 500.0, book.writes)
        ledger.clocked(book.job, JobState.IN_DOUBT, 300.0, 500.0)
    else:
        ledger.decide(book.job, None if event is Event.FAIL else "7", "I looked", 300.0, book.writes)
    book.writes = WriteSet()
    return book


@pytest.mark.parametrize("event", [Event.FAIL, Event.RETRY, Event.SUCCEED])
def test_a_decision_that_is_taken_back_leaves_the_doubt_that_there_was(event):
    book = decided(event)
    attempt = book.attempts["a1"]
    assert ledger.is_reopenable(book.job, attempt, 300.0 + ledger.REOPEN_S)
    assert not ledger.is_reopenable(book.job, attempt, 300.1 + ledger.REOPEN_S)
    ledger.reopen(book.job, attempt, 400.0, book.writes)
    assert (book.job.state, book.job.reason, book.job.detail) == (JobState.IN_DOUBT, "lost", None)
    assert (book.job.ended_at, book.job.rank, book.writes.jobs) == (None, None, {1: book.job})
    assert book.writes.withdrawn == ([1] if event is Event.SUCCEED else [])
    assert book.succeed() is Verdict.RECORDED, "its own late result settles it, as before"


def test_nothing_is_taken_back_of_a_job_that_has_failed_by_itself_or_was_claimed_again():
    failed = Book().claim("a1")
    failed.start()
    failed.end(cause=Cause.TIMED_OUT, event=Event.FAIL, counts_error=True)
    assert not ledger.is_reopenable(failed.job, failed.attempts["a1"], 0.0)
    again = decided(Event.RETRY).claim("a2")
    assert not ledger.is_reopenable(again.job, ledger.silent_attempt(again.job), 300.0)
    again.lapse("a2")
    assert again.job.state is JobState.QUEUED
    assert not ledger.is_reopenable(again.job, again.attempts["a2"], 300.0), "a page may have had it"
    assert not ledger.is_reopenable(decided(Event.FAIL).job, None, 300.0)


def test_a_result_that_is_given_and_taken_back_in_one_turn_is_not_written():
    book = doubtful()
    ledger.decide(book.job, "7", "", 300.0, book.writes)
    ledger.reopen(book.job, book.attempts["a1"], 300.0, book.writes)
    assert book.writes.results == []
    ledger.decide(book.job, "8", "", 300.0, book.writes)
    assert (book.writes.results, book.writes.withdrawn) == ([(1, "8")], [1])
    book.writes.remove(book.job)
    assert (book.writes.results, book.writes.withdrawn) == ([], [])


def test_what_a_page_has_recorded_and_what_was_adopted_is_never_taken_back():
    own = decided(Event.RETRY)
    own.succeed()
    adopted = Book().claim("a1")
    adopted.start()
    adopted.end(cause=Cause.TIMED_OUT, event=Event.FAIL, counts_error=True)
    ledger.adopt(adopted.job, "2", 300.0, adopted.writes)
    for book in (own, adopted):
        assert book.job.state is JobState.SUCCEEDED
        assert not ledger.is_reopenable(book.job, book.attempts["a1"], 300.0)


def test_a_retry_of_a_failed_job_is_no_decision_about_a_doubt():
    book = decided(Event.FAIL)
    ledger.retry(book.job, 500.0, book.writes)
    assert (book.job.state, book.job.reason) == (JobState.QUEUED, None)


def test_a_person_takes_a_late_answer_of_a_failed_job_for_its_result():
    book = Book().claim("a1")
    book.start()
    book.end(cause=Cause.TIMED_OUT, event=Event.FAIL, counts_error=True)
    assert book.succeed(value="2") is Verdict.STALE
    ledger.adopt(book.job, "2", 300.0, book.writes)
    assert (book.job.state, book.job.reason, book.job.ended_at) == (JobState.SUCCEEDED, "adopted", 300.0)
    assert book.writes.results == [(1, "2")]
    assert book.succeed(value="2") is Verdict.STALE
    assert not book.writes.results


@pytest.mark.parametrize("value", ["1", None])
@pytest.mark.parametrize("state", sorted(FINAL))
def test_nobody_decides_what_is_settled(state, value):
    book = Book(state=state)
    with pytest.raises(AssertionError):
        ledger.decide(book.job, value, "", 1.0, book.writes)
