"""What operators say of types: it counts at once, for jobs that are ready and for those that come."""

from __future__ import annotations

from dispatcher.core.jobs.acts.kept import EVERY_TYPE, Hold, KeptType
from dispatcher.core.jobs.turn import LaneReady
from dispatcher.core.workers.effects import Offer, Withdraw
from tests.core.workers.support import Node, all_of, claim, end, ends, only

HOLD = Hold(1.0, "ann", "no paper")
PAUSED = KeptType(type="a", paused=HOLD)
RESUMED = KeptType(type="a")


def keep(node: Node, one: KeptType) -> None:
    assert node.keep_type(one) == []


def test_a_paused_type_is_not_asked_for_until_it_is_resumed(node: Node) -> None:
    node.join("s1")
    assert [one.lanes for one in node.machine.demand(9)] == [("a",)]
    keep(node, PAUSED)
    assert node.machine.demand(9) == []
    assert (node.machine.type_hold("a"), node.machine.type_hold("b")) == (HOLD, None)
    assert node.machine.held_types(5) == {"a": HOLD}
    keep(node, RESUMED)
    assert [one.lanes for one in node.machine.demand(9)] == [("a",)]
    assert (node.machine.type_hold("a"), node.machine.held_types(5)) == (None, {})


def test_what_the_store_has_counts_before_the_first_job_is_ready(node: Node) -> None:
    node.join("s1", types=("x", "y"))
    node.machine.know_types([KeptType(type="y", paused=HOLD), KeptType(type="x", paused=HOLD)])
    assert node.machine.held_types(5) == {}, "no job of theirs waits"
    node.machine.ready([LaneReady("y", 2, 1.0), LaneReady("x", 1, 1.0)], claimed=False)
    assert node.machine.demand(9) == []
    assert list(node.machine.held_types(5)) == ["x", "y"]
    assert list(node.machine.held_types(1)) == ["x"]


def test_a_job_that_was_claimed_in_the_same_turn_goes_back_at_no_cost(node: Node) -> None:
    node.join("s1")
    keep(node, PAUSED)
    effects = node.claimed([claim("a1", pool=node.machine.workers["w1"].pool)])
    assert (ends(effects), all_of(effects, Offer)) == ({"a1": "lapsed"}, [])
    assert end(effects).detail == "its type was paused"


def test_an_offer_that_no_poll_has_carried_away_goes_back_and_others_stay(node: Node) -> None:
    node.join("s1", types=("a", "b"), slots=4)
    node.offer("a1", written=False)
    node.offer("b1", written=False, type="b")
    node.offer("a2")
    node.run("a3")
    effects = node.keep_type(PAUSED)
    assert (ends(effects), only(effects, Withdraw)) == ({"a1": "lapsed"}, Withdraw("s1", "a1"))
    assert set(node.machine.attempts) == {"b1", "a2", "a3"}


def test_all_types_together_are_asked_for_by_nobody_and_touch_no_pause_of_one(node: Node) -> None:
    node.join("s1", types=("a", "b"), slots=4)
    keep(node, PAUSED)
    node.offer("b1", written=False, type="b")
    node.run("b2", type="b")
    node.machine.ready([LaneReady("b", 1, 1.0)], claimed=False)
    effects = node.keep_type(KeptType(type=EVERY_TYPE, paused=HOLD))
    assert (ends(effects), only(effects, Withdraw)) == ({"b1": "lapsed"}, Withdraw("s1", "b1"))
    assert (node.machine.demand(9), node.machine.hungry(), node.machine.stalled(9, 1e9)) == ([], False, [])
    assert list(node.machine.held_types(5)) == [EVERY_TYPE, "a"]
    assert set(node.machine.attempts) == {"b2"}
    keep(node, KeptType(type=EVERY_TYPE))
    assert [one.lanes for one in node.machine.demand(9)] == [("b",)]
    assert (node.machine.type_hold("a"), node.machine.type_hold("b")) == (HOLD, None)
