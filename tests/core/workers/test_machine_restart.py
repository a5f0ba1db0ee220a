"""The server starts again, or stops: leases of an earlier run, and the drain."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.core.jobs.states import Event
from dispatcher.core.workers.effects import CancelOrder, Offer, Order, Welcome
from tests.core.workers.support import Node, all_of, claim, end, ends, left, only
from tests.support.operations import operations


@pytest.fixture
def node():
    """Not the node of the others: it has just started, found one accepted attempt, and has no page yet."""
    node = Node()
    assert node.restore([left("a1", timeout_s=100.0)]) == []
    return node


def test_an_unaccepted_claim_of_an_earlier_run_lapses_at_once():
    node = Node()
    ended = end(node.restore([left("a1", started_at=None)]))
    assert (ended.cause, ended.event, ended.holder) == ("lapsed", Event.REQUEUE, None)
    assert not node.machine.attempts


def test_an_accepted_attempt_waits_for_its_page_and_is_then_lost_at_no_cost(node):
    assert node.until_due_s() == 60
    ended = end(node.pass_s(60))
    assert (ended.cause, ended.event, ended.counts_crash, ended.counts_error) == ("lost", "requeue", False, False)
    assert node.until_due_s() is None


def test_its_own_page_goes_on_with_what_is_left_of_the_timeout(node):
    assert ends(node.join(holding=[("a1", 20.0)])) == {}
    assert node.until_due_s() == 80
    assert node.room() == 0
    assert ends(node.pass_s(80)) == {"a1": "timed_out"}


@pytest.mark.parametrize(("elapsed_s", "left_s"), [(90.0, 60), (1e9, 60), (-5.0, 100), (0.0, 100)])
def test_a_restart_never_shortens_a_lease_and_what_the_page_says_is_bounded(node, elapsed_s, left_s):
    node.join(holding=[("a1", elapsed_s)])
    assert node.until_due_s() == left_s


def test_a_short_timeout_is_not_lengthened_to_the_whole_grace():
    node = Node()
    node.restore([left("a1", timeout_s=5.0)])
    node.join(holding=[("a1", 4.0)])
    assert node.until_due_s() == 5


def test_a_page_that_comes_back_without_it_has_lost_it_at_no_cost(node):
    ended = end(node.join())
    assert (ended.attempt, ended.cause, ended.counts_crash) == ("a1", "lost", False)
    assert node.room() == 1


def test_any_page_that_holds_it_may_go_on_with_it(node):
    assert ends(node.join("s1", "w2", boot="b2", holding=[("a1", 1.0)])) == {}
    assert set(node.machine.workers["w2"].attempts) == {"a1"}
    assert all_of(node.accept("s1", "a1"), CancelOrder) == []


def test_a_page_that_does_not_hold_it_leaves_another_workers_attempt_alone(node):
    assert ends(node.join("s1", "w2", boot="b2")) == {}
    assert node.until_due_s() == 60


def test_a_result_in_the_stash_has_the_time_of_an_offer_to_arrive(node):
    node.join(finished=["a1"])
    assert node.until_due_s() == 10
    ended = end(node.pass_s(10))
    assert (ended.cause, ended.counts_crash) == ("lost", False)


def test_a_result_out_of_the_stash_is_taken(node):
    node.join(finished=["a1"])
    assert ends(node.result("s1", "a1", "42")) == {"a1": "succeeded"}


def test_a_result_counts_before_its_own_page_is_back(node):
    node.join("s2", "w2", boot="b2")
    assert ends(node.result("s2", "a1", "42")) == {"a1": "succeeded"}
    assert node.until_due_s() is None


def test_a_page_that_took_up_its_attempt_and_then_crashes_uses_up_a_crash(node):
    node.join(holding=[("a1", 20.0)])
    node.away("s1")
    ended = end(node.pass_s(30))
    assert (ended.cause, ended.counts_crash) == ("lost", True)


def test_cancelling_an_attempt_that_waits_for_its_page_forgets_it(node):
    assert node.cancelled("a1", "not needed") == []
    assert not node.machine.attempts
    assert node.until_due_s() is None
    assert only(node.join(holding=[("a1", 1.0)]), CancelOrder).attempt == "a1"


def test_an_attempt_that_was_taken_up_keeps_its_slot_when_other_workers_come(node):
    node.join(holding=[("a1", 20.0)])
    node.join("s2", "w2", boot="b2")
    assert node.room() == 1


@pytest.fixture
def busy():
    """A node that has just started, with a page that is busy with what this run knows nothing of."""
    node = Node()
    effects = node.join(holding=[("of an earlier run", 90.0)])
    assert only(effects, CancelOrder) == CancelOrder("s1", "of an earlier run", "stale")
    return node


def test_a_page_that_is_busy_with_something_of_an_earlier_run_has_no_room(busy):
    assert busy.room() == 0
    assert busy.released("s1", "of an earlier run", "cancelled") == []
    assert busy.machine.hungry()
    assert busy.room() == 1
    assert busy.until_due_s() is None


def test_a_page_that_cannot_let_go_of_something_of_an_earlier_run_is_asked_to_reload_once(busy):
    assert only(busy.pass_s(60), Order) == Order("s1", "reload")
    assert busy.until_due_s() is None
    busy.away("s1")
    effects = busy.join("s2", boot="b2")
    assert not all_of(effects, CancelOrder)
    assert busy.room() == 1


def test_the_late_result_of_an_earlier_run_frees_the_slot_and_goes_to_the_store(busy):
    assert ends(busy.result("s1", "of an earlier run", "42")) == {"of an earlier run": "succeeded"}
    assert busy.room() == 1


def test_a_page_cannot_make_the_server_keep_more_than_it_has_slots():
    node = Node()
    effects = node.join(slots=2, holding=[(f"a{n}", 0.0) for n in range(1_000)])
    assert len(all_of(effects, CancelOrder)) == 1_000
    assert len(node.machine.attempts) == 2
    node.join("s2", slots=2, holding=[(f"b{n}", 0.0) for n in range(1_000)])
    assert set(node.machine.attempts) == {"b0", "b1"}


# -- stopping


def test_a_draining_node_makes_no_offers_and_says_so():
    node = Node()
    node.join()
    node.join("s2", "w2")
    pool = node.machine.workers["w1"].pool
    effects = node.drain()
    assert {(order.session, order.op) for order in all_of(effects, Order)} == {("s1", "drain"), ("s2", "drain")}
    assert node.machine.demand(10) == []
    assert not node.machine.hungry()
    assert ends(node.claimed([claim("a1", pool=pool)])) == {"a1": "lapsed"}


def test_a_drain_takes_back_what_was_not_sent_and_lets_the_rest_end():
    node = Node()
    node.join(slots=3)
    node.offer("a1", written=False)
    node.offer("a2")
    node.run("a3")
    assert ends(node.drain()) == {"a1": "lapsed"}
    assert node.machine.busy() == 2
    assert all_of(node.accept("s1", "a2"), CancelOrder) == []
    node.result("s1", "a2", "1")
    node.result("s1", "a3", "1")
    assert node.machine.busy() == 0


def test_a_node_is_hungry_when_room_has_grown_since_the_last_demand():
    node = Node()
    assert not node.machine.hungry()
    node.join()
    assert node.machine.hungry()
    node.machine.demand(10)
    assert not node.machine.hungry()
    node.run("a1")
    assert not node.machine.hungry()
    node.result("s1", "a1", "1")
    assert node.machine.hungry()


def test_pages_may_still_register_while_a_node_drains():
    node = Node()
    node.drain()
    effects = node.join()
    assert all_of(effects, Welcome)
    assert not all_of(effects, Offer)


def test_the_grace_begins_anew_when_pages_can_come(node):
    node.restore([left("a1"), left("a2", worker="w2")])
    node.pass_s(50)
    node.begin_grace()
    assert node.until_due_s() == 60


def test_how_workers_stand_is_known_by_type(node):
    node.join()
    assert node.machine.standing("a") == {"idle": 1}
    assert node.machine.roster.offered() == {"a"}


def test_of_two_attempts_that_wait_for_a_page_one_may_be_cancelled(node):
    node.restore([left("a1"), left("a2")])
    node.cancelled("a1", "not needed")
    assert ends(node.join()) == {"a2": "lost"}


@pytest.mark.parametrize("mine", [0, 3])
def test_a_page_that_comes_back_costs_the_same_beside_100_and_10_000_attempts_of_others(mine):
    costs = []
    for others in (100, 10_000):
        node = Node()
        own = [left(f"a{number}") for number in range(mine)]
        node.restore([*own, *(left(f"b{number}", worker=f"w of b{number}") for number in range(others))])
        holding = [(attempt.attempt, 1.0) for attempt in own]
        costs.append(operations(partial(node.join, slots=4, holding=holding)))
        assert len(node.machine.workers["w1"].attempts) == mine
        costs.append(operations(partial(node.join, slots=4, holding=holding)))
    assert costs[:2] == costs[2:]
