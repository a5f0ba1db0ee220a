"""Registering: the same boot again, a new boot, a second window, and what a page says that it holds."""

from __future__ import annotations

from functools import partial

import pytest

from dispatcher.core.jobs.model import WorkerFilter
from dispatcher.core.workers.effects import CancelOrder, Drop, Go, Offer, Probe, Refuse, Welcome
from dispatcher.core.workers.registration import Registration
from tests.core.workers.support import Node, all_of, end, ends, only
from tests.support.operations import operations


def test_a_page_that_registers_is_welcomed_and_idle():
    node = Node()
    effects = node.join(types=("b", "a", "b"), slots=2)
    assert only(effects, Welcome) == Welcome("s1", "w1", "page w1")
    assert node.machine.workers["w1"].types == ("a", "b")
    assert node.room() == 2


def test_a_page_that_registers_with_another_name_and_other_types_is_listed_so():
    node = Node()
    node.join(types=("a",), name="DESK")
    node.join(types=("a",), name="KIOSK")
    assert node.machine.roster.page(WorkerFilter(name="KIOSK"), None) == (["w1"], None)
    assert node.machine.roster.page(WorkerFilter(name="DESK"), None) == ([], None)
    node.join(types=("b",), name="KIOSK")
    assert [node.machine.roster.offering(lane) for lane in ("a", "b")] == [0, 1]


def test_registering_twice_makes_one_worker(node):
    effects = node.join()
    assert only(effects, Welcome).worker == "w1"
    assert not all_of(effects, Drop)
    assert len(node.machine.workers) == 1
    assert node.room() == 1


def test_a_new_session_of_the_same_boot_replaces_the_old_one(node):
    effects = node.join("s2")
    assert all_of(effects, Drop) == [Drop("s1")]
    assert node.machine.worker_of("s1") is None
    assert only(node.offer("a1"), Offer).session == "s2"


def test_a_repeated_register_that_crossed_its_answer_keeps_the_worker(node):
    """The page had no identity yet, so its repetition names none and would make another worker."""
    node.run("a1")
    effects = node.join(worker="w7", boot="b1", holding=[("a1", 0.0)])
    assert only(effects, Welcome).worker == "w1"
    assert ends(effects) == {}
    assert not all_of(effects, Drop)
    assert set(node.machine.workers) == {"w1"}


def test_a_session_that_becomes_another_worker_is_not_dropped(node):
    node.run("a1")
    effects = node.join(worker="w2", boot="b2")
    assert ends(effects) == {"a1": "lost"}
    assert not all_of(effects, Drop)
    assert only(effects, Welcome).worker == "w2"
    assert set(node.machine.workers) == {"w2"}
    assert only(node.offer("a2", worker="w2"), Offer).session == "s1"


def test_a_page_without_a_name_keeps_the_one_that_it_was_given(node):
    said = Registration(worker="w1", spare="w9", boot="b1", name="", types=("a",))
    assert only(node.register("s1", said), Welcome).name == "page w1"
    node.bye("s1")
    assert only(node.register("s1", said), Welcome).name == "page-w1"


# -- what the page holds


def test_an_offer_that_the_page_does_not_have_is_sent_again(node):
    node.offer("a1")
    node.pass_s(5)
    effects = node.join()
    assert only(effects, Offer).claim.attempt == "a1"
    assert node.until_due_s() is None, "it is not written yet"
    node.written(["a1"])
    assert node.until_due_s() == 10


@pytest.mark.parametrize("field", ["holding", "finished"])
def test_an_offer_that_the_page_has_is_not_sent_again(node, field):
    node.offer("a1")
    node.pass_s(4)
    names = [("a1", 0.0)] if field == "holding" else ["a1"]
    assert not all_of(node.join("s2", **{field: names}), Offer)
    assert node.until_due_s() == 6, "its deadline stands"


def test_an_offer_that_was_sent_again_and_that_the_page_had_all_along_can_lapse(node):
    """The page had it from the old session's last answer; then nothing would have been due for it."""
    node.offer("a1")
    node.join("s2")
    node.join("s3", holding=[("a1", 0.0)])
    assert node.until_due_s() == 10
    assert ends(node.pass_s(10)) == {"a1": "lapsed"}


def test_a_running_attempt_that_the_page_does_not_have_is_lost(node):
    node.run("a1")
    ended = end(node.join("s2"))
    assert (ended.attempt, ended.cause, ended.counts_crash) == ("a1", "lost", True)
    assert node.room() == 1


def test_a_result_in_the_pages_stash_keeps_its_attempt(node):
    node.run("a1")
    assert ends(node.join("s2", finished=["a1"])) == {}
    assert node.until_due_s() == 60


def test_a_page_that_holds_what_is_over_is_told_so(node):
    assert only(node.join("s2", holding=[("unheard of", 3.0)]), CancelOrder) == CancelOrder("s2", "unheard of", "stale")


def test_a_cancel_that_was_not_answered_is_repeated_on_each_register(node):
    node.run("a1")
    node.cancelled("a1", "not needed")
    for session in ("s2", "s3"):
        told = only(node.join(session, holding=[("a1", 5.0)]), CancelOrder)
        assert told == CancelOrder(session, "a1", "not needed")
    assert node.room() == 0


def test_what_is_over_and_what_the_page_does_not_hold_any_more_frees_its_slot(node):
    node.run("a1")
    node.cancelled("a1", "not needed")
    assert not all_of(node.join("s2"), CancelOrder)
    assert node.room() == 1


def test_an_offer_goes_back_where_the_page_is_busy_with_what_is_over(node):
    node.offer("a2")
    effects = node.join("s2", holding=[("unheard of", 3.0)])
    assert ends(effects) == {"a2": "lapsed"}
    assert not all_of(effects, Offer)


def test_a_register_that_comes_once_more_and_late_ends_nothing(node):
    """The network repeats a POST by itself; its content is older than later events."""
    node.join(slots=4)
    for attempt in ("a1", "a2", "a3"):
        node.run(attempt, effects="once" if attempt == "a3" else "repeat")
    node.cancelled("a2", "not needed")
    node.judged(node.accept("s1", "a3"))
    node.machine.attempts["a3"].went = True
    node.offer("a4")

    effects = node.join(slots=4, holding=[("of an earlier run", 3.0)])

    assert ends(effects) == {}
    assert set(node.machine.attempts) == {"a1", "a2", "a3", "a4"}
    assert only(effects, Welcome).worker == "w1"
    assert only(effects, CancelOrder).attempt == "a2"
    assert only(effects, Go).attempt == "a3"
    assert only(effects, Offer).claim.attempt == "a4"


def test_a_register_of_a_session_that_its_page_has_left_is_too_late(node):
    """Found by the simulator (seed 80043): its body was slow, the page had opened another session meanwhile."""
    node.join("s3", opened=20.0)
    node.run("a1")
    assert node.join("s2", opened=10.0) == [Drop("s2")]
    assert set(node.machine.workers["w1"].attempts) == {"a1"}
    assert node.machine.worker_of("s3") is not None


def test_a_boot_stays_the_worker_that_it_has_become_when_the_one_that_it_claims_is_gone(node):
    """Found by the simulator (seed 148): the boot became two workers."""
    node.join("s2", boot="b2", spare="w2")
    node.heard("s1")
    node.bye("s1")
    effects = node.join("s3", boot="b2")
    assert only(effects, Welcome).worker == "w2"
    assert set(node.machine.workers) == {"w2"}


def test_what_another_worker_runs_is_not_taken_over_by_holding_it(node):
    node.run("a1")
    assert ends(node.join("s2", "w2", boot="b2", holding=[("a1", 5.0)])) == {}
    assert set(node.machine.workers["w1"].attempts) == {"a1"}


# -- a new boot


def test_a_new_boot_ends_the_old_pages_attempts_at_once(node):
    node.join(slots=3)
    node.run("a1")
    node.offer("a2")
    node.run("a3")
    node.cancelled("a3", "not needed")
    node.away("s1")
    effects = node.join("s2", boot="b2", slots=3)
    assert ends(effects) == {"a1": "lost", "a2": "lapsed"}
    assert node.room() == 3
    assert only(effects, Welcome).worker == "w1"
    assert node.until_due_s() is None


def test_a_new_boot_keeps_the_attempts_whose_results_are_in_its_stash(node):
    node.join(slots=2)
    node.run("a1")
    node.run("a2")
    node.away("s1")
    assert ends(node.join("s2", boot="b2", slots=2, finished=["a1"])) == {"a2": "lost"}
    assert node.until_due_s() == 10
    assert ends(node.result("s2", "a1", "42")) == {"a1": "succeeded"}


def test_a_result_that_does_not_come_out_of_the_stash_in_time_is_lost(node):
    node.run("a1")
    node.away("s1")
    node.join("s2", boot="b2", finished=["a1"])
    assert ends(node.pass_s(10)) == {"a1": "lost"}


def test_the_stash_also_keeps_an_attempt_that_was_never_accepted(node):
    node.offer("a1")
    node.away("s1")
    assert ends(node.join("s2", boot="b2", finished=["a1"])) == {}
    assert ends(node.result("s2", "a1", "42")) == {"a1": "succeeded"}


# -- two boots of one worker at once


def test_the_old_boot_is_probed_before_a_new_one_is_believed(node):
    node.run("a1")
    assert node.join("s2", boot="b2") == [Probe("s1", node.now)]
    assert node.until_due_s() == 3
    assert node.machine.worker_of("s2") is None


def test_an_old_boot_that_said_that_it_goes_is_not_asked(node):
    """Its connection may be open: a browser keeps it, and the new page uses it."""
    node.run("a1")
    effects = node.join("s2", boot="b2", after="b1")
    assert ends(effects) == {"a1": "lost"}
    assert only(effects, Welcome) == Welcome("s2", "w1", "page w1")


def test_a_window_that_comes_back_does_not_take_the_worker_from_the_page_that_has_it_now(node):
    """It left, another window became the worker meanwhile, and it says truly that its own boot is gone."""
    node.run("a1")
    assert node.join("s2", boot="b3", after="b0") == [Probe("s1", node.now)]


def test_an_old_boot_that_answers_makes_the_newcomer_a_worker_of_its_own(node):
    node.run("a1")
    node.join("s2", boot="b2", spare="w9", finished=["a1"], holding=[("a1", 1.0)])
    effects = node.heard("s1")
    assert only(effects, Welcome) == Welcome("s2", "w9", "page w1")
    assert ends(effects) == {}
    assert set(node.machine.workers["w1"].attempts) == {"a1"}
    assert node.until_due_s() == 60


def test_an_old_boot_that_is_silent_gives_way_after_three_seconds(node):
    node.run("a1")
    node.join("s2", boot="b2")
    assert node.pass_s(2.9) == []
    effects = node.pass_s(0.1)
    assert ends(effects) == {"a1": "lost"}
    assert only(effects, Welcome) == Welcome("s2", "w1", "page w1")
    assert all_of(effects, Drop) == [Drop("s1")]


@pytest.mark.parametrize("how", ["away", "quiet", "ended", "bye"])
def test_an_old_boot_whose_session_ends_gives_way_at_once(node, how):
    node.join("s2", boot="b2")
    effects = getattr(node, how)("s1")
    assert only(effects, Welcome) == Welcome("s2", "w1", "page w1")
    assert node.until_due_s() is None


@pytest.mark.parametrize("how", ["away", "quiet", "ended"])
def test_no_probe_is_made_where_the_old_boot_is_known_to_be_unreachable(node, how):
    getattr(node, how)("s1")
    assert not all_of(node.join("s2", boot="b2"), Probe)
    assert node.machine.worker_of("s2") is not None


def test_a_register_that_is_repeated_while_the_old_boot_is_probed_does_not_prolong_the_probe(node):
    node.join("s2", boot="b2")
    node.pass_s(2)
    assert node.join("s2", boot="b2") == []
    assert node.until_due_s() == 1


@pytest.mark.parametrize("how", ["away", "quiet", "ended"])
def test_a_newcomer_that_goes_while_it_waits_is_forgotten(node, how):
    """Otherwise the worker would be bound to a session that has ended, and its offers would wait for ever."""
    node.run("a1")
    node.join("s2", boot="b2")
    assert getattr(node, how)("s2") == []
    assert node.until_due_s() == 60
    worker = node.machine.worker_of("s1")
    assert worker is not None
    assert worker.boot == "b1"


def test_the_latest_of_two_newcomers_is_heard(node):
    node.join("s2", boot="b2")
    node.join("s3", boot="b3")
    assert only(node.pass_s(3), Welcome).session == "s3"


def test_a_new_boot_on_the_same_session_is_no_second_window(node):
    node.run("a1")
    effects = node.join("s1", boot="b2")
    assert ends(effects) == {"a1": "lost"}
    assert not all_of(effects, Probe)
    assert not all_of(effects, Drop)
    assert node.room() == 1


def test_a_sign_of_life_with_no_newcomer_means_nothing(node):
    node.join("s2", "w2", boot="b2")
    node.join("s3", boot="b3")
    assert node.heard("s2") == []


@pytest.mark.parametrize("how", ["away", "quiet", "ended"])
def test_a_page_that_goes_costs_the_same_beside_100_and_4_000_newcomers(how):
    costs = []
    for newcomers in (100, 4_000):
        node = Node()
        for number in range(newcomers):
            node.join(f"old{number}", f"w{number}", boot=f"old boot {number}")
            node.join(f"new{number}", f"w{number}", boot=f"new boot {number}")
        costs.append(operations(partial(getattr(node, how), "new7")))
        costs.append(operations(partial(getattr(node, how), "old8")))
    assert costs[:2] == costs[2:]


def test_a_session_that_waits_for_two_workers_leaves_both(node):
    node.join("s2", "w2", boot="b2")
    node.join("s3", "w1", boot="b3")
    node.join("s3", "w2", boot="b3")
    assert node.away("s3") == []
    assert not all_of([*node.pass_s(3), *node.away("s1"), *node.away("s2")], Welcome)


def test_a_newcomer_whose_place_another_took_does_not_take_that_one_along(node):
    node.join("s2", boot="b2")
    node.join("s3", boot="b3")
    node.away("s2")
    assert only(node.pass_s(3), Welcome).session == "s3"
    node.join("s4", boot="b4")
    assert only(node.pass_s(3), Welcome).session == "s4"


# Workers that have joined with a credential


def test_a_worker_that_has_joined_becomes_no_other_when_two_windows_have_its_credential() -> None:
    node = Node()
    node.join("s1", worker="w1", boot="b1", joined=True)
    assert only(node.join("s2", worker="w1", boot="b2", spare="w2", joined=True), Probe).session == "s1"
    refused = only(node.heard("s1"), Refuse)
    assert (refused.session, refused.code) == ("s2", "other_window")
    assert list(node.machine.workers) == ["w1"]


def test_a_boot_alone_makes_nobody_a_worker_that_has_joined() -> None:
    node = Node()
    node.join("s1", worker="w1", boot="b1", joined=True)
    refused = only(node.join("s2", worker="w2", boot="b1"), Refuse)
    assert (refused.session, refused.code) == ("s2", "bad_token")
    node.join("s3", worker="w3", boot="b3")
    refused = only(node.join("s4", worker="w1", boot="b3", joined=True), Refuse)
    assert (refused.session, refused.code) == ("s4", "bad_token")
    assert {worker.session for worker in node.machine.workers.values()} == {"s1", "s3"}
