"""Sessions without a network whose connection is closed between two polls: the next poll has a moment (promise S11)."""

from __future__ import annotations

import pytest

from dispatcher.transport.exchange import Connection
from dispatcher.transport.leaving import MOMENT_S
from tests.transport.support import Bench, Recorder


@pytest.fixture
def connection() -> Connection:
    """It carried the page's last poll."""
    return Connection()


@pytest.fixture
def sid(bench: Bench, connection: Connection) -> str:
    """A page that has had an answer, and whose connection has been closed since."""
    sid = bench.open(connection)
    bench.sessions.disconnected(connection, bench.now)
    return sid


def test_a_poll_that_comes_within_the_moment_is_of_a_page_that_was_never_away(
    bench: Bench, recorder: Recorder, sid: str
) -> None:
    bench.later(MOMENT_S - 0.01)
    poll = bench.get(sid)
    bench.later(MOMENT_S)
    assert (recorder.names(), poll.answered) == (["opened"], None)


def test_without_a_poll_it_is_away_and_the_listener_hears_for_how_long(
    bench: Bench, recorder: Recorder, sid: str
) -> None:
    assert bench.sessions.next_deadline() == bench.now + MOMENT_S
    bench.later(MOMENT_S)
    assert recorder.events[1:] == [("away", sid, MOMENT_S)]
    assert bench.sessions.counts.away == 1
    bench.get(sid)
    assert recorder.names() == ["opened", "away", "back"]


def test_each_close_has_a_moment_of_its_own(bench: Bench, recorder: Recorder, sid: str) -> None:
    for _ in range(5):
        bench.later(MOMENT_S * 0.9)
        again = Connection()
        bench.sessions.send(sid, "x")
        assert bench.get(sid, again).body == "4x"
        bench.sessions.disconnected(again, bench.now)
    assert recorder.names() == ["opened"]
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened", "away"]


def test_a_post_is_no_poll(bench: Bench, recorder: Recorder, sid: str) -> None:
    bench.later(MOMENT_S / 2)
    assert bench.post(sid, "4x").body == "ok"
    bench.later(MOMENT_S / 2)
    assert recorder.names() == ["opened", "message", "away"]


def test_a_poll_that_waits_on_the_closed_connection_is_a_sign_at_once(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sid = bench.open(connection)
    poll = bench.get(sid, connection)
    bench.sessions.abandon(poll, bench.now)
    bench.sessions.disconnected(connection, bench.now)
    assert recorder.events[1:] == [("away", sid, 0.0)]


def test_a_connection_that_breaks_in_an_answer_is_a_sign_at_once(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sid = bench.open(connection)
    bench.sessions.disconnected(connection, bench.now, was_cut=True)
    assert recorder.events[1:] == [("away", sid, 0.0)]


def test_one_page_leaves_a_shared_connection_and_the_others_have_their_moment(bench: Bench, recorder: Recorder) -> None:
    """A proxy keeps connections, and closes this one because the page whose poll waited on it has gone."""
    connection = Connection()
    gone, other = bench.open(connection), bench.open(connection)
    poll = bench.get(gone, connection)
    bench.sessions.abandon(poll, bench.now)
    bench.sessions.disconnected(connection, bench.now)
    bench.get(other)
    bench.later(MOMENT_S)
    assert [event[:2] for event in recorder.events[2:]] == [("away", gone)]


def test_a_session_that_moves_to_a_socket_has_not_left(bench: Bench, recorder: Recorder, sid: str) -> None:
    bench.upgrade(sid)
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened", "upgraded"]


def test_a_socket_that_has_not_taken_over_is_no_poll(bench: Bench, recorder: Recorder, sid: str) -> None:
    bench.join(sid)
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened", "away"]


def test_a_session_that_ends_is_not_waited_for(bench: Bench, recorder: Recorder, sid: str) -> None:
    bench.post(sid, "1")
    assert bench.sessions.next_deadline() is None
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened", "ended"]


def test_a_session_that_we_end_is_away_without_a_word(bench: Bench, recorder: Recorder, sid: str) -> None:
    bench.sessions.end(sid)
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened"]


def test_a_pong_that_is_overdue_in_the_moment_drops_it_and_nobody_is_quiet(bench: Bench, recorder: Recorder) -> None:
    """There is a sign that its page has gone: its attempts must not run on to their deadlines."""
    sid = bench.open()
    bench.later(20.0)
    connection = Connection()
    assert bench.get(sid, connection).body == "2"
    bench.later(20.0)
    bench.later(0.5)
    bench.sessions.disconnected(connection, bench.now)
    bench.later(0.5)
    assert recorder.names() == ["opened", "dropped"]


def test_a_standstill_takes_no_poll_for_missing_that_has_not_been_read(
    bench: Bench, recorder: Recorder, sid: str
) -> None:
    bench.now += 600.0
    bench.sessions.forgive(599.0, bench.now)
    bench.later(0.0)
    bench.get(sid)
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened"]


def test_a_listener_may_end_others_while_some_go_away(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    for _ in range(3):
        bench.open(connection)

    def end_the_others(sid: str, now: float, ago_s: float) -> None:
        Recorder.away(recorder, sid, now, ago_s)
        for other in bench.sessions.ids():
            if other != sid:
                bench.post(other, "1")

    recorder.away = end_the_others  # type: ignore[method-assign]
    bench.sessions.disconnected(connection, bench.now)
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened"] * 3 + ["away", "ended", "ended"]
