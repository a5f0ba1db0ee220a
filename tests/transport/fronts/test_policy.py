"""The policy of every front, without a socket: who is admitted, what answers look like, how long bytes may take."""

from __future__ import annotations

import json

import pytest

from dispatcher.transport.exchange import Connection
from dispatcher.transport.fronts import policy
from dispatcher.transport.fronts.policy import (
    ADDRESS_TOO_LONG,
    HEAD_TOO_LARGE,
    Denial,
    Patience,
    Policy,
    answer_head,
    declared_length,
    has_odd_line_end,
    head_refusal,
    host_and_path,
    keeps_alive,
)
from dispatcher.transport.leaving import MOMENT_S
from dispatcher.transport.sessions import Sessions
from tests.support.clock import ManualClock
from tests.transport.support import Bench, Recorder

LIMIT = 1_114_112
PAGES = {"Origin": "https://Pages.example"}


@pytest.fixture
def rules(sessions: Sessions, clock: ManualClock) -> Policy:
    return Policy(sessions, clock=clock.monotonic, allow_origin=("https://pages.EXAMPLE",), prefix="/under")


# Who is admitted.


def test_engine_io_has_its_own_path_and_the_one_under_the_prefix(rules: Policy) -> None:
    assert rules.paths == {"/engine.io/", "/under/engine.io/"}


def test_whoever_is_not_refused_goes_to_the_sessions(rules: Policy) -> None:
    assert rules.judge("POST", {}, "192.0.2.1", LIMIT) == (None, b"")


def test_a_guard_sees_method_and_address_and_decides_first(rules: Policy) -> None:
    seen: list[tuple[str, str]] = []

    def guard(headers: policy.HeadersLike, method: str, remote: str) -> Denial:
        seen.append((method, remote))
        return Denial("not now", 503, 6, retry_after_s=7)

    rules.guard = guard
    reply, extra = rules.judge("POST", {}, "192.0.2.1", LIMIT + 1)
    assert seen == [("POST", "192.0.2.1")]
    assert reply is not None
    assert (reply.status, json.loads(reply.body), reply.retry_after_s) == (503, {"code": 6, "message": "not now"}, 7)
    assert extra == b"Access-Control-Allow-Origin: *\r\n"


@pytest.mark.parametrize(("method", "headers"), [("OPTIONS", {}), ("GET", PAGES)])
def test_only_those_who_could_not_read_a_refusal_otherwise_are_told_that_they_may(
    rules: Policy, method: str, headers: dict[str, str]
) -> None:
    rules.guard = lambda headers, method, remote: Denial()
    assert b"Origin: *" not in rules.judge(method, headers, "", 0).extra_headers


def test_a_body_that_says_it_is_too_large_is_refused_by_its_head(rules: Policy) -> None:
    reply = rules.judge("POST", {}, "", LIMIT + 1).reply
    assert reply is not None
    assert reply.status == 413
    assert rules.drain_limit() == LIMIT + (8 << 20)


def test_only_pages_of_an_allowed_origin_may_ask_beforehand(rules: Policy) -> None:
    reply, extra = rules.judge("OPTIONS", PAGES, "", 0)
    assert reply is not None
    assert reply.status == 204
    assert b"Access-Control-Allow-Origin: https://Pages.example\r\n" in extra
    assert b"Access-Control-Allow-Credentials: true\r\n" in extra
    refused = rules.judge("OPTIONS", {"Origin": "https://evil.example"}, "", 0)
    assert refused.reply is not None
    assert (refused.reply.status, refused.extra_headers) == (403, b"")


def test_a_page_of_no_origin_comes_without_cookies(rules: Policy) -> None:
    rules.allow_origin = frozenset({"null"})
    extra = rules.judge("GET", {"Origin": "null"}, "", 0).extra_headers
    assert b"Access-Control-Allow-Origin: null\r\n" in extra
    assert b"Credentials" not in extra


# Connections that end.


@pytest.mark.parametrize(
    ("stopping", "was_idle", "heard"),
    [(False, False, ["opened", "away"]), (True, False, ["opened"]), (False, True, ["opened"])],
    ids=["theirs", "stopping", "idle"],
)
def test_only_an_end_that_is_not_ours_is_a_sign(
    rules: Policy, bench: Bench, recorder: Recorder, stopping: bool, was_idle: bool, heard: list[str]
) -> None:
    changes: list[None] = []
    rules.on_change = lambda: changes.append(None)
    connection = Connection()
    bench.open(connection)
    rules.stopping = stopping
    rules.left(connection, was_idle=was_idle)
    assert len(changes) == heard.count("away")
    bench.later(MOMENT_S)
    assert recorder.names() == heard


def test_an_end_in_the_middle_of_an_answer_is_a_sign_at_once(rules: Policy, bench: Bench, recorder: Recorder) -> None:
    connection = Connection()
    bench.open(connection)
    rules.left(connection, was_idle=False, was_cut=True)
    assert recorder.names() == ["opened", "away"]


def test_the_end_of_a_connection_without_polls_is_no_sign(rules: Policy, recorder: Recorder) -> None:
    rules.left(None, was_idle=False)
    rules.left(Connection(), was_idle=False)
    assert recorder.events == []


# Time.


@pytest.mark.parametrize(("size", "seconds"), [(0, 15.0), (1 << 20, 79.0), (1 << 40, 143.0)])
def test_a_large_body_has_the_time_of_a_slow_line_within_a_bound(size: int, seconds: float) -> None:
    assert policy.time_for(size, 15.0) == seconds


def test_a_connection_may_wait_long_for_a_head_and_a_head_that_has_begun_may_not() -> None:
    patience = Patience(150.0, 15.0)
    assert (patience.deadline, patience.is_idle) == (None, False)
    patience.await_head(1_000.0)
    assert (patience.deadline, patience.is_idle) == (1_150.0, True)
    patience.head_begins(1_100.0)
    assert (patience.deadline, patience.is_idle) == (1_115.0, False)
    patience.head_is_whole()
    assert (patience.deadline, patience.is_idle) == (None, False)
    patience.await_head(1_200.0)
    assert (patience.deadline, patience.is_idle) == (1_350.0, True)


# Heads of requests.


def test_a_long_address_is_to_blame_for_a_large_head_and_otherwise_the_headers_are() -> None:
    assert head_refusal(8 * 1024) is HEAD_TOO_LARGE
    assert head_refusal(8 * 1024 + 1) is ADDRESS_TOO_LONG
    head, _, body = HEAD_TOO_LARGE.answer().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert b"Connection: close" in head


@pytest.mark.parametrize(
    ("head", "odd"),
    [(b"A\r\nB\r\n\r\n", False), (b"A\nB\r\n\r\n", True), (b"A\r\nB\r\n\n", True), (b"A\rB\r\n\r\n", False)],
)
def test_a_line_that_ends_in_a_line_feed_alone_is_odd(head: bytes, odd: bool) -> None:
    assert has_odd_line_end(head) is odd


@pytest.mark.parametrize(
    ("target", "read"),
    [
        ("http://host:1/a?b", ("host:1", "/a?b")),
        ("HTTPS://host", ("host", "/")),
        ("http://host?b", ("host", "/?b")),
        ("ftp://host/", None),
        ("*", None),
        ("http://ho st/", None),
    ],
)
def test_an_address_in_full_is_read_as_host_and_path(target: str, read: tuple[str, str] | None) -> None:
    assert host_and_path(target) == read


@pytest.mark.parametrize(
    ("said", "length"), [("5", 5), ("", 0), ("-1", 0), ("x", 0), ("\u0663", 0), ("1, 2", 0), ("9" * 20, 0)]
)
def test_a_length_that_is_no_number_is_none(said: str, length: int) -> None:
    assert declared_length({"Content-Length": said}) == length


def test_a_connection_lives_on_if_its_client_wants_that() -> None:
    assert keeps_alive("HTTP/1.1", "POST", {})
    assert not keeps_alive("HTTP/1.1", "GET", {"Connection": "Close"})
    assert not keeps_alive("HTTP/1.0", "GET", {})
    old = {"Connection": "Keep-Alive"}
    assert [keeps_alive("HTTP/1.0", method, old) for method in ("GET", "HEAD", "POST")] == [True, True, False]
    assert keeps_alive("HTTP/1.0", "POST", {**old, "Content-Length": "0"})


# Heads of answers.


@pytest.mark.parametrize("status", [200, 400, 413, 503])
def test_every_status_that_is_answered_has_its_phrase_and_is_never_stored(status: int) -> None:
    head = answer_head(status, b"X: y\r\n", 12)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"Cache-Control: no-store, no-transform\r\n" in head
    assert (b"text/plain" in head) is (status == 200)
    assert head.endswith(b"\r\nX: y\r\nContent-Length: 12\r\n\r\n")


def test_an_answer_without_a_body_names_no_kind_of_it() -> None:
    start = b"HTTP/1.1 204 No Content\r\nCache-Control: no-store, no-transform\r\n"
    assert answer_head(204, b"X: y\r\n", 0) == start + b"X: y\r\n\r\n"
