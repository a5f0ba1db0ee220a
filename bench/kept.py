"""What a look at a store with very many jobs costs: ``python -m bench.kept --jobs 1000000`` (three minutes).

The jobs are submitted and done through the API, with types, tags and texts in turn; one in a thousand fails. Then each
look is asked for some times, one after the other. A look's time in the store holds up turns, so the slowest is told
too. Last come open consoles: ``--consoles`` of them, each of which asks for its screen every five seconds; their share
of a core is told. ``--store`` keeps the store, or takes one that an earlier run has kept. ``--pages`` idle pages, which
another process holds, are there meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.load.getter import Getter
from bench.load.herd import TOGETHER
from bench.load.meter import cpu_s, loop_ms
from bench.load.pages import JobPage
from bench.load.progress import Run, sleep, until
from bench.load.steady import holding
from bench.load.submitter import Submitter
from bench.server import Server, pagehand

_BATCH = 1_000
_TYPES = 10
_TAGS = 1_000
#: One job of so many is of the type that fails.
_FAILS = 1_000
#: One ping interval: the idle pages, and so their pings, come evenly over it.
_COMING_S = 20.0
#: How often a console asks that nobody touches.
_REFRESH_S = 5.0
_STREETS = ("Linden", "Garten", "Haupt", "Kirch", "Berg", "Bahnhof", "Schul", "Ring")
_API = "/api/v1/jobs"


class LabelSubmitter(Submitter):
    """Submits batches of jobs with types, tags and texts in turn."""

    def _job(self) -> bytes:
        self._number += 1
        n = self._number
        name = "failing" if n % _FAILS == 0 else f"kept-{n % _TYPES}"
        street = f"{_STREETS[n % len(_STREETS)]}weg {n % 997}"
        return b'{"type":"%b","tags":["tag-%d"],"max_attempts":1,"data":{"order":%d,"street":"%b"}}' % (
            name.encode(), n % _TAGS, n, street.encode()
        )  # fmt: skip


class Look(NamedTuple):
    """One line of the table."""

    name: str
    target: str


def looks(job: str, worker: str) -> list[Look]:
    """What operators and programs ask for; a job and a worker by their ids."""
    return [
        Look("the newest 50 jobs", f"{_API}?limit=50"),
        Look("of a type", f"{_API}?type=kept-3&limit=50"),
        Look("failed, one in a thousand", f"{_API}?state=failed&limit=50"),
        Look("failed, of a type of which none has", f"{_API}?state=failed&type=kept-3&limit=50"),
        Look("with a tag, one in a thousand", f"{_API}?tag=tag-7&limit=50"),
        Look("with a tag that none has", f"{_API}?tag=nobody&limit=50"),
        Look("that one worker ran", f"{_API}?worker=bench-1&limit=50"),
        Look("that ended in a window of the past", f"{_API}?ended_before=-1m&limit=50"),
        Look("with a text that one in 8,000 has", f"{_API}?q=%22lindenweg+123%22&limit=50"),
        Look("with words that all have", f"{_API}?q=order+street&limit=50"),
        Look("with a word that none has", f"{_API}?q=nowhere&limit=50"),
        Look("failed, with a text", f"{_API}?state=failed&q=%22asked%22&limit=50"),
        Look("counts: /api/v1/stats", "/api/v1/stats"),
        Look("types: /api/v1/types", "/api/v1/types"),
        Look("workers: /api/v1/workers", "/api/v1/workers?limit=50"),
        *(Look(f"the screen {path}", path) for path in screens(job, worker)),
        Look("the oldest 100 changes that are kept", "/api/v1/changes?after=oldest"),
        Look("a scrape: /metrics", "/metrics"),
    ]


def screens(job: str, worker: str) -> list[str]:
    """Every screen of the console that shows what is kept."""
    return [
        "/", "/?at=-15m", "/?at=-12h", "/jobs", "/jobs?state=failed", "/jobs?q=lindenweg",
        "/jobs?state=failed&state=succeeded&ended_after=-1h", "/jobs?tick=1&type=kept-3", f"/jobs/{job}",
        f"/jobs/{job}/record", "/failures", "/history", "/doubts", "/operations", "/types", "/types/kept-3", "/workers",
        "/workers?tick=1", "/workers?state=ready", "/workers?state=busy", f"/workers/{worker}", "/rollout", "/upkeep",
        "/board", "/board?type=kept-3", "/submit", "/phone", "/help",
    ]  # fmt: skip


async def _prepare(server: Server, jobs: int) -> None:
    submitters = [LabelSubmitter(server.port, total=jobs // 2, batch=_BATCH) for _ in range(2)]
    for submitter in submitters:
        await submitter.open()
    for submitter in submitters:
        await until(submitter.finished)
    wanted = Run.count + jobs
    names = [f"kept-{number}" for number in range(_TYPES)]
    pages = [JobPage(server.port, slots=16, number=number, types=names) for number in range(TOGETHER - 4)]
    pages.append(JobPage(server.port, slots=16, number=99, types=["failing"], fails=True))
    for page in pages:
        await page.open()
    while Run.count < wanted:
        await sleep(0.05)


async def _look(server: Server, look: Look, times: int) -> tuple[list[float], float]:
    """How long each took, in ms, in order; and the loop's processor time for one."""
    getter, took_ms = Getter(server.port), []
    await getter.get(look.target)
    before = loop_ms(server.pid)
    for _ in range(times):
        began = time.perf_counter()
        await getter.get(look.target)
        took_ms.append(1000 * (time.perf_counter() - began))
    return sorted(took_ms), (loop_ms(server.pid) - before) / times


async def _measure(server: Server, given: argparse.Namespace, prepared: bool) -> None:
    Run.done = asyncio.get_running_loop().create_future()
    if not prepared:
        began = time.monotonic()
        await _prepare(server, given.jobs)
        print(f"{given.jobs:,} jobs submitted and done in {time.monotonic() - began:.0f} s\n", flush=True)
    async with holding({"port": server.port, "pages": given.pages, "idle_s": _COMING_S}):
        await _table(server, given)
    Run.ending = True


async def _first(server: Server, which: str) -> str:
    """The id of the first in a list, or one that there is not."""
    items = json.loads(await Getter(server.port).get(f"/api/v1/{which}limit=1"))["items"]
    return str(items[0]["id"]) if items else ""


async def _table(server: Server, given: argparse.Namespace) -> None:
    job, worker = await _first(server, "jobs?"), await _first(server, "workers?state=connected&")
    print("| look | median ms | 95 % ms | slowest ms | the loop's ms |\n|---|---:|---:|---:|---:|")
    for look in looks(job, worker):
        if not look.target.endswith("/workers/"):  # without idle pages there is no worker
            took_ms, of_the_loop_ms = await _look(server, look, given.times)
            middle, most = took_ms[len(took_ms) // 2], took_ms[int(0.95 * len(took_ms))]
            print(f"| {look.name} | {middle:.2f} | {most:.2f} | {took_ms[-1]:.2f} | {of_the_loop_ms:.2f} |", flush=True)
    if given.consoles:
        await _open_consoles(server, given.consoles, given.seconds)


async def _open_consoles(server: Server, consoles: int, seconds: float) -> None:
    """Their share of a core, beside that of the idle pages alone."""
    alone = await _share(server, seconds)
    paths = ["/", "/jobs", "/workers", "/types"]
    stops = time.monotonic() + seconds
    watching = [
        asyncio.ensure_future(_watch(server, paths[number % len(paths)], number / consoles, stops))
        for number in range(consoles)
    ]
    share = await _share(server, seconds)
    await asyncio.gather(*watching)
    print(
        f"\n{consoles} open consoles: {100 * (share - alone):.1f} % of a core beside {100 * alone:.1f} % without them"
    )


async def _watch(server: Server, path: str, share: float, stops: float) -> None:
    getter = Getter(server.port)
    await sleep(_REFRESH_S * share)
    while time.monotonic() < stops:
        await getter.get(path)
        await sleep(_REFRESH_S)


async def _share(server: Server, seconds: float) -> float:
    """Of a core, over so long."""
    before, began = cpu_s(server.pid), time.monotonic()
    await sleep(seconds)
    return (cpu_s(server.pid) - before) / (time.monotonic() - began)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.kept", description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000, help="a multiple of 2,000 (default: 100,000)")
    parser.add_argument(
        "--pages", type=int, default=0, help="idle pages beside them; 10,000 need 10,500 descriptors (default: 0)"
    )
    parser.add_argument("--times", type=int, default=20, help="how often each look is asked for (default: 20)")
    parser.add_argument("--consoles", type=int, default=0, help="open consoles, at the end (default: 0)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long these are watched (default: 20)")
    parser.add_argument("--store", type=Path, help="where the store is, or is to be")
    given = parser.parse_args(argv)
    if given.jobs < 2 * _BATCH or given.jobs % (2 * _BATCH):
        parser.error(f"--jobs must be a multiple of {2 * _BATCH:,}")
    with tempfile.TemporaryDirectory(prefix="pagehand-bench-") as directory:
        store = given.store or Path(directory) / "pagehand.db"
        prepared = store.exists()
        flags = ("--queue-depth", str(given.jobs + 1), "--sessions", str(given.pages + 500))
        with pagehand(store.resolve(), core=0, flags=flags) as server:
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {1})
            asyncio.run(_measure(server, given, prepared))
    return 0


if __name__ == "__main__":
    sys.exit(main())
