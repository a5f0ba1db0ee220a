"""Section D of the fault catalogue: requests that end early, overlap or come again, on raw sockets.

Against a real server process, by a page that does exactly what it is told to.
"""

from __future__ import annotations

import json
import socket
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.faults.d_support import post_head
from tests.support.http import Page, hang_up, head
from tests.support.polling import messages
from tests.support.server import Live, live
from tests.support.waiting import until

pytestmark = pytest.mark.slow

QUICK = ("--offer-ttl-s", "1")


def sent(server: Live, data: bytes) -> socket.socket:
    """A connection on which this has been sent; nobody reads the answer."""
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    sock.sendall(data)
    return sock


def poll(server: Live, page: Page) -> socket.socket:
    """A poll that waits at the server."""
    sock = sent(server, head("GET", page.target, server.port))
    until(lambda: _worker(server)["state"] == "connected", 5, "the poll is there")
    return sock


def _worker(server: Live) -> dict[str, object]:
    (worker,) = server.ask("GET", "/api/v1/workers").json()["items"]
    return dict(worker)


def post(page: Page, server: Live, op: str, **fields: object) -> bytes:
    """A POST with one message, whole."""
    body = b"4" + json.dumps({"op": op, **fields}).encode()
    return post_head(page, server.port, len(body)) + body


def taken(server: Live, page: Page, data: object = 1) -> dict[str, object]:
    """A job that the page has accepted: its offer."""
    server.submit("x", data)
    offer = page.hear("job")
    page.say("accept", attempt=offer["attempt"])
    until(lambda: server.job(str(offer["id"]))["started_at"], 5, "the accept is recorded")
    return offer


def polls_that_close(server: Live, how: str) -> None:
    page = Page(server)
    page.register("x")
    for number in range(10):
        hang_up(poll(server, page), how)
        job = server.submit("x", number)
        offer = page.hear("job")
        assert (offer["id"], offer["data"]) == (job["id"], number)
        page.say("result", attempt=offer["attempt"], value=number)
        assert page.hear("recorded")["verdict"] == "recorded"
        done = server.job(job["id"])
        assert (done["state"], done["result"], done["number"]) == ("succeeded", number, 1)
        assert len(done["attempts"]) == 1, "an offer was written to nobody"


def test_fault_D01_a_poll_that_its_client_closes_eats_no_message(tmp_path: Path) -> None:
    with live(tmp_path, *QUICK) as server:
        polls_that_close(server, "close")


def test_fault_D10_a_poll_that_is_reset_eats_no_message(tmp_path: Path) -> None:
    with live(tmp_path, *QUICK) as server:
        polls_that_close(server, "reset")


def offered(server: Live) -> dict[str, Any]:
    """A job that was offered to the page, but not yet sent to it if it is between two polls."""
    job = server.submit("x")
    until(lambda: server.job(job["id"])["attempts"], 5, "the job is offered")
    return job


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_proxy_that_closes_each_connection_behind_its_answer_makes_no_offer_lapse(tmp_path: Path, how: str) -> None:
    """As nginx does without kept connections. Every second job is offered between two polls, before the close."""
    with live(tmp_path) as server:
        page = Page(server)
        page.register("x", slots=2)
        for _ in range(20):
            carrier = poll(server, page)
            jobs = [offered(server)]  # the answer
            answer = HTTPResponse(carrier)
            answer.begin()
            offers = messages(answer.read().decode())
            jobs.append(offered(server))
            hang_up(carrier, how)
            server.ask("GET", "/livez")  # by its answer the server has heard of the close, too
            offers.append(page.hear("job"))
            for offer in offers:
                page.say("result", attempt=offer["attempt"], value=1)
                page.hear("recorded")
            attempts = [attempt for job in jobs for attempt in server.job(job["id"])["attempts"]]
            assert [attempt["state"] for attempt in attempts] == ["succeeded"] * 2


def half_posts(server: Live, how: str) -> None:
    page = Page(server)
    page.register("x")
    offer = taken(server, page)
    job_id = str(offer["id"])
    whole = post(page, server, "result", attempt=offer["attempt"], value="y" * 5_000)
    for cut in (20, len(whole) - 5_000, len(whole) - 2_500, len(whole) - 1):
        hang_up(sent(server, whole[:cut]), how)
        page.say("log", attempt=offer["attempt"], line=f"cut at {cut}")
        assert server.job(job_id)["state"] == "running"
    page.say("result", attempt=offer["attempt"], value="y" * 5_000)
    assert page.hear("recorded")["verdict"] == "recorded"
    done = server.job(job_id)
    assert (done["state"], done["result"], len(done["attempts"])) == ("succeeded", "y" * 5_000, 1)


def test_fault_D05_a_result_that_is_cut_half_way_is_not_taken_and_is_repeated(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        half_posts(server, "close")


def test_fault_D10_a_result_that_is_reset_half_way_is_not_taken_and_is_repeated(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        half_posts(server, "reset")


@pytest.mark.parametrize("how", ["close", "reset"])
def test_fault_D04_a_result_whose_answer_nobody_hears_is_recorded_once(tmp_path: Path, how: str) -> None:
    with live(tmp_path) as server:
        page = Page(server)
        page.register("x")
        offer = taken(server, page)
        result = post(page, server, "result", attempt=offer["attempt"], value="first")
        unheard = sent(server, result)
        until(lambda: server.job(str(offer["id"]))["state"] == "succeeded", 5, "the result is recorded")
        hang_up(unheard, how)
        assert page.hear("recorded")["verdict"] == "recorded"
        page.say("result", attempt=offer["attempt"], value="second")
        assert page.hear("recorded")["verdict"] == "duplicate"
        assert server.job(str(offer["id"]))["result"] == "first"


def status_of(sock: socket.socket) -> tuple[int, bytes]:
    """An answer's status and body."""
    with HTTPResponse(sock) as response:
        response.begin()
        return response.status, response.read()


def test_fault_D13_overlapping_polls_end_the_session_and_lose_no_job(tmp_path: Path) -> None:
    """As the Engine.IO protocol says: the second gets 400, the first a close packet."""
    with live(tmp_path, *QUICK, "--reconnect-grace-s", "0.5") as server:
        page = Page(server)
        page.register("x")
        job_id = str(taken(server, page)["id"])
        with poll(server, page) as first, sent(server, head("GET", page.target, server.port)) as second:
            assert status_of(second)[0] == 400
            assert status_of(first) == (200, b"1")
        assert server.ask("GET", page.target).status == 400
        until(lambda: server.job(job_id)["state"] == "queued", 5, "the attempt is lost after the grace")
        other = Page(server)
        other.register("x")
        assert other.hear("job")["id"] == job_id


def test_fault_D13_old_requests_that_come_again_change_nothing(tmp_path: Path) -> None:
    """Each POST of a page is sent again as it was: at once, later, and after its session."""
    with live(tmp_path) as server:
        page = Page(server)
        page.register("x")
        offer = taken(server, page)
        job_id, attempt = str(offer["id"]), offer["attempt"]
        old = [
            post(page, server, "register", types=["x"], boot=page.boot, version=1),
            post(page, server, "accept", attempt=attempt),
            post(page, server, "result", attempt=attempt, value="first"),
        ]
        for request in old * 2 + old[::-1]:
            with sent(server, request) as sock:
                assert status_of(sock) == (200, b"ok")
        until(lambda: server.job(job_id)["state"] == "succeeded", 5, "the result is recorded")
        before = server.job(job_id)
        assert (before["result"], before["number"], len(before["attempts"])) == ("first", 1, 1)
        page.leave()
        for request in old:
            with sent(server, request) as sock:
                assert status_of(sock)[0] == 400
        assert server.job(job_id) == before
