"""Sockets that are not let in, without a network: too many sessions, polling forced, a query that is wrong."""

from __future__ import annotations

import json

import pytest

from dispatcher.transport.limits import SessionLimits
from dispatcher.transport.sessions import Sessions
from tests.transport.support import SOCKET, Bench, Recorder


def test_over_the_cap_no_socket_is_let_in(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(sessions=1, retry_after_s=7), recorder))
    sid = bench.open()
    reply = bench.request("GET", SOCKET, upgrade=True).answered
    assert reply is not None
    assert (reply.status, reply.retry_after_s) == (503, 7)
    bench.upgrade(sid)  # a session that is there may move
    assert bench.sessions.counts.refused_sessions == 1


def test_where_polling_is_forced_no_socket_is_let_in_and_none_is_offered(recorder: Recorder) -> None:
    bench = Bench(Sessions(SessionLimits(websocket=False), recorder))
    opened = bench.request("GET", "EIO=4&transport=polling").body
    assert json.loads(opened[1:])["upgrades"] == []
    for query in (SOCKET, f"{SOCKET}&sid={json.loads(opened[1:])['sid']}"):
        reply = bench.request("GET", query, upgrade=True)
        assert (reply.status, '"code":0' in reply.body) == (400, True)


@pytest.mark.parametrize(
    ("query", "upgrade", "code"),
    [
        ("EIO=4&transport=polling", True, 3),
        (SOCKET, False, 3),
        ("transport=websocket", True, 5),
        ("EIO=3&transport=websocket", True, 5),
        ("EIO=abc&transport=websocket", True, 5),
        ("EIO=4&transport=abc", True, 0),
        ("EIO=4", True, 0),
        (f"{SOCKET}&sid=unknown", True, 1),
        (f"{SOCKET}&sid=", True, 1),
        (f"{SOCKET}&j=0", True, 3),
        (f"{SOCKET}&EIO=4", True, 3),
    ],
)
def test_a_wrong_query_is_refused_before_the_handshake(bench: Bench, query: str, upgrade: bool, code: int) -> None:
    assert f'"code":{code}' in bench.request("GET", query, upgrade=upgrade).body
