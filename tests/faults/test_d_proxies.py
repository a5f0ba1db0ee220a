"""Section D of the fault catalogue: proxies that cut, lose, delay and rewrite, before a real server process.

The pages are the simulated ones, with a browser's two connections. ``PAGEHAND_FAULTS=long`` takes the times of the
catalogue; the default form takes shorter ones.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dispatcher.sdk.simulate import Farm, Faults, Reconnect
from dispatcher.sdk.simulator.http import HttpConnection, ServerAddress
from tests.faults.d_runs import QUICK, Ran, work_through
from tests.faults.d_support import LONG
from tests.support.http_bytes import Message, Side
from tests.support.process import quick, serving
from tests.support.toxic import Link, ToxicProxy, Toxics, toxic

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

POLLS = "GET /engine.io/.*sid="
POSTS = "POST /engine.io/.*sid="


def once_each(ran: Ran) -> bool:
    """No job had a second attempt, and no page started a task twice."""
    return ran.repeated == 0 and all(job["number"] == 1 for job in ran.jobs)


def test_fault_D02_a_proxy_that_cuts_polls_loses_nothing(tmp_path: Path) -> None:
    """It cuts with a FIN, or with a 504 of its own. Pings come every 20 s, and tasks take longer than a poll lives."""
    cuts = [(cut_s, how) for cut_s in (1.0, 5.0, *([20.0, 30.0] if LONG else [])) for how in ("close", "answer")]

    async def behind(cut_s: float, how: str) -> None:
        directory = tmp_path / f"{cut_s:g}-{how}"
        directory.mkdir()
        slow = Faults(slow_s=(cut_s * 1.2, cut_s * 1.2))
        toxics = Toxics(cut_s=cut_s, how=how, only=POLLS)
        ran = await work_through(
            directory, toxics, jobs=8, workers=8, reconnect=Reconnect(), faults=slow, timeout_s=cut_s * 6 + 20
        )
        print(f"cut at {cut_s:g} s: {ran.counters['cut_polls']} cuts, {ran.farm.stats['sessions']} sessions")
        assert once_each(ran)
        # From 20 s on a ping often comes first.
        assert ran.counters["cut_polls"] >= 6 or cut_s >= 20

    async def scenario() -> None:
        await asyncio.gather(*(behind(*cut) for cut in cuts))

    asyncio.run(scenario())


def test_fault_D03_a_poll_answer_cut_in_the_middle_is_sent_again_and_never_half_obeyed(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        toxics = Toxics(limit_down=5_000, share=0.5, only=POLLS)
        ran = await work_through(tmp_path, toxics, jobs=15, flags=quick(), data="x" * 10_000)
        assert ran.counters["limited_down"] >= 3
        assert ran.repeated == 0

    asyncio.run(scenario())


def test_fault_D04_a_result_whose_answer_is_lost_is_repeated_and_recorded_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        toxics = Toxics(lose_answer=True, share=0.4, only=POSTS)
        ran = await work_through(tmp_path, toxics, jobs=15, flags=quick())
        assert ran.counters["lost_answers"] >= 5
        stats = ran.farm.stats
        print({name: stats[name] for name in ("recorded", "duplicate", "stale", "answers_again")})
        assert stats["duplicate"] >= 1
        assert once_each(ran)

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["close", "reset"])
def test_fault_D05_and_fault_D10_posts_cut_half_way_are_repeated_by_their_pages(tmp_path: Path, how: str) -> None:
    """Only the head and half of the result pass."""

    async def scenario() -> None:
        toxics = Toxics(limit_up=3_000, share=0.5, only=POSTS, how=how)
        ran = await work_through(tmp_path, toxics, jobs=40, flags=quick(), data="x" * 5_000)
        assert ran.counters["limited_up"] >= 5
        assert once_each(ran)

    asyncio.run(scenario())


def test_fault_D10_polls_that_are_reset_lose_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        toxics = Toxics(cut_s=0.3, how="reset", only=POLLS)
        ran = await work_through(tmp_path, toxics, jobs=8, faults=Faults(slow_s=(0.5, 0.5)))
        assert ran.counters["cut_polls"] >= 8
        assert once_each(ran)

    asyncio.run(scenario())


def test_fault_D07_a_slow_and_narrow_line_works_and_repeats_run_nothing_twice(tmp_path: Path) -> None:
    """2 s +- 1 s each way and 4 KB/s; the default form, and the lifetime of offers in it, is an eighth of that.

    An accept may wait behind another POST, so it may come after the usual 10 s: then the job is offered again, and may
    run again (S4, S7). Nothing else makes it run twice, and nothing is used up. With 30 s it never comes to that.
    """
    part = 1 if LONG else 8

    async def with_offers_that_live(offer_ttl_s: int) -> None:
        directory = tmp_path / str(offer_ttl_s)
        directory.mkdir()
        toxics = Toxics(latency_s=2 / part, jitter_s=1 / part, bytes_per_s=4_000 * part)
        flags = quick(offer_ttl_s=offer_ttl_s / part, reconnect_grace_s=30)
        ran = await work_through(directory, toxics, flags=flags, jobs=10, workers=10, data="x" * 2_000, timeout_s=120)
        assert ran.counters["slow_pieces"] > 40
        attempts = Counter(execution.attempt for execution in ran.farm.executed)
        assert set(attempts.values()) == {1}
        lapsed = sum(attempt["state"] == "lapsed" for job in ran.jobs for attempt in job["attempts"])
        print(f"offers live {offer_ttl_s / part:g} s: {lapsed} lapsed, {ran.repeated} of 10 jobs ran twice")
        assert ran.repeated <= (lapsed if offer_ttl_s == 10 else 0)
        assert {job["number"] for job in ran.jobs} == {1}

    async def scenario() -> None:
        await asyncio.gather(with_offers_that_live(10), with_offers_that_live(30))

    asyncio.run(scenario())


def test_fault_D14_a_buffering_proxy_that_keeps_each_answer_for_a_while_works(tmp_path: Path) -> None:
    part = 1 if LONG else 10

    async def scenario() -> None:
        toxics = Toxics(hold_s=5 / part, only="(GET|POST) /engine.io/")
        flags = quick(offer_ttl_s=10 / part + 1, reconnect_grace_s=30)
        ran = await work_through(tmp_path, toxics, flags=flags, jobs=8, workers=8, timeout_s=120)
        assert ran.counters["held_answers"] >= 24
        assert once_each(ran)

    asyncio.run(scenario())


class _Cache(ToxicProxy):
    """A bad cache: it keeps every answer to a GET by its whole address, whatever ``Cache-Control`` says."""

    kept: dict[str, Message]

    async def _answer(self, link: Link, server: Side, method: str, toxics: Toxics) -> Message:
        assert link.request is not None
        target = link.request.target
        known = vars(self).setdefault("kept", {})
        if method == "GET" and target in known:
            self.counters["hits"] += 1
            server.hang_up()  # its answer to this request would come before that to the next
            link.server = None
            return known[target]
        answer = await super()._answer(link, server, method, toxics)
        assert "no-store" in answer.get("cache-control") or method != "GET"
        known[target] = answer
        return answer


@contextlib.asynccontextmanager
async def cache(upstream: int) -> AsyncIterator[ToxicProxy]:
    proxy = _Cache(upstream)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()


def test_fault_D14_a_proxy_that_caches_every_GET_never_gets_to_answer_one(tmp_path: Path) -> None:
    """Each answer says no-store, and no address is used twice."""

    async def scenario() -> None:
        ran = await work_through(tmp_path, Toxics(), jobs=15, proxy_kind=cache)
        assert ran.counters["exchanges"] > 30
        assert ran.counters["hits"] == 0
        assert once_each(ran)

    asyncio.run(scenario())


def test_the_cache_does_answer_who_asks_twice_in_the_same_words(tmp_path: Path) -> None:
    """The control of the test above."""

    async def scenario() -> None:
        async with serving(tmp_path) as server, cache(server.port) as proxy:
            server.port = proxy.port
            answers = [await server.request("GET", "/engine.io/?EIO=4&transport=polling&t=1") for _ in range(2)]
            assert answers[0].body == answers[1].body
            assert proxy.counters["hits"] == 1

    asyncio.run(scenario())


def test_fault_D15_rewritten_requests_and_answers_work_and_made_up_origins_are_not_believed(tmp_path: Path) -> None:
    """Header names in lower case, headers gone, chunked answers, and a chain of X-Forwarded-For that nobody trusts."""

    async def scenario() -> None:
        toxics = Toxics(rewrite=frozenset({"lower", "strip", "forwarded", "chunked"}))
        async with serving(tmp_path) as server, toxic(server.port) as proxy:
            await proxy.switch(toxics)
            farm = Farm(proxy.url, workers=2, reconnect=QUICK)
            await farm.start()
            await farm.registered()
            job = await server.submit("x" * 3_000)
            assert (await server.job(job["id"], wait_s=10))["state"] == "succeeded"
            assert {worker["remote"] for worker in (await server.get("/api/v1/workers"))["items"]} == {"127.0.0.1"}
            connection = HttpConnection(ServerAddress.parse(proxy.url))
            answer = await connection.request("GET", "/nothing-here", timeout_s=5)
            assert (answer.status, answer.headers["transfer-encoding"]) == (404, "chunked")
            await connection.closed()
            await server.logged("404 GET /nothing-here 127.0.0.1")
            await farm.stop()
        assert "6.6.6.6" not in server.log.read_text()

    asyncio.run(scenario())
