"""The page's logic without I/O: what it says, when it says it again, what it keeps over a reload."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from dispatcher.sdk.simulator.faults import Faults
from dispatcher.sdk.simulator.journal import Journal
from dispatcher.sdk.simulator.page import Batch, Identity, Page, Profile

NEVER = Faults(never_answer=1.0)


def _page(journal: Journal | None = None, **profile: Any) -> Page:
    wanted = Profile(types=("echo",), name="one", **profile)
    return Page(wanted, boot="b1", rng=random.Random(1), journal=journal or Journal())


def _connect(page: Page, now: float = 0.0, *, max_payload: int = 100_000) -> dict[str, Any]:
    """Open a session; returns the page's register."""
    page.connected(now, max_payload=max_payload)
    (register,) = _say(page, now)
    return register


def _register(page: Page, now: float = 0.0, *, max_payload: int = 100_000, **settings: int) -> dict[str, Any]:
    register = _connect(page, now, max_payload=max_payload)
    _hear(page, now, op="registered", worker="w1", secret="s1", name="one", settings=settings)
    return register


def _hear(page: Page, now: float, **message: Any) -> None:
    page.received(json.dumps(message), now)


def _offer(page: Page, now: float, attempt: str = "a1", **more: Any) -> None:
    offer = {"op": "job", "attempt": attempt, "id": f"job of {attempt}", "type": "echo", "data": 1}
    _hear(page, now, **{**offer, "number": 1, "timeout_ms": 60_000, **more})


def _say(page: Page, now: float) -> list[dict[str, Any]]:
    """What the page POSTs now; the POST is answered 200."""
    batch = page.take(now)
    page.posted(batch, now)
    return [json.loads(text) for text in batch.messages]


def _ops(page: Page, now: float) -> list[str]:
    return [message["op"] for message in _say(page, now)]


# Registering.


def test_register_says_who_the_page_is_and_what_it_has():
    register = _connect(_page(slots=3, token="t"))
    assert register["version"] == 1
    assert (register["types"], register["boot"], register["slots"]) == (["echo"], "b1", 3)
    assert (register["holding"], register["finished"], register["token"]) == ([], [], "t")
    assert "worker" not in register


def test_register_is_repeated_until_it_is_answered():
    page = _page()
    _connect(page)
    assert page.next_deadline() == 5.0
    page.tick(4.9)
    assert _ops(page, 4.9) == []
    page.tick(5.0)
    assert _ops(page, 5.0) == ["register"]
    _hear(page, 5.1, op="registered", worker="w1", secret="s1", name="", settings={})
    assert page.next_deadline() is None


def test_the_next_session_shows_the_identity_of_the_first():
    page = _page()
    _register(page)
    page.disconnected()
    register = _connect(page, 9.0)
    assert (register["worker"], register["secret"], register["boot"]) == ("w1", "s1", "b1")


def test_a_refused_token_ends_the_registering():
    page = _page()
    _connect(page)
    _hear(page, 0.0, op="refused", code="bad_token", detail="")
    assert page.rejected == "bad_token"
    assert page.next_deadline() is None


def test_not_registered_makes_the_page_register_again():
    page = _page()
    _register(page)
    _hear(page, 1.0, op="refused", code="not_registered", detail="")
    assert _ops(page, 1.0) == ["register"]


# Offers.


def test_a_task_starts_only_when_the_post_with_its_accept_was_answered():
    journal = Journal()
    page = _page(journal)
    _register(page)
    _offer(page, 1.0)
    batch = page.take(1.0)
    assert [json.loads(text)["op"] for text in batch.messages] == ["accept"]
    assert journal.executed == []
    page.posted(batch, 1.1)
    assert journal.executed == [("job of a1", "a1", "w1")]
    assert [message["value"] for message in _say(page, 1.1)] == [1]


def test_a_quick_task_sends_only_its_result():
    page = _page(quick=True)
    _register(page)
    _offer(page, 1.0)
    assert _ops(page, 1.0) == ["result"]


def test_a_job_that_asks_for_confirmation_waits_for_go_even_when_quick():
    page = _page(quick=True)
    _register(page)
    _offer(page, 1.0, confirm=True)
    assert _ops(page, 1.0) == ["accept"]
    page.tick(6.0)
    assert _ops(page, 6.0) == ["accept"], "an accept that waits for go is said again"
    _hear(page, 6.1, op="go", attempt="a1")
    assert _ops(page, 6.1) == ["result"]


def test_an_offer_that_comes_again_is_accepted_again_and_run_once():
    journal = Journal()
    page = _page(journal)
    _register(page)
    _offer(page, 1.0)
    _offer(page, 1.0)
    assert _ops(page, 1.0) == ["accept", "accept"]
    assert len(journal.executed) == 1
    _offer(page, 1.1)
    assert [message["op"] for message in _say(page, 1.1)] == ["result"], "it is in the stash: no second run"


def test_an_offer_beyond_its_slots_or_types_is_declined():
    page = _page(faults=NEVER)
    _register(page)
    _offer(page, 1.0, "a1")
    _offer(page, 1.0, "a2")
    assert [(message["op"], message["attempt"]) for message in _say(page, 1.0)] == [
        ("accept", "a1"),
        ("released", "a2"),
    ]
    _offer(page, 1.0, "a3", type="other")
    assert _ops(page, 1.0) == ["released"]


def test_an_accept_that_may_have_been_lost_is_said_again_in_the_next_session():
    journal = Journal()
    page = _page(journal)
    _register(page)
    _offer(page, 1.0)
    page.take(1.0)  # Its POST fails.
    page.disconnected()
    register = _register(page, 2.0)
    assert register["holding"] == [{"attempt": "a1", "elapsed_ms": 0}]
    assert _ops(page, 2.0) == ["accept"]
    assert len(journal.executed) == 1


def test_holding_says_how_long_a_task_has_been_running():
    page = _page(faults=NEVER)
    _register(page)
    _offer(page, 1.0)
    _say(page, 1.5)
    page.disconnected()
    assert _connect(page, 4.0)["holding"] == [{"attempt": "a1", "elapsed_ms": 2500}]


# Reports.


def _with_report(**settings: int) -> Page:
    page = _page(quick=True)
    _register(page, **settings)
    _offer(page, 1.0)
    assert _ops(page, 1.0) == ["result"]
    return page


def test_a_result_is_repeated_as_often_as_the_server_says_until_its_verdict():
    page = _with_report(repeat_ms=2_000)
    at, gaps = 1.0, []
    for _ in range(3):
        deadline = page.next_deadline()
        assert deadline is not None
        page.tick(deadline)
        assert _ops(page, deadline) == ["result"]
        gaps.append(deadline - at)
        at = deadline
    assert gaps == [2, 2, 2]
    _hear(page, at, op="recorded", attempt="a1", verdict="recorded")
    assert page.next_deadline() is None
    assert page.idle


@pytest.mark.parametrize("verdict", ["recorded", "duplicate", "stale"])
def test_each_verdict_ends_the_repeating(verdict):
    page = _with_report()
    _hear(page, 2.0, op="recorded", attempt="a1", verdict=verdict)
    assert page.idle


def test_a_refusal_of_a_result_ends_its_repeating():
    journal = Journal()
    page = _with_report_in(journal)
    _hear(page, 2.0, op="refused", code="too_large", detail="", attempt="a1")
    assert page.idle
    assert journal.outcomes[0].verdict == "refused:too_large"


def _with_report_in(journal: Journal) -> Page:
    page = _page(journal, quick=True)
    _register(page)
    _offer(page, 1.0)
    _say(page, 1.0)
    return page


def test_an_unanswered_result_is_finished_and_said_again_in_the_next_session():
    page = _with_report()
    page.disconnected()
    register = _connect(page, 2.0)
    assert register["finished"] == ["a1"]
    assert register["holding"] == []
    assert _ops(page, 2.0) == [], "not before the page is registered"
    _hear(page, 2.1, op="registered", worker="w1", secret="s1", name="", settings={})
    assert _ops(page, 2.1) == ["result"]


def test_a_result_that_waits_in_the_outbox_is_not_put_there_twice():
    page = _page(quick=True)
    _register(page)
    _offer(page, 1.0)
    page.tick(100.0)
    _offer(page, 100.0)
    assert _ops(page, 100.0) == ["result"]


def test_a_result_too_large_for_a_post_becomes_an_error_without_retry():
    page = _page(quick=True)
    _register(page, max_payload=300)
    _offer(page, 1.0, data="x" * 400)
    (error,) = _say(page, 1.0)
    assert (error["op"], error["code"], error["retry"]) == ("error", "result_too_large", False)


def test_a_result_over_the_servers_limit_becomes_an_error_too():
    page = _page(quick=True)
    _register(page, result_limit=10)
    _offer(page, 1.0, data="x" * 9)
    (error,) = _say(page, 1.0)
    assert (error["op"], error["code"]) == ("error", "result_too_large")
    _offer(page, 1.0, "a2", data="x" * 8)
    assert _ops(page, 1.0) == ["result"]


def test_a_quick_task_that_takes_long_is_accepted_late():
    page = _page(quick=True, faults=NEVER)
    _register(page, offer_ttl_ms=2_000)
    _offer(page, 1.0)
    assert _ops(page, 1.0) == []
    page.tick(1.5)
    assert _ops(page, 1.5) == ["accept"]
    page.disconnected()
    assert _register(page, 2.0)["holding"] == [{"attempt": "a1", "elapsed_ms": 1000}]
    assert _ops(page, 2.0) == ["accept"]


def test_a_failing_task_sends_an_error():
    journal = Journal()
    page = _page(journal, quick=True, faults=Faults(fail=1.0))
    _register(page)
    _offer(page, 1.0)
    assert _ops(page, 1.0) == ["error"]
    _hear(page, 2.0, op="recorded", attempt="a1", verdict="recorded")
    assert journal.outcomes[0][3:] == ("recorded", "error")


def test_data_comes_back_as_it_was_written():
    page = _page(quick=True)
    _register(page)
    page.received('{"op":"job","attempt":"a1","id":"j","type":"echo","data": [1.0, 1e400,"\\u00e4"] }', 1.0)
    (text,) = page.take(1.0).messages
    assert text.endswith('"value":[1.0, 1e400,"\\u00e4"]}')


# Batches.


def test_a_post_keeps_to_the_servers_limits():
    page = _page(quick=True, slots=64)
    _register(page, max_payload=300, packet_limit=4)
    for number in range(8):
        _offer(page, 1.0, f"a{number}")
    sizes = []
    while messages := page.take(1.0).messages:
        sizes.append(len(messages))
        assert len("\x1e".join("4" + text for text in messages)) < 300
    assert sizes == [3, 3, 2]


# Cancel, reload.


def test_a_cancelled_task_is_released():
    page = _page(faults=NEVER)
    _register(page)
    _offer(page, 1.0)
    _say(page, 1.0)
    _hear(page, 2.0, op="cancel", attempt="a1", reason="timed_out")
    assert [(said["op"], said["reason"]) for said in _say(page, 2.0)] == [("released", "cancelled")]
    assert page.idle


def test_a_cancel_of_something_unknown_is_answered_too():
    page = _page()
    _register(page)
    _hear(page, 2.0, op="cancel", attempt="never seen", reason="stale")
    assert _ops(page, 2.0) == ["released"]


def test_a_result_that_is_on_its_way_answers_a_cancel():
    page = _with_report()
    _hear(page, 2.0, op="cancel", attempt="a1", reason="cancelled")
    assert _ops(page, 2.0) == []
    assert not page.idle


def test_a_page_that_ignores_cancels_keeps_its_task():
    page = _page(faults=Faults(never_answer=1.0, ignore_cancels=1.0))
    _register(page)
    _offer(page, 1.0)
    _say(page, 1.0)
    _hear(page, 2.0, op="cancel", attempt="a1", reason="timed_out")
    assert _ops(page, 2.0) == []
    assert not page.idle


@pytest.mark.parametrize("kept", [True, False])
def test_a_reload_keeps_the_identity_and_only_perhaps_the_stash(kept):
    page = _with_report()
    page.reload(keep_stash=kept)
    after = page.reloaded("b2")
    register = _connect(after, 3.0)
    assert (register["worker"], register["secret"], register["boot"]) == ("w1", "s1", "b2")
    assert register["finished"] == (["a1"] if kept else [])
    _hear(after, 3.0, op="registered", worker="w1", secret="s1", name="", settings={})
    assert _ops(after, 3.0) == (["result"] if kept else [])


def test_a_reload_forgets_running_tasks():
    page = _page(faults=NEVER)
    _register(page)
    _offer(page, 1.0)
    _say(page, 1.0)
    _hear(page, 2.0, op="reload")
    assert page.wants_reload
    assert _connect(page.reloaded("b2"), 3.0)["holding"] == []


def test_a_task_can_end_with_a_reload_between_stashing_and_sending():
    page = _page(quick=True, faults=Faults(reload=1.0, stash=1.0))
    _register(page)
    number = 0
    while page.idle:
        number += 1
        page = page.reloaded(f"b{number}") if page.wants_reload else page
        _register(page)
        _offer(page, 1.0, f"a{number}")
    if page.stash:
        assert page.wants_reload
        assert _connect(page.reloaded("last"), 2.0)["finished"] == [f"a{number}"]


# What else comes.


def test_unknown_ops_and_broken_messages_change_nothing():
    journal = Journal()
    page = _page(journal)
    _register(page)
    for text in ('{"op":"dance"}', "", "{", "[]", '"x"', '{"op":1}', '{"a":1} '):
        page.received(text, 1.0)
    assert _ops(page, 1.0) == []
    assert journal.stats["unknown_ops"] == 1
    assert journal.stats["bad_messages"] == 6


def test_nothing_is_said_without_a_session():
    page = _page()
    _register(page)
    page.disconnected()
    page.say("bye")
    assert page.take(1.0) == Batch()


def test_progress_is_reported_while_a_task_runs():
    page = _page(quick=True, progress_s=1.0, faults=Faults(slow_s=(4.0, 4.0)))
    _register(page)
    _offer(page, 0.0)
    percents = []
    while (deadline := page.next_deadline()) is not None and deadline < 4.0:
        page.tick(deadline)
        percents += [said["percent"] for said in _say(page, deadline) if said["op"] == "progress"]
    assert percents == [25, 50, 75]
    page.tick(4.0)
    assert _ops(page, 4.0) == ["result"]


def test_an_identity_that_the_server_changes_is_taken():
    journal = Journal()
    page = Page(
        Profile(types=("echo",)),
        boot="b",
        rng=random.Random(1),
        journal=journal,
        identity=Identity("old", "s"),
    )
    _register(page)
    assert page.identity == Identity("w1", "s1")
    assert journal.stats["new_identities"] == 1
