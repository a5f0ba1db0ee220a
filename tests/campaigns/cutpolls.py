"""Polls behind a proxy that cuts each after 1 s, or 5 s, without an answer: is any message lost?

Twice, against the real server. *Messages*: pages of a few lines have numbered messages sent into their sessions, one
right after each cut and before the next poll (the bad moment: the server may still believe in the dead poll), some
right after that poll; each must come, once. *Jobs*: simulated pages, and one job submitted at the instant of each
cut, for the page whose poll it was; its offer must arrive and its result be recorded, once. Stock python-engineio on
Tornado gets the same messages behind the same proxy as a control, and loses them.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from dispatcher.sdk.simulate import Farm
from tests.campaigns.cutpolls_pages import Tally, messages
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.support.http_bytes import Side
from tests.support.places import ROOT
from tests.support.ports import free_port
from tests.support.process import ServerProcess, serving
from tests.support.signals import send
from tests.support.toxic import Link, ToxicProxy, Toxics, toxic
from tests.support.waiting import eventually

FORMS = {
    "short": "100 messages and 60 jobs; 20 each with the cut at 5 s",
    "default": "1,500 messages and 1,000 jobs; 300 and 200 with the cut at 5 s",
    "long": "10,000 messages and 10,000 jobs; 2,000 each with the cut at 5 s",
}
#: Form -> cut at so many seconds -> (messages, jobs, pages).
SIZES = {
    "short": {1.0: (100, 60, 40), 5.0: (20, 20, 20)},
    "default": {1.0: (1_500, 1_000, 100), 5.0: (300, 200, 100)},
    "long": {1.0: (10_000, 10_000, 200), 5.0: (2_000, 2_000, 200)},
}
#: The stock server gets so many messages at the bad moment, as it did when its losses were first counted.
STOCK = 20
#: A job's way with its page's connection cut again and again: an offer's time to live, and reconnecting.
JOBS_S = 60.0
SUBMITTERS = 8


@dataclass
class Jobs:
    """The counts of one run of jobs."""

    #: Ids that were acknowledged.
    accepted: set[str] = field(default_factory=set)
    #: Job -> verdicts ``recorded`` that pages heard.
    recorded: Counter[str] = field(default_factory=Counter)
    #: Those that succeeded, says the server.
    succeeded: int = 0
    executed: int = 0
    cuts: int = 0
    took_s: float = 0.0

    @property
    def lost(self) -> int:
        """Acknowledged and not recorded."""
        return max(len(self.accepted) - self.succeeded, sum(not self.recorded[job] for job in self.accepted))

    @property
    def twice(self) -> int:
        """Recorded more than once, or never acknowledged."""
        return sum(count > 1 or job not in self.accepted for job, count in self.recorded.items())


class Orders:
    """Orders a job at the instant at which a page's poll is cut, for that page: of the type that only it has."""

    def __init__(self, proxy: ToxicProxy, farms: list[Farm], count: int) -> None:
        self.wanted: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()
        self._farms = farms
        self._count = count
        self._ordered = 0
        proxy.on_cut = self._cut

    def _cut(self, link: Link, what: str) -> None:
        for farm in self._farms:
            session = farm.drivers[0].session
            if self._ordered < self._count and session and link.request and session.sid in link.request.target:
                self._ordered += 1
                self.wanted.put_nowait((self._ordered, _type(farm)))
                if self._ordered == self._count:
                    for _ in range(SUBMITTERS):
                        self.wanted.put_nowait(None)

    async def submit(self, server: ServerProcess, found: Jobs) -> None:
        """What is ordered, until the last."""
        while (order := await self.wanted.get()) is not None:
            answer = {"type": order[1], "data": order[0], "timeout_s": 30}
            job = (await server.request("POST", "/api/v1/jobs", answer, key=f"job-{order[0]}")).json()
            found.accepted.add(job["id"])


def _type(farm: Farm) -> str:
    return farm.pages[0].profile.types[0]


async def jobs(server: ServerProcess, count: int, pages: int, cut_s: float, seed: int) -> Jobs:
    """Orders a job at the instant of each cut, until there are enough."""
    found, began = Jobs(), time.monotonic()
    async with toxic(server.port, seed=seed) as proxy:
        await proxy.switch(Toxics(cut_s=cut_s, only="GET /engine.io/"))
        farms = [Farm(proxy.url, types=(f"page-{number}",), seed=seed + number) for number in range(pages)]
        orders = Orders(proxy, farms, count)
        for farm in farms:
            await farm.start()
        try:
            await asyncio.gather(*(orders.submit(server, found) for _ in range(SUBMITTERS)))
            with contextlib.suppress(AssertionError):  # the figures say what is missing
                await eventually(lambda: _done(server, count, found), what="every job is done", timeout_s=JOBS_S)
            for farm in farms:
                with contextlib.suppress(TimeoutError):
                    await farm.until(lambda farm=farm: farm.idle, timeout_s=5)  # type: ignore[misc]
        finally:
            for farm in farms:
                await farm.stop(bye=False)
        found.cuts = proxy.counters["cut_polls"]
    for farm in farms:
        found.recorded.update(outcome.job for outcome in farm.outcomes if outcome.verdict in ("recorded", "duplicate"))
        found.executed += len(farm.executed)
    found.took_s = time.monotonic() - began
    return found


async def _done(server: ServerProcess, count: int, found: Jobs) -> bool:
    states = (await server.get("/api/v1/stats"))["jobs"]
    found.succeeded = states["succeeded"]
    return found.succeeded >= count


# -- all of it


@contextlib.asynccontextmanager
async def _stock() -> AsyncIterator[int]:
    """The stock server, as its documentation shows it; its port."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.floors", "engineio", "--port", str(port), cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:

        async def up() -> bool:
            try:
                (await Side.connect(port)).hang_up()
            except OSError:
                return False
            return True

        await eventually(up, what="the stock server answers")
        yield port
    finally:
        send(process, 9)  # type: ignore[arg-type]
        await process.wait()


async def _all(form: str, seed: int, directory: Path) -> tuple[Tally, dict[float, Tally], dict[float, Jobs]]:
    told: dict[float, Tally] = {}
    done: dict[float, Jobs] = {}
    sizes = SIZES[form]

    async def one(cut_s: float) -> None:
        count, how_many, pages = sizes[cut_s]
        (directory / f"{cut_s:g}").mkdir()
        async with serving(directory / f"{cut_s:g}") as server:
            told[cut_s] = await messages(server.port, count, pages, cut_s, seed)
            done[cut_s] = await jobs(server, how_many, pages, cut_s, seed)
            print(f"  cut at {cut_s:g} s: {count} messages, {how_many} jobs", flush=True)

    async def stock() -> Tally:
        async with _stock() as port:
            return await messages(port, STOCK, STOCK, 1.0, seed)

    control = asyncio.ensure_future(stock())
    await asyncio.gather(control, *(one(cut_s) for cut_s in sizes))
    return control.result(), told, done


def play(form: str, seed: int) -> Record:
    """The campaign and its control."""
    with tempfile.TemporaryDirectory(prefix="pagehand-cutpolls-") as name:
        stock, told, done = asyncio.run(_all(form, seed, Path(name)))
    figures, measures = [], []
    for cut_s, tally in sorted(told.items()):
        at_worst = sum(moment == "after the cut" for moment in tally.sent.values())
        figures += [
            Figure(f"messages lost, cut at {cut_s:g} s", len(tally.lost()), len(tally.sent),
                   "messages sent into sessions", "S4"),
            Figure(f"messages received twice, cut at {cut_s:g} s", tally.twice,
                   len(tally.sent), "messages sent into sessions", "S4"),
            Figure(f"jobs whose offer or answer was lost for good, cut at {cut_s:g} s", done[cut_s].lost,
                   len(done[cut_s].accepted), "jobs submitted for a page at the instant of its cut", "S4, S7"),
            Figure(f"results recorded twice, cut at {cut_s:g} s", done[cut_s].twice, len(done[cut_s].accepted),
                   "jobs submitted for a page at the instant of its cut", "S5"),
        ]  # fmt: skip
        measures += [
            Measure(f"messages sent right after a cut, before the next poll, cut at {cut_s:g} s", at_worst, "messages"),
            Measure(f"sessions ended by a ping that was on its way when its poll was cut at {cut_s:g} s", tally.ended,
                    f"of {SIZES[form][cut_s][2]} pages", SIZES[form][cut_s][2] // 4),
            Measure(f"polls cut at {cut_s:g} s", tally.cuts + done[cut_s].cuts, "polls"),
            Measure(f"executions beyond a job's first, cut at {cut_s:g} s",
                    done[cut_s].executed - len(done[cut_s].accepted), "executions"),
            Measure(f"jobs per second, all done, cut at {cut_s:g} s",
                    round(len(done[cut_s].accepted) / done[cut_s].took_s, 1), "1/s"),
        ]  # fmt: skip
    return Record(
        campaign="cutpolls",
        figures=figures,
        measures=measures,
        controls=[
            Control("stock python-engineio on Tornado, sent right after a cut at 1 s", len(stock.lost()),
                    len(stock.sent), "messages"),
        ],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("cutpolls", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
