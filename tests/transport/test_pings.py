"""The ping clock by itself: what is due and overdue when, and what a pong and a standstill change."""

from __future__ import annotations

from dispatcher.transport.pings import Pings


def test_a_ping_is_due_after_the_interval_and_its_pong_overdue_after_the_timeout() -> None:
    pings = Pings[str](20.0, 10.0)
    pings.rest("a", 0.0)
    assert (pings.next_deadline(), pings.due(19.9), pings.due(20.0)) == (20.0, [], ["a"])
    pings.sent("a", 21.0)
    assert (pings.due(100.0), pings.next_deadline()) == ([], 31.0)
    assert (pings.overdue(30.9), pings.overdue(31.0)) == ([], ["a"])


def test_after_a_pong_nothing_is_overdue_and_the_next_ping_is_an_interval_away() -> None:
    pings = Pings[str](20.0, 10.0)
    pings.rest("a", 0.0)
    pings.sent("a", 20.0)
    pings.rest("a", 22.0)
    assert pings.overdue(1_000.0) == []
    assert (pings.next_deadline(), pings.due(42.0)) == (42.0, ["a"])


def test_what_is_forgotten_is_never_due() -> None:
    pings = Pings[str](20.0, 10.0)
    pings.rest("a", 0.0)
    pings.forget("a")
    pings.rest("b", 0.0)
    pings.sent("b", 20.0)
    pings.forget("b")
    assert (pings.next_deadline(), pings.due(99.0), pings.overdue(99.0)) == (None, [], [])


def test_many_are_due_in_the_order_of_their_deadlines() -> None:
    pings = Pings[str](20.0, 10.0)
    for at, key in enumerate("abc"):
        pings.rest(key, float(at))
    pings.sent("a", 20.0)
    pings.rest("a", 21.0)  # its pong: it is the last one now
    assert pings.due(22.0) == ["b", "c"]
    assert pings.due(41.0) == ["b", "c", "a"]


def test_a_tick_that_is_far_too_late_gives_pages_the_lateness_and_a_second_and_one_that_is_a_bit_late_nothing() -> None:
    for late_s, forgiven_s in ((4.9, 0.0), (60.0, 61.0)):
        pings = Pings[str](20.0, 10.0)
        pings.sent("a", 0.0)
        pings.forgive_standstill(10.0 + late_s)
        assert pings.next_deadline() == 10.0 + forgiven_s
