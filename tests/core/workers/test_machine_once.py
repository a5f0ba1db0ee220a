"""Effects ``once``: a job waits for ``go``; after that it never runs again by itself."""

from __future__ import annotations

import pytest

from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.turn import Verdict
from dispatcher.core.workers.effects import Answer, CancelOrder, Go, Offer, Record
from tests.core.workers.support import Node, all_of, end, ends, left, only


@pytest.fixture
def gone(node):
    """A node whose page was told to go."""
    assert only(node.judged(node.run("a1", effects="once")), Go) == Go("s1", "a1")
    return node


def doubt(effects):
    """The one end among these effects, which must be a doubt that uses up nothing."""
    ended = end(effects)
    assert (ended.event, ended.counts_crash, ended.counts_error) == (Event.DOUBT, False, False)
    assert ended.reason == str(ended.cause)
    return str(ended.cause)


# -- go


@pytest.mark.parametrize(("effects", "awaited"), [("once", True), ("repeat", False)])
def test_a_page_waits_for_the_accept_of_a_job_that_waits_for_go_and_for_no_other(node, effects, awaited):
    accepted = only(node.run("a1", effects=effects), Record).report
    assert node.machine.awaits(accepted) is awaited
    node.bye("s1")
    assert not node.machine.awaits(accepted)


def test_a_page_waits_for_the_verdict_on_its_result_and_not_for_a_line_of_its_log(node):
    node.run("a1")
    assert not node.machine.awaits(only(node.log("s1", "a1", "a line"), Record).report)
    assert node.machine.awaits(only(node.result("s1", "a1", "1"), Record).report)


def test_go_is_sent_when_the_accept_is_durable_and_not_before(node):
    accepted = node.run("a1", effects="once")
    assert not all_of(accepted, Go)
    assert node.judged(accepted) == [Go("s1", "a1")]


def test_a_job_that_may_repeat_gets_no_go(node):
    assert node.judged(node.run("a1")) == []
    assert node.accept("s1", "a1") == []


def test_where_the_transport_answers_nothing_go_says_that_an_accept_has_arrived(node):
    node.offer("a1")
    for _ in range(2):
        told = node.machine.accept("s1", "a1", node.now, answered=False)
        assert all_of(told, Go) == [Go("s1", "a1")]


def test_there_too_go_waits_for_the_disk_if_the_job_must_not_repeat(node):
    node.offer("a1", effects="once")
    accepted = node.machine.accept("s1", "a1", node.now, answered=False)
    assert not all_of(accepted, Go)
    assert node.judged(accepted) == [Go("s1", "a1")]
    assert node.machine.accept("s1", "a1", node.now, answered=False) == [Go("s1", "a1")]


def test_an_accept_that_the_store_did_not_record_gets_no_go(node):
    assert node.judged(node.run("a1", effects="once"), Verdict.STALE) == []


def test_a_repeated_accept_gets_go_again_but_not_before_the_first_is_durable(node):
    accepted = node.run("a1", effects="once")
    assert node.accept("s1", "a1") == []
    node.judged(accepted)
    assert node.accept("s1", "a1") == [Go("s1", "a1")]


def test_a_page_that_registers_again_and_has_it_gets_go_again(gone):
    assert only(gone.join("s2", holding=[("a1", 1.0)]), Go) == Go("s2", "a1")


def test_a_page_that_holds_the_offer_only_gets_no_go(node):
    node.offer("a1", effects="once")
    assert not all_of(node.join("s2", holding=[("a1", 0.0)]), Go)


def test_a_page_whose_result_is_on_its_way_is_told_to_go_once_more_at_most_and_loses_nothing(gone):
    effects = gone.join("s2", finished=["a1"])
    assert not ends(effects)
    assert ends(gone.result("s2", "a1", "1")) == {"a1": "succeeded"}


@pytest.mark.parametrize("how", ["quiet", "ended"])
def test_go_waits_for_a_page_that_has_no_session_when_the_accept_is_durable(node, how):
    accepted = node.run("a1", effects="once")
    getattr(node, how)("s1")
    assert node.judged(accepted) == []
    assert only(node.join("s2", holding=[("a1", 1.0)]), Go) == Go("s2", "a1")


def test_no_go_for_what_ended_before_its_accept_was_durable(node):
    accepted = node.run("a1", effects="once")
    node.released("s1", "a1", "")
    assert node.judged(accepted) == []


def test_no_go_for_what_was_cancelled_before_its_accept_was_durable(node):
    accepted = node.run("a1", effects="once")
    node.cancelled("a1", "not needed")
    assert node.judged(accepted) == []
    assert only(node.accept("s1", "a1"), CancelOrder).attempt == "a1"


# -- before go: as any other job


def test_released_before_go_it_goes_to_another_page(node):
    node.run("a1", effects="once")
    ended = end(node.released("s1", "a1", "no printer"))
    assert (ended.cause, ended.event) == ("released", Event.REQUEUE)


def test_timed_out_before_go_it_is_tried_again(node):
    accepted = node.run("a1", effects="once")
    assert end(node.pass_s(60)).event is Event.BACK_OFF
    assert node.judged(accepted) == [], "its page was told to stop"


def test_lost_before_go_it_goes_to_another_page(node):
    node.run("a1", effects="once")
    assert end(node.bye("s1")).event is Event.REQUEUE


def test_a_lapse_of_its_offer_leaves_no_doubt(node):
    node.offer("a1", effects="once")
    assert end(node.pass_s(10)).event is Event.REQUEUE


def test_a_quick_result_without_an_accept_is_recorded(node):
    node.offer("a1", effects="once")
    recorded = node.result("s1", "a1", "1")
    assert ends(recorded) == {"a1": "succeeded"}
    assert node.judged(recorded) == [Answer("s1", "a1", Verdict.RECORDED)]


# -- after go


def test_released_after_go_it_is_in_doubt(gone):
    assert doubt(gone.released("s1", "a1", "the printer is on fire")) == "released"


def test_timed_out_after_go_it_is_in_doubt_and_its_page_is_told(gone):
    effects = gone.pass_s(60)
    assert doubt(effects) == "timed_out"
    assert only(effects, CancelOrder).attempt == "a1"


@pytest.mark.parametrize("how", ["bye", "grace", "new boot", "came without it"])
def test_lost_after_go_it_is_in_doubt(gone, how):
    if how == "bye":
        effects = gone.bye("s1")
    elif how == "grace":
        gone.away("s1")
        effects = gone.pass_s(30)
    elif how == "new boot":
        gone.away("s1")
        effects = gone.join("s2", boot="b2")
    else:
        effects = gone.join("s2")
    assert doubt(effects) == "lost"


def test_silent_after_go_it_is_in_doubt(node):
    node.judged(node.run("a1", effects="once", heartbeat_s=5.0))
    assert doubt(node.pass_s(5)) == "lost"


def test_a_new_boot_that_has_the_result_in_its_stash_leaves_no_doubt_unless_it_does_not_come(gone):
    gone.away("s1")
    assert not ends(gone.join("s2", boot="b2", finished=["a1"]))
    assert doubt(gone.pass_s(10)) == "lost"


@pytest.mark.parametrize("once_told", [True, False])
def test_an_error_fails_it_before_go_and_after_it(node, once_told):
    accepted = node.run("a1", effects="once")
    if once_told:
        node.judged(accepted)
    ended = end(node.error("s1", "a1", "{}", "it failed", retry=True))
    assert (ended.event, ended.reason, ended.delay_s) == (Event.FAIL, "error", 0.0)


def test_a_cancel_after_go_is_no_doubt_and_stops_the_page(gone):
    effects = gone.cancelled("a1", "not needed")
    assert not ends(effects)
    assert only(effects, CancelOrder) == CancelOrder("s1", "a1", "not needed")
    assert not all_of(gone.accept("s1", "a1"), Go)


def test_its_own_late_result_is_taken_to_the_store(gone):
    gone.pass_s(60)
    assert ends(gone.result("s1", "a1", "1")) == {"a1": "succeeded"}
    assert gone.room() == 1


# -- after a restart of the server


@pytest.fixture
def restarted():
    node = Node()
    node.restore([left("a1", effects="once", heartbeat_s=20.0)])
    return node


def test_a_page_that_still_has_it_after_a_restart_gets_go_again(restarted):
    effects = restarted.join(holding=[("a1", 10.0)])
    assert only(effects, Go) == Go("s1", "a1")
    assert not all_of(effects, Offer)
    assert restarted.accept("s1", "a1") == [Go("s1", "a1")]


def test_a_page_that_does_not_have_it_after_a_restart_leaves_it_in_doubt(restarted):
    assert doubt(restarted.join()) == "lost"


def test_a_page_that_does_not_come_back_after_a_restart_leaves_it_in_doubt(restarted):
    assert doubt(restarted.pass_s(60)) == "lost"


def test_an_offer_that_nobody_had_accepted_before_a_restart_is_no_doubt():
    ended = end(Node().restore([left("a1", started_at=None, effects="once")]))
    assert (ended.cause, ended.event) == ("lapsed", Event.REQUEUE)


def test_a_job_that_may_repeat_is_lost_over_a_restart_and_not_in_doubt():
    node = Node()
    node.restore([left("a1")])
    assert end(node.join()).event is Event.REQUEUE
