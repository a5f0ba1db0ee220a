"""What every front does with one request, without a socket."""

from __future__ import annotations

import pytest

from dispatcher.transport.exchange import Connection, Reply
from dispatcher.transport.fronts.front_exchange import FrontExchange
from dispatcher.transport.fronts.policy import Denial, Policy, declared_length
from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.support.clock import ManualClock
from tests.transport.support import Bench, Recorder

HANDSHAKE = "EIO=4&transport=polling"


class Told(FrontExchange):
    """A request whose client is in this test's hand."""

    def __init__(self, policy: Policy, method: str, query: str, **headers: str) -> None:
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(policy, method, query, lines, "", declared_length(lines))
        self.sent: list[bytes] = []
        self.closed = self.left = False
        self.carrier = Connection()

    def _carrier(self) -> Connection:
        return self.carrier

    def _send(self, reply: Reply) -> None:
        self.sent.append(self._whole_answer(reply))

    def _is_closed(self) -> bool:
        return self.closed

    def _has_left(self) -> bool:
        return self.closed or self.left

    def run(self, body: bytes = b"", version: str = "HTTP/1.1") -> bytes:
        self.begin(version)
        if body:
            self.data_received(body)
        self.finish()
        return b"".join(self.sent)


@pytest.fixture
def limits() -> SessionLimits:
    return SessionLimits(post_limit=100)


@pytest.fixture
def policy(sessions: Sessions, clock: ManualClock) -> Policy:
    return Policy(sessions, clock=clock.monotonic, drain_bytes=50)


@pytest.fixture
def target(bench: Bench) -> str:
    return f"{HANDSHAKE}&sid={bench.open()}"


def test_a_handshake_is_answered_and_its_connection_kept(policy: Policy, recorder: Recorder) -> None:
    request = Told(policy, "GET", HANDSHAKE, User_Agent="x" * 400)
    head, _, body = request.run().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain")
    assert head.endswith(b"Content-Length: %d" % len(body))
    assert b"Connection" not in head
    assert recorder.events[0][3] == "x" * 300
    assert len(request.carrier.sids) == 1


def test_old_clients_are_told_whether_the_connection_lives_on(policy: Policy) -> None:
    kept = Told(policy, "GET", HANDSHAKE, Connection="keep-alive").run(version="HTTP/1.0")
    assert b"\r\nConnection: Keep-Alive\r\n" in kept
    closed = Told(policy, "GET", HANDSHAKE)
    assert b"\r\nConnection: close\r\n" in closed.run(version="HTTP/1.0")
    assert closed.connection is None


def test_the_body_of_a_refused_request_is_drained_first(policy: Policy, target: str) -> None:
    request = Told(policy, "POST", target, Content_Length="150")
    request.begin("HTTP/1.1")
    request.data_received(b"4" * 150)
    assert request.sent == []
    request.finish()
    assert request.sent[0].startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" not in request.sent[0]


@pytest.mark.parametrize("headers", [{"Content_Length": "151"}, {"Content_Length": "101", "Expect": "100-continue"}])
def test_a_hopeless_body_is_not_waited_for(policy: Policy, target: str, headers: dict[str, str]) -> None:
    request = Told(policy, "POST", target, **headers)
    request.begin("HTTP/1.1")
    assert request.sent[0].startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in request.sent[0]


def test_a_body_that_does_not_say_how_large_it_is_is_refused_and_cut_off_in_time(policy: Policy, target: str) -> None:
    request = Told(policy, "POST", target)
    request.begin("HTTP/1.1")
    request.data_received(b"4" * 100)
    request.data_received(b"4")
    assert request.sent == []
    assert request._chunks == [], "nothing is kept of it"
    request.data_received(b"4" * 49)
    assert request.sent == []
    request.data_received(b"4")
    assert request.sent[0].startswith(b"HTTP/1.1 413 ")
    request.finish()
    assert len(request.sent) == 1


def test_a_post_that_was_refused_for_its_size_leaves_the_way_free(policy: Policy, target: str, bench: Bench) -> None:
    Told(policy, "POST", target).run(b"4" * 120)
    assert Told(policy, "POST", target).run(b"4x").endswith(b"\r\n\r\nok")


def test_a_denied_request_never_reaches_the_sessions(policy: Policy, target: str, sessions: Sessions) -> None:
    policy.guard = lambda headers, method, remote: Denial("not here")
    assert b"not here" in Told(policy, "POST", target).run(b"4x")
    assert sessions.counts.messages_in == 0


def test_a_poll_waits_and_is_answered_once(policy: Policy, target: str, sessions: Sessions) -> None:
    poll = Told(policy, "GET", target)
    assert poll.run() == b""
    assert poll.is_open()
    poll.left = True
    assert not poll.is_open(), "the kernel knows that the client has gone"
    poll.left = False
    sessions.send(target.rpartition("=")[2], "x")
    policy.settle(0.0)
    assert poll.sent[0].endswith(b"\r\n\r\n4x")
    assert not poll.answer(Reply(200, b"again"))
    assert len(poll.sent) == 1


@pytest.mark.parametrize(("stopping", "heard"), [(False, ["opened", "away"]), (True, ["opened"])])
def test_the_end_of_a_waiting_polls_connection_is_a_sign(
    policy: Policy, target: str, recorder: Recorder, stopping: bool, heard: list[str]
) -> None:
    poll = Told(policy, "GET", target)
    poll.run()
    policy.stopping = stopping
    poll.on_connection_close()
    assert recorder.names() == heard


def test_a_poll_whose_connection_has_just_been_closed_is_not_parked(
    policy: Policy, target: str, recorder: Recorder, sessions: Sessions
) -> None:
    poll = Told(policy, "GET", target)
    poll.begin("HTTP/1.1")
    poll.closed = True
    poll.finish()
    assert recorder.names() == ["opened", "away"]
    assert not poll.answer(Reply(200, b"x"))


def test_a_head_request_gets_the_length_and_no_body(policy: Policy) -> None:
    assert Told(policy, "HEAD", HANDSHAKE).run().endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("shown", "read"),
    [("0123456789abcdef", "0123456789abcdef"), ("", ""), ("short", ""), ("x" * 65, ""), ("0123456789abcde\xe9", "")],
)
def test_the_key_of_a_session_is_read_from_its_header_or_its_subprotocol(policy: Policy, shown: str, read: str) -> None:
    assert Told(policy, "GET", HANDSHAKE, X_Pagehand_Session=shown).key == read
    offered = {"Upgrade": "websocket", "Sec_WebSocket_Protocol": f"pagehand.{shown}"}
    assert Told(policy, "GET", HANDSHAKE, **offered).key == read
    assert Told(policy, "GET", HANDSHAKE, Upgrade="websocket", X_Pagehand_Session=shown).key == ""
    assert Told(policy, "GET", HANDSHAKE, Upgrade="websocket", Sec_WebSocket_Protocol=shown).key == ""
