"""Sessions that a WebSocket carries, without a network: how they begin, move, prove, go away and end."""

from __future__ import annotations

import json

import pytest

from dispatcher.transport.carrier import CloseCode
from dispatcher.transport.exchange import Connection
from dispatcher.transport.leaving import MOMENT_S
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.session import Session
from dispatcher.transport.sessions import Sessions
from dispatcher.transport.sockets import UPGRADE_TIMEOUT_S
from tests.transport.support import Bench, FakeExchange, Recorder

# How a session comes to a socket.


def test_a_session_may_begin_with_a_socket_and_is_told_of_no_upgrade(bench: Bench, recorder: Recorder) -> None:
    socket = bench.join()
    opened = json.loads(socket.take()[0][1:])
    assert (opened["upgrades"], opened["pingInterval"]) == ([], 20_000)
    assert recorder.names() == ["opened", "upgraded"]
    assert bench.sessions.transport(opened["sid"]) == "websocket"
    assert bench.sessions.carriers() == {"polling": 0, "websocket": 1}


def test_a_session_moves_when_its_probe_and_its_last_poll_are_answered(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    socket = bench.join(sid)
    assert poll.answered is None, "a socket alone changes nothing"
    bench.frame(socket, "2probe")
    assert (socket.take(), poll.body) == (["3probe"], "6")
    assert bench.sessions.transport(sid) == "polling"
    assert bench.sessions.carriers() == {"polling": 1, "websocket": 0}
    bench.frame(socket, "5")
    assert bench.sessions.transport(sid) == "websocket"
    assert bench.sessions.carriers() == {"polling": 0, "websocket": 1}
    bench.send(sid, "by socket")
    assert socket.take() == ["4by socket"]
    bench.frame(socket, "4from the page")
    assert recorder.texts() == ["from the page"]
    assert recorder.names(sid) == ["opened", "upgraded", "message"]


def test_what_is_sent_while_a_session_moves_goes_with_the_last_poll_or_by_the_socket(bench: Bench) -> None:
    """Nothing is lost, nothing comes twice, and the order stays."""
    sid = bench.open()
    poll = bench.get(sid)
    socket = bench.join(sid)
    bench.send(sid, "one")
    bench.frame(socket, "2probe")
    bench.send(sid, "two")
    assert bench.get(sid).body == "4two", "a page may poll once more"
    assert bench.get(sid).body == "6"
    bench.send(sid, "three")
    assert socket.take() == ["3probe"]
    bench.frame(socket, "5")
    assert (poll.body, socket.take()) == ("4one", ["4three"])


def test_a_poll_that_is_parked_at_the_move_comes_back_empty(bench: Bench) -> None:
    sid = bench.open()
    socket = bench.join(sid)
    bench.frame(socket, "2probe")
    poll = FakeExchange("GET", f"EIO=4&transport=polling&sid={sid}")
    bench.sessions.begin(poll, bench.now)
    bench.sessions.complete(poll, b"", bench.now)  # and no flush yet
    bench.frame(socket, "5")
    assert poll.body == "6"


def test_after_the_move_requests_of_the_session_are_refused_and_it_lives_on(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    socket = bench.upgrade(sid)
    assert [bench.get(sid).status, bench.post(sid, "4x").status] == [400, 400]
    assert '"code":1' in bench.get(sid).body
    bench.send(sid, "still here")
    assert socket.take() == ["4still here"]
    assert recorder.texts() == []


def test_a_post_that_began_before_the_move_is_taken(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    post = FakeExchange("POST", f"EIO=4&transport=polling&sid={sid}")
    assert bench.sessions.begin(post, bench.now) is None
    bench.upgrade(sid)
    bench.sessions.complete(post, b"4late", bench.now)
    assert (post.body, recorder.texts()) == ("ok", ["late"])


def test_a_second_socket_for_a_session_is_closed_and_the_first_goes_on(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    socket = bench.join(sid)
    second = bench.join(sid)
    assert second.code is CloseCode.OVERLAP, "while the first one moves"
    bench.frame(second, "2probe")
    assert (second.take(), socket.open) == ([], True)
    bench.frame(socket, "2probe")
    bench.frame(socket, "5")
    second = bench.join(sid)
    assert second.code is CloseCode.OVERLAP, "after it has moved"
    bench.frame(second, "4from nobody")
    bench.hang_up(second)
    assert bench.send(sid, "x")
    assert socket.take() == ["3probe", "4x"]
    assert recorder.names(sid) == ["opened", "upgraded"]
    assert bench.sessions.counts.overlaps == 2


@pytest.mark.parametrize("said", [["5"], ["2"], ["4x"], ["2probe", "2probe"], ["2probe", "4x"], [b"2probe"], [""]])
def test_a_socket_that_moves_in_another_way_is_closed_and_polling_goes_on(
    bench: Bench, recorder: Recorder, said: list[str | bytes]
) -> None:
    sid = bench.open()
    socket = bench.join(sid)
    for data in said:
        bench.frame(socket, data)
    assert socket.code is CloseCode.PROTOCOL_ERROR
    bench.send(sid, "by poll")
    assert bench.get(sid).body == "4by poll"
    assert recorder.names(sid) == ["opened"]
    assert bench.get(sid).answered is None, "and polls wait again"


def test_a_socket_that_breaks_before_the_move_changes_nothing(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    socket = bench.join(sid)
    bench.frame(socket, "2probe")
    bench.hang_up(socket)
    assert bench.get(sid).answered is None
    assert recorder.names(sid) == ["opened"]
    again = bench.upgrade(sid)
    bench.send(sid, "x")
    assert again.take() == ["4x"]


def test_a_move_that_is_not_finished_in_time_is_given_up(bench: Bench) -> None:
    sid = bench.open()
    socket = bench.join(sid)
    bench.frame(socket, "2probe")
    assert bench.sessions.next_deadline() == bench.now + UPGRADE_TIMEOUT_S
    bench.later(UPGRADE_TIMEOUT_S - 0.1)
    assert socket.open
    bench.later(0.1)
    assert socket.code is CloseCode.NOT_UPGRADED
    assert bench.get(sid).answered is None
    assert bench.sessions.transport(sid) == "polling"


def test_nothing_stays_of_a_move_whose_session_has_ended(bench: Bench) -> None:
    sid = bench.open()
    socket = bench.join(sid)
    bench.post(sid, "1")
    assert not socket.open
    bench.hang_up(socket)
    assert bench.sessions.next_deadline() is None


def test_a_standstill_gives_a_move_its_time_back(bench: Bench) -> None:
    socket = bench.join(bench.open())
    bench.now += 60.0
    bench.sessions.forgive(60.0, bench.now)
    bench.later(0.0)
    assert socket.open
    bench.later(UPGRADE_TIMEOUT_S)
    assert socket.code is CloseCode.NOT_UPGRADED


def test_the_move_of_a_session_that_was_away_brings_it_back(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sid = bench.open(connection)
    bench.sessions.disconnected(connection, bench.now)
    bench.later(MOMENT_S)
    bench.upgrade(sid)
    assert recorder.names(sid) == ["opened", "away", "back", "upgraded"]


def test_the_end_of_the_polls_connection_after_the_move_is_no_sign(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sid = bench.open(connection)
    bench.get(sid, connection)
    bench.upgrade(sid)
    bench.sessions.disconnected(connection, bench.now)
    assert recorder.names(sid) == ["opened", "upgraded"]


@pytest.mark.expect_log("the listener failed in")
def test_a_listener_that_fails_at_the_opening_closes_the_socket(recorder: Recorder, bench: Bench) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("planted")

    recorder.opened = fail  # type: ignore[assignment, method-assign]
    socket = bench.join()
    assert (socket.code, len(bench.sessions)) == (CloseCode.INTERNAL_ERROR, 0)


# What the socket carries.


def test_a_frame_is_a_packet_and_bytes_are_a_message(bench: Bench, recorder: Recorder) -> None:
    _, socket = bench.connect()
    for data in ("4text", "4", "4a\x1e4b", b"\x01\x02"):
        bench.frame(socket, data)
    assert recorder.texts() == ["text", "", "a\x1e4b", "bAQI="]
    assert bench.sessions.counts.frames == 4


@pytest.mark.parametrize("data", ["", "0", "2", "2probe", "5", "6", "7", "abc", "3x", "b!", "\u0664x"])
def test_what_a_page_may_not_send_ends_the_session(bench: Bench, recorder: Recorder, data: str) -> None:
    sid, socket = bench.connect()
    bench.frame(socket, data)
    assert socket.code is CloseCode.PROTOCOL_ERROR
    assert recorder.names(sid)[-1] == "ended"
    bench.frame(socket, "4behind it")
    assert recorder.texts() == []


def test_a_close_of_the_page_ends_the_session(bench: Bench, recorder: Recorder) -> None:
    sid, socket = bench.connect()
    bench.frame(socket, "1")
    assert socket.code is CloseCode.NORMAL
    assert recorder.names(sid)[-1] == "ended"
    assert sid not in bench.sessions


def test_our_end_is_told_behind_what_waits(bench: Bench, recorder: Recorder) -> None:
    sid, socket = bench.connect()
    socket.room = 1
    for text in ("one", "two", "three"):
        bench.send(sid, text)
    bench.sessions.end(sid)
    bench.sessions.flush(bench.now)
    assert socket.open
    bench.frame(socket, "4too late")
    socket.room = 10
    bench.sessions.drained(socket)
    bench.sessions.flush(bench.now)
    assert (socket.take(), socket.code) == (["4one", "4two", "4three", "1"], CloseCode.NORMAL)
    assert recorder.names(sid) == ["opened", "upgraded"], "we asked for it, so we are told nothing"


@pytest.mark.expect_log("the listener failed in message")
def test_a_message_that_fails_ends_the_session_so_that_the_page_says_again_what_matters(
    bench: Bench, recorder: Recorder
) -> None:
    """By polling the POST is answered 500. No frame is answered."""
    sid, socket = bench.connect()

    def fail(sid: str, text: str) -> None:
        raise RuntimeError("planted")

    recorder.on_message = fail
    bench.frame(socket, "4x")
    assert socket.code is CloseCode.INTERNAL_ERROR
    assert recorder.names(sid)[-1] == "ended"


# A page that reads slowly.


def test_a_page_that_reads_slowly_gets_all_in_order_as_it_reads(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(), recorder))
    sid, socket = bench.connect()
    socket.room = 0
    for n in range(5):
        assert bench.send(sid, f"{n}", f"a{n}")
    assert (socket.take(), "written" in recorder.names()) == ([], False), "what waits here can be withdrawn"
    assert bench.sessions.withdraw(sid, "a3")
    socket.room = 10
    bench.sessions.drained(socket)
    bench.sessions.flush(bench.now)
    assert socket.take() == ["40", "41", "42", "44"]
    assert recorder.events[-1] == ("written", sid, ["a0", "a1", "a2", "a4"])


def test_a_page_that_does_not_read_is_given_up_at_the_bound_of_its_outbox(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(outbox_packets=3), recorder))
    sid, socket = bench.connect()
    socket.room = 0
    assert [bench.send(sid, "x") for _ in range(4)] == [True, True, True, False]
    assert socket.code is CloseCode.NOT_READ
    assert recorder.names(sid)[-1] == "ended"


# Evidence.


def test_a_closed_socket_makes_its_page_away_and_later_the_session_is_dropped(bench: Bench, recorder: Recorder) -> None:
    sid, socket = bench.connect()
    bench.hang_up(socket)
    assert recorder.names(sid)[2:] == ["away"]
    assert bench.send(sid, "to nobody", "a1")
    assert "written" not in recorder.names()
    assert bench.get(sid).status == 400, "it does not come back by polling"
    bench.later(20.0)
    bench.later(20.0)
    bench.later(1.0)
    assert recorder.names(sid)[2:] == ["away", "dropped"]
    assert sid not in bench.sessions


def test_a_socket_that_is_closed_only_at_the_write_is_a_closed_socket(bench: Bench, recorder: Recorder) -> None:
    sid, socket = bench.connect()
    socket.open = False
    bench.send(sid, "offer", "a1")
    assert recorder.names(sid)[2:] == ["away"], "and nothing has been written"
    assert bench.sessions.withdraw(sid, "a1")


def test_a_missed_pong_without_a_closed_socket_makes_its_page_quiet(bench: Bench, recorder: Recorder) -> None:
    sid, socket = bench.connect()
    bench.later(20.0)
    assert socket.take() == ["2"]
    bench.later(20.0)
    bench.later(1.0)
    assert recorder.names(sid)[-1] == "quiet"
    assert socket.code is CloseCode.NO_PONG


def test_a_pong_keeps_the_session_and_one_without_a_ping_does_not(bench: Bench, recorder: Recorder) -> None:
    sid, socket = bench.connect()
    for _ in range(3):
        bench.later(20.0)
        bench.frame(socket, "3")
    assert sid in bench.sessions
    bench.frame(socket, "3")
    for seconds in (20.0, 20.0, 1.0):
        bench.later(seconds)
    assert recorder.names(sid)[-1] == "quiet"


def test_a_pong_proves_what_was_written_before_its_ping_and_nothing_else(bench: Bench, recorder: Recorder) -> None:
    sid, socket = bench.connect()
    bench.send(sid, "offer", "before")
    bench.later(20.0)
    bench.send(sid, "offer", "after")
    assert socket.take() == ["4offer", "2", "4offer"]
    bench.frame(socket, "3")
    assert [event for event in recorder.events if event[0] == "received"] == [("received", sid, ["before"])]
    bench.later(20.0)
    bench.frame(socket, "3")
    assert recorder.events[-1] == ("received", sid, ["after"])


def test_a_ping_that_waits_behind_a_slow_page_proves_nothing_of_what_follows_it(
    bench: Bench, recorder: Recorder
) -> None:
    sid, socket = bench.connect()
    socket.room = 0
    bench.send(sid, "offer", "a1")
    bench.later(20.0)
    socket.room = 10
    bench.sessions.drained(socket)
    bench.sessions.flush(bench.now)
    assert socket.take() == ["2", "4offer"], "a ping does not wait behind what is queued"
    bench.frame(socket, "3")
    assert "received" not in recorder.names()


def test_while_a_ping_is_out_a_probe_sends_no_second_one(bench: Bench) -> None:
    """A page knows by it what has arrived: the next ping comes only after its pong has."""
    sid, socket = bench.connect()
    bench.later(20.0)
    assert bench.sessions.probe(sid, bench.now)
    bench.sessions.flush(bench.now)
    assert socket.take() == ["2"]
    bench.frame(socket, "3")
    assert bench.sessions.probe(sid, bench.now)
    bench.sessions.flush(bench.now)
    assert socket.take() == ["2"]


def test_the_state_of_a_session_is_bounded_while_it_sends_no_pong(bench: Bench) -> None:
    sid, socket = bench.connect()
    for n in range(3_000):
        bench.send(sid, "offer", f"a{n}")
        socket.take()
    session = socket.session
    assert isinstance(session, Session)
    assert len(session.unproved) == 1_024


def test_sessions_are_counted_by_their_carrier_until_they_end(bench: Bench) -> None:
    bench.open()
    socket = bench.join()
    bench.frame(socket, "1")
    assert bench.sessions.carriers() == {"polling": 1, "websocket": 0}
    assert bench.sessions.counted()["opened"] == 2
