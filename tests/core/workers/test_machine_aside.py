"""Workers that heed no offers are set aside, and a standstill of the server counts against nobody."""

from __future__ import annotations

import pytest

from dispatcher.core.workers.effects import Order, Record
from tests.core.workers.support import Node, claim, ends, left


def ignore(node, attempt="a1", *, fetched=True):
    """The page lets an offer lapse."""
    node.offer(attempt)
    if fetched:
        node.polled("s1")
    assert ends(node.pass_s(10)) == {attempt: "lapsed"}


@pytest.fixture
def aside(node):
    """A node whose page has just been set aside."""
    ignore(node)
    assert node.room() == 1
    ignore(node, "a2")
    return node


def test_a_page_that_lets_two_fetched_offers_lapse_gets_none_for_a_minute(aside):
    assert aside.room() == 0
    assert aside.until_due_s() == 60
    aside.pass_s(59.9)
    assert aside.room() == 0
    aside.pass_s(0.1)
    assert aside.machine.hungry()
    assert aside.room() == 1


def test_a_claim_for_a_page_that_was_set_aside_meanwhile_is_given_back(aside):
    [effect] = aside.claimed([claim("a3", pool=aside.machine.workers["w1"].pool)])
    assert isinstance(effect, Record)


def test_a_page_that_declines_two_offers_gets_none_for_a_minute(node):
    for n in range(2):
        assert node.room() == 1
        node.offer(f"a{n}")
        assert ends(node.released("s1", f"a{n}", "declined")) == {f"a{n}": "released"}
    assert node.room() == 0
    assert node.until_due_s() == 60
    node.pass_s(60)
    node.offer("a3")
    node.released("s1", "a3", "declined")
    assert node.until_due_s() == 120


@pytest.mark.parametrize("begin", ["offer", "run"])
def test_what_is_given_back_a_second_time_counts_once_and_changes_nothing(node, begin):
    """A page says so again if it may not have arrived."""
    getattr(node, begin)("a1")
    assert ends(node.released("s1", "a1", "declined")) == {"a1": "released"}
    node.offer("a2")
    assert node.released("s1", "a1", "declined") == []
    worker = node.machine.workers["w1"]
    assert (worker.lapses, list(worker.attempts)) == (begin == "offer", ["a2"])


@pytest.mark.parametrize("how", ["pauses", "drains"])
def test_a_page_that_takes_no_offers_for_a_reason_may_decline_what_has_crossed_it(how):
    node = Node()
    node.join(slots=3)
    for n in range(3):
        node.offer(f"a{n}")
    if how == "pauses":
        node.pause("s1", True)
    else:
        node.drain()
    for n in range(3):
        node.released("s1", f"a{n}", "declined")
    assert not node.machine.workers["w1"].aside


def test_what_was_accepted_may_be_given_back(node):
    for n in range(3):
        node.run(f"a{n}")
        node.released("s1", f"a{n}", "no printer")
    assert node.room() == 1


def test_offers_that_the_network_lost_count_against_nobody(node):
    for n in range(5):
        ignore(node, f"a{n}", fetched=False)
    assert node.room() == 1


def test_a_pong_shows_that_the_offers_before_its_ping_have_arrived_and_no_others(node):
    """On a socket nobody polls: the transport names the offers that a pong proves."""
    for proved in (["a0"], ["a1"]):
        (name,) = proved
        node.offer(name)
        node.received("s1", proved)
        node.pass_s(10)
    assert node.room() == 0, "two that were fetched and ignored in a row"


def test_a_pong_proves_nothing_of_offers_that_it_does_not_name_or_that_are_another_worker_s(node):
    node.join("s2", worker="w2")
    for n in range(3):
        node.offer(f"a{n}")
        node.received("s1", ["of nobody"])
        node.received("s2", [f"a{n}"])
        node.received("unknown", [f"a{n}"])
        node.pass_s(10)
    assert node.room() == 2


def test_a_poll_before_the_answer_with_the_offer_does_not_fetch_it(node):
    for n in range(3):
        node.offer(f"a{n}", written=False)
        node.polled("s1")
        node.written([f"a{n}"])
        node.pass_s(10)
    assert node.room() == 1


def test_an_offer_that_was_sent_again_must_be_fetched_again_to_count(node):
    for n in range(3):
        node.offer(f"a{n}")
        node.polled("s1")
        node.join()  # the page did not get it: the offer is sent once more
        node.written([f"a{n}"])
        assert ends(node.pass_s(10)) == {f"a{n}": "lapsed"}
    assert node.room() == 1


def test_each_time_it_is_set_aside_for_longer_and_one_more_lapse_is_enough(aside):
    waits = []
    for n in range(13):
        waits.append(aside.until_due_s())
        aside.pass_s(waits[-1])
        ignore(aside, f"b{n}")
    assert waits[:4] == [60, 120, 240, 480]
    assert waits[10:] == [60 * 2**10] * 3


def test_it_is_never_set_aside_for_longer_than_17_hours(aside):
    for n in range(1, 13):
        waits_s = min(60 * 2 ** (n - 1), 61_440)
        assert aside.until_due_s() == waits_s
        aside.pass_s(waits_s)
        ignore(aside, f"b{n}")
    assert aside.until_due_s() == 61_440


@pytest.mark.parametrize(
    "answer",
    [
        lambda node: (node.accept("s1", "a3"), node.result("s1", "a3", "1")),
        lambda node: node.result("s1", "a3", "1"),
        lambda node: node.error("s1", "a3", "{}", "it failed", retry=True),
    ],
    ids=["accept", "quick result", "quick error"],
)
def test_whoever_answers_an_offer_starts_with_a_clean_slate(aside, answer):
    aside.pass_s(60)
    aside.offer("a3")
    answer(aside)
    ignore(aside, "a4")
    assert aside.room() == 1
    ignore(aside, "a5")
    assert aside.until_due_s() == 60


def test_one_lapse_an_answer_and_another_lapse_are_not_two_in_a_row(node):
    ignore(node)
    node.offer("a2")
    node.result("s1", "a2", "1")
    ignore(node, "a3")
    assert node.room() == 1


def test_lapses_of_a_page_that_is_set_aside_already_do_not_prolong_it():
    node = Node()
    node.join(slots=3)
    for name in ("a1", "a2", "a3"):
        node.offer(name)
    node.polled("s1")
    assert len(ends(node.pass_s(10))) == 3
    assert node.machine.workers["w1"].times_aside == 1
    assert node.until_due_s() == 60


@pytest.mark.parametrize("how", ["bye", "grace"])
def test_nothing_is_due_of_a_worker_that_is_gone(aside, how):
    if how == "bye":
        aside.bye("s1")
    else:
        aside.away("s1")
        aside.pass_s(30)
    assert aside.until_due_s() is None
    aside.join("s2")
    assert aside.room() == 1, "whoever comes anew is tried"


def test_a_new_session_or_a_new_boot_does_not_bring_it_back_sooner(aside):
    aside.join("s2")
    assert aside.room() == 0
    aside.away("s2")
    aside.join("s3", boot="b2")
    assert aside.room() == 0
    assert aside.until_due_s() == 60


def test_a_page_that_is_away_when_its_time_is_over_gets_offers_when_it_is_back(aside):
    aside.pass_s(50)
    aside.away("s1")
    aside.pass_s(10)
    assert aside.room() == 0
    aside.back("s1")
    assert aside.room() == 1


def test_a_page_whose_time_is_over_while_the_node_drains_gets_nothing(aside):
    assert aside.drain() == [Order("s1", "drain")]
    aside.pass_s(60)
    assert aside.machine.demand(10) == []
    assert not aside.machine.hungry()


def test_an_offer_that_was_fetched_and_lapses_while_the_node_drains_still_counts(node):
    ignore(node)
    node.offer("a2")
    node.polled("s1")
    node.drain()
    node.pass_s(10)
    assert node.machine.workers["w1"].aside


# -- a standstill


def test_what_falls_due_in_a_standstill_waits_a_moment_for_what_has_arrived(node):
    node.run("a1", timeout_s=20.0)
    node.now += 100
    assert node.forgive(80.0) == []
    assert not ends(node.tick())
    assert node.until_due_s() == 1
    assert ends(node.result("s1", "a1", "1")) == {"a1": "succeeded"}


def test_a_timeout_that_is_not_due_is_not_put_off_by_a_standstill(node):
    node.run("a1", timeout_s=150.0)
    node.now += 100
    node.forgive(80.0)
    assert node.until_due_s() == 50
    assert ends(node.pass_s(50)) == {"a1": "timed_out"}


def test_a_timeout_that_is_due_right_after_a_standstill_waits_for_what_has_arrived(node):
    """As the simulator found it: the result lay there, and the timer came before it."""
    node.run("a1", timeout_s=100.25)
    node.now += 100
    node.forgive(80.0)
    assert node.until_due_s() == 1
    assert ends(node.result("s1", "a1", "1")) == {"a1": "succeeded"}


def test_a_timeout_that_was_put_off_comes_when_nothing_has_arrived(node):
    node.run("a1", timeout_s=20.0)
    node.now += 100
    node.forgive(80.0)
    assert ends(node.pass_s(1)) == {"a1": "timed_out"}


def test_an_offer_is_given_the_time_that_was_lost(node):
    node.offer("a1")
    node.now += 90
    node.forgive(85.0)
    assert node.until_due_s() == 5


def test_a_grace_is_given_the_time_that_was_lost(node):
    node.away("s1")
    node.now += 90
    node.forgive(85.0)
    assert node.until_due_s() == 25


def test_a_deadline_that_the_standstill_began_with_still_leaves_a_moment(node):
    """The lateness counts from the deadline itself: if the deadline moved by it, it would be due at once."""
    node.away("s1")
    node.now += 110
    node.forgive(80.0)
    assert not node.tick()
    node.back("s1")
    assert set(node.machine.workers) == {"w1"}


def test_a_heartbeat_is_given_the_time_that_was_lost(node):
    node.run("a1", heartbeat_s=30.0, timeout_s=500.0)
    node.now += 90
    node.forgive(85.0)
    assert node.until_due_s() == 25


def test_a_probe_is_given_the_time_that_was_lost(node):
    node.join("s2", boot="b2")
    node.now += 12
    node.forgive(10.0)
    assert node.until_due_s() == 1


def test_the_order_to_reload_is_given_the_time_that_was_lost(node):
    node.run("a1")
    node.cancelled("a1", "not needed")
    node.now += 90
    node.forgive(85.0)
    assert node.until_due_s() == 55


def test_a_result_awaited_out_of_a_stash_is_given_the_time_that_was_lost(node):
    node.run("a1")
    node.away("s1")
    node.join("s2", boot="b2", finished=["a1"])
    node.now += 90
    node.forgive(85.0)
    assert node.until_due_s() == 5


def test_the_grace_after_a_restart_is_given_the_time_that_was_lost():
    node = Node()
    node.restore([left("a1")])
    node.now += 90
    node.forgive(85.0)
    assert node.until_due_s() == 55


def test_being_set_aside_is_not_over_sooner_for_a_standstill(aside):
    aside.now += 90
    aside.forgive(85.0)
    assert aside.room() == 0
    assert aside.until_due_s() == 55


def test_where_nothing_is_due_a_standstill_changes_nothing():
    node = Node()
    assert node.forgive(100.0) == []
    assert node.until_due_s() is None


def test_a_standstill_prolongs_nothing_beyond_its_rule_that_was_set_when_it_was_over(node):
    node.now += 3_600
    node.away("s1")
    node.forgive(3_600.0)
    assert node.until_due_s() == 30, "the grace, and not an hour more"
