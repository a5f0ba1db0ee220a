"""The page's logic without I/O: registering, offers, reports that it repeats until they are answered."""

from __future__ import annotations

import json

import pytest

from dispatcher.sdk.simulator.faults import Faults
from dispatcher.sdk.simulator.journal import Journal
from tests.sdk.pages import NEVER, connect, hear, join, new_page, offer, ops, say, sent, with_report, with_report_in

# Registering.


def test_register_says_who_the_page_is_and_what_it_has():
    register = connect(new_page(slots=3, token="t"))
    assert register["version"] == 1
    assert (register["types"], register["boot"], register["slots"]) == (["echo"], "b1", 3)
    assert (register["holding"], register["finished"], register["token"]) == ([], [], "t")
    assert "worker" not in register


def test_register_is_repeated_until_it_is_answered():
    page = new_page()
    connect(page)
    assert page.next_deadline() == 5.0
    page.tick(4.9)
    assert ops(page, 4.9) == []
    page.tick(5.0)
    assert ops(page, 5.0) == ["register"]
    hear(page, 5.1, op="registered", worker="w1", secret="s1", name="", settings={})
    assert page.next_deadline() is None


def test_the_next_session_shows_the_identity_of_the_first():
    page = new_page()
    join(page)
    page.disconnected()
    register = connect(page, 9.0)
    assert (register["worker"], register["secret"], register["boot"]) == ("w1", "s1", "b1")
    assert register["sessions"] == 2


def test_a_refused_token_ends_the_registering():
    page = new_page()
    connect(page)
    hear(page, 0.0, op="refused", code="bad_token", detail="")
    assert page.rejected == "bad_token"
    assert page.next_deadline() is None


def test_not_registered_makes_the_page_register_again():
    page = new_page()
    join(page)
    hear(page, 1.0, op="refused", code="not_registered", detail="")
    assert ops(page, 1.0) == ["register"]


# Offers.


def test_a_task_starts_only_when_the_post_with_its_accept_was_answered():
    journal = Journal()
    page = new_page(journal)
    join(page)
    offer(page, 1.0)
    batch = page.take(1.0)
    assert [json.loads(text)["op"] for text in batch.messages] == ["accept"]
    assert journal.executed == []
    page.posted(batch, 1.1)
    assert journal.executed == [("job of a1", "a1", "w1")]
    assert [message["value"] for message in say(page, 1.1)] == [1]


def test_a_quick_task_sends_only_its_result():
    page = new_page(quick=True)
    join(page)
    offer(page, 1.0)
    assert ops(page, 1.0) == ["result"]


def test_a_job_that_asks_for_confirmation_waits_for_go_even_when_quick():
    page = new_page(quick=True)
    join(page)
    offer(page, 1.0, confirm=True)
    assert ops(page, 1.0) == ["accept"]
    page.tick(6.0)
    assert ops(page, 6.0) == ["accept"], "an accept that waits for go is said again"
    hear(page, 6.1, op="go", attempt="a1")
    assert ops(page, 6.1) == ["result"]


@pytest.mark.parametrize("quick", [False, True], ids=["usual", "a quick one that takes long"])
def test_by_a_socket_an_accept_is_repeated_until_go_comes(quick):
    page = new_page(quick=quick, faults=NEVER)
    join(page)
    offer(page, 1.0)
    page.tick(2.0)
    assert sent(page, 2.0) == ["accept"]
    page.tick(6.9)
    assert sent(page, 6.9) == []
    page.tick(7.0)
    assert sent(page, 7.0) == ["accept"]
    hear(page, 7.1, op="go", attempt="a1")
    assert page.next_deadline() is None


def test_an_offer_that_comes_again_is_accepted_again_and_run_once():
    journal = Journal()
    page = new_page(journal)
    join(page)
    offer(page, 1.0)
    offer(page, 1.0)
    assert ops(page, 1.0) == ["accept", "accept"]
    assert len(journal.executed) == 1
    offer(page, 1.1)
    assert [message["op"] for message in say(page, 1.1)] == ["result"], "it is in the stash: no second run"


def test_an_offer_beyond_its_slots_or_types_is_declined():
    page = new_page(faults=NEVER)
    join(page)
    offer(page, 1.0, "a1")
    offer(page, 1.0, "a2")
    assert [(message["op"], message["attempt"]) for message in say(page, 1.0)] == [
        ("accept", "a1"),
        ("released", "a2"),
    ]
    offer(page, 1.0, "a3", type="other")
    assert ops(page, 1.0) == ["released"]


def test_an_accept_that_may_have_been_lost_is_said_again_in_the_next_session():
    journal = Journal()
    page = new_page(journal)
    join(page)
    offer(page, 1.0)
    page.take(1.0)  # Its POST fails.
    page.disconnected()
    register = join(page, 2.0)
    assert register["holding"] == [{"attempt": "a1", "elapsed_ms": 0}]
    assert ops(page, 2.0) == ["accept"]
    assert len(journal.executed) == 1


def test_holding_says_how_long_a_task_has_been_running():
    page = new_page(faults=NEVER)
    join(page)
    offer(page, 1.0)
    say(page, 1.5)
    page.disconnected()
    assert connect(page, 4.0)["holding"] == [{"attempt": "a1", "elapsed_ms": 2500}]


# Reports.


def test_a_result_is_repeated_as_often_as_the_server_says_until_its_verdict():
    page = with_report(repeat_ms=2_000)
    at, gaps = 1.0, []
    for _ in range(3):
        deadline = page.next_deadline()
        assert deadline is not None
        page.tick(deadline)
        assert ops(page, deadline) == ["result"]
        gaps.append(deadline - at)
        at = deadline
    assert gaps == [2, 2, 2]
    hear(page, at, op="recorded", attempt="a1", verdict="recorded")
    assert page.next_deadline() is None
    assert page.idle


@pytest.mark.parametrize("verdict", ["recorded", "duplicate", "stale"])
def test_each_verdict_ends_the_repeating(verdict):
    page = with_report()
    hear(page, 2.0, op="recorded", attempt="a1", verdict=verdict)
    assert page.idle


def test_a_refusal_of_a_result_ends_its_repeating():
    journal = Journal()
    page = with_report_in(journal)
    hear(page, 2.0, op="refused", code="too_large", detail="", attempt="a1")
    assert page.idle
    assert journal.outcomes[0].verdict == "refused:too_large"


def test_an_unanswered_result_is_finished_and_said_again_in_the_next_session():
    page = with_report()
    page.disconnected()
    register = connect(page, 2.0)
    assert register["finished"] == ["a1"]
    assert register["holding"] == []
    assert ops(page, 2.0) == [], "not before the page is registered"
    hear(page, 2.1, op="registered", worker="w1", secret="s1", name="", settings={})
    assert ops(page, 2.1) == ["result"]


def test_a_result_that_waits_in_the_outbox_is_not_put_there_twice():
    page = new_page(quick=True)
    join(page)
    offer(page, 1.0)
    page.tick(100.0)
    offer(page, 100.0)
    assert ops(page, 100.0) == ["result"]


def test_a_result_too_large_for_a_post_becomes_an_error_without_retry():
    page = new_page(quick=True)
    join(page, max_payload=300)
    offer(page, 1.0, data="x" * 400)
    (error,) = say(page, 1.0)
    assert (error["op"], error["code"], error["retry"]) == ("error", "result_too_large", False)


def test_a_result_over_the_servers_limit_becomes_an_error_too():
    page = new_page(quick=True)
    join(page, result_limit=10)
    offer(page, 1.0, data="x" * 9)
    (error,) = say(page, 1.0)
    assert (error["op"], error["code"]) == ("error", "result_too_large")
    offer(page, 1.0, "a2", data="x" * 8)
    assert ops(page, 1.0) == ["result"]


def test_a_quick_task_that_takes_long_is_accepted_late():
    page = new_page(quick=True, faults=NEVER)
    join(page, offer_ttl_ms=2_000)
    offer(page, 1.0)
    assert ops(page, 1.0) == []
    page.tick(1.5)
    assert ops(page, 1.5) == ["accept"]
    page.disconnected()
    assert join(page, 2.0)["holding"] == [{"attempt": "a1", "elapsed_ms": 1000}]
    assert ops(page, 2.0) == ["accept"]


def test_a_failing_task_sends_an_error():
    journal = Journal()
    page = new_page(journal, quick=True, faults=Faults(fail=1.0))
    join(page)
    offer(page, 1.0)
    assert ops(page, 1.0) == ["error"]
    hear(page, 2.0, op="recorded", attempt="a1", verdict="recorded")
    assert journal.outcomes[0][3:] == ("recorded", "error")


def test_data_comes_back_as_it_was_written():
    page = new_page(quick=True)
    join(page)
    page.received('{"op":"job","attempt":"a1","id":"j","type":"echo","data": [1.0, 1e400,"\\u00e4"] }', 1.0)
    (text,) = page.take(1.0).messages
    assert text.endswith('"value":[1.0, 1e400,"\\u00e4"]}')
