"""Heartbeats: silence of a job's own length ends the attempt as lost, progress prevents it."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import Event
from dispatcher.core.workers.effects import CancelOrder
from tests.core.workers.support import Node, end, ends, left, only


@pytest.fixture
def node(node):
    """The node whose page, here, runs a job that must show signs of life every 5 s."""
    node.run("a1", heartbeat_s=5.0)
    return node


def test_silence_of_the_heartbeats_length_loses_the_attempt_exactly_then(node):
    assert node.until_due_s() == 5
    assert not ends(node.pass_s(4.99))
    effects = node.pass_s(0.01)
    ended = end(effects)
    assert (ended.cause, ended.event, ended.counts_crash, ended.counts_error) == ("lost", "requeue", True, False)
    assert ended.detail == "no progress within 5 s"
    assert only(effects, CancelOrder) == CancelOrder("s1", "a1", "no_heartbeat")


def test_a_silent_page_holds_its_slot_until_it_answers(node):
    node.pass_s(5)
    assert node.room() == 0
    node.released("s1", "a1", "cancelled")
    assert node.room() == 1


def test_the_last_silence_of_those_allowed_is_poison():
    node = Node()
    node.join()
    node.run("a1", heartbeat_s=5.0, crashes=5)
    ended = end(node.pass_s(5))
    assert (ended.event, ended.reason) == (Event.FAIL, "poison")


def test_progress_puts_it_off_and_a_line_of_the_log_does_not(node):
    node.pass_s(3)
    node.progress("s1", "a1", 10.0, None)
    assert node.until_due_s() == 5
    node.pass_s(3)
    node.log("s1", "a1", "still at it")
    assert node.until_due_s() == 2


def test_progress_does_not_put_off_the_timeout():
    node = Node()
    node.join()
    node.run("a1", heartbeat_s=5.0, timeout_s=7.0)
    node.pass_s(4)
    node.progress("s1", "a1", 10.0, None)
    effects = node.pass_s(3)
    assert ends(effects) == {"a1": "timed_out"}
    assert not ends(node.pass_s(5)), "ended once"


def test_an_offer_needs_no_heartbeat_and_a_job_without_one_may_be_silent():
    node = Node()
    node.join(slots=2)
    node.offer("a1", heartbeat_s=5.0)
    assert node.until_due_s() == 10
    node.run("a2")
    node.progress("s1", "a2", 1.0, None)
    node.released("s1", "a1", "")
    assert node.until_due_s() == 60


@pytest.mark.parametrize(
    "how",
    [
        lambda node: node.result("s1", "a1", "1"),
        lambda node: node.error("s1", "a1", "{}", "it failed", retry=True),
        lambda node: node.released("s1", "a1", ""),
        lambda node: node.bye("s1"),
    ],
    ids=["result", "error", "released", "bye"],
)
def test_nothing_is_due_of_an_attempt_that_has_ended(node, how):
    how(node)
    assert node.until_due_s() is None


def test_after_a_cancel_only_the_reload_is_due(node):
    node.cancelled("a1", "not needed")
    assert node.until_due_s() == 60


def test_a_timeout_ends_the_heartbeat():
    node = Node()
    node.join()
    node.run("a1", heartbeat_s=5.0, timeout_s=4.0)
    assert ends(node.pass_s(4)) == {"a1": "timed_out"}
    assert node.until_due_s() == 60


def test_a_result_in_the_stash_needs_no_heartbeat(node):
    node.away("s1")
    node.join("s2", boot="b2", finished=["a1"])
    assert node.until_due_s() == 10


def test_a_page_that_is_away_is_silent_all_the_same(node):
    node.away("s1")
    assert ends(node.pass_s(5)) == {"a1": "lost"}


def test_silence_counts_anew_from_when_a_page_came_back_after_a_restart():
    node = Node()
    node.restore([left("a1", heartbeat_s=5.0)])
    assert node.until_due_s() == 60, "nobody can be heard yet"
    node.pass_s(20)
    node.join(holding=[("a1", 50.0)])
    assert node.until_due_s() == 5


def test_a_heartbeat_of_an_ended_attempt_does_not_end_the_next(node):
    node.result("s1", "a1", "1")
    node.run("a2", heartbeat_s=7.0)
    assert node.until_due_s() == 7
    assert not ends(node.pass_s(6))
