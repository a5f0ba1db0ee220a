"""kill -9 under load, thousands of times: a server lives for 20 to 60 ms, and one in five dies while it starts.

Submitters and simulated pages talk to it over real HTTP all the time. Every so many kills the database is looked at,
at the end of each round every job must end, and then a new store begins, so that each kill meets a store of some
thousand jobs. See ``kill_checker`` for what must be true, and ``zygote`` for how servers come and go.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Farm, Reconnect
from tests.campaigns import carriers
from tests.campaigns.kill_checker import LOST, TORN, TWICE, UNEXPECTED, Notes, violations
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.campaigns.zygote import Zygote
from tests.support.process import quick
from tests.support.waiting import PATIENCE_S, check_alive

FORMS = {"short": "80 kills", "default": "2,000 kills", "long": "10,000 kills"}
KILLS = {"short": 80, "default": 2_000, "long": 10_000}
#: Kills until every job must end, and a new store begins; the short form has two rounds.
ROUND = 100
#: Kills between two looks at the database.
LOOK = 20
#: Share of kills that meet a server that is starting.
EARLY = 0.2
#: A submitter that was told that the server is starting asks again after so long.
STARTING_S = 0.002
#: Kills of the control at most: a life may end before it has lied, most do on a busy machine.
LIES = 200
#: With fewer acknowledged jobs a kill than this, the kills met a server that had little to lose.
THIN = 5.0
SUBMITTERS = 6
#: Share of the submissions that are batches of two to five jobs.
BATCHED = 0.2
WORKERS = 4
#: No more jobs than this wait: what is submitted is soon worked on.
MOST_OPEN = 150


@dataclass
class Sums:
    """The counts over all rounds."""

    kills: int = 0
    early: int = 0
    looks: int = 0
    #: Looks that found something.
    broken: int = 0
    sent: int = 0
    accepted: int = 0
    batches: int = 0
    recorded: int = 0
    #: Of these, the ones that a page heard by WebSocket.
    by_socket: int = 0
    #: What carried the pages when a round had ended.
    carriers: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    unanswered: int = 0
    replayed: int = 0
    found: list[str] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)


class Submitter:
    """One keep-alive connection; each job until it is acknowledged, with the same key."""

    #: Codes of a 503 after which it asks again.
    passing: tuple[bytes, ...] = (b'"starting"',)

    def __init__(self, port: int, notes: Notes, rng: random.Random, *, batched: float = 0.0) -> None:
        """``batched``: the share of the submissions that are batches."""
        self._port = port
        self._notes = notes
        self._rng = rng
        self._batched = batched
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def submit(self, key: str) -> None:
        """Returns when the job, or the batch, is acknowledged."""
        if self._rng.random() < self._batched:
            keys = self._notes.batch(key, self._rng.randint(2, 5))
            await self._acknowledged("/api/v1/jobs/batch", key, keys, [self._job(each) for each in keys])
        else:
            await self._acknowledged("/api/v1/jobs", key, [key], self._job(key))

    def _job(self, key: str) -> dict[str, Any]:
        data = {"key": key, "text": "\N{SNOWMAN}" * self._rng.randrange(20), "big": 10**20, "f": self._rng.random()}
        self._notes.sent[key] = data
        return {"type": "echo", "data": data}

    async def _acknowledged(self, path: str, key: str, keys: list[str], content: object) -> None:
        body = json.dumps(content).encode()
        request = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        while keys[0] not in self._notes.accepted:
            try:
                status, replayed, answer = await self._exchange(request)
            except (OSError, EOFError, TimeoutError):
                self.close()
                self._notes.unanswered += 1
                await asyncio.sleep(0)
                continue
            if status == 503 and any(code in answer for code in self.passing):
                await asyncio.sleep(STARTING_S)
                continue
            assert status in (200, 201), (status, answer)
            self._notes.replayed += replayed
            jobs = json.loads(answer)
            for each, job in zip(keys, jobs.get("items", [jobs]), strict=True):
                self._notes.accepted[each] = job["id"]

    async def _exchange(self, request: bytes) -> tuple[int, bool, bytes]:
        async with asyncio.timeout(PATIENCE_S):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            return int(head[9:12]), b"idempotency-replayed: true" in head, await reader.readexactly(length)

    def close(self) -> None:
        """Hangs up."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


class Load:
    """Submitters and pages of one store."""

    def __init__(self, port: int, name: str, rng: random.Random) -> None:
        """``name`` begins each key."""
        #: How long a submitter rests after each job.
        self.rest_s = 0.0
        self.notes = Notes()
        self.farm = Farm(
            f"http://127.0.0.1:{port}", workers=WORKERS, slots=2, task=self._answer, seed=rng.getrandbits(32),
            reconnect=Reconnect(base_s=0.005, max_s=0.02), transport="both",
        )  # fmt: skip
        self.notes.outcomes = self.farm.outcomes
        self.submitters = [Submitter(port, self.notes, rng, batched=BATCHED) for _ in range(SUBMITTERS)]
        self._ending = False
        self._names = (f"{name}-{number}" for number in range(1 << 40))
        self._made = 0

    def _answer(self, type_name: str, data: str) -> str:
        """Another result each time, so that it is known whose was recorded."""
        self._made += 1
        key: str = json.loads(data)["key"]
        text = json.dumps({"of": key, "run": self._made}, separators=(",", ":"))
        self.notes.answers[key].add(text)
        return text

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While it lasts, they work."""
        await self.farm.start()
        self.tasks = [asyncio.create_task(self._submit(submitter)) for submitter in self.submitters]
        try:
            yield
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            for submitter in self.submitters:
                submitter.close()
            await self.farm.stop(bye=False)

    async def _submit(self, submitter: Submitter) -> None:
        while not self._ending:
            if len(self.notes.sent) - self.farm.stats["recorded"] > MOST_OPEN:
                await asyncio.sleep(0.005)
            else:
                await submitter.submit(next(self._names))
                await asyncio.sleep(self.rest_s)

    async def end(self) -> None:
        """No new jobs; returns when what was sent is acknowledged."""
        self._ending = True
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*self.tasks)


def _flags(directory: Path) -> list[str]:
    return ["--store", f"sqlite:///{directory / 'jobs.db'}", *quick(offer_ttl_s=1, restart_grace_s=2)]


async def _look(directory: Path, notes: Notes, sums: Sums, *, drained: bool = False) -> None:
    """Looks at a copy: to look is to recover, and that is the next server's work."""
    with tempfile.TemporaryDirectory(prefix="pagehand-look-") as copy:
        for name in ("jobs.db", "jobs.db-wal"):
            if (directory / name).exists():
                shutil.copy(directory / name, copy)
        seen = notes.copy()
        found = await asyncio.to_thread(violations, Path(copy) / "jobs.db", seen, drained=drained)
    sums.looks += 1
    sums.broken += bool(found)
    sums.found += found


async def _round(zygote: Zygote, directory: Path, rng: random.Random, kills: int, sums: Sums, fault: str) -> None:
    load = Load(zygote.port, directory.name, rng)
    flags = _flags(directory)
    async with load.running():
        await zygote.start(*flags)
        await zygote.ready()
        for number in range(1, kills + 1):
            await asyncio.sleep(rng.uniform(0.02, 0.06))
            await _kill(zygote, sums)
            check_alive(load.tasks)
            if number % LOOK == 0:
                await _look(directory, load.notes, sums)
            await _start(zygote, flags, rng, sums, fault)
        if fault:
            await _kill(zygote, sums)
            await _look(directory, load.notes, sums)
        else:
            await _drain(zygote, load, directory, sums)
    zygote.turn_away()  # the next round has a store and keys of its own
    notes, stats = load.notes, load.farm.stats
    sums.sent += len(notes.sent)
    sums.accepted += len(notes.accepted)
    sums.batches += len(notes.batches)
    sums.unanswered += notes.unanswered
    sums.replayed += notes.replayed
    sums.recorded += stats["recorded"]
    sums.by_socket += recorded_by_socket(load.farm)
    sums.repeated += stats["executed"] - len({execution.job for execution in load.farm.executed})
    if "Traceback" in zygote.log():
        sums.found.append(f"log: {zygote.log()[-2000:]}")
    zygote.forget_log()


async def _start(zygote: Zygote, flags: list[str], rng: random.Random, sums: Sums, fault: str) -> None:
    """Until one is up: some die while they start, some again and again."""
    began = time.monotonic()
    await zygote.start(*flags, fault=fault)
    while rng.random() < EARLY:
        await asyncio.sleep(rng.uniform(0, 0.03))
        await _kill(zygote, sums)
        sums.early += 1
        began = time.monotonic()
        await zygote.start(*flags, fault=fault)
    await zygote.ready()
    sums.start_s.append(time.monotonic() - began)


async def _kill(zygote: Zygote, sums: Sums) -> None:
    status = await zygote.kill()
    sums.kills += 1
    if status != -9:
        sums.found.append(f"ended: the server ended by itself with {status}: {zygote.log()[-2000:]}")


async def _drain(zygote: Zygote, load: Load, directory: Path, sums: Sums) -> None:
    """No more kills: every job ends, and the server stops in good order."""
    await load.end()
    jobs = len(load.notes.accepted)

    async def done() -> bool:
        counts: dict[str, Any] = json.loads(await _asked(zygote, load, "/api/v1/stats"))["jobs"]
        return bool(counts["succeeded"] == sum(counts.values()) >= jobs)

    deadline = time.monotonic() + PATIENCE_S
    while not await done():
        if time.monotonic() > deadline:
            break  # the look says which have not ended
        await asyncio.sleep(0.02)
    sums.carriers += carriers.carriers(await _asked(zygote, load, carriers.WORKERS))
    if (status := await zygote.stop()) != 0:
        sums.found.append(f"ended: after SIGTERM with {status}: {zygote.log()[-2000:]}")
    await _look(directory, load.notes, sums, drained=True)


async def _asked(zygote: Zygote, load: Load, target: str) -> bytes:
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{zygote.port}\r\n\r\n".encode()
    client = Submitter(zygote.port, load.notes, random.Random())
    _, _, answer = await client._exchange(request)
    client.close()
    return answer


async def _rounds(kills: int, seed: int, fault: str = "", *, most_found: int = 20, each: int = ROUND) -> Sums:
    """``each``: the kills of a round. Ends early with a round that has found enough."""
    rng, sums = random.Random(seed), Sums()
    with tempfile.TemporaryDirectory(prefix="pagehand-kill-") as name:
        directory = Path(name)
        zygote = Zygote(directory / "server.log")
        await zygote.open()
        try:
            while sums.kills < kills and len(sums.found) < most_found:
                store = directory / f"round-{sums.kills}"
                store.mkdir()
                await _round(zygote, store, rng, min(each, kills - sums.kills), sums, fault)
                shutil.rmtree(store)
                if sys.stderr.isatty() or kills > 500:
                    print(f"  {sums.kills} kills, {sums.accepted} acknowledged, {len(sums.found)} wrong", flush=True)
        finally:
            await zygote.close()
    return sums


def _measures(sums: Sums, took_s: float) -> list[Measure]:
    started = sorted(sums.start_s)
    return [
        Measure("kills while the server was starting", sums.early, "of the kills"),
        Measure("acknowledged jobs a kill", round(sums.accepted / max(sums.kills, 1), 1), "jobs"),
        Measure("kills per second", round(sums.kills / took_s, 1), "1/s"),
        Measure("submissions without an answer", sums.unanswered, "sent again with the same key"),
        Measure("of them found to be accepted before", sums.replayed, "replays"),
        Measure("executions beyond a job's first (allowed: at least once)", sums.repeated, "executions"),
        Measure("results told as recorded by WebSocket", sums.by_socket, "results"),
        *carriers.measures(sums.carriers),
        Measure("fork to ready, median", round(started[len(started) // 2] * 1000, 1), "ms"),
    ]


def recorded_by_socket(farm: Farm) -> int:
    """Of the results that are recorded, how many came from pages that a WebSocket carries: every second one."""
    names = {driver.page.identity.worker for driver in farm.drivers[::2] if driver.page.identity is not None}
    return sum(outcome.worker in names and outcome.verdict == "recorded" for outcome in farm.outcomes)


def thin(accepted: int, kills: int) -> list[str]:
    """A note, where the run says less than its kills promise."""
    each = accepted / max(kills, 1)
    if each >= THIN:
        return []
    return [f"This run was thin: {each:.1f} acknowledged jobs a kill, at least {THIN:.0f} are wanted (a busy machine)."]


def _figures(sums: Sums) -> list[Figure]:
    def figure(what: str, *words: str, of: int, unit: str, promise: str) -> Figure:
        return Figure(what, sum(item.startswith(words) for item in sums.found), of, unit, promise)

    return [
        figure("acknowledged jobs or results lost", *LOST, of=sums.accepted, unit="acknowledged jobs",
               promise="S1, I1, I2"),
        figure("payloads or results changed", "changed", of=sums.accepted, unit="acknowledged jobs", promise="I1, I5"),
        figure("results recorded twice", *TWICE, of=sums.recorded, unit="results told as recorded", promise="S5, I4"),
        figure("jobs that nobody submitted, or a key with two jobs", *UNEXPECTED, of=sums.sent,
               unit="jobs submitted", promise="I2, I3"),
        figure("damaged, torn or miscounted databases", *TORN, of=sums.looks, unit="looks at the database",
               promise="I17, I29"),
        figure("servers that ended by themselves, or logged a traceback", "ended", "log", of=sums.kills,
               unit="kills", promise="S18"),
        figure("batches of which a part was taken", "batch", of=sums.batches, unit="batches", promise="S3"),
        Figure("kills after which the next look found a promise broken", sums.broken, sums.kills, "kills", "S21"),
    ]  # fmt: skip


def play(form: str, seed: int) -> Record:
    """The campaign and its controls."""
    began = time.monotonic()
    sums = asyncio.run(_rounds(KILLS[form], seed, each=min(ROUND, KILLS[form] // 2)))
    took_s = time.monotonic() - began
    lie = asyncio.run(_rounds(LIES, seed, "acknowledge-before-commit", most_found=1, each=10))
    off = asyncio.run(_rounds(20 if form == "short" else 200, seed, "synchronous-off"))
    return Record(
        campaign="kill",
        figures=_figures(sums),
        measures=_measures(sums, took_s),
        notes=thin(sums.accepted, sums.kills),
        controls=[
            Control("a server that acknowledges before it commits", len(lie.found), lie.accepted, "acknowledged jobs"),
            Control("synchronous=OFF", len(off.found), off.accepted, "acknowledged jobs", must_fail=False,
                    why="kill -9 leaves the kernel's page cache: no control for this campaign; see powercut"),
        ],
        # Of the control that must be silent, too: what it saw is as bad.
        violations=[
            *carriers.lopsided(sums.carriers), *sums.found[:20],
            *(f"with synchronous=OFF: {item}" for item in off.found[:20]),
        ],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("kill", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
