"""The ping clock by itself: what is due and overdue when, and what a pong and a standstill change."""

from __future__ import annotations

from dispatcher.transport.pings import Pings


def test_a_ping_is_due_after_the_interval_and_its_pong_overdue_after_the_timeout() -> None:
    pings = Pings[str](20.0, 10.0)
    pings.rest("a", 0.0)
    assert (pings.next_deadline(), pings.due(19.9), pings.due(20.0)) == (20.0, [], ["a"])
    pings.sent("a", 21.0)
    assert (pings.due(100.0), pings.next_deadline()) == ([], 31.0)
    assert (pings.overdue(30.9), pings.overdue(31.0), pings.next_deadline()) == ([], [], 32.0)
    assert (pings.overdue(31.9), pings.overdue(32.0)) == ([], ["a"]), "what had arrived has been read"


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


def test_a_session_whose_ping_has_not_left_has_no_extra_time() -> None:
    pings = Pings[str](20.0, 10.0)
    for at, key in enumerate("abc"):
        pings.sent(key, float(at))
    assert pings.overdue(12.0, "b".__eq__) == ["a", "c"]
    pings.forget("a")
    pings.forget("c")
    assert (pings.overdue(12.9, "b".__ne__), pings.overdue(13.0, "b".__ne__)) == ([], ["b"])


def test_a_pong_that_is_read_late_and_came_in_time_counts() -> None:
    pings = Pings[str](20.0, 10.0)
    pings.sent("a", 0.0)
    assert pings.overdue(10.4) == []
    pings.rest("a", 10.4)
    assert (pings.overdue(1_000.0), pings.next_deadline()) == ([], 30.4)


def test_the_moment_for_what_has_arrived_is_a_second_or_a_quarter_of_a_short_timeout() -> None:
    for timeout_s, moment_s in ((300.0, 1.0), (4.0, 1.0), (0.2, 0.05)):
        pings = Pings[str](20.0, timeout_s)
        pings.sent("a", 0.0)
        assert pings.overdue(timeout_s) == []
        assert pings.next_deadline() == timeout_s + moment_s


def test_pages_get_the_time_that_the_loop_stood_still_and_at_least_a_second_and_no_more_than_a_new_ping() -> None:
    for late_s, at in ((2.0, 12.0), (9.5, 19.5), (12.0, 22.0), (60.0, 70.0)):
        pings = Pings[str](20.0, 10.0)
        pings.sent("a", 0.0)
        pings.forgive(late_s, late_s + 0.5)
        assert pings.next_deadline() == at
    pings.forgive(3.0, 90.0)
    assert pings.next_deadline() == 91.0


def test_a_standstill_during_the_last_moment_gives_another_one_and_the_order_stays() -> None:
    pings = Pings[str](20.0, 10.0)
    for key, at in (("a", 0.0), ("b", 5.0), ("c", 9.0)):
        pings.sent(key, at)
    assert pings.overdue(10.0) == []
    pings.forgive(5.0, 16.0)
    assert pings.next_deadline() == 17.0
    assert (pings.overdue(16.9), pings.overdue(17.0)) == ([], ["a"])
    pings.forget("a")
    pings.sent("d", 16.0)
    assert [pings.overdue(at) for at in (20.0, 21.0, 24.0, 25.0, 26.0, 27.0)] == [
        [],
        ["b"],
        ["b"],
        ["b", "c"],
        ["b", "c"],
        ["b", "c", "d"],
    ]
