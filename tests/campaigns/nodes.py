"""Three servers on one PostgreSQL whose disk is synced: killed, stopped for too long and woken, on a crashing database.

Submitters and simulated pages come through a door that leads each connection to any of them. In each round one node is
stopped until another has taken over what it had, and is woken, while a second one is killed again and again and the
third one lives. Then nodes are killed and the database restarts, in any order. At the end of a round every job must
end, and the rows are compared with what submitters and pages have noted (see ``kill_checker``). A node that wakes after
its life is over must end and have written nothing (I31).
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from dispatcher.store.postgres.link import Link
from tests.campaigns.kill import Load
from tests.campaigns.kill_checker import LOST, TORN, TWICE, UNEXPECTED, Stored, judged
from tests.campaigns.nodes_door import Door
from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.campaigns.zygote import die_with_parent
from tests.store.postgres.several import sql
from tests.support.places import ROOT
from tests.support.postgres import Postgres, postgres_programs
from tests.support.process import Refused, ServerProcess, quick
from tests.support.rows import in_postgres
from tests.support.waiting import PATIENCE_S, check_alive, eventually

FORMS = {
    "short": "6 kills, 2 restarts of the database, 1 wake-up",
    "default": "60 kills, 15 restarts of the database, 10 wake-ups",
    "long": "1,000 kills, 200 restarts of the database, 200 wake-ups",
}


@dataclass(frozen=True)
class Size:
    """Rounds, and what happens in each."""

    rounds: int
    kills: int
    restarts: int
    wakes: int


SIZES = {"short": Size(1, 6, 2, 1), "default": Size(5, 12, 3, 2), "long": Size(20, 50, 10, 10)}
NODES = ("a", "b", "c")
#: Share of kills that meet a node that is starting.
EARLY = 0.2
#: How long a node is stopped at most, and how long a start is tried.
STOPPED_S, START_S = 45.0, 60.0
#: A database that is away, a node whose turn has failed or that ends: the key tells what became of the job.
PASSING = (b'"starting"', b'"storage_away"', b'"storage_trouble"', b'"draining"')
FAULTY = ROOT / "tests" / "crash" / "faulty_nodes.py"


@dataclass
class Sums:
    """The counts over all rounds."""

    kills: int = 0
    early: int = 0
    restarts: int = 0
    wakes: int = 0
    #: Of these, the ones that others had taken over from.
    over: int = 0
    sent: int = 0
    accepted: int = 0
    batches: int = 0
    recorded: int = 0
    repeated: int = 0
    unanswered: int = 0
    replayed: int = 0
    looks: int = 0
    sessions: int = 0
    found: list[str] = field(default_factory=list)


class Site:
    """The database of a round, its nodes, and the door before them."""

    def __init__(self, directory: Path, postgres: Postgres, rng: random.Random, sums: Sums, fault: str) -> None:
        self.rng, self.sums, self.fault = rng, sums, fault
        self.postgres, self.database = postgres, postgres.new_database()
        self.url = postgres.url(self.database)
        self.door = Door(rng)
        self.nodes = {name: self._node(directory / name) for name in NODES}

    def _node(self, directory: Path) -> ServerProcess:
        directory.mkdir()
        flags = ("--store", self.url, "--node", directory.name, "--max-crashes", "100", *quick())
        node = ServerProcess(directory, *flags, faulty=FAULTY)
        node.preexec = die_with_parent
        return node

    async def up(self, name: str) -> None:
        """Starts the node, again and again as a service manager does, until it serves; the door opens to it."""
        deadline = time.monotonic() + START_S
        faults = [self.fault, str(self.rng.randint(3, 30))] if self.fault else []
        while True:
            try:
                await self.nodes[name].start(*faults)
                break
            except Refused:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)  # the database is away, or its lock lives on for a moment
        self.door.open[name] = self.nodes[name].port

    async def kill(self, name: str) -> None:
        """kill -9 at any instant, some of them in its start; then it comes again."""
        await asyncio.sleep(self.rng.uniform(0.1, 0.8))  # the instant is what is tried
        await self._killed(name)
        if self.rng.random() < EARLY:
            starts, born = self.nodes[name].starts, asyncio.ensure_future(self.nodes[name].start())
            await eventually(lambda: self.nodes[name].starts > starts, what="a new process")
            await asyncio.sleep(self.rng.uniform(0, 1.0))
            await self._killed(name)
            self.sums.early += 1
            with suppress(Refused):
                await born
        await self.up(name)

    async def _killed(self, name: str) -> None:
        node = self.nodes[name]
        ended = node.process.returncode
        if ended is not None and not (self.fault or node.starts == 0):
            self.sums.found.append(f"ended: {name} by itself, with {ended}: {node.log.read_text()[-1500:]}")
        await node.kill()
        self.sums.kills += 1

    async def restart(self) -> None:
        """The database is stopped as in a crash, and starts again."""
        await asyncio.sleep(self.rng.uniform(0.1, 0.8))
        await asyncio.to_thread(self.postgres.stop, "immediate")
        await asyncio.sleep(self.rng.uniform(0.0, 0.5))
        await asyncio.to_thread(self.postgres.start)
        self.sums.restarts += 1

    async def wake(self, name: str) -> None:
        """Stops the node until another has taken over, and wakes it: it must end, and write nothing."""
        node, before = self.nodes[name], await self._life(name)
        node.signal(signal.SIGSTOP)
        if self.rng.random() < 0.5:
            self.door.shut(name)  # as a proxy that asks its servers; else pages stay and wait
        with suppress(TimeoutError):
            await eventually(lambda: self._buried(name, before[0]), what="taken over", timeout_s=STOPPED_S)
        asleep = await self._life(name)
        node.signal(signal.SIGCONT)
        self.sums.wakes += 1
        if asleep[0] != before[0]:
            self.sums.over += 1
            await self._ends(name, asleep)
        else:
            self.door.open[name] = node.port

    async def _ends(self, name: str, asleep: tuple[int, int]) -> None:
        """The node has woken after its life: it ends with status 1, and no turn of it has happened since."""
        node = self.nodes[name]
        try:
            status: int | None = await node.ended()
        except TimeoutError:
            status = None
        if status != 1:
            what = "lives" if status is None else f"ended with {status}"
            self.sums.found.append(f"I31: {name} was woken after its life and {what}")
        if (now := await self._life(name)) != asleep:
            self.sums.found.append(f"I31: {name} has written after its life: {asleep} became {now}")
        self.door.shut(name)
        await node.kill()
        await self.up(name)

    async def _life(self, name: str) -> tuple[int, int]:
        """The node's epoch, and how many turns it has had."""
        found = await asyncio.to_thread(sql, self.url, "SELECT epoch, turns FROM nodes WHERE node = %s", name)
        return found[0][0], found[0][1]

    async def _buried(self, name: str, epoch: int) -> bool:
        await asyncio.sleep(0.2)
        return (await self._life(name))[0] != epoch

    def rows(self) -> Stored:
        """All rows, at one instant."""
        with psycopg.connect(self.url, options="-c search_path=pagehand") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            return Stored(in_postgres(Link(connection)), [])

    async def end(self) -> None:
        """Whatever still runs is killed."""
        await self.door.end()
        for node in self.nodes.values():
            if node._process is not None:
                await node.kill()


@asynccontextmanager
async def _loaded(site: Site, name: str) -> AsyncIterator[Load]:
    await site.door.begin()
    await asyncio.gather(*map(site.up, NODES))
    load = Load(site.door.port, name, site.rng)
    for submitter in load.submitters:
        submitter.passing = PASSING
    async with load.running():
        yield load


async def _round(site: Site, name: str, size: Size) -> None:
    sums, rng = site.sums, site.rng
    async with _loaded(site, name) as load:
        sleeper, victim, _ = rng.sample(NODES, 3)
        half = [site.kill(victim) for _ in range(size.kills // 2)]
        async with asyncio.TaskGroup() as both:
            both.create_task(_one_by_one([site.wake(sleeper) for _ in range(size.wakes)]))
            both.create_task(_one_by_one(half))
        rest: list[Coroutine[Any, Any, None]] = [site.kill(rng.choice(NODES)) for _ in range(size.kills - len(half))]
        rest += [site.restart() for _ in range(size.restarts)]
        rng.shuffle(rest)
        await _one_by_one(rest)
        check_alive(load.tasks)
        await (_look(site, load) if site.fault else _drain(site, load))
    notes, stats = load.notes, load.farm.stats
    sums.sent += len(notes.sent)
    sums.accepted += len(notes.accepted)
    sums.batches += len(notes.batches)
    sums.unanswered += notes.unanswered
    sums.replayed += notes.replayed
    sums.recorded += stats["recorded"]
    sums.sessions += stats["sessions"]
    sums.repeated += stats["executed"] - len({execution.job for execution in load.farm.executed})


async def _one_by_one(acts: list[Coroutine[Any, Any, None]]) -> None:
    for act in acts:
        await act


async def _look(site: Site, load: Load) -> None:
    """Compares rows and notes, when no node is left."""
    for node in site.nodes.values():
        await node.kill()
    await _compared(site, load, drained=False)


async def _compared(site: Site, load: Load, *, drained: bool) -> None:
    site.sums.looks += 1
    stored = await asyncio.to_thread(site.rows)
    site.sums.found += judged(stored, load.notes.copy(), drained=drained)


async def _drain(site: Site, load: Load) -> None:
    """Nothing is broken any more: every job ends, and the nodes stop in good order."""
    await load.end()
    jobs = len(load.notes.accepted)

    async def done() -> bool:
        answer = await site.nodes["a"].request("GET", "/api/v1/stats")
        if answer.status == 503:  # it may not have found the database again yet
            return False
        counts = answer.json()["jobs"]
        return bool(counts["succeeded"] == sum(counts.values()) >= jobs)

    with suppress(TimeoutError):  # the look says which have not ended
        await eventually(done, what="the end of all jobs", timeout_s=3 * PATIENCE_S)
    for name, node in site.nodes.items():
        site.door.shut(name)
        if (status := await node.stop()) != 0:
            site.sums.found.append(f"ended: {name} after SIGTERM with {status}: {node.log.read_text()[-1500:]}")
        if "Traceback" in (said := node.log.read_text()):
            site.sums.found.append(f"log: {said[-2000:]}")
    await _compared(site, load, drained=True)


async def _rounds(size: Size, seed: int, fault: str = "") -> Sums:
    rng, sums = random.Random(seed), Sums()
    postgres = Postgres(sync=True, max_connections="100")
    try:
        await asyncio.to_thread(postgres.start)
        for number in range(size.rounds):
            with tempfile.TemporaryDirectory(prefix="pagehand-nodes-") as name:
                site = Site(Path(name), postgres, rng, sums, fault)
                try:
                    await _round(site, f"round-{number}", size)
                finally:
                    await site.end()
            print(f"  {sums.kills} kills, {sums.accepted} acknowledged, {len(sums.found)} wrong", flush=True)
            if fault and sums.found:
                break
    finally:
        postgres.end()
    return sums


def _measures(sums: Sums) -> list[Measure]:
    return [
        Measure("kills while the node was starting", sums.early, "of the kills"),
        Measure("restarts of the database, without a word to anybody", sums.restarts, "restarts"),
        Measure("nodes that were stopped and woken", sums.wakes, "wake-ups"),
        Measure("submissions without an answer", sums.unanswered, "sent again with the same key"),
        Measure("of them found to be accepted before", sums.replayed, "replays"),
        Measure("sessions that pages have begun", sums.sessions, "sessions"),
        Measure("executions beyond a job's first (allowed: at least once)", sums.repeated, "executions"),
    ]


#: What is planted, and in which words.
_PLANTED = {
    "no-epoch-fence": "turns that do not look at the node's epoch",
    "no-row-lock": "ready jobs taken without a lock",
    "acknowledge-before-commit": "nodes that acknowledge before they commit",
}


def _control(fault: str, seed: int) -> Control:
    size = Size(2, 0, 0, 1) if fault == "no-epoch-fence" else Size(3, 8, 0, 0)
    bad = asyncio.run(_rounds(size, seed, fault))
    return Control(_PLANTED[fault], len(bad.found), bad.accepted, "acknowledged jobs")


def _figures(sums: Sums) -> list[Figure]:
    def figure(what: str, words: tuple[str, ...], of: int, unit: str, promise: str) -> Figure:
        return Figure(what, sum(item.startswith(words) for item in sums.found), of, unit, promise)

    acknowledged = "acknowledged jobs"
    return [
        figure("acknowledged jobs or results lost, or jobs that did not end", LOST, sums.accepted, acknowledged,
               "S25, S26, I1"),
        figure("payloads or results changed", ("changed",), sums.accepted, acknowledged, "I1, I5"),
        figure("results recorded twice", TWICE, sums.recorded, "results told as recorded", "S25, I4"),
        figure("jobs that nobody submitted, or a key with two jobs", UNEXPECTED, sums.sent, "jobs submitted",
               "I2, I3"),
        figure("torn or miscounted databases", TORN, sums.looks, "looks at the database", "I17, I18"),
        figure("batches of which a part was taken", ("batch",), sums.batches, "batches", "S3"),
        figure("nodes that went on, or wrote, after others had taken over", ("I31",), sums.over,
               "wake-ups of nodes that others had taken over from", "S26, I31"),
        figure("nodes that ended by themselves, or logged a traceback", ("ended", "log"), sums.kills, "kills", "S26"),
    ]  # fmt: skip


def play(form: str, seed: int) -> Record:
    """The campaign and its controls. Raises Skipped."""
    if postgres_programs() is None:
        raise Skipped("no PostgreSQL")
    sums = asyncio.run(_rounds(SIZES[form], seed))
    return Record(
        campaign="nodes",
        figures=_figures(sums),
        measures=_measures(sums),
        controls=[_control(fault, seed) for fault in _PLANTED],
        violations=sums.found[:20],
    )


if __name__ == "__main__":
    sys.exit(run("nodes", FORMS, play, None))
