"""Polls behind a proxy that cuts each after 1 s, or 5 s, without an answer: is any message lost?

Twice, against the real server. *Messages*: pages of a few lines have numbered messages sent into their sessions, one
right after each cut and before the next poll (the bad moment: the server may still believe in the dead poll), some
right after that poll; each must come, once. *Jobs*: simulated pages, and one job submitted at the instant of each
cut, for the page whose poll it was; its offer must arrive and its result be recorded, once. Stock python-engineio on
Tornado gets the same messages behind the same proxy as a control, and loses them.

A message is made to go by an op that the server does not know: it answers ``refused`` and names it. The stock server
echoes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from dispatcher.sdk.simulate import Farm
from tests.campaigns.record import ROOT, Control, Figure, Measure, Record, run
from tests.crash.process import ServerProcess, free_port, serving, until
from tests.support.http_bytes import Message, Side
from tests.support.signals import send
from tests.support.toxic import Link, ToxicProxy, Toxics, toxic

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
#: What has not come after so long without any cut does not come.
SILENCE_S = 5.0
#: A job's way with its page's connection cut again and again: an offer's time to live, and reconnecting.
JOBS_S = 60.0
SUBMITTERS = 8
_BASE = "/engine.io/?EIO=4&transport=polling"
_NUMBER = re.compile(r"n(\d+)n")


@dataclass
class Tally:
    """Of one run of messages."""

    #: Number -> the moment at which it was sent; the POST was answered 200.
    sent: dict[int, str] = field(default_factory=dict)
    got: Counter[int] = field(default_factory=Counter)
    cuts: int = 0
    #: Answers that ended a session.
    ended: int = 0

    def lost(self) -> list[int]:
        """Never received."""
        return [number for number in self.sent if not self.got[number]]

    @property
    def twice(self) -> int:
        """Received more than once, or never sent."""
        return sum(count > 1 or number not in self.sent for number, count in self.got.items())


class _SessionEnded(Exception):
    """By the server; it must not."""


class RawPage:
    """A session of its own: polls through the proxy, POSTs past it. It polls on in its session after a cut."""

    def __init__(self, server: int, proxy: int, tally: Tally, rng: random.Random) -> None:
        self._server, self._proxy = server, proxy
        self._tally = tally
        self._rng = rng
        self._polls: Side | None = None
        self._posts: Side | None = None
        #: One POST at a time, as the protocol has it.
        self._posting = asyncio.Lock()
        self._sid = ""
        self._mine: set[int] = set()

    async def work(self, numbers: list[int]) -> None:
        """Has these messages sent to it, then waits for what is missing."""
        self._posts = await Side.connect(self._server)
        opened = await self._exchange(self._posts, "GET", _BASE)
        self._sid = json.loads(opened.body[1:])["sid"]
        try:
            while numbers:
                if await self._poll(self._proxy):
                    continue
                self._tally.cuts += 1
                await self._have_sent(numbers.pop(), "after the cut")
                if numbers and self._rng.random() < 0.5:
                    polling = asyncio.ensure_future(self._poll(self._proxy))
                    await self._have_sent(numbers.pop(), "after the next poll")
                    await polling
            await self._collect()
        except _SessionEnded:
            self._tally.ended += 1
        finally:
            self._hang_up()
            self._posts.hang_up(reset=True)

    async def _have_sent(self, number: int, moment: str) -> None:
        """The server sends itself the message, before this POST is answered or right after."""
        await self._post(b"4" + json.dumps({"op": f"n{number}n"}).encode())
        self._tally.sent[number] = moment
        self._mine.add(number)

    async def _post(self, body: bytes) -> None:
        assert self._posts is not None
        async with self._posting:
            answer = await self._exchange(self._posts, "POST", f"{_BASE}&sid={self._sid}", body)
        if answer.status != 200:
            raise _SessionEnded

    async def _poll(self, port: int) -> bool:
        """One poll; False: it was cut."""
        try:
            if self._polls is None:
                self._polls = await Side.connect(port)
            answer = await self._exchange(self._polls, "GET", f"{_BASE}&sid={self._sid}")
        except (OSError, EOFError):
            self._hang_up()
            return False
        if answer.status != 200 or answer.body == b"1":
            raise _SessionEnded
        numbers = [int(found) for found in _NUMBER.findall(answer.body.decode())]
        self._tally.got.update(numbers)
        if b"2" in answer.body.split(b"\x1e"):
            await self._post(b"3")
        return True

    async def _collect(self) -> None:
        """No more cuts: what is to come comes."""
        self._hang_up()
        with contextlib.suppress(TimeoutError):
            while any(not self._tally.got[number] for number in self._mine):
                async with asyncio.timeout(SILENCE_S):
                    await self._poll(self._server)

    async def _exchange(self, side: Side, method: str, target: str, body: bytes = b"") -> Message:
        headers = (("Host", f"127.0.0.1:{self._server}"), ("Content-Length", str(len(body))))
        side.writer.write(Message(f"{method} {target} HTTP/1.1", headers, body).encoded())
        return await side.answer(method)

    def _hang_up(self) -> None:
        if self._polls is not None:
            self._polls.hang_up(reset=True)
            self._polls = None


async def messages(server: int, count: int, pages: int, cut_s: float, seed: int) -> Tally:
    """So many messages to so many pages, each page's polls cut."""
    rng, tally = random.Random(seed), Tally()
    async with toxic(server, seed=seed) as proxy:
        await proxy.switch(Toxics(cut_s=cut_s, only="GET /engine.io/"))
        numbers = [list(range(first, count, pages)) for first in range(pages)]
        await asyncio.gather(*(RawPage(server, proxy.port, tally, rng).work(mine) for mine in numbers))
    return tally


# -- jobs


@dataclass
class Jobs:
    """Of one run of jobs."""

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
            job = (await server.request("POST", "/api/v1/jobs", answer, key=f"job-{order[0]}")).json
            found.accepted.add(job["id"])


def _type(farm: Farm) -> str:
    return farm.pages[0].profile.types[0]


async def jobs(server: ServerProcess, count: int, pages: int, cut_s: float, seed: int) -> Jobs:
    """A job at the instant of each cut, until there are so many."""
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
                await until(lambda: _done(server, count, found), what="every job is done", timeout_s=JOBS_S)
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

        await until(up, what="the stock server answers")
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
    for cut_s, tally in told.items():
        at_worst = sum(moment == "after the cut" for moment in tally.sent.values())
        figures += [
            Figure(f"messages lost, cut at {cut_s:g} s", len(tally.lost()), len(tally.sent),
                   "messages sent into sessions", "S4"),
            Figure(f"messages received twice, or sessions ended, cut at {cut_s:g} s", tally.twice + tally.ended,
                   len(tally.sent), "messages sent into sessions", "S4"),
            Figure(f"jobs whose offer or answer was lost for good, cut at {cut_s:g} s", done[cut_s].lost,
                   len(done[cut_s].accepted), "jobs submitted for a page at the instant of its cut", "S4, S7"),
            Figure(f"results recorded twice, cut at {cut_s:g} s", done[cut_s].twice, len(done[cut_s].accepted),
                   "jobs submitted for a page at the instant of its cut", "S5"),
        ]  # fmt: skip
        measures += [
            Measure(f"messages sent right after a cut, before the next poll, cut at {cut_s:g} s", at_worst, "messages"),
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
