"""What operators say of a worker: it counts at once, wins over the page's word, and outlives pages."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from dispatcher.core.jobs.acts.kept import Hold, KeptWorker
from dispatcher.core.workers.effects import CancelOrder, Drop, HoldOrder, Order, Refuse, Welcome, Withdraw
from tests.core.workers.support import Node, all_of, ends, only

LUNCH = Hold(1.0, "ann", "lunch")
PAUSED = KeptWorker(id="w1", called="page w1", paused=LUNCH)
BLOCKED = KeptWorker(id="w1", called="page w1", blocked=Hold(1.0, "ann", "not ours"))
NOTHING = KeptWorker(id="w1", called="page w1")


@pytest.fixture
def joined(node: Node) -> Node:
    node.join("s1")
    return node


def test_a_paused_worker_gets_no_offers_until_it_is_resumed(joined):
    assert joined.keep(PAUSED) == [HoldOrder("s1", LUNCH)]
    assert joined.room() == 0
    assert joined.keep(PAUSED) == []
    assert joined.keep(NOTHING) == [HoldOrder("s1", None)]
    assert (joined.room(), joined.machine.operators.kept) == (1, {})


def test_an_offer_that_no_poll_has_carried_away_goes_back(joined):
    joined.offer("a1", written=False)
    effects = joined.keep(PAUSED)
    assert ends(effects) == {"a1": "lapsed"}
    assert only(effects, Withdraw) == Withdraw("s1", "a1")


def test_a_page_that_comes_later_is_told_so(node):
    node.machine.operators.know([PAUSED])
    assert only(node.join("s1"), HoldOrder) == HoldOrder("s1", LUNCH)
    assert node.room() == 0
    assert node.keep(NOTHING) == [HoldOrder("s1", None)]


def test_a_worker_that_is_not_here_is_kept(node):
    other = replace(PAUSED, id="w7")
    assert node.keep(other) == []
    assert node.machine.operators.kept == {"w7": other}


def test_a_worker_without_a_session_is_told_when_it_comes_back(joined):
    joined.ended("s1")
    assert joined.keep(PAUSED) == []
    assert only(joined.join("s2"), HoldOrder) == HoldOrder("s2", LUNCH)


def test_the_person_at_the_page_may_end_the_pause_that_the_page_has_heard_of_and_no_other(joined):
    joined.keep(replace(PAUSED, note="by the door"))
    operators = joined.machine.operators
    assert operators.without_hold("w1", LUNCH.since_ms) == replace(NOTHING, note="by the door")
    assert operators.without_hold("w1", LUNCH.since_ms + 1) is None
    assert operators.without_hold("w2", LUNCH.since_ms) is None
    for kept in (
        replace(PAUSED, paused=replace(LUNCH, leaves=True)),
        replace(PAUSED, blocked=LUNCH),
        replace(NOTHING, note="by the door"),
    ):
        joined.keep(kept)
        assert operators.without_hold("w1", LUNCH.since_ms) is None


def test_an_operator_does_not_end_the_pause_of_the_person_at_the_page(joined):
    joined.keep(PAUSED)
    joined.pause("s1", True)
    joined.pause("s1", False)
    assert joined.room() == 0
    joined.pause("s1", True)
    joined.keep(NOTHING)
    assert joined.room() == 0
    joined.pause("s1", False)
    assert joined.room() == 1


def test_the_operators_name_and_labels_win_over_the_pages(node):
    node.join("s1", name="desk", labels=(("floor", "2"), ("site", "berlin")))
    named = KeptWorker(id="w1", name="DESK-7", labels=(("printer", "zebra"), ("site", "bonn")))
    labels = (("floor", "2"), ("printer", "zebra"), ("site", "bonn"))
    assert node.keep(named) == [Welcome("s1", "w1", "DESK-7", labels)]
    worker = node.machine.workers["w1"]
    assert worker.labels == labels
    node.join("s1", name="other")
    assert (worker.name, worker.labels) == ("DESK-7", named.labels)
    node.keep(NOTHING)
    assert (worker.name, worker.labels) == ("other", ())


def test_a_page_is_told_the_labels_that_count_when_it_comes_and_when_an_operator_changes_them(node):
    said = (("site", "berlin"),)
    assert only(node.join("s1", labels=said), Welcome).labels == said
    moved = replace(PAUSED, labels=(("site", "bonn"),))
    assert node.keep(moved) == [Welcome("s1", "w1", "page w1", moved.labels), HoldOrder("s1", LUNCH)]
    assert node.keep(replace(moved, note="by the door")) == []
    assert only(node.join("s1", labels=said), Welcome).labels == moved.labels
    assert node.keep(PAUSED) == [Welcome("s1", "w1", "page w1", said), HoldOrder("s1", LUNCH)]


def test_a_page_that_gets_another_name_while_the_server_stops_still_knows_that_it_stops(joined):
    joined.drain()
    assert joined.keep(KeptWorker(id="w1", name="DESK-7")) == [Welcome("s1", "w1", "DESK-7"), Order("s1", "drain")]


def test_a_blocked_worker_is_turned_away_and_what_it_has_goes_to_others(joined):
    joined.run("a1")
    effects = joined.keep(BLOCKED)
    assert ends(effects) == {"a1": "lost"}
    assert [type(effect) for effect in effects if isinstance(effect, Refuse | Drop)] == [Refuse, Drop]
    refused = Refuse("s2", "blocked", "this worker was blocked by ann: not ours")
    assert joined.join("s2") == [refused]
    assert joined.join("s2", boot="b2") == [refused]
    assert not joined.machine.workers
    joined.keep(NOTHING)
    assert all_of(joined.join("s2"), Welcome)


def test_a_page_that_waits_to_take_the_place_of_a_blocked_worker_is_turned_away_too(joined):
    joined.join("s2", boot="b2")  # the old page is asked for a sign of life
    effects = joined.keep(BLOCKED)
    assert [effect.session for effect in all_of(effects, Refuse)] == ["s1", "s2"]
    assert not all_of(effects, Welcome)
    assert not joined.machine.workers
    joined.pass_s(60.0)
    assert not joined.machine.workers


def test_a_blocked_worker_that_is_away_is_forgotten(joined):
    joined.ended("s1")
    assert joined.keep(BLOCKED) == []
    assert not joined.machine.workers


def test_a_page_that_is_to_reload_when_it_is_idle_gets_nothing_before(joined):
    worker = joined.machine.workers["w1"]
    assert joined.reload(worker, at_once=False) == [Order("s1", "reload_idle")]
    assert joined.room() == 0
    assert only(joined.join("s2"), Order) == Order("s2", "reload_idle")
    assert not all_of(joined.join("s3", boot="b2", after="b1"), Order)
    assert joined.room() == 1


def test_a_page_that_is_to_reload_at_once_is_told_so(joined):
    worker = joined.machine.workers["w1"]
    assert joined.reload(worker, at_once=True) == [Order("s1", "reload")]
    joined.ended("s1")
    assert joined.reload(worker, at_once=True) == []


def test_why_a_job_waits_finds_who_has_paused_a_worker_that_matches(joined):
    assert joined.machine.held("a") is None
    joined.keep(KeptWorker(id="w0", paused=LUNCH))
    joined.join("s2", worker="w2", types=("b",))
    joined.keep(KeptWorker(id="w2", paused=LUNCH))
    joined.keep(KeptWorker(id="w1", note="no pause"))
    assert (joined.machine.held("a"), joined.machine.held("b")) == (None, LUNCH)
    joined.keep(PAUSED)
    assert joined.machine.held("a") == LUNCH
    assert joined.machine.held("a", most=1) is None


def test_words_say_by_whom_and_why():
    assert Hold(1.0, "ann").words() == " by ann"
    assert Hold(1.0, "", "lunch").words() == ": lunch"


def test_a_page_that_an_operator_keeps_from_jobs_may_decline_what_has_crossed_it(joined):
    for attempt in ("a1", "a2"):
        joined.keep(NOTHING)
        joined.offer(attempt)
        joined.keep(PAUSED)
        joined.released("s1", attempt, "declined")
    assert not joined.machine.workers["w1"].aside


def test_a_pause_ends_no_job(joined):
    joined.run("a1")
    effects = joined.keep(PAUSED)
    assert not all_of(effects, CancelOrder)
    assert joined.machine.attempts["a1"].live()


def test_a_name_is_held_while_an_operator_keeps_some_worker_of_that_name_away(node):
    operators = node.machine.operators
    operators.know([PAUSED])
    node.keep(replace(BLOCKED, id="w2"))
    assert operators.holds("page w1")
    node.keep(NOTHING)
    assert operators.holds("page w1"), "another one of this name is blocked"
    node.keep(replace(NOTHING, id="w2", note="back"))
    assert not operators.holds("page w1")
    node.keep(replace(PAUSED, name="FRONT"))
    assert (operators.holds("FRONT"), operators.holds("page w1")) == (True, False)
