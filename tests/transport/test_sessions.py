"""Sessions without a network: polls, posts, outboxes, and what the listener hears."""

from __future__ import annotations

import json

import pytest

from dispatcher.config.settings import Settings
from dispatcher.transport.exchange import Connection
from dispatcher.transport.limits import SessionLimits, session_cap
from dispatcher.transport.sessions import Sessions
from tests.transport.support import Bench, FakeExchange, Recorder


def test_messages_travel_together_and_in_order_in_one_answer(bench: Bench) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    for text in ("one", "two", "three"):
        assert bench.sessions.send(sid, text)
    assert poll.answered is None
    bench.sessions.flush(bench.now)
    assert poll.body == "4one\x1e4two\x1e4three"


def test_a_poll_that_comes_later_gets_what_waits_at_once(bench: Bench) -> None:
    sid = bench.open()
    bench.sessions.send(sid, "early")
    assert bench.get(sid).body == "4early"


def test_a_binary_message_goes_out_as_base64(bench: Bench) -> None:
    sid = bench.open()
    bench.sessions.send(sid, b"\x01\x02")
    assert bench.get(sid).body == "bAQI="


def test_an_answer_is_bounded_and_the_rest_comes_next_in_order(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(poll_limit=10), recorder))
    sid = bench.open()
    for text in ("aaaa", "bbbb", "x" * 50, "c"):
        bench.sessions.send(sid, text)
    bodies = [bench.get(sid).body for _ in range(3)]
    assert bodies == ["4aaaa", "4bbbb", "4" + "x" * 50]
    assert bench.get(sid).body == "4c"


def test_a_ping_does_not_wait_behind_what_is_queued(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(poll_limit=10), recorder))
    sid = bench.open()
    for _ in range(3):
        bench.sessions.send(sid, "x" * 9)
    bench.later(20.0)
    assert bench.get(sid).body == "2"


def test_written_names_the_offers_of_an_answer_and_only_when_it_is_written(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    bench.sessions.send(sid, "offer", "a1")
    bench.sessions.send(sid, "no offer")
    bench.sessions.send(sid, "offer", "a2")
    assert "written" not in recorder.names()
    bench.get(sid)
    assert recorder.events[-1] == ("written", sid, ["a1", "a2"])
    bench.sessions.send(sid, "no offer")
    bench.get(sid)
    assert recorder.names().count("written") == 1


def test_an_answer_that_cannot_be_written_takes_nothing_with_it(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    poll.open = False
    bench.sessions.send(sid, "offer", "a1")
    bench.sessions.flush(bench.now)
    assert recorder.names() == ["opened", "away"]
    assert bench.get(sid).body == "4offer"
    assert recorder.names() == ["opened", "away", "back", "written"]


def test_messages_reach_the_listener_before_the_post_is_answered(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    exchange = FakeExchange("POST", f"EIO=4&transport=polling&sid={sid}")
    seen: list[object] = []
    recorder.on_message = lambda *_: seen.append(exchange.answered)
    bench.sessions.begin(exchange, bench.now)
    bench.sessions.complete(exchange, b"4a\x1e4b", bench.now)
    assert (seen, exchange.body, recorder.texts()) == ([None, None], "ok", ["a", "b"])


def test_a_second_post_while_one_is_being_read_is_refused_and_ends_the_session(
    bench: Bench, recorder: Recorder
) -> None:
    sid = bench.open()
    poll = bench.get(sid)
    first, second = (FakeExchange("POST", f"EIO=4&transport=polling&sid={sid}") for _ in range(2))
    assert bench.sessions.begin(first, bench.now) is None
    refusal = bench.sessions.begin(second, bench.now)
    assert refusal is not None
    assert (refusal.status, poll.body) == (400, "1")
    bench.sessions.complete(first, b"4x", bench.now)
    assert first.status == 400
    assert recorder.names() == ["opened", "ended"]


def test_nothing_of_a_malformed_post_is_handed_on(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    assert bench.post(sid, "4good\x1ezbad").status == 400
    assert recorder.names() == ["opened", "ended"]
    assert bench.post(sid, "4good").body == '{"code":1,"message":"Session ID unknown"}'


@pytest.mark.expect_log("the listener failed in message .*planted")
def test_a_failing_listener_makes_a_500_but_ends_nothing_and_holds_up_nothing(bench: Bench, recorder: Recorder) -> None:
    def fail(sid: str, text: str) -> None:
        if text == "bad":
            raise RuntimeError("planted")

    recorder.on_message = fail
    sid = bench.open()
    assert bench.post(sid, "4bad\x1e4good").status == 500
    assert recorder.texts() == ["bad", "good"]
    assert bench.sessions.counts.listener_errors == 1
    assert bench.post(sid, "4good").status == 200


@pytest.mark.expect_log("the listener failed in opened")
def test_a_session_that_the_listener_failed_to_take_does_not_exist() -> None:
    class Failing(Recorder):
        def opened(self, sid: str, remote: str, user_agent: str, now: float) -> None:
            raise RuntimeError("planted")

    bench = Bench(Sessions(SessionLimits(), Failing()))
    assert bench.request("GET", "EIO=4&transport=polling").status == 500
    assert len(bench.sessions) == 0
    assert bench.sessions.next_deadline() is None


def test_the_listener_may_send_and_end_from_inside_a_message(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    poll = bench.get(sid)

    def refuse(sid: str, text: str) -> None:
        bench.sessions.send(sid, "refused")
        bench.sessions.end(sid)

    recorder.on_message = refuse
    post = bench.post(sid, "4first\x1e4second")
    assert poll.body == "4refused\x1e1"
    assert (post.status, recorder.texts()) == (400, ["first"])
    assert (sid in bench.sessions, len(bench.sessions)) == (False, 0)


def test_end_without_a_poll_waits_for_the_next_one_and_then_says_what_waited(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    bench.sessions.send(sid, "last words")
    bench.sessions.end(sid)
    assert sid not in bench.sessions
    assert not bench.sessions.send(sid, "too late")
    assert not bench.sessions.probe(sid, bench.now)
    assert bench.post(sid, "4x").status == 400
    assert bench.get(sid).body == "4last words\x1e1"
    assert bench.get(sid).status == 400
    assert recorder.names() == ["opened"]


def test_an_ended_session_comes_and_goes_in_silence(bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    sid = bench.open(connection)
    bench.sessions.end(sid)
    bench.sessions.disconnected(connection, bench.now)
    assert bench.get(sid).body == "1"
    assert recorder.names() == ["opened"]


def test_an_ended_session_that_never_polls_again_is_forgotten_in_silence(bench: Bench, recorder: Recorder) -> None:
    bench.sessions.end(bench.open())
    bench.later(20.0)
    bench.later(20.0)
    bench.later(1.0)
    assert (len(bench.sessions), recorder.names()) == (0, ["opened"])


def test_end_with_more_than_one_answer_holds_says_all_of_it(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(poll_limit=10), recorder))
    sid = bench.open()
    bench.sessions.send(sid, "x" * 9)
    bench.sessions.send(sid, "y" * 9)
    bench.sessions.end(sid)
    assert [bench.get(sid).body for _ in range(2)] == ["4" + "x" * 9, "4" + "y" * 9 + "\x1e1"]


def test_a_full_outbox_ends_the_session_and_says_so_at_the_next_flush(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(outbox_packets=2), recorder))
    sid = bench.open()
    poll = bench.get(sid)
    assert [bench.sessions.send(sid, "x") for _ in range(4)] == [True, True, False, False]
    bench.sessions.flush(bench.now)
    assert recorder.names() == ["opened", "ended"]
    assert (poll.body, bench.sessions.counts.overflows) == ("1", 1)
    assert bench.get(sid).status == 400


def test_an_outbox_is_bounded_in_bytes_and_reading_makes_room(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(outbox_bytes=100), recorder))
    sid = bench.open()
    for _ in range(10):
        assert bench.sessions.send(sid, "x" * 90)
        bench.get(sid)
    assert bench.sessions.send(sid, "x" * 90)
    assert not bench.sessions.send(sid, "x" * 90)


# Limits.


def test_over_the_cap_a_handshake_is_told_to_come_again(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(sessions=2, retry_after_s=7), recorder))
    first, _ = bench.open(), bench.open()
    refused = bench.request("GET", "EIO=4&transport=polling")
    assert refused.answered is not None
    assert (refused.status, refused.answered.retry_after_s, json.loads(refused.body)["code"]) == (503, 7, 6)
    bench.post(first, "1")
    bench.open()


def test_limits_follow_the_settings() -> None:
    settings = Settings(ping_interval_s=1.5, body_limit=2_000, packet_limit=20, poll_limit=70_000)
    limits = SessionLimits.of(settings, sessions=7)
    assert (limits.ping_interval_s, limits.ping_timeout_s, limits.sessions) == (1.5, 20.0, 7)
    assert (limits.post_limit, limits.packet_limit, limits.poll_limit) == (67_536, 20, 70_000)
    assert limits.outbox_bytes == 64 * limits.post_limit
    assert SessionLimits.of(Settings(), sessions=12_000) == SessionLimits()


@pytest.mark.parametrize(
    ("configured", "descriptors", "cap"), [(0, 1_024, 412), (0, 1_000_000, 12_000), (500, 64, 500), (0, 64, 1)]
)
def test_the_cap_follows_the_descriptors_unless_it_is_set(configured: int, descriptors: int, cap: int) -> None:
    assert session_cap(configured, descriptors) == cap


def test_a_withdrawn_offer_leaves_the_outbox_and_nothing_else_does(bench: Bench, recorder: Recorder) -> None:
    sid = bench.open()
    for text, attempt in (("hello", None), ("one", "a1"), ("two", "a2"), ("one again", "a1")):
        bench.sessions.send(sid, text, attempt)
    assert bench.sessions.withdraw(sid, "a1")
    assert not bench.sessions.withdraw(sid, "a1"), "it is not there any more"
    assert bench.get(sid).body == "4hello\x1e4two"
    assert not bench.sessions.withdraw(sid, "a2"), "a poll has carried it away"
    assert recorder.events[-1] == ("written", sid, ["a2"])


def test_a_session_that_ends_does_not_deliver_what_is_withdrawn_meanwhile(bench: Bench) -> None:
    sid = bench.open()
    bench.sessions.send(sid, "one", "a1")
    bench.sessions.end(sid)
    assert bench.sessions.withdraw(sid, "a1")
    assert bench.get(sid).body == "1"
    assert not bench.sessions.withdraw("nobody", "a1")


def test_what_is_withdrawn_takes_no_room(bench: Bench) -> None:
    bench.sessions.limits = SessionLimits(outbox_bytes=100)
    sid = bench.open()
    for number in range(50):
        assert bench.sessions.send(sid, "x" * 60, f"a{number}")
        assert bench.sessions.withdraw(sid, f"a{number}")
