"""A worker's tries of today: each counts once, when it ends for the node, or in neither count."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.turn import Verdict
from tests.core.workers.support import left


def today(node) -> tuple[int, int]:
    return node.machine.today(node.machine.workers["w1"])


def test_results_are_done_and_errors_failed_on_their_day(node):
    for name, call in [("a1", "result"), ("a2", "error"), ("a3", "result")]:
        node.run(name)
        if call == "result":
            node.result("s1", name, "1")
        else:
            node.error("s1", name, "{}", "it failed", True)
    assert today(node) == (2, 1)
    worker = node.machine.workers["w1"]
    node.machine.recall(worker, 0, 5, 1)
    node.machine.recall(worker, 8, 50, 50)
    assert today(node) == (7, 2), "what was noted of another day is not of today"
    node.machine.begin_day(1)
    assert (today(node), node.machine.day) == ((0, 0), 1)


def test_a_try_that_never_ends_has_failed_when_it_times_out(node):
    node.run("a1", timeout_s=2.0)
    node.pass_s(1.9)
    assert today(node) == (0, 0)
    node.pass_s(0.1)
    assert today(node) == (0, 1)
    node.pass_s(100)
    node.bye("s1")
    node.join()
    assert today(node) == (0, 0), "a worker that has gone brings its counts with its diary"


@pytest.mark.parametrize("late", ["result", "error", "released"])
def test_a_try_that_timed_out_is_not_counted_again_when_its_task_ends_after_all(node, late):
    node.run("a1", timeout_s=1.0)
    node.pass_s(1)
    if late == "result":
        node.judged(node.result("s1", "a1", "1"), Verdict.STALE)
    elif late == "error":
        node.error("s1", "a1", "{}", "it failed", True)
    else:
        node.released("s1", "a1", "cancelled")
    assert (today(node), node.room()) == ((0, 1), 1)


def test_a_late_result_that_is_recorded_does_not_count_its_try_again(node):
    node.run("a1", timeout_s=1.0)
    node.pass_s(1)
    node.judged(node.result("s1", "a1", "1"))
    assert today(node) == (0, 1)


def test_a_try_with_effects_once_that_times_out_has_failed_though_its_job_is_in_doubt(node):
    node.judged(node.run("a1", timeout_s=1.0, effects="once"))
    node.pass_s(1)
    assert today(node) == (0, 1)


def test_a_try_without_progress_has_failed(node):
    node.run("a1", heartbeat_s=5.0)
    node.pass_s(5)
    assert today(node) == (0, 1)
    node.result("s1", "a1", "1")
    assert today(node) == (0, 1)


def test_a_try_that_is_cancelled_given_back_or_lost_with_its_page_is_neither_done_nor_failed(node):
    node.run("a1")
    node.cancelled("a1", "not wanted")
    node.result("s1", "a1", "1")
    node.run("a2")
    node.released("s1", "a2", "busy")
    node.run("a3")
    node.away("s1")
    node.join("s2", boot="b2")  # its page was loaded anew
    assert (today(node), node.room()) == ((0, 0), 1)


def test_a_result_that_was_in_the_stash_of_a_page_counts_when_it_arrives(node):
    node.run("a1")
    node.away("s1")
    node.join("s2", boot="b2", finished=["a1"])
    assert today(node) == (0, 0)
    node.result("s2", "a1", "1")
    assert today(node) == (1, 0)


def test_a_page_that_does_not_come_back_after_a_restart_has_failed_at_nothing(node):
    node.restore([left("a1")])
    node.pass_s(1_000)
    assert today(node) == (0, 0)
