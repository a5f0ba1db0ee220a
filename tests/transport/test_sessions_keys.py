"""A session whose page showed a key at its handshake is for those alone who show it: its id is only an address."""

from __future__ import annotations

import pytest

from dispatcher.transport import exchange as replies
from dispatcher.transport.exchange import Reply
from tests.transport.support import SOCKET, Bench, FakeExchange, Recorder

KEY = "0123456789abcdef0123456789abcdef"
BASE = "EIO=4&transport=polling"


def ask(bench: Bench, method: str, query: str, key: str, body: bytes = b"", *, upgrade: bool = False) -> Reply | None:
    """The answer so far; for an upgrade, the refusal."""
    exchange = FakeExchange(method, query, upgrade=upgrade)
    exchange.key = key
    refusal = bench.sessions.begin(exchange, bench.now)
    if refusal is None and not upgrade:
        bench.sessions.complete(exchange, body, bench.now)
        bench.sessions.flush(bench.now)
        return exchange.answered
    return refusal


def opened(bench: Bench, key: str) -> str:
    answer = ask(bench, "GET", BASE, key)
    assert answer is not None
    assert answer.status == 200
    return bench.sessions.ids()[-1]


@pytest.mark.parametrize("shown", ["", "f" * 32, KEY[:-1], KEY.upper()])
def test_who_knows_the_id_alone_can_neither_read_nor_write_nor_end_nor_take_over(
    bench: Bench, recorder: Recorder, shown: str
) -> None:
    sid = opened(bench, KEY)
    bench.sessions.send(sid, "an offer")
    for method, body in (("GET", b""), ("POST", b"4stolen"), ("POST", b"1")):
        assert ask(bench, method, f"{BASE}&sid={sid}", shown, body) == replies.UNKNOWN_SID
    assert ask(bench, "GET", f"{SOCKET}&sid={sid}", shown, upgrade=True) == replies.UNKNOWN_SID
    assert recorder.names() == ["opened"]
    answer = ask(bench, "GET", f"{BASE}&sid={sid}", KEY)
    assert answer is not None
    assert answer.body == b"4an offer", "the session is unharmed"
    assert ask(bench, "POST", f"{BASE}&sid={sid}", KEY, b"4mine") == replies.OK
    assert recorder.texts() == ["mine"]


def test_its_page_may_upgrade_with_the_key(bench: Bench) -> None:
    sid = opened(bench, KEY)
    assert ask(bench, "GET", f"{SOCKET}&sid={sid}", KEY, upgrade=True) is None


def test_a_session_without_a_key_is_carried_on_by_its_id_as_with_any_client_of_engine_io(bench: Bench) -> None:
    sid = opened(bench, "")
    assert ask(bench, "POST", f"{BASE}&sid={sid}", "", b"4x") == replies.OK
    assert ask(bench, "POST", f"{BASE}&sid={sid}", KEY, b"4x") == replies.OK


def test_a_foreign_poll_beside_the_page_s_own_does_not_end_the_session_as_an_overlap(bench: Bench) -> None:
    sid = opened(bench, KEY)
    assert ask(bench, "GET", f"{BASE}&sid={sid}", KEY) is None, "it is parked"
    assert ask(bench, "GET", f"{BASE}&sid={sid}", "f" * 32) == replies.UNKNOWN_SID
    assert sid in bench.sessions
