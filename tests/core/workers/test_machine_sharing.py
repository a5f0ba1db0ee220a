"""Several nodes have the store: pages and attempts come from other nodes, and go to them (S25)."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.core.jobs.acts.seen import SeenWorker, SeeWorkers
from dispatcher.core.jobs.news import Change, Coming, News
from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.turn import MoveAttempts, Started
from dispatcher.core.workers.effects import CancelOrder, Drop, Effect, Offer, Order, Record, Request, Welcome, Withdraw
from tests.core.workers.support import Node, all_of, claim, end, ends, left, only


@pytest.fixture
def node() -> Node:
    """Not the node of the others: it shares its store, and has no page yet."""
    return Node(shared=True)


def asked(effects: list[Effect]) -> MoveAttempts:
    """The question that a registration waits for."""
    commands = [request.command for request in all_of(effects, Request)]
    [command] = [command for command in commands if isinstance(command, MoveAttempts)]
    return command


def change(attempt: str | None, new: JobState, old: JobState = JobState.RUNNING) -> News:
    told = Change(f"job of {attempt}", "a", old, new, 1.0, attempt, None, "cancelled" if new == "cancelled" else None)
    return News(changes=[told])


def came(node: Node, **fields: Any) -> list[Effect]:
    """A page that shows its identity comes, and what it had moves here."""
    command = asked(node.join(proved=True, **fields))
    return node.moved(command, [left(name) for name in command.attempts])


# pages that come


def test_a_page_that_shows_no_identity_and_has_nothing_asks_nothing(node: Node) -> None:
    assert all_of(node.join(), Welcome)


def test_a_page_that_shows_its_identity_is_welcome_when_what_it_had_has_moved(node: Node) -> None:
    effects = node.join(proved=True, boot="b1", after="b0", holding=[("a1", 20.0)], finished=["a2"])
    assert not all_of(effects, Welcome)
    command = asked(effects)
    assert (command.page, command.attempts) == (Coming("w1", "b1", "b0"), ("a1", "a2"))
    effects = node.moved(command, [left("a1"), left("a2")])
    assert all_of(effects, Welcome)
    assert not ends(effects)
    assert set(node.machine.workers["w1"].attempts) == {"a1", "a2"}
    assert node.room() == 0


def test_an_attempt_that_moves_goes_on_with_what_is_left_of_its_timeout(node: Node) -> None:
    came(node, holding=[("a1", 20.0)])
    assert node.until_due_s() == 80
    assert ends(node.pass_s(80)) == {"a1": "timed_out"}


def test_the_accept_of_an_offer_that_was_lost_on_the_way_is_recorded_here(node: Node) -> None:
    command = asked(node.join(proved=True, holding=[("a1", 0.5)]))
    effects = node.moved(command, [left("a1", started_at=None)])
    [report] = [record.report for record in all_of(effects, Record)]
    assert isinstance(report, Started)
    assert (report.attempt, report.holder.worker) == ("a1", "w1")
    assert not node.machine.attempts["a1"].went


def test_an_attempt_of_the_same_boot_that_the_page_does_not_have_is_lost_by_it(node: Node) -> None:
    command = asked(node.join(proved=True))
    ended = end(node.moved(command, [left("a1")]))
    assert (ended.cause, ended.counts_crash) == ("lost", True)


def test_a_page_that_asks_again_before_the_answer_asks_once(node: Node) -> None:
    command = asked(node.join(proved=True))
    assert node.join(proved=True, slots=2) == []
    node.moved(command, [])
    assert node.machine.workers["w1"].slots == 2, "what it has said last counts"


def test_a_page_that_says_again_what_it_has_said_here_asks_nothing(node: Node) -> None:
    came(node)
    assert all_of(node.join(proved=True), Welcome)


@pytest.mark.parametrize("goes", ["away", "quiet", "ended"])
def test_a_page_whose_session_is_over_before_the_answer_is_not_registered_and_what_has_moved_waits(
    node: Node, goes: str
) -> None:
    command = asked(node.join(proved=True, holding=[("a1", 1.0)]))
    getattr(node, goes)("s1")
    assert node.moved(command, [left("a1")]) == []
    assert not node.machine.workers
    assert ends(node.pass_s(60)) == {"a1": "lost"}


def test_an_answer_for_an_older_page_of_the_session_admits_nobody(node: Node) -> None:
    first = asked(node.join(proved=True, boot="b1"))
    second = asked(node.join(proved=True, boot="b2"))
    assert node.moved(first, []) == []
    assert all_of(node.moved(second, []), Welcome)


def test_an_attempt_that_was_taken_for_over_is_current_again_when_it_moves_here(node: Node) -> None:
    command = asked(node.join(proved=True, holding=[("a1", 1.0)]))
    node.moved(command, [])  # nobody had it then
    command = asked(node.join("s2", proved=True, holding=[("a1", 2.0)]))
    node.moved(command, [left("a1")])
    assert node.machine.attempts["a1"].live()


def test_an_attempt_that_is_here_is_left_as_it_is(node: Node) -> None:
    came(node, holding=[("a1", 1.0)])
    before = node.machine.attempts["a1"]
    command = asked(node.join("s2", proved=True, holding=[("a1", 2.0)]))
    node.moved(command, [left("a1")])
    assert node.machine.attempts["a1"] is before


def test_a_node_that_has_its_store_for_itself_admits_at_once() -> None:
    node = Node()
    assert all_of(node.join(proved=True), Welcome)
    assert node.moved(MoveAttempts(Coming("w1", "b1"), (), "s1"), []) == []
    assert node.machine.seen() is None


# pages and attempts that go


def test_an_attempt_that_has_moved_away_is_nobodys_here(node: Node) -> None:
    node.join()
    [offer] = all_of(node.claimed([claim("a1", pool=1)]), Offer)
    effects = node.told(News(moved=["a1", "nobody's"]))
    assert effects == [Withdraw(offer.session, "a1")]
    assert node.room() == 1
    assert node.until_due_s() is None


def test_a_page_that_has_come_to_another_node_is_not_here_any_more_and_its_offers_go_back(node: Node) -> None:
    node.join(boot="b1")
    node.claimed([claim("a1", pool=1)])
    effects = node.told(News(came=[Coming("w1", "b1"), Coming("w9", "b1")]))
    assert ends(effects) == {"a1": "lapsed"}
    assert only(effects, Drop).session == "s1"
    assert not node.machine.workers


def test_a_page_that_has_gone_on_elsewhere_before_its_registration_was_read_here_is_not_registered(node: Node) -> None:
    command = asked(node.join(proved=True, boot="b1", sessions=2))
    assert command.page == Coming("w1", "b1", None, 2)
    assert node.came_late(command) == [Drop("s1")]
    assert node.came_late(command) == [], "its session is over"
    assert not node.machine.workers


def test_a_node_that_hears_late_of_an_older_session_elsewhere_has_its_page_bring_everything_along_again(
    node: Node,
) -> None:
    came(node, boot="b1", sessions=3, holding=[("a1", 1.0)])
    effects = node.told(News(came=[Coming("w1", "b1", None, 2)], moved=["a1"]))
    assert only(effects, Drop).session == "s1"
    assert not ends(effects)
    assert node.machine.workers["w1"].session is None
    effects = node.told(News(came=[Coming("w1", "b1", None, 2)]))
    assert effects == [], "it has no session to end, and may come back here"
    assert "w1" in node.machine.workers
    node.told(News(came=[Coming("w1", "b1", None, 0)]))
    assert not node.machine.workers, "a page that does not say counts as newer"


@pytest.mark.parametrize(
    ("is_away", "after", "stays"), [(True, None, False), (False, "b1", False), (False, None, True)]
)
def test_a_new_boot_at_another_node_ends_an_old_one_that_has_left(
    node: Node, is_away: bool, after: str | None, stays: bool
) -> None:
    node.join(boot="b1")
    if is_away:
        node.away("s1")
    node.told(News(came=[Coming("w1", "b2", after)]))
    assert bool(node.machine.workers) is stays


def test_a_job_that_is_cancelled_at_another_node_is_cancelled_at_its_page(node: Node) -> None:
    came(node, holding=[("a1", 1.0)])
    assert only(node.told(change("a1", JobState.CANCELLED)), CancelOrder) == CancelOrder("s1", "a1", "cancelled")


def test_a_result_that_another_node_has_recorded_frees_the_slot(node: Node) -> None:
    came(node, holding=[("a1", 1.0)])
    assert node.told(change("a1", JobState.SUCCEEDED)) == []
    assert node.room() == 1


@pytest.mark.parametrize(
    "news",
    [
        change("a9", JobState.SUCCEEDED),
        change(None, JobState.CANCELLED, JobState.QUEUED),
        change("a1", JobState.RUNNING, JobState.QUEUED),
    ],
)
def test_other_changes_of_other_nodes_change_nothing_here(node: Node, news: News) -> None:
    came(node, holding=[("a1", 1.0)])
    assert node.told(news) == []
    assert node.machine.attempts["a1"].live()


def test_what_has_ended_here_is_left_to_its_page(node: Node) -> None:
    came(node, holding=[("a1", 1.0)])
    node.cancelled("a1", "no")
    assert node.told(change("a1", JobState.CANCELLED)) == []


# what others see


def test_other_nodes_hear_of_each_change_of_a_worker_once(node: Node) -> None:
    node.join(name="DESK-1", boot="b1", sessions=4, labels=(("site", "berlin"),))
    seen = SeenWorker(
        worker="w1", boot="b1", sessions=4, name="DESK-1", state="connected", paused=False, types=("a",),
        labels=(("site", "berlin"),), slots=1,
    )  # fmt: skip
    assert node.machine.seen() == SeeWorkers((seen,))
    assert node.machine.seen() is None
    node.bye("s1")
    assert node.machine.seen() == SeeWorkers((), ("w1",))


def test_a_page_is_told_to_load_anew_by_whichever_node_has_it(node: Node) -> None:
    node.join()
    told = node.told(News(reloads={"w1": True, "w9": True}))
    assert told == [Order("s1", "reload")]


# a store that is away for long


def test_the_grace_of_a_page_that_is_back_and_waits_for_the_store_does_not_end(node: Node) -> None:
    """Found by the simulator: with the database away, attempts of pages that had come back at once were lost."""
    came(node, holding=[("a1", 1.0)])
    node.away("s1")
    command = asked(node.join("s2", proved=True, holding=[("a1", 2.0)]))
    assert ends(node.pass_s(50)) == {}
    node.moved(command, [])
    assert node.machine.attempts["a1"].live()
    assert node.machine.workers["w1"].session == "s2"


def test_an_attempt_that_waits_for_its_page_is_not_lost_while_that_waits_for_the_store(node: Node) -> None:
    node.restore([left("a1", worker="w1", boot="b1")])
    for session in ("s1", "s2"):
        node.join(session, proved=True, boot="b1", holding=[("a1", 1.0)])
    assert ends(node.pass_s(90)) == {}
    node.away("s1")
    assert ends(node.pass_s(2)) == {}
    node.away("s2")
    assert ends(node.pass_s(2)) == {"a1": "lost"}
