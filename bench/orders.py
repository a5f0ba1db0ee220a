"""What an order over very many jobs costs those that run: ``python -m bench.orders --jobs 500000`` (three minutes).

So many jobs wait, and an order ranks them anew; meanwhile other jobs are submitted at a steady rate and done by pages.
Windows without an order, with one that begins and with one that acts follow each other, round after round. A job's time
is from its submission to its end, through all of its turns. The goal: p99 beside an order at most twice that without.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from bench.load.pages import JobPage
from bench.load.progress import Run, until
from bench.load.submitter import Submitter
from bench.server import Server, pagehand

_BATCH = 1_000
_OVER = ("done", "stopped")
_PAGES = 4
_GOAL = 2.0


class WaitingJobs(Submitter):
    """Submits jobs of a type that no page runs."""

    def _job(self) -> bytes:
        self._number += 1
        return b'{"type":"stays","data":%d}' % self._number


def ask(port: int, method: str, path: str, body: object = None) -> Any:
    """One request that must succeed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, f"/api/v1{path}", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path} was answered {answer.status}: {text.decode()}")
    return json.loads(text)


def jobs_ms(port: int, seconds: float, rate: float) -> list[float]:
    """How long jobs take, submitted one after the other, so many a second at most. Runs in a process of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took_ms, began = list[float](), time.perf_counter()
    headers = {"Content-Type": "application/json", "Prefer": "wait=30"}
    while (at := time.perf_counter()) < began + seconds:
        connection.request("POST", "/api/v1/jobs", '{"type":"runs"}', headers)
        job = json.loads(connection.getresponse().read())
        if job["state"] != "succeeded":
            raise SystemExit(f"a job did not succeed: {job}")
        took_ms.append(1_000 * (time.perf_counter() - at))
        time.sleep(max(0.0, at + 1 / rate - time.perf_counter()))
    connection.close()
    return took_ms


async def _prepare(server: Server, jobs: int) -> None:
    submitters = [WaitingJobs(server.port, total=jobs // 2, batch=_BATCH) for _ in range(2)]
    for submitter in submitters:
        await submitter.open()
    for submitter in submitters:
        await until(submitter.finished)


def _order(port: int, priority: int) -> str:
    """Begins an order. Returns its address, after a moment."""
    wanted = {"type": "stays", "state": ["queued"]}
    made = ask(port, "POST", "/jobs/actions", {"action": "set_priority", "priority": priority, "filter": wanted})
    return str(made["operation"]["links"]["self"]).removeprefix("/api/v1")


async def _measure(server: Server, given: argparse.Namespace, prepared: bool) -> dict[str, list[float]]:
    Run.done = asyncio.get_running_loop().create_future()
    if not prepared:
        await _prepare(server, given.jobs)
    for number in range(_PAGES):
        await JobPage(server.port, slots=2, number=number, types=["runs"]).open()
    found: dict[str, list[float]] = {"none": [], "begins": [], "acts": []}
    with ProcessPoolExecutor(1) as pool:

        async def window(name: str) -> None:
            order = pool, jobs_ms, server.port, given.seconds, given.rate
            found.setdefault(name, []).extend(await asyncio.get_running_loop().run_in_executor(*order))

        await window("warm")
        del found["warm"]
        for number in range(given.rounds):
            await window("none")
            begun = asyncio.create_task(asyncio.to_thread(_order, server.port, number + 1))
            await window("begins")
            address = await begun
            await asyncio.to_thread(_until_it_acts, server.port, address)
            await window("acts")
            await asyncio.to_thread(_stop, server.port, address)
    return found


def _until_it_acts(port: int, address: str) -> None:
    while (state := ask(port, "GET", address)["state"]) != "running":
        if state in _OVER:
            raise SystemExit("the order was over before it was measured: give more --jobs")
        time.sleep(0.05)


def _stop(port: int, address: str) -> None:
    view = ask(port, "GET", address)
    print(f"# {view['state']}: {view['matched']} matched, {view['done']} done", flush=True)
    if view["state"] in _OVER:
        raise SystemExit("the order was over before the window was: give more --jobs")
    ask(port, "POST", f"{address}/stop", {})


def main(argv: list[str] | None = None) -> int:
    """Prints a table. 1: the goal is not met."""
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--jobs", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of one window")
    parser.add_argument(
        "--rate", type=float, default=100.0, help="jobs that are submitted and done in a second, at most"
    )
    parser.add_argument("--store", type=Path, help="keep the store here, or take one that an earlier run has kept")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        store = given.store or Path(directory) / "jobs.db"
        core = 0 if (os.cpu_count() or 1) > 1 else None
        prepared = store.exists()
        with pagehand(store, core=core) as server:
            found = asyncio.run(_measure(server, given, prepared))
    return _told(found)


def _told(found: dict[str, list[float]]) -> int:
    alone_ms = sorted(found["none"])[int(0.99 * len(found["none"]))]
    print("| an order | jobs | median ms | p99 ms | slowest ms | p99 beside none |")
    print("|---|---:|---:|---:|---:|---:|")
    worst = 0.0
    for name, each in found.items():
        took_ms = sorted(each)
        p99_ms = took_ms[int(0.99 * len(took_ms))]
        worst = max(worst, p99_ms / alone_ms)
        print(
            f"| {name} | {len(took_ms)} | {took_ms[len(took_ms) // 2]:.1f} | {p99_ms:.1f} | {took_ms[-1]:.1f} "
            f"| {p99_ms / alone_ms:.2f} |"
        )
    return int(worst > _GOAL)


if __name__ == "__main__":
    sys.exit(main())
