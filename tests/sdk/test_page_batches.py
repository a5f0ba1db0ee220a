"""The page's logic without I/O: batches, cancels, reloads, and the rest."""

from __future__ import annotations

import random

import pytest

from dispatcher.sdk.simulator.faults import Faults
from dispatcher.sdk.simulator.journal import Journal
from dispatcher.sdk.simulator.page import Identity, PacketGroup, Page, Profile
from tests.sdk.pages import NEVER, connect, hear, join, new_page, offer, ops, say, with_report

# Batches.


def test_a_post_keeps_to_the_servers_limits():
    page = new_page(quick=True, slots=64)
    join(page, max_payload=300, packet_limit=4)
    for number in range(8):
        offer(page, 1.0, f"a{number}")
    sizes = []
    while messages := page.take(1.0).messages:
        sizes.append(len(messages))
        assert len("\x1e".join("4" + text for text in messages)) < 300
    assert sizes == [3, 3, 2]


# Cancel, reload.


def test_a_cancelled_task_is_released():
    page = new_page(faults=NEVER)
    join(page)
    offer(page, 1.0)
    say(page, 1.0)
    hear(page, 2.0, op="cancel", attempt="a1", reason="timed_out")
    assert [(said["op"], said["reason"]) for said in say(page, 2.0)] == [("released", "cancelled")]
    assert page.idle


def test_a_cancel_of_something_unknown_is_answered_too():
    page = new_page()
    join(page)
    hear(page, 2.0, op="cancel", attempt="never seen", reason="stale")
    assert ops(page, 2.0) == ["released"]


def test_a_result_that_is_on_its_way_answers_a_cancel():
    page = with_report()
    hear(page, 2.0, op="cancel", attempt="a1", reason="cancelled")
    assert ops(page, 2.0) == []
    assert not page.idle


def test_a_page_that_ignores_cancels_keeps_its_task():
    page = new_page(faults=Faults(never_answer=1.0, ignore_cancels=1.0))
    join(page)
    offer(page, 1.0)
    say(page, 1.0)
    hear(page, 2.0, op="cancel", attempt="a1", reason="timed_out")
    assert ops(page, 2.0) == []
    assert not page.idle


@pytest.mark.parametrize("kept", [True, False])
def test_a_reload_keeps_the_identity_and_only_perhaps_the_stash(kept):
    page = with_report()
    page.reload(keep_stash=kept)
    after = page.reloaded("b2")
    register = connect(after, 3.0)
    assert (register["worker"], register["secret"], register["boot"]) == ("w1", "s1", "b2")
    assert register["finished"] == (["a1"] if kept else [])
    hear(after, 3.0, op="registered", worker="w1", secret="s1", name="", settings={})
    assert ops(after, 3.0) == (["result"] if kept else [])


def test_a_reload_forgets_running_tasks():
    page = new_page(faults=NEVER)
    join(page)
    offer(page, 1.0)
    say(page, 1.0)
    hear(page, 2.0, op="reload")
    assert page.wants_reload
    assert connect(page.reloaded("b2"), 3.0)["holding"] == []


def test_a_task_can_end_with_a_reload_between_stashing_and_sending():
    page = new_page(quick=True, faults=Faults(reload=1.0, stash=1.0))
    join(page)
    number = 0
    while page.idle:
        number += 1
        page = page.reloaded(f"b{number}") if page.wants_reload else page
        join(page)
        offer(page, 1.0, f"a{number}")
    if page.stash:
        assert page.wants_reload
        assert connect(page.reloaded("last"), 2.0)["finished"] == [f"a{number}"]


# What else comes.


def test_unknown_ops_and_broken_messages_change_nothing():
    journal = Journal()
    page = new_page(journal)
    join(page)
    for text in ('{"op":"dance"}', "", "{", "[]", '"x"', '{"op":1}', '{"a":1} '):
        page.received(text, 1.0)
    assert ops(page, 1.0) == []
    assert journal.stats["unknown_ops"] == 1
    assert journal.stats["bad_messages"] == 6


def test_nothing_is_said_without_a_session():
    page = new_page()
    join(page)
    page.disconnected()
    page.say("bye")
    assert page.take(1.0) == PacketGroup()


def test_progress_is_reported_while_a_task_runs():
    page = new_page(quick=True, progress_s=1.0, faults=Faults(slow_s=(4.0, 4.0)))
    join(page)
    offer(page, 0.0)
    percents = []
    while (deadline := page.next_deadline()) is not None and deadline < 4.0:
        page.tick(deadline)
        percents += [said["percent"] for said in say(page, deadline) if said["op"] == "progress"]
    assert percents == [25, 50, 75]
    page.tick(4.0)
    assert ops(page, 4.0) == ["result"]


def test_an_identity_that_the_server_changes_is_taken():
    journal = Journal()
    page = Page(
        Profile(types=("echo",)),
        boot="b",
        rng=random.Random(1),
        journal=journal,
        identity=Identity("old", "s"),
    )
    join(page)
    assert page.identity == Identity("w1", "s1")
    assert journal.stats["new_identities"] == 1
