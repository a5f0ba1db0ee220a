"""Section D of the fault catalogue: connections that are slow, half-finished, or simply too many.

Each against a real server process. With ``PAGEHAND_FAULTS=long`` the server has its own times of 15 s and more; the
default form gives heads, bodies and readers one second.
"""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest

from dispatcher.transport.fronts import policy
from tests.faults.d_support import LONG, others_are_served, post_head
from tests.support.http import Page, head
from tests.support.server import Live, cpu_s, live
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

HASTY_S = 0.0 if LONG else 1.0
BODY_S = policy.BODY_TIMEOUT_S if LONG else HASTY_S
HEAD_S = policy.HEAD_TIMEOUT_S if LONG else HASTY_S
#: How late a close may be noticed here, on a busy machine.
SLACK_S = 10.0
#: How long the usual answer to others may take meanwhile, on a busy machine; alone it takes a few milliseconds.
PROMPT_S = 0.5


def connected(server: Live, sockets: ExitStack, count: int, request: bytes = b"") -> list[socket.socket]:
    """``count`` connections, each with the same beginning of a request."""
    made = []
    for _ in range(count):
        sock = sockets.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
        sock.sendall(request)
        made.append(sock)
    return made


def answer_until_closed(sock: socket.socket) -> bytes:
    """Everything that comes until the server closes."""
    answer = b""
    try:
        while piece := sock.recv(65_536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def test_the_real_times_for_heads_and_bodies_are_those_of_the_catalogue() -> None:
    """10 to 15 s: IE repeats a POST without its body, and a slow network needs some time."""
    assert 10 <= policy.BODY_TIMEOUT_S <= 15
    assert 10 <= policy.HEAD_TIMEOUT_S <= 15


def test_fault_D06_headers_only_repost_is_ended_and_costs_neither_session_nor_descriptor(tmp_path: Path) -> None:
    with live(tmp_path, watched=True, hasty_s=HASTY_S) as server, ExitStack() as sockets:
        page = Page(server)
        page.register("x")
        before = server.counts()
        began = time.monotonic()
        reposts = connected(server, sockets, 1, post_head(page, server.port, 500))
        others = connected(server, sockets, 19, head("POST", "/api/v1/jobs", server.port, "Content-Length: 500"))
        assert answer_until_closed(reposts[0]) == b""
        assert BODY_S * 0.9 < time.monotonic() - began < BODY_S + SLACK_S
        for sock in others:
            sock.close()
        until(lambda: server.counts()["descriptors"] <= before["descriptors"], 5, "the descriptors are back")
        page.say("pause")  # the session lives, and the POST is repeated whole
        assert server.counts()["sessions"] == before["sessions"]


def dripped(server: Live, slow: list[socket.socket], piece: bytes, every_s: float) -> None:
    """Sends each connection a bit now and then, which wins no time, until the server has closed them all."""
    deadline = time.monotonic() + max(HEAD_S, BODY_S) + SLACK_S
    while server.counts()["open"] > 1:
        assert time.monotonic() < deadline, "slow ones are still there"
        for sock in slow:
            with contextlib.suppress(OSError):  # closed already
                sock.sendall(piece)
        time.sleep(every_s)


def test_fault_D16_slow_heads_are_closed_in_time_while_others_are_served(tmp_path: Path) -> None:
    with live(tmp_path, watched=True, hasty_s=HASTY_S) as server, ExitStack() as sockets:
        slow = connected(server, sockets, 500, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with others_are_served(server) as took_s:
            dripped(server, slow, b"X: 1\r\n", HEAD_S / 20)
        assert median(took_s) < PROMPT_S


def test_fault_D16_slow_bodies_are_closed_in_time_while_others_are_served(tmp_path: Path) -> None:
    with live(tmp_path, watched=True, hasty_s=HASTY_S) as server, ExitStack() as sockets:
        pages = [Page(server) for _ in range(50)]
        slow = [connected(server, sockets, 1, post_head(page, server.port, 5_000))[0] for page in pages]
        for path in ("/api/v1/jobs", "/submit", "/nope", "/jobs", "/livez"):
            slow += connected(server, sockets, 10, head("POST", path, server.port, "Content-Length: 5000"))
        with others_are_served(server) as took_s:
            dripped(server, slow, b"4", BODY_S / 20)
        assert median(took_s) < PROMPT_S
        assert server.counts()["sessions"] == 50


def slow_reader(server: Live, sockets: ExitStack, target: str) -> socket.socket:
    """Asks, and reads nothing."""
    sock = sockets.enter_context(socket.socket())
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    sock.connect(("127.0.0.1", server.port))
    sock.sendall(head("GET", target, server.port))
    return sock


BIG = ("--body-limit", str(16 << 20), "--poll-limit", str(64 << 20))


def test_fault_D16_readers_of_nothing_are_closed_in_time_and_what_waited_for_them_is_freed(tmp_path: Path) -> None:
    """A poll's answer, and an address of the API: each more than a kernel keeps for a socket."""
    with live(tmp_path, *BIG, watched=True, hasty_s=HASTY_S or 30) as server, ExitStack() as sockets:
        page = Page(server)
        page.register("big")
        with others_are_served(server) as took_s:
            slow_reader(server, sockets, page.target)
            job = server.submit("big", "x" * 15_000_000)
            for _ in range(5):
                slow_reader(server, sockets, f"/api/v1/jobs/{job['id']}")
            until(lambda: server.counts()["rss"] > 150_000_000, 10, "the answers wait in memory")
            loaded = most_memory(server, (HASTY_S or 30) + SLACK_S)
        assert median(took_s) < PROMPT_S
        until(lambda: server.counts()["rss"] < loaded - 5 * 14_000_000, SLACK_S, "the end of what nobody reads")


def most_memory(server: Live, seconds: float) -> int:
    """The most memory in use until all connections were closed."""
    seen = []

    def all_are_closed() -> bool:
        counts = server.counts()
        seen.append(counts["rss"])
        return counts["open"] <= 1

    until(all_are_closed, seconds, "all are closed")
    return max(seen)


def test_fault_D17_when_descriptors_run_out_the_server_neither_spins_nor_dies(tmp_path: Path) -> None:
    """So few from the start: the server knows, and closes each connection over the limit at once."""
    with live(tmp_path, descriptors=256, watched=True) as server:
        page = Page(server)
        with ExitStack() as sockets:
            connected(server, sockets, 400)
            until(lambda: server.counts()["open"] >= 200, 5, "connections up to the bound")
            assert server.counts()["descriptors"] < 256
            assert _idle(server)
        until(lambda: server.counts()["open"] == 0, 5, "the end of the connections")
        page.register("x")
        assert len(server.log()) < 10_000


def test_fault_D17_a_bound_that_comes_later_pauses_accepting_and_all_recovers(tmp_path: Path) -> None:
    """``prlimit`` on the running server: accepting itself fails."""
    with live(tmp_path, watched=True) as server:
        page = Page(server)
        resource.prlimit(
            server.process.pid, resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        )
        with ExitStack() as sockets:
            connected(server, sockets, 100)
            until(lambda: b"no connections for 1 s: Too many open files" in server.log(), 5, "the failure is noticed")
            assert _idle(server)
        page.register("x")
        assert server.submit("x")["state"] == "queued"
        assert len(server.log()) < 10_000


def _idle(server: Live) -> bool:
    """Whether the server rests."""
    spent = cpu_s(server.process.pid)
    time.sleep(0.5)
    return cpu_s(server.process.pid) - spent < 0.25


def test_the_pages_of_a_full_server_work_on(tmp_path: Path) -> None:
    """Connected pages keep their connections; only newcomers wait."""
    with live(tmp_path, watched=True) as server, ExitStack() as sockets:
        page = Page(server)
        page.register("x")
        kept = connected(server, sockets, 1)[0]
        server.ask("GET", "/livez")
        held = server.counts()["descriptors"]
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (held, held))
        connected(server, sockets, 5)
        until(lambda: b"no connections" in server.log(), 5, "the failure is noticed")
        body = b"4" + json.dumps({"op": "pause"}).encode()
        kept.sendall(post_head(page, server.port, len(body)) + body)
        assert kept.recv(4_096).startswith(b"HTTP/1.1 200 ")
