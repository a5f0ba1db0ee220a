"""What a turn does to the rows: the fence, the counts and the numbers."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs import ledger
from dispatcher.core.jobs.about import MOST_OPERATIONS, About
from dispatcher.core.jobs.ledger import EVIDENCE_BYTES
from dispatcher.core.jobs.rows import AttemptRow, JobRow, WriteSet
from dispatcher.core.jobs.states import FINAL, TRANSITIONS, Event, JobState
from dispatcher.core.jobs.turn import Cause, Ended, Holder, Logged, Progressed, Started, Verdict
from tests.support.jobs import apart

HOLDER = Holder("w1", "page one", "b1")


class Book:
    """One job and its attempts, as a store would keep them."""

    def __init__(self, **fields) -> None:
        self.now = 100.0
        known: dict[str, Any] = dict.fromkeys(JobRow.__struct_fields__)
        known |= {
            "seq": 1, "state": JobState.QUEUED, "rank": 50.0, "claims": 0, "number": 0, "errors": 0, "crashes": 0,
            "id": "j1", "type": "a", "size": 1,
            "created_at": 90.0, "fingerprint": "",
        }  # fmt: skip
        terms, others = apart(fields)
        self.job = JobRow(**(known | {"terms": terms} | others))
        self.attempts: dict[str, AttemptRow] = {}
        self.writes = WriteSet()

    def claim(self, name):
        self.now += 1
        ledger.claim(self.job, name, self.now, self.writes)
        attempt = ledger.silent_attempt(self.job)
        assert attempt is not None
        self.attempts[name] = attempt
        return self

    def settle(self, report):
        self.now += 1
        self.writes = WriteSet()
        return ledger.settle(report, self.attempts, {1: self.job}, self.now, self.writes)

    def start(self, name="a1"):
        return self.settle(Started(name, HOLDER)).verdict

    def end(self, name="a1", cause=Cause.SUCCEEDED, event=Event.SUCCEED, **fields):
        fields.setdefault("holder", HOLDER)
        return self.settle(Ended(name, cause, event, **fields)).verdict

    def succeed(self, name="a1", value="42"):
        return self.end(name, value=value, implies_accept=True)

    def fail(self, name="a1", event=Event.BACK_OFF, **fields):
        return self.end(name, Cause.ERROR, event, counts_error=True, implies_accept=True, error="{}", **fields)

    def lapse(self, name="a1", **fields):
        return self.end(name, Cause.LAPSED, Event.REQUEUE, **fields)

    def lose(self, name="a1", **fields):
        return self.end(name, Cause.LOST, Event.REQUEUE, counts_crash=True, **fields)


def test_a_result_of_the_current_attempt_ends_the_job_with_one_result():
    book = Book().claim("a1")
    book.start()
    settled = book.settle(Ended("a1", Cause.SUCCEEDED, Event.SUCCEED, HOLDER, value="42", implies_accept=True))
    assert settled.verdict is Verdict.RECORDED
    assert book.writes.results == [(1, "42")]
    assert (book.job.state, book.job.number, book.job.ended_at) == (JobState.SUCCEEDED, 1, book.now)
    assert (book.job.rank, book.job.run_at) == (None, None)
    assert (book.attempts["a1"].cause, book.attempts["a1"].ended_at) == (Cause.SUCCEEDED, book.now)


def test_an_accept_gives_the_try_its_number_and_its_holder():
    book = Book().claim("a1")
    assert book.start() is Verdict.RECORDED
    attempt = book.attempts["a1"]
    assert (attempt.number, attempt.worker, attempt.worker_name, attempt.boot) == (1, "w1", "page one", "b1")
    assert (book.job.number, book.job.worker, book.job.started_at) == (1, "w1", book.now)


def test_a_claim_writes_only_the_job_and_its_attempt_is_known_from_it():
    book = Book()
    assert ledger.silent_attempt(book.job) is None
    book.claim("a1")
    assert not book.writes.attempts
    attempt = book.attempts["a1"]
    assert (attempt.id, attempt.number, attempt.offered_at, attempt.cause) == ("a1", 1, book.now, None)


def test_a_repeated_accept_changes_no_instant():
    book = Book().claim("a1")
    book.start()
    started_at = book.job.started_at
    assert book.start() is Verdict.RECORDED
    assert book.job.started_at == started_at
    assert not book.writes.attempts


def test_a_result_without_an_accept_implies_one_at_the_offer():
    book = Book().claim("a1")
    offered_at = book.now
    assert book.succeed() is Verdict.RECORDED
    assert (book.attempts["a1"].number, book.attempts["a1"].started_at) == (1, offered_at)
    assert (book.job.number, book.job.worker) == (1, "w1")


def test_lapses_leave_no_gap_in_the_numbers():
    book = Book()
    for name in ("a1", "a2", "a3"):
        book.claim(name)
        book.lapse(name)
    book.claim("a4")
    book.start("a4")
    assert [a.number for a in book.attempts.values()] == [None, None, None, 1]
    assert book.job.number == 1


def test_lost_tries_count_in_the_number_and_use_up_a_crash():
    book = Book().claim("a1")
    book.start()
    assert book.lose() is Verdict.RECORDED
    book.claim("a2")
    book.start("a2")
    assert (book.job.number, book.job.crashes, book.job.errors) == (2, 1, 0)


@pytest.mark.parametrize("end", ["lapse", "lose"])
def test_a_job_that_comes_back_keeps_its_rank(end):
    book = Book(rank=12.5).claim("a1")
    getattr(book, end)()
    assert (book.job.state, book.job.rank) == (JobState.QUEUED, 12.5)


def test_a_job_that_is_offered_again_does_not_look_started():
    book = Book().claim("a1")
    book.start()
    book.lose()
    book.claim("a2")
    assert book.job.started_at is None


def test_a_backoff_says_when_and_gives_up_the_rank():
    book = Book().claim("a1")
    assert book.fail(delay_s=2.0, reason="error", detail="it failed") is Verdict.RECORDED
    job = book.job
    assert (job.state, job.run_at, job.rank, job.errors) == (JobState.SCHEDULED, book.now + 2, None, 1)
    assert (job.reason, job.detail, job.error, job.ended_at) == ("error", "it failed", "{}", None)


def test_an_error_that_fails_the_job_ends_it():
    book = Book().claim("a1")
    settled = book.settle(Ended("a1", Cause.ERROR, Event.FAIL, HOLDER, reason="no_retry", error="{}"))
    assert settled.verdict is Verdict.RECORDED
    assert (book.job.state, book.job.reason) == (JobState.FAILED, "no_retry")


def test_an_attempt_that_nobody_knows_is_stale():
    assert Book().succeed("unheard of") is Verdict.STALE


def test_the_result_of_an_older_attempt_is_stale_and_kept_as_evidence():
    book = Book().claim("a1")
    book.lapse()
    book.claim("a2")
    assert book.succeed("a1", "1") is Verdict.STALE
    assert book.job.state is JobState.RUNNING
    assert not book.writes.results
    assert book.attempts["a1"].evidence == "1"
    assert book.succeed("a1", "2") is Verdict.STALE
    assert book.attempts["a1"].evidence == "1", "the first evidence stays"


def test_evidence_has_a_limit():
    book = Book().claim("a1")
    book.lapse()
    book.claim("a2")
    book.succeed("a1", "1" * (EVIDENCE_BYTES + 1))
    assert book.attempts["a1"].evidence is None


def test_the_repeated_result_of_the_attempt_that_won_is_a_duplicate_and_changes_nothing():
    book = Book().claim("a1")
    book.succeed(value="1")
    assert book.succeed(value="2") is Verdict.DUPLICATE
    assert not book.writes.jobs
    assert not book.writes.results


def test_a_report_other_than_a_result_is_stale_once_the_attempt_has_ended():
    book = Book().claim("a1")
    book.succeed()
    assert book.fail() is Verdict.STALE
    assert book.lose() is Verdict.STALE
    assert book.start() is Verdict.STALE
    assert book.settle(Progressed("a1", 10.0, "x")).verdict is Verdict.STALE
    assert book.settle(Logged("a1", "x")).verdict is Verdict.STALE
    assert not book.writes.logs


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SCHEDULED, JobState.IN_DOUBT])
def test_a_late_result_is_recorded_while_its_attempt_is_the_newest(state):
    book = Book().claim("a1")
    book.start()
    event = {JobState.QUEUED: Event.REQUEUE, JobState.SCHEDULED: Event.BACK_OFF, JobState.IN_DOUBT: Event.DOUBT}[state]
    book.end(cause=Cause.TIMED_OUT, event=event)
    ended_at = book.attempts["a1"].ended_at
    assert book.job.state is state
    assert book.succeed() is Verdict.RECORDED
    attempt = book.attempts["a1"]
    assert (attempt.cause, attempt.ended_at, attempt.late_at) == (Cause.TIMED_OUT, ended_at, book.now)
    assert book.job.state is JobState.SUCCEEDED


def test_the_late_result_of_a_lapsed_offer_takes_the_next_number():
    book = Book(number=2).claim("a1")
    book.lapse()
    assert book.succeed() is Verdict.RECORDED
    assert (book.attempts["a1"].number, book.job.number) == (3, 3)


def test_a_late_error_is_stale_even_while_its_attempt_is_the_newest():
    book = Book().claim("a1")
    book.end(cause=Cause.TIMED_OUT, event=Event.BACK_OFF)
    assert book.fail(event=Event.FAIL) is Verdict.STALE
    assert book.job.state is JobState.SCHEDULED


def test_progress_keeps_what_it_does_not_say_and_stays_until_the_next_try_starts():
    book = Book().claim("a1")
    book.start()
    book.settle(Progressed("a1", 40.0, "half"))
    book.settle(Progressed("a1", None, None))
    assert (book.job.percent, book.job.note) == (40.0, "half")
    book.lose()
    book.claim("a2")
    assert (book.job.percent, book.job.note) == (40.0, "half")
    book.start("a2")
    assert (book.job.percent, book.job.note) == (None, None)


def test_progress_is_of_no_use_once_there_is_a_result():
    book = Book().claim("a1")
    book.start()
    book.settle(Progressed("a1", 40.0, "half"))
    book.succeed()
    assert (book.job.percent, book.job.note) == (None, None)


@pytest.mark.parametrize("event", [Event.DOUBT, Event.FAIL])
def test_how_far_a_job_came_stays_when_it_fails_or_is_in_doubt(event):
    book = Book().claim("a1")
    book.start()
    book.settle(Progressed("a1", 40.0, "half"))
    book.end(cause=Cause.TIMED_OUT, event=event)
    ledger.enqueue(book.job, Event.RETRY, 200.0, book.writes)
    assert (book.job.percent, book.job.note) == (40.0, "half")


def test_an_end_without_a_holder_leaves_who_had_it():
    book = Book().claim("a1")
    book.start()
    book.lose(holder=None)
    assert (book.job.worker, book.attempts["a1"].worker_name) == ("w1", "page one")


def test_a_holder_of_an_earlier_run_has_no_name_and_the_row_keeps_it():
    book = Book().claim("a1")
    book.start()
    book.lose(holder=Holder("w1", "", "b1"))
    assert (book.attempts["a1"].worker_name, book.job.worker_name) == ("page one", "page one")


def test_a_cancel_of_a_running_job_revokes_its_attempt_for_good():
    book = Book().claim("a1")
    book.start()
    assert ledger.cancel(book.job, book.attempts["a1"], "not needed", book.now, book.writes) == "a1"
    assert (book.job.state, book.job.attempt, book.job.detail) == (JobState.CANCELLED, None, "not needed")
    assert (book.attempts["a1"].cause, book.attempts["a1"].number) == (Cause.CANCELLED, 1)
    assert book.succeed() is Verdict.STALE
    ledger.retry(book.job, 500.0, book.writes)
    assert book.succeed() is Verdict.STALE


def test_a_cancelled_offer_takes_no_number():
    book = Book().claim("a1")
    ledger.cancel(book.job, book.attempts["a1"], "", book.now, book.writes)
    assert (book.attempts["a1"].number, book.job.number) == (None, 0)


def test_a_cancel_revokes_even_where_the_attempts_row_is_gone():
    book = Book().claim("a1")
    assert ledger.cancel(book.job, None, "", book.now, book.writes) == "a1"


def test_a_cancel_of_a_waiting_job_revokes_nothing_and_fences_off_a_late_result():
    book = Book().claim("a1")
    book.lapse()
    assert ledger.cancel(book.job, None, "", book.now, book.writes) is None
    assert book.succeed() is Verdict.STALE


def test_another_round_starts_the_counts_again_and_the_numbers_go_on():
    book = Book(priority=2, expires_at=1_000.0, max_attempts=1).claim("a1")
    book.start()
    book.fail(event=Event.FAIL, reason="error", detail="it failed")
    ledger.retry(book.job, 500.0, book.writes)
    job = book.job
    assert (job.state, job.rank, job.expires_at) == (JobState.QUEUED, 380.0, None)
    assert (job.errors, job.crashes, job.reason, job.detail, job.ended_at) == (0, 0, None, None, None)
    book.claim("a2")
    book.start("a2")
    assert book.job.number == 2


def test_a_job_that_has_become_due_gets_a_rank_by_its_priority():
    book = Book(state=JobState.SCHEDULED, rank=None, run_at=99.0, priority=1)
    ledger.enqueue(book.job, Event.DUE, 1_000.0, book.writes)
    assert (book.job.state, book.job.rank, book.job.run_at) == (JobState.QUEUED, 940.0, None)


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.SCHEDULED])
def test_a_job_that_waits_too_long_expires(state):
    book = Book(state=state)
    ledger.expire(book.job, 200.0, book.writes)
    assert (book.job.state, book.job.reason, book.job.ended_at) == (JobState.EXPIRED, "expired", 200.0)


FORBIDDEN = {
    Event.CLAIM: lambda book: ledger.claim(book.job, "a9", 1.0, book.writes),
    Event.EXPIRE: lambda book: ledger.expire(book.job, 1.0, book.writes),
    Event.CANCEL: lambda book: ledger.cancel(book.job, None, "", 1.0, book.writes),
    Event.RETRY: lambda book: ledger.enqueue(book.job, Event.RETRY, 1.0, book.writes),
    Event.DUE: lambda book: ledger.enqueue(book.job, Event.DUE, 1.0, book.writes),
    Event.ADOPT: lambda book: ledger.adopt(book.job, "1", 1.0, book.writes),
}


@pytest.mark.parametrize(("state", "event"), [(s, e) for s in JobState for e in FORBIDDEN if (s, e) not in TRANSITIONS])
def test_what_the_table_does_not_list_raises_and_changes_nothing(state, event):
    book, untouched = Book(state=state), Book(state=state)
    with pytest.raises(AssertionError):
        FORBIDDEN[event](book)
    assert book.job == untouched.job
    assert not book.writes.jobs


@pytest.mark.parametrize("state", sorted(FINAL))
@pytest.mark.parametrize("event", [Event.SUCCEED, Event.FAIL, Event.REQUEUE, Event.BACK_OFF, Event.DOUBT])
def test_no_report_changes_a_final_state(state, event):
    book = Book().claim("a1")
    book.job.state = state
    cause = Cause.SUCCEEDED if event is Event.SUCCEED else Cause.ERROR
    assert book.end(cause=cause, event=event, value="1") in (Verdict.STALE, Verdict.DUPLICATE)
    assert book.job.state is state
    assert not book.writes.jobs


def test_a_result_counts_whichever_node_says_it_and_nothing_else_does() -> None:
    assert ledger.is_result(Ended("a1", Cause.SUCCEEDED, Event.SUCCEED, value="1"))
    assert not ledger.is_result(Ended("a1", Cause.LOST, Event.REQUEUE))
    assert not ledger.is_result(Started("a1", HOLDER))


def test_a_job_remembers_the_newest_orders_for_many_that_have_changed_it() -> None:
    book = Book(about=About(summary="order 7", tags=("a",)))
    for number in range(MOST_OPERATIONS + 1):
        ledger.note_operation(book.job, f"op-{number}", book.writes)
    assert book.job.about == About(summary="order 7", tags=("a",), operations=("op-1", "op-2", "op-3", "op-4", "op-5"))
    assert book.writes.jobs == book.writes.ordered == {1: book.job}
    book.writes.amended[1], book.writes.retagged[1] = book.job, ("b",)
    assert book.writes.carrying() == [book.job]
    book.writes.remove(book.job)
    assert book.writes.carrying() == []
