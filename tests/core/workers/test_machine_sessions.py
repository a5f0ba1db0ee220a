"""Connections: away and back, quiet, bye; what each does to leases."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import Event
from dispatcher.core.workers.effects import CancelOrder, Drop
from tests.core.workers.support import Node, all_of, claim, end, ends, only


def test_a_closed_connection_starts_the_grace_and_after_it_the_attempt_is_lost(node):
    node.run("a1")
    assert node.away("s1") == []
    assert node.until_due_s() == 30
    effects = node.pass_s(30)
    assert (end(effects).cause, end(effects).event, end(effects).counts_crash) == ("lost", Event.REQUEUE, True)
    assert all_of(effects, Drop) == [Drop("s1")]
    assert not node.machine.workers
    assert not node.machine.attempts
    assert node.until_due_s() is None


def test_a_return_on_the_same_session_stops_the_grace(node):
    node.run("a1")
    node.away("s1")
    node.pass_s(29)
    assert node.back("s1") == []
    assert node.until_due_s() == 31, "the timeout runs on as before"


def test_a_return_on_a_new_session_stops_the_grace(node):
    node.run("a1")
    node.ended("s1")
    node.pass_s(29)
    assert ends(node.join("s2", holding=[("a1", 29.0)])) == {}
    assert node.until_due_s() == 31


def test_a_page_is_connected_since_it_came_with_its_session_however_often_it_registers_there(node):
    worker = node.machine.workers["w1"]
    began = worker.registered
    node.pass_s(10)
    node.join("s1", types=("a", "b"))
    assert (worker.registered, worker.heard) == (began, node.now)
    node.join("s2")
    assert worker.registered == node.now


def test_a_second_sign_of_a_closed_connection_does_not_prolong_the_grace(node):
    node.away("s1")
    node.pass_s(20)
    assert node.away("s1") == []
    assert node.ended("s1") == []
    assert node.until_due_s() == 10


def test_a_page_that_is_away_gets_no_offers(node):
    node.away("s1")
    assert node.room() == 0
    node.back("s1")
    assert node.room() == 1


def test_a_page_between_two_polls_gets_offers(node):
    assert node.back("s1") == []
    assert node.room() == 1


def test_the_grace_runs_since_the_connection_closed_and_not_since_we_were_told(node):
    node.run("a1", timeout_s=600.0)
    assert node.away("s1", ago_s=1.0) == []
    assert node.until_due_s() == 29
    assert ends(node.pass_s(29)) == {"a1": "lost"}


def test_a_grace_that_is_over_when_we_are_told_ends_the_attempt_at_once(node):
    node.run("a1", timeout_s=600.0)
    node.away("s1", ago_s=31.0)
    assert node.until_due_s() == 0
    assert ends(node.pass_s(0)) == {"a1": "lost"}


def test_an_offer_that_was_not_sent_is_taken_back_as_soon_as_its_page_is_away(node):
    node.join(slots=2)
    node.offer("a1", written=False)
    node.offer("a2")
    assert ends(node.away("s1")) == {"a1": "lapsed"}
    assert ends(node.pass_s(10)) == {"a2": "lapsed"}


def test_an_offer_to_a_page_that_goes_for_good_lapses_and_counts_nothing():
    node = Node(offer_ttl_s=100.0)
    node.join()
    node.offer("a1")
    node.away("s1")
    ended = end(node.pass_s(30))
    assert (ended.cause, ended.counts_crash) == ("lapsed", False)


def test_a_missed_pong_ends_no_lease(node):
    node.run("a1", timeout_s=600.0)
    assert node.quiet("s1") == []
    assert node.until_due_s() == 600, "no grace runs"
    assert node.room() == 0
    assert ends(node.pass_s(600)) == {"a1": "timed_out"}


def test_a_quiet_page_that_wakes_goes_on_with_its_attempt(node):
    node.run("a1", timeout_s=600.0)
    node.quiet("s1")
    node.pass_s(300)
    assert ends(node.join("s2", holding=[("a1", 300.0)])) == {}
    assert ends(node.result("s2", "a1", "42")) == {"a1": "succeeded"}


def test_an_offer_that_was_not_sent_to_a_page_that_falls_quiet_is_taken_back(node):
    node.offer("a1", written=False)
    assert ends(node.quiet("s1")) == {"a1": "lapsed"}


def test_a_quiet_page_without_a_lease_is_forgotten_after_the_grace(node):
    node.quiet("s1")
    assert node.until_due_s() == 30
    assert node.pass_s(30) == []
    assert not node.machine.workers


def test_a_quiet_page_is_forgotten_after_its_last_lease(node):
    node.run("a1", timeout_s=600.0)
    node.quiet("s1")
    node.pass_s(600)
    assert node.until_due_s() == 30
    node.pass_s(30)
    assert not node.machine.workers
    assert not node.machine.attempts


def test_a_page_that_was_away_and_then_missed_its_pong_stays_away(node):
    node.run("a1")
    node.away("s1")
    node.pass_s(10)
    node.quiet("s1")
    assert node.until_due_s() == 20


def test_bye_ends_everything_at_once(node):
    node.join(slots=3)
    node.run("a1")
    node.offer("a2")
    node.run("a3")
    node.cancelled("a3", "not needed")
    effects = node.bye("s1")
    assert ends(effects) == {"a1": "lost", "a2": "lapsed"}
    assert all_of(effects, Drop) == [Drop("s1")]
    assert not node.machine.attempts
    assert node.until_due_s() is None


def test_the_grace_of_one_page_ends_no_others_lease(node):
    node.join("s2", "w2")
    node.run("a1", had=("w2",))
    node.run("a2", worker="w2", had=("w1",))
    node.away("s1")
    assert ends(node.pass_s(30)) == {"a1": "lost"}
    assert node.until_due_s() == 30


@pytest.mark.parametrize("call", ["away", "back", "ended", "quiet", "heard", "polled", "bye"])
def test_a_session_that_never_registered_changes_nothing(node, call):
    node.run("a1")
    assert getattr(node, call)("unheard of") == []
    assert node.until_due_s() == 60


def test_the_last_contact_is_kept(node):
    node.pass_s(5)
    node.heard("s1")
    worker = node.machine.worker_of("s1")
    assert worker is not None
    assert worker.heard == node.now


def test_a_claim_for_a_page_that_went_meanwhile_is_given_back(node):
    pool = node.machine.workers["w1"].pool
    node.away("s1")
    assert ends(node.claimed([claim("a1", pool=pool)])) == {"a1": "lapsed"}


def test_a_timeout_while_the_page_is_quiet_tells_nobody(node):
    node.run("a1")
    node.quiet("s1")
    assert not all_of(node.pass_s(60), CancelOrder)


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        (lambda node: node.cancelled("a1", "not needed"), "not needed"),
        (lambda node: node.pass_s(5), "no_heartbeat"),
        (lambda node: node.pass_s(60), "timed_out"),
    ],
)
def test_a_page_without_a_session_hears_the_reason_when_it_comes_back(over, reason):
    node = Node()
    node.join()
    node.run("a1", heartbeat_s=5.0 if reason == "no_heartbeat" else None)
    node.quiet("s1")
    assert not all_of(over(node), CancelOrder)
    for session in ("s2", "s3"):
        told = only(node.join(session, holding=[("a1", 9.0)]), CancelOrder)
        assert told == CancelOrder(session, "a1", reason)


def lately(node: Node) -> list[tuple[float, str]]:
    """What is known of the worker's comings and goings, by the seconds that they are ago."""
    return [(round(node.now - at, 3), passage.value) for at, passage in node.machine.workers["w1"].lately]


def test_comings_and_goings_are_known_with_their_instants(node):
    node.run("a1")
    node.away("s1")
    node.pass_s(5)
    node.away("s1")
    node.back("s1")
    node.back("s1")
    node.pass_s(1)
    node.join("s2", holding=[("a1", 5.0)])
    assert lately(node) == [(6, "connected"), (6, "away"), (1, "back"), (0, "connected")]


def test_the_newest_twenty_are_known(node):
    for _ in range(30):
        node.away("s1")
        node.pass_s(1)
        node.back("s1")
    assert [len(lately(node)), lately(node)[-1], lately(node)[0]] == [20, (0, "back"), (10, "away")]
