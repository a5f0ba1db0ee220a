"""Two servers on one database, behind the real nginx and HAProxy with the lines of docs/scaling.md (S25, S26)."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dispatcher.core.jobs.states import JobState
from dispatcher.core.jobs.validate import snapshot_faults
from dispatcher.sdk.client.twin import AsyncClient, AsyncJob
from dispatcher.sdk.simulate import Farm, Faults, Reconnect
from dispatcher.store.postgres.link import Link
from tests.page.browsers import Chromium
from tests.support.haproxy import haproxy, haproxy_lines
from tests.support.http import JSON
from tests.support.nginx import lines_of, nginx
from tests.support.places import ROOT
from tests.support.postgres import new_database
from tests.support.process import ServerProcess, quick, serving
from tests.support.rows import in_postgres
from tests.support.server import ask_at
from tests.support.waiting import PATIENCE_S, eventually

PAGE = "docs/scaling.md"
WAITING = JSON | {"Prefer": "wait=20"}
NODES = ("east", "west")
TASKS = ROOT / "tests" / "faults" / "tasks"
WORKERS, JOBS, FEW = 6, 60, 20
#: Pages that find no server for so long are gone. Without the lines that may take a while, on a busy machine.
GRACE_S = 30.0
PROXIES: dict[str, tuple[Callable[..., AbstractContextManager[None]], Callable[[], str]]] = {
    "nginx": (nginx, lambda: lines_of(PAGE)),
    "haproxy": (haproxy, lambda: haproxy_lines(PAGE)),
}


@dataclass
class Site:
    """Both servers, the port that people know, and the store."""

    servers: dict[str, ServerProcess]
    port: int
    store: str
    farm: Farm
    #: What was sent, and what came back.
    results: dict[int, Any] = field(default_factory=dict)

    async def run(self, first: int, jobs: int) -> None:
        """So many jobs: each is submitted, waited for and answered through the proxy."""
        async with AsyncClient(f"http://127.0.0.1:{self.port}") as client:

            async def one(number: int) -> None:
                self.results[number] = await client.run("echo", number, timeout=5 * PATIENCE_S)

            await asyncio.gather(*(one(number) for number in range(first, first + jobs)))

    async def pages_at(self) -> dict[str, int]:
        """How many pages each server has."""
        for server in self.servers.values():
            if server.up.is_set():
                nodes = (await server.get("/api/v1/nodes"))["items"]
                return {node["name"]: node["workers"] for node in nodes}
        raise AssertionError("no server is up")

    async def node_of_page(self) -> str:
        """The server that has the only page; empty: none has it yet."""
        pages = await self.pages_at()
        return next((node for node, count in pages.items() if count), "")

    def judge(self, jobs: int, *, sticky: bool = True) -> None:
        """Each job has ended once, well, and with the result of its own. ``sticky``: and no page was taken for gone."""
        assert self.results == {number: number for number in range(jobs)}
        with psycopg.connect(self.store, options="-c search_path=pagehand") as connection:
            rows = in_postgres(Link(connection))
        assert snapshot_faults(rows) == []
        assert Counter(job.state for job in rows.jobs.values()) == {JobState.SUCCEEDED: jobs}
        assert not sticky or {job.crashes for job in rows.jobs.values()} == {0}


@asynccontextmanager
async def behind(directory: Path, name: str, transport: str, change: Callable[[str], str] = str) -> AsyncIterator[Site]:
    """The servers, the proxy before them, and pages that come through it. ``change``: of the shown lines."""
    proxy, lines = PROXIES[name]
    store = new_database()
    door = socket.create_server(("127.0.0.1", 0))
    port = door.getsockname()[1]
    farm = Farm(
        f"http://127.0.0.1:{port}", workers=WORKERS, transport=transport, seed=1, faults=Faults(slow_s=(0.0, 0.1)),
        reconnect=Reconnect(base_s=0.05, max_s=0.2),
    )  # fmt: skip
    settings = ("--store", store, "--tasks", str(TASKS), *quick(reconnect_grace_s=GRACE_S, restart_grace_s=GRACE_S))
    for node in NODES:
        (directory / node).mkdir()
    async with (
        serving(directory / "east", "--node", "east", *settings) as east,
        serving(directory / "west", "--node", "west", *settings) as west,
    ):
        with proxy(directory / "proxy", door, change(lines()), east.port, None, second=west.port):
            await farm.start()
            try:
                yield Site(dict(zip(NODES, (east, west), strict=True)), port, store, farm)
            finally:
                await farm.stop()


def without_names(lines: str) -> str:
    """Nobody looks at whose session it is. Chance decides: if they take turns, each poll may come to the wrong one."""
    lines = lines.replace("balance roundrobin", "balance random")
    lines = lines.replace("upstream pagehand {\n", "upstream pagehand {\n  random;\n")
    assert "random" in lines
    lines, count = re.subn(r"^  (~\^|use-server ).*\n", "", lines, flags=re.M)
    assert count == 2
    return lines


async def _share_the_pages(site: Site) -> bool:
    pages = await site.pages_at()
    return all(pages[node] for node in NODES) and sum(pages.values()) == WORKERS


both_proxies = pytest.mark.parametrize("name", PROXIES)


@both_proxies
@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_behind_the_lines_of_the_page_each_session_finds_its_server(tmp_path: Path, name: str, transport: str) -> None:
    async def run() -> None:
        async with behind(tmp_path, name, transport) as site:
            await site.farm.registered(timeout_s=PATIENCE_S)
            await eventually(lambda: _share_the_pages(site), what="both have pages, and together all")
            await site.run(0, JOBS)
            assert site.farm.stats["sessions"] == WORKERS, "no page had to begin a session anew"
        site.judge(JOBS)

    asyncio.run(run())


@both_proxies
@pytest.mark.parametrize("transport", ["both", "websocket"])
def test_without_these_lines_pages_begin_sessions_anew_and_nothing_is_lost(
    tmp_path: Path, name: str, transport: str
) -> None:
    """A request at the other server gets 400. The page begins a session there, with its worker and its attempts.

    Half of the pages poll, or none. If all poll it may take minutes: who lets offers lapse gets none for a while.
    """

    async def run() -> None:
        async with behind(tmp_path, name, transport, without_names) as site:
            await site.run(0, FEW)
            again = site.farm.stats["sessions"] - WORKERS
            assert (again > 0) == (transport == "both"), "a WebSocket is one connection"
        site.judge(FEW, sticky=transport == "websocket")

    asyncio.run(run())


@both_proxies
def test_one_request_submits_waits_and_is_answered_though_another_server_has_the_page(
    tmp_path: Path, name: str
) -> None:
    async def run() -> None:
        async with behind(tmp_path, name, "polling") as site:
            await site.farm.registered(timeout_s=PATIENCE_S)
            await eventually(lambda: _share_the_pages(site), what="both have pages, and together all")
            required = {"type": "echo", "requires": {"name": "sim-1"}}
            for number in range(4):  # they come to both servers in turn, and one of them has the page
                asked = json.dumps(required | {"data": number})
                reply = await asyncio.to_thread(ask_at, site.port, "POST", "/api/v1/jobs", asked, WAITING)
                assert (reply.json()["state"], reply.json()["result"]) == ("succeeded", number)
                site.results[number] = number
        site.judge(4)

    asyncio.run(run())


@pytest.mark.browser
@pytest.mark.slow
@both_proxies
def test_a_page_in_a_browser_goes_on_at_the_other_server_with_the_job_that_it_has(tmp_path: Path, name: str) -> None:
    async def run() -> None:
        async with behind(tmp_path, name, "polling") as site:
            await site.farm.stop()
            browser = await asyncio.to_thread(Chromium)
            try:
                await asyncio.to_thread(browser.open, f"http://127.0.0.1:{site.port}/worker")
                await eventually(lambda: site.node_of_page(), what="a server has the page")
                async with AsyncClient(f"http://127.0.0.1:{site.port}") as client:
                    job = await client.submit("wait", {"ms": 3_000, "value": "waited"})
                    await eventually(lambda: _runs(job), what="it runs")
                    await site.servers[await site.node_of_page()].kill()
                    assert (await job.result(3 * PATIENCE_S), len(job.attempts)) == ("waited", 1)
            finally:
                await asyncio.to_thread(browser.kill)

    asyncio.run(run())


async def _runs(job: AsyncJob) -> bool:
    await job.refresh()
    return bool(job.attempts and job.attempts[0]["started_at"])


@both_proxies
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_when_a_server_ends_pages_and_programs_go_on_at_the_other(tmp_path: Path, name: str, how: str) -> None:
    async def run() -> None:
        async with behind(tmp_path, name, "both") as site:
            await site.farm.registered(timeout_s=PATIENCE_S)
            east = site.servers["east"]
            work = asyncio.ensure_future(site.run(0, JOBS))
            await eventually(lambda: len(site.results) > 5, what="some are done")
            if how == "stopped":
                assert await east.stop() == 0
            else:
                await east.kill()
            await work
            await eventually(lambda: _has_all(site, "west"), what="all pages are at the other server")
            await site.run(JOBS, 10)
        site.judge(JOBS + 10)

    asyncio.run(run())


async def _has_all(site: Site, node: str) -> bool:
    return (await site.pages_at())[node] == WORKERS
