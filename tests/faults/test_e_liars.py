"""Faults of worker pages, E14 and E15: pages that lie, and pages that take everything and fail it at once."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Faults
from tests.faults.e_support import post, serve, worker
from tests.support.http import Page
from tests.support.polling import packets
from tests.support.process import farm_for, serving
from tests.support.server import Live
from tests.support.waiting import until

#: The limits of one POST, which the server tells its pages.
PACKETS = 1024
RSS_MIB = 32


@contextmanager
def _page(server: Live, *types: str, **fields: Any) -> Iterator[Page]:
    page = Page(server)
    page.register(*types, **fields)
    yield page
    page.leave()


def _flood(server: Live, page: Page, messages: list[dict[str, Any]]) -> int:
    """The status of one POST with all these messages."""
    body = "\x1e".join("4" + json.dumps(message) for message in messages)
    return server.ask("POST", page.target, body).status


def test_fault_E14_what_a_page_says_of_attempts_that_are_not_its_own_changes_nothing(tmp_path: Path) -> None:
    """A result is judged by an id that nobody can guess (S5); other messages count only from their worker's session."""
    with serve(tmp_path) as server, _page(server, "echo", name="HONEST") as honest:
        name = post(server, "echo", 1)
        attempt = honest.hear("job")["attempt"]
        honest.say("accept", attempt=attempt)
        with _page(server, "other", name="LIAR") as liar:
            near = attempt[:-1] + ("0" if attempt[-1] != "0" else "1")
            for guess in (near, "a1", f"{attempt[:17]}-{'0' * 32}"[:64]):
                liar.say("result", attempt=guess, value="stolen")
                assert liar.hear("recorded") == {"op": "recorded", "attempt": guess, "verdict": "stale"}
                liar.say("error", attempt=guess, message="broken", retry=False)
                assert liar.hear("recorded")["verdict"] == "stale"
            for op, fields in (
                ("accept", {}), ("progress", {"percent": 99}), ("log", {"line": "mine"}), ("released", {}),
            ):  # fmt: skip
                liar.say(op, attempt=attempt, **fields)
            assert liar.hear("cancel")["reason"] == "stale", "the accept of what is not its own"
            running = server.job(name)
            assert (running["state"], running["worker_name"]) == ("running", "HONEST")
            assert (running["progress"], running["log"], running["number"]) == (None, [], 1)
        honest.say("result", attempt=attempt, value="mine")
        done = server.job(name, wait_s=10)
        assert (done["state"], done["result"]) == ("succeeded", "mine")


def test_fault_E14_an_answer_to_an_earlier_attempt_does_not_end_the_one_that_runs(tmp_path: Path) -> None:
    with serve(tmp_path, backoff_base_s=0.1) as server, _page(server, "echo", name="LATE") as late:
        name = post(server, "echo", 1, timeout_s=1)
        earlier = late.hear("job")["attempt"]
        late.say("accept", attempt=earlier)
        with _page(server, "echo", name="NEXT") as other:
            newer = other.hear("job")["attempt"]
            other.say("accept", attempt=newer)
            late.say("result", attempt=earlier, value="too late")
            assert late.hear("recorded") == {"op": "recorded", "attempt": earlier, "verdict": "stale"}
            running = server.job(name)
            assert (running["state"], running["worker_name"]) == ("running", "NEXT")
            other.say("result", attempt=newer, value="in time")
            assert other.hear("recorded")["verdict"] == "recorded"
        done = server.job(name)
        assert (done["state"], done["result"]) == ("succeeded", "in time")


def test_fault_E14_accepting_and_answering_twice_counts_once(tmp_path: Path) -> None:
    with serve(tmp_path) as server, _page(server, "echo") as page:
        name = post(server, "echo", 1)
        attempt = page.hear("job")["attempt"]
        for _ in range(3):
            page.say("accept", attempt=attempt)
        for value, verdict in (("first", "recorded"), ("second", "duplicate"), ("third", "duplicate")):
            page.say("result", attempt=attempt, value=value)
            assert page.hear("recorded")["verdict"] == verdict
        page.say("error", attempt=attempt, message="no, it failed")
        assert page.hear("recorded")["verdict"] == "stale"
        done = server.job(name, wait_s=10)
        assert (done["number"], done["state"], done["result"]) == (1, "succeeded", "first")
        assert len(done["attempts"]) == 1


def test_fault_E14_a_flood_of_progress_and_lines_is_bounded_and_others_are_served(tmp_path: Path) -> None:
    """There is no rate limit: a page has one POST at a time with limited packets, and what is kept is limited (S22)."""
    with serve(tmp_path) as server:
        page = Page(server)
        page.register("echo")
        name = post(server, "echo", 1)
        attempt = page.hear("job")["attempt"]
        page.say("accept", attempt=attempt)
        before_mib = _rss_mib(server.process.pid)
        slowest_s, over = [0.0], threading.Event()
        others = threading.Thread(target=_be_served, args=(server, slowest_s, over))
        others.start()
        try:
            for number in range(20):
                progress = {"op": "progress", "attempt": attempt, "percent": number, "note": "n" * 400}
                assert _flood(server, page, [progress] * PACKETS) == 200
                line = {"op": "log", "attempt": attempt, "line": f"{number} " + "l" * 400}
                assert _flood(server, page, [line] * PACKETS) == 200
        finally:
            over.set()
            others.join()
        assert slowest_s[0] < 2, "others are served meanwhile"
        shown = until(lambda: (now := server.job(name))["progress"]["percent"] == 19 and now, 20, "the newest progress")
        assert len(shown["log"]) == 200
        assert _rss_mib(server.process.pid) - before_mib < RSS_MIB
        page.say("result", attempt=attempt, value="after the flood")
        assert server.job(name, wait_s=10)["result"] == "after the flood"
        assert _flood(server, page, [{"op": "pause"}] * (PACKETS + 1)) == 400, "more packets than it was told"
    database = sqlite3.connect(tmp_path / "pagehand.db")
    assert database.execute("SELECT count(*) FROM logs").fetchone() == (200,)
    database.close()


def _polled(server: Live, page: Page) -> bool:
    """One poll, and the pong if it is a ping that it brings."""
    reply = server.ask("GET", page.target)
    if "2" in packets(reply.text):
        assert server.ask("POST", page.target, "3").status == 200
    return reply.status == 200


def _be_served(server: Live, slowest_s: list[float], over: threading.Event) -> None:
    while not over.is_set():
        began = time.monotonic()
        assert server.ask("GET", "/api/v1/stats").status == 200
        slowest_s[0] = max(slowest_s[0], time.monotonic() - began)


def _rss_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def test_fault_E14_a_page_that_claims_every_type_and_takes_nothing_is_set_aside(tmp_path: Path) -> None:
    """It fetches two offers and lets them lapse; then the jobs go to the page that does them (S7)."""
    with serve(tmp_path, offer_ttl_s=0.3, ping_interval_s=0.2, ping_timeout_s=20) as server:
        liar = Page(server)
        liar.say("register", types=[f"type-{n}" for n in range(1001)], boot="b", version=1)
        assert liar.hear("refused")["code"] == "bad_message"
        liar.register("echo", *(f"type-{n}" for n in range(999)), name="LIAR", slots=64)
        names = [post(server, "echo", number) for number in range(5)]
        until(lambda: _polled(server, liar) and worker(server, "LIAR")["state"] == "set_aside", 20, "set aside")
        with _page(server, "echo", name="HONEST") as honest:
            for _ in names:
                honest.say("result", attempt=honest.hear("job")["attempt"], value="done")
            done = [server.job(name, wait_s=10) for name in names]
        assert {(each["state"], each["worker_name"], each["errors"], each["crashes"]) for each in done} == {
            ("succeeded", "HONEST", 0, 0)
        }
        liar.leave()


JOBS = 12
BACKOFF = ("--backoff-base-s", "0.1")


def test_fault_E15_a_job_is_not_burnt_by_pages_that_accept_and_fail_everything_while_another_is_idle(
    tmp_path: Path,
) -> None:
    """Two black holes are always idle; a job has three attempts. A retry prefers a page that has not had it (S13)."""

    async def scenario() -> list[dict[str, Any]]:
        async with serving(tmp_path, *BACKOFF) as server:
            holes = farm_for(server, workers=2, types=("echo",), faults=Faults(fail=1.0), name_prefix="hole")
            honest = farm_for(server, workers=1, slots=2 * JOBS, types=("echo",), name_prefix="honest")
            for farm in (holes, honest):
                await farm.start()
                await farm.registered()
            names = [(await server.submit(number))["id"] for number in range(JOBS)]
            done = [await server.job(name, wait_s=20) for name in names]
            for farm in (holes, honest):
                await farm.stop()
            return done

    done = asyncio.run(scenario())
    assert {each["state"] for each in done} == {"succeeded"}
    assert {each["worker_name"] for each in done} == {"honest-1"}
    tries = [[attempt["worker_name"] for attempt in each["attempts"]] for each in done]
    assert all(len(set(names)) == len(names) for names in tries), f"no page had a job twice: {tries}"
    assert any(len(names) > 1 for names in tries), "the holes had their share of first offers"


def test_fault_E15_where_there_is_only_a_black_hole_a_job_fails_after_its_attempts_and_not_before(
    tmp_path: Path,
) -> None:
    """No promise takes such a page out of work: its errors are the job's (S13). A person may retry the job."""

    async def scenario() -> dict[str, Any]:
        async with serving(tmp_path, *BACKOFF) as server:
            hole = farm_for(server, workers=1, types=("echo",), faults=Faults(fail=1.0))
            await hole.start()
            job = await server.submit(1)
            failed = await server.job(job["id"], wait_s=20)
            await hole.stop()
            assert (failed["state"], failed["reason"]) == ("failed", "error")
            assert [attempt["state"] for attempt in failed["attempts"]] == ["error"] * 3
            honest = farm_for(server, workers=1, types=("echo",))
            await honest.start()
            assert (await server.request("POST", f"/api/v1/jobs/{job['id']}/retry", {})).status == 200
            done = await server.job(job["id"], wait_s=20)
            await honest.stop()
            return done

    assert asyncio.run(scenario())["state"] == "succeeded"
