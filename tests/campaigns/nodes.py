"""Five servers on one PostgreSQL whose disk is synced, and whose commits wait for a standby: all of it breaks.

Submitters and simulated pages come through a door that leads each connection to any of the nodes. In each round several
things go on at once: three nodes are stopped or killed, each until another has taken over what it had, and then woken
or started again; a fourth one is killed again and again; the fifth lives. And the database crashes and restarts, or its
standby takes over. Then all nodes are killed at once. At the end of a round every job must end, and the rows are
compared with what submitters and pages have noted (see ``kill_checker``). A node that wakes after its life is over must
end and have written nothing (I31).
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.campaigns.kill import Load
from tests.campaigns.kill_checker import LOST, TORN, TWICE, UNEXPECTED, judged
from tests.campaigns.nodes_site import NODES, Site, Sums
from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.faults import clocks
from tests.support.postgres import postgres_programs
from tests.support.server import ask_at
from tests.support.standby import Pair
from tests.support.waiting import PATIENCE_S, check_alive, eventually

FORMS = {
    "short": "10 kills, 2 restarts of the database, 1 fail-over, 1 wake-up",
    "default": "100 kills, 15 restarts of the database, 10 fail-overs, 10 wake-ups",
    "long": "1,000 kills, 200 restarts of the database, 100 fail-overs, 200 wake-ups",
}

#: What befalls one node.
Act = Callable[[str], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Size:
    """Rounds, and what happens in each."""

    rounds: int
    #: Kills of single nodes that come again at once; after which the node stays away; of all nodes together.
    kills: int
    burials: int
    together: int
    restarts: int
    fail_overs: int
    wakes: int
    #: The longest pause between two things that befall the database.
    pause_s: float


SIZES = {
    "short": Size(1, 4, 1, 1, 2, 1, 1, pause_s=2.0),
    "default": Size(5, 12, 3, 1, 3, 2, 2, pause_s=2.0),
    "long": Size(20, 35, 5, 2, 10, 5, 10, pause_s=1.5),
}
#: A database that is away, a node whose turn has failed or that ends: the key tells what became of the job.
PASSING = (b'"starting"', b'"storage_away"', b'"storage_trouble"', b'"draining"')
#: A submitter rests so long after each job: nodes that start need the processors, too.
REST_S = 0.02
#: How long the controls work before the nodes are killed and the rows looked at, and how often they begin anew.
CONTROL_S, CONTROLS = 2.0, 6


@asynccontextmanager
async def _loaded(site: Site, name: str) -> AsyncIterator[Load]:
    await site.open()
    load = Load(site.door.port, name, site.rng)
    load.rest_s = REST_S
    for submitter in load.submitters:
        submitter.passing = PASSING
    async with load.running():
        yield load


async def _round(site: Site, title: str, size: Size) -> None:
    rng = site.rng
    async with _loaded(site, title) as load:
        *absent, victim, _ = rng.sample(NODES, len(NODES))
        absences: list[Act] = [*[site.wake] * size.wakes, *[site.bury] * size.burials]
        rng.shuffle(absences)
        async with asyncio.TaskGroup() as lanes:
            for name in absent:
                lanes.create_task(_absences(absences, name))
            lanes.create_task(_again(size.kills, lambda: site.kill(victim)))
            lanes.create_task(_database(site, load, size))
        await _again(size.together, site.kill_all)
        check_alive(load.tasks)
        await _drain(site, load)
    _count(site.sums, load)


async def _again(times: int, act: Callable[[], Awaitable[None]]) -> None:
    for _ in range(times):
        await act()


async def _absences(acts: list[Act], name: str) -> None:
    while acts:
        await acts.pop()(name)


async def _database(site: Site, load: Load, size: Size) -> None:
    acts = [site.restart] * size.restarts + [site.fail_over] * size.fail_overs
    site.rng.shuffle(acts)
    for act in acts:
        await asyncio.sleep(site.rng.uniform(0.1, size.pause_s))
        await act()
        check_alive(load.tasks)


def _count(sums: Sums, load: Load) -> None:
    notes, stats = load.notes, load.farm.stats
    sums.sent += len(notes.sent)
    sums.accepted += len(notes.accepted)
    sums.batches += len(notes.batches)
    sums.unanswered += notes.unanswered
    sums.replayed += notes.replayed
    sums.recorded += stats["recorded"]
    sums.sessions += stats["sessions"]
    sums.repeated += stats["executed"] - len({execution.job for execution in load.farm.executed})


async def _compared(site: Site, load: Load, *, drained: bool) -> None:
    site.sums.looks += 1
    stored = await asyncio.to_thread(site.rows)
    site.sums.found += judged(stored, load.notes.copy(), drained=drained)


async def _drain(site: Site, load: Load) -> None:
    """Nothing is broken any more: every job ends, and the nodes stop in good order."""
    await load.end()
    jobs = len(load.notes.accepted)

    async def done() -> bool:
        answer = await asyncio.to_thread(ask_at, site.nodes["a"].port, "GET", "/api/v1/stats")
        if answer.status == 503:  # it may not have found the database again yet
            return False
        counts = answer.json()["jobs"]
        return bool(counts["succeeded"] == sum(counts.values()) >= jobs)

    with suppress(TimeoutError):  # the look says which have not ended
        await eventually(done, what="the end of all jobs", timeout_s=3 * PATIENCE_S)
    await asyncio.gather(*(_stopped(site, name) for name in NODES))
    site.sums.found += site.tracebacks()
    await _compared(site, load, drained=True)


async def _stopped(site: Site, name: str) -> None:
    node = site.nodes[name]
    site.door.shut(name)
    if (status := await node.stop()) != 0:
        site.sums.found.append(f"ended: {name} after SIGTERM with {status}: {node.log.read_text()[-1500:]}")


@asynccontextmanager
async def _databases(*, alone: bool, **settings: str) -> AsyncIterator[Pair]:
    pair = await asyncio.to_thread(lambda: Pair(max_connections="100", **settings))
    try:
        await asyncio.to_thread(pair.start, alone=alone)
        if not alone:
            await asyncio.to_thread(pair.wait_for_standby)
        yield pair
    finally:
        await asyncio.to_thread(pair.end)


@asynccontextmanager
async def _site(pair: Pair, rng: random.Random, sums: Sums, nodes: str, fault: str = "") -> AsyncIterator[Site]:
    with tempfile.TemporaryDirectory(prefix="pagehand-nodes-") as name:
        site = Site(Path(name), pair, rng, sums, nodes=nodes, fault=fault)
        try:
            yield site
        except BaseException:
            print(*site.tracebacks(), sep="\n", flush=True)
            raise
        finally:
            await site.end()


async def _rounds(size: Size, seed: int) -> Sums:
    rng, sums = random.Random(seed), Sums()
    async with _databases(alone=False) as pair:
        for number in range(size.rounds):
            known = len(sums.found)
            async with _site(pair, rng, sums, NODES) as site:
                await _round(site, f"round-{number}", size)
            print(f"  {sums.kills} kills, {sums.accepted} acknowledged, {len(sums.found)} wrong", flush=True)
            print(*(f"  {item}\n" for item in sums.found[known:]), sep="", end="", flush=True)
    return sums


# -- controls


async def _load_alone(site: Site) -> None:
    await asyncio.sleep(CONTROL_S)  # the load is what is tried


async def _wake_one(site: Site) -> None:
    await site.wake("a")


async def _crash(site: Site) -> None:
    await _load_alone(site)
    await site.restart()


@dataclass(frozen=True)
class Planted:
    """A fault that all nodes have."""

    words: str
    #: What shows it.
    act: Callable[[Site], Awaitable[None]]


PLANTED = {
    "no-epoch-fence": Planted("turns that do not look at the node's epoch", _wake_one),
    "no-row-lock": Planted("ready jobs taken without a lock", _load_alone),
    "acknowledge-before-commit": Planted("nodes that acknowledge before they commit", _load_alone),
    "asynchronous-commit": Planted("commits that do not wait for the disk of a database that crashes", _crash),
}


async def _planted(pair: Pair, fault: str, seed: int) -> Control:
    """Until it is seen: nodes work, then all are killed, and the rows are compared with the notes."""
    rng, sums = random.Random(seed), Sums()
    for number in range(CONTROLS):
        async with _site(pair, rng, sums, NODES[:2], fault) as site, _loaded(site, f"{fault}-{number}") as load:
            await PLANTED[fault].act(site)
            await site.kill_for_good()
            await _compared(site, load, drained=False)
        _count(sums, load)
        if sums.found:
            break
    return Control(PLANTED[fault].words, len(sums.found), sums.accepted, "acknowledged jobs")


async def _controls(seed: int) -> list[Control]:
    """The first one waits most of its time, and others use it; the last one crashes the database that all have."""
    waits, *others, crashes = PLANTED
    # What a COMMIT does not wait for is written much later.
    async with _databases(alone=True, wal_writer_delay="10s") as pair, asyncio.TaskGroup() as both:
        waiting = both.create_task(_planted(pair, waits, seed))
        controls = [await _planted(pair, fault, seed) for fault in others]
        return [await waiting, *controls, await _planted(pair, crashes, seed)]


# -- the record


def _measures(sums: Sums) -> list[Measure]:
    return [
        Measure("kills while the node was starting", sums.early, "of the kills"),
        Measure("kills after which the node stayed away until others had taken over", sums.buried, "of the kills"),
        Measure("crashes and restarts of the database, without a word to anybody", sums.restarts, "restarts"),
        Measure("crashes of the database after which its synchronous standby took over", sums.fail_overs, "fail-overs"),
        Measure("nodes that were stopped and woken", sums.wakes, "wake-ups"),
        Measure("submissions without an answer", sums.unanswered, "sent again with the same key"),
        Measure("of them found to be accepted before", sums.replayed, "replays"),
        Measure("sessions that pages have begun", sums.sessions, "sessions"),
        Measure("executions beyond a job's first (allowed: at least once)", sums.repeated, "executions"),
    ]


def _figures(sums: Sums) -> list[Figure]:
    def figure(what: str, words: tuple[str, ...], of: int, unit: str, promise: str) -> Figure:
        return Figure(what, sum(item.startswith(words) for item in sums.found), of, unit, promise)

    acknowledged = "acknowledged jobs"
    return [
        figure("acknowledged jobs or results lost, or jobs that did not end", LOST, sums.accepted, acknowledged,
               "S25, S26, I1, I16"),
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


async def _played(form: str, seed: int) -> tuple[Sums, list[Control]]:
    """The controls go on beside the rounds: most of the time is waiting for nodes to count as gone."""
    async with asyncio.TaskGroup() as all_of_it:
        rounds = all_of_it.create_task(_rounds(SIZES[form], seed))
        controls = all_of_it.create_task(_controls(seed))
    return rounds.result(), controls.result()


def play(form: str, seed: int) -> Record:
    """The campaign and its controls. Raises Skipped."""
    if postgres_programs() is None:
        raise Skipped("no PostgreSQL")
    if clocks.found() is None:
        raise Skipped("no libfaketime")
    sums, controls = asyncio.run(_played(form, seed))
    return Record(
        campaign="nodes",
        figures=_figures(sums),
        measures=_measures(sums),
        controls=controls,
        violations=sums.found[:20],
    )


if __name__ == "__main__":
    sys.exit(run("nodes", FORMS, play, None))
