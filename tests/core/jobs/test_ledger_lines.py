"""What a turn does to the lines of a log: each is written once, however often its page says it."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Cause, Logged, Verdict
from tests.core.jobs.test_ledger import Book


def test_a_line_of_the_running_task_is_kept():
    book = Book().claim("a1")
    assert book.settle(Logged("a1", "hello")).verdict is Verdict.RECORDED
    assert book.writes.logs == [(1, "a1", book.now, "hello")]


def test_a_line_that_is_said_again_is_written_once():
    book = Book().claim("a1")
    book.start()
    said = [Logged("a1", "order 4990", 1), Logged("a1", "order 4990", 2), Logged("a1", "a gap before it", 7)]
    for line in said:
        assert book.settle(line).verdict is Verdict.RECORDED
        assert book.writes.logs == [(1, "a1", book.now, line.line)]
        assert book.writes.attempts == {"a1": book.attempts["a1"]}, "how far it has come is known after a kill"
    for line in said:
        assert book.settle(line).verdict is Verdict.DUPLICATE
        assert (book.writes.logs, book.writes.attempts, book.writes.jobs) == ([], {}, {})


def test_lines_that_a_page_does_not_count_are_all_kept_and_each_try_counts_its_own():
    book = Book().claim("a1")
    book.start()
    assert [book.settle(Logged("a1", "x", n)).verdict for n in (3, None, None)] == [Verdict.RECORDED] * 3
    book.lose()
    book.claim("a2")
    book.start("a2")
    assert book.settle(Logged("a2", "x", 1)).verdict is Verdict.RECORDED
    assert book.settle(Logged("a1", "x", 3)).verdict is Verdict.DUPLICATE, "of a page that does not know of its end"
    assert book.settle(Logged("a1", "x", 4)).verdict is Verdict.RECORDED
    assert [row.last_line for row in book.attempts.values()] == [4, 1]


@pytest.mark.parametrize("cause", [Cause.CANCELLED, Cause.TIMED_OUT, Cause.LOST])
def test_a_line_of_a_task_that_is_being_stopped_is_kept_and_changes_nothing(cause):
    book = Book().claim("a1")
    book.start()
    book.end(cause=cause, event=Event.CANCEL if cause is Cause.CANCELLED else Event.BACK_OFF)
    book.writes.jobs.clear()
    state = book.job.state
    assert book.settle(Logged("a1", "stopped at page 3")).verdict is Verdict.RECORDED
    assert book.writes.logs == [(1, "a1", book.now, "stopped at page 3")]
    assert (book.job.state, book.writes.jobs) == (state, {})
