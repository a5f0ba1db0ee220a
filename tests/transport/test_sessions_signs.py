"""Sessions without a network: signs that a page is gone, the lack of it, and pings (promises S11 and S19)."""

from __future__ import annotations

from dispatcher.transport.exchange import Connection
from dispatcher.transport.leaving import MOMENT_S
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.transport.support import Bench, FakeExchange, Recorder

# Signs that a page is gone, and the lack of it (promise S11).


def test_the_end_of_the_connection_that_carries_the_poll_is_a_sign(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    bench.sessions.abandon(poll, bench.now)
    assert recorder.names() == ["opened", "away"]
    bench.get(sid)
    assert recorder.names() == ["opened", "away", "back"]


def test_the_end_of_the_connection_that_carried_the_last_poll_is_a_sign_once(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sid = bench.open(connection)
    bench.sessions.send(sid, "x")
    bench.get(sid, connection)
    bench.sessions.disconnected(connection, bench.now)
    bench.sessions.disconnected(connection, bench.now)
    bench.later(MOMENT_S)
    assert recorder.names() == ["opened", "away"]


def test_the_end_of_an_older_connection_is_no_sign(bench: Bench, recorder: Recorder) -> None:
    first, second = Connection(), Connection()
    sid = bench.open(first)
    bench.get(sid, second)
    bench.sessions.disconnected(first, bench.now)
    assert recorder.names() == ["opened"]
    bench.sessions.disconnected(second, bench.now)
    assert recorder.names() == ["opened", "away"]


def test_a_connection_shared_behind_a_proxy_speaks_for_all_its_sessions(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sids = [bench.open(connection) for _ in range(3)]
    bench.sessions.disconnected(connection, bench.now)
    bench.later(MOMENT_S)
    assert sorted(event[1] for event in recorder.events if event[0] == "away") == sorted(sids)


def test_the_end_of_a_posts_connection_is_no_sign(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    post = FakeExchange("POST", f"EIO=4&transport=polling&sid={sid}")
    assert bench.sessions.begin(post, bench.now) is None
    bench.sessions.abandon(post, bench.now)
    assert recorder.names() == ["opened"]
    assert bench.post(sid, "4x").body == "ok"


def test_a_poll_on_a_new_connection_while_the_old_one_is_dead_is_no_overlap(bench: Bench, recorder: Recorder) -> None:
    """A proxy cuts a poll and the page's next one overtakes the news of it."""
    sid = bench.open()
    cut = bench.get(sid)
    cut.open = False
    again = bench.get(sid)
    bench.sessions.abandon(cut, bench.now)
    assert recorder.names() == ["opened", "away", "back"]
    bench.sessions.send(sid, "x")
    bench.sessions.flush(bench.now)
    assert again.body == "4x"


def test_a_page_between_two_polls_is_not_away(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sid = bench.open(connection)
    bench.sessions.send(sid, "x")
    bench.get(sid, connection)
    bench.later(5.0)
    assert "away" not in recorder.names()


def test_a_handshake_whose_answer_cannot_be_written_is_a_page_that_is_away(bench: Bench, recorder: Recorder) -> None:
    exchange = FakeExchange("GET", "EIO=4&transport=polling")
    exchange.open = False
    assert bench.sessions.begin(exchange, bench.now) is None
    bench.sessions.complete(exchange, b"", bench.now)
    bench.sessions.abandon(exchange, bench.now)
    assert recorder.names() == ["opened", "away"]


def test_a_poll_whose_session_ends_before_it_is_complete_is_refused(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    poll = FakeExchange("GET", f"EIO=4&transport=polling&sid={sid}")
    assert bench.sessions.begin(poll, bench.now) is None
    bench.post(sid, "1")
    bench.sessions.abandon(poll, bench.now)
    bench.sessions.complete(poll, b"", bench.now)
    assert poll.status == 400
    assert recorder.names() == ["opened", "ended"]


# Pings.


def test_probe_sends_a_ping_at_once_and_heard_tells_of_the_answer(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    assert bench.sessions.probe(sid, bench.now)
    assert bench.sessions.probe(sid, bench.now)
    bench.sessions.flush(bench.now)
    assert poll.body == "2"
    heard = recorder.heard_count
    bench.post(sid, "3")
    assert recorder.heard_count == heard + 1
    assert not bench.sessions.probe("nobody", bench.now)


def test_a_probe_during_a_ping_asks_again_and_moves_no_deadline(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    bench.get(sid)
    bench.later(20.0)
    deadline = bench.sessions.next_deadline()
    bench.sessions.probe(sid, bench.now)
    assert bench.get(sid).body == "2"
    assert bench.sessions.next_deadline() == deadline
    bench.post(sid, "3\x1e3")
    assert bench.sessions.next_deadline() == bench.now + 20.0


def test_a_missed_pong_of_a_session_that_is_away_drops_it_without_a_word_on_its_worker(
    bench: Bench, recorder: Recorder
) -> None:
    sid = bench.open()
    bench.sessions.abandon(bench.get(sid), bench.now)
    bench.later(20.0)
    bench.later(20.0)
    bench.later(1.0)
    assert recorder.names() == ["opened", "away", "dropped"]
    assert len(bench.sessions) == 0


def test_a_pong_without_a_ping_keeps_nobody_alive(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    bench.later(20.0)  # a ping waits for a poll that never comes
    for _ in range(4):
        bench.later(4.9)
        assert bench.post(sid, "3").body == "ok"
    assert "quiet" not in recorder.names()
    bench.later(0.5)
    bench.later(1.0)
    assert recorder.names()[-1] == "quiet"


def test_a_page_that_answers_its_pings_is_never_given_up(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    for _ in range(10):
        poll = bench.get(sid)
        bench.later(20.0)
        assert poll.body == "2"
        assert bench.post(sid, "3").body == "ok"
    assert recorder.names() == ["opened"]


def test_every_poll_and_every_post_is_a_sign_of_life(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    bench.sessions.send(sid, "x")
    for count, request in enumerate((bench.get, bench.get, lambda sid: bench.post(sid, "4x")), 1):
        request(sid)
        assert recorder.heard_count == count


def test_a_listener_may_end_other_sessions_while_some_time_out() -> None:
    class Flooding(Recorder):
        def quiet(self, sid: str, now: float) -> None:
            super().quiet(sid, now)
            for other in bench.sessions.ids():
                while bench.sessions.send(other, "x"):
                    pass

    listener = Flooding()
    bench = Bench(Sessions(SessionLimits(outbox_packets=3), listener))
    for _ in range(3):
        bench.open()
    bench.later(20.0)
    bench.later(20.0)
    bench.later(1.0)
    assert listener.names() == ["opened"] * 3 + ["quiet", "ended", "ended"]


def test_nothing_is_left_of_sessions_that_have_ended(bench: Bench) -> None:
    connection = Connection()
    for _ in range(50):
        sid = bench.open(connection)
        bench.get(sid, connection)
        bench.sessions.send(sid, "x")
        bench.post(sid, "1")
    assert (len(bench.sessions), bench.sessions.ids(), connection.sids) == (0, [], set())
    assert bench.sessions.next_deadline() is None
    bench.sessions.tick(bench.now + 1_000)


def test_after_a_standstill_the_pages_get_time_to_be_heard(bench: Bench, recorder: Recorder) -> None:
    """Promise S19: what has arrived is processed first, and network deadlines move by the lateness."""
    sid = bench.open()
    bench.get(sid)
    bench.later(20.0)
    bench.later(3_600.0)
    assert "quiet" not in recorder.names()
    bench.post(sid, "3")
    bench.later(19.0)
    assert len(bench.sessions) == 1


def test_a_page_that_is_gone_after_a_standstill_is_still_noticed(bench: Bench, recorder: Recorder) -> None:
    bench.get(bench.open())
    bench.later(20.0)
    bench.later(3_600.0)
    bench.later(2.0)
    assert recorder.names() == ["opened", "quiet"]


def test_deadlines_of_many_sessions_come_in_their_order(bench: Bench, recorder: Recorder) -> None:
    sids = []
    for _ in range(20):
        sids.append(bench.open())
        bench.now += 0.5
    polls = [bench.get(sid) for sid in sids]
    for number, poll in enumerate(polls):
        deadline = bench.sessions.next_deadline()
        assert deadline == 1_020.0 + number * 0.5
        bench.now = deadline
        bench.sessions.tick(bench.now)
        assert poll.body == "2"
