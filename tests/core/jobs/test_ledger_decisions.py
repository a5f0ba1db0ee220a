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
