"""The nemesis: fault after fault for minutes, while 50 pages and six submitters work, all behind a toxic proxy.

``nemesis_faults`` says what is done to them, ``nemesis_load`` who they are. In the end all is healed, what misbehaves
leaves, every job must end, and ``nemesis_checker`` holds the written history against the store.
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
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dispatcher.sdk.simulate import Faults
from tests.campaigns import carriers
from tests.campaigns.kill import recorded_by_socket
from tests.campaigns.kill_checker import LOST, TORN, TWICE, UNEXPECTED
from tests.campaigns.nemesis_checker import Findings, Story, check
from tests.campaigns.nemesis_faults import FAULTS, Stage, storm
from tests.campaigns.nemesis_load import KINDS, History, Load, Watch
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.support.process import ServerProcess, quick
from tests.support.toxic import ToxicProxy, toxic
from tests.support.waiting import check_alive

FORMS = {
    "short": "each fault once, 0.15 to 0.35 s each, 25 pages",
    "default": "90 s of faults, 0.5 to 4 s each, 50 pages",
    "long": "10 min of faults, 0.5 to 6 s each, 50 pages",
}
#: Form -> (seconds of faults, how long each lasts, share of the 50 pages).
#: Lives of the server that acknowledges before it commits: in one of them nobody may hear the lie in time.
LIES = 4
SIZES = {"short": (0.0, (0.15, 0.35), 0.5), "default": (90.0, (0.5, 4.0), 1.0), "long": (600.0, (0.5, 6.0), 1.0)}
PING_INTERVAL_S = 1.5
#: A request that the server has had for longer hangs (I27): a poll is answered with a ping at the latest.
HANGS_S = PING_INTERVAL_S + 5.0
#: Healed, every job ends within this time: a few timeouts and backoffs.
DRAIN_S = 60.0
FLAGS = (
    *quick(offer_ttl_s=1, restart_grace_s=2, reconnect_grace_s=1, drain_s=1),
    "--ping-interval-s", str(PING_INTERVAL_S), "--ping-timeout-s", "2",
    "--backoff-base-s", "0.1", "--backoff-max-s", "1",
)  # fmt: skip


@dataclass
class Result:
    """What one storm has left."""

    story: Story
    findings: Findings
    stats: dict[str, int]
    counters: Counter[str]
    starts: int
    longest_s: float
    drain_s: float = 0.0
    #: Results that pages were told as recorded by WebSocket.
    by_socket: int = 0
    #: What carried the pages before the first fault, and after the last one, as the server says.
    carriers: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)

    def seen(self, *kinds: str) -> int:
        """The violations that begin with this word."""
        return sum(text.startswith(kinds) for text in self.findings.violations)


@contextlib.asynccontextmanager
async def _staged(directory: Path, rng: random.Random, fault: tuple[str, ...]) -> AsyncIterator[Stage]:
    server = ServerProcess(directory, *FLAGS)
    history = History(directory / "history.jsonl")
    await server.start(*fault)
    try:
        async with toxic(server.port, seed=rng.getrandbits(32)) as proxy:
            watch = Watch(proxy, history, HANGS_S)
            watching = asyncio.create_task(watch.run())
            try:
                yield Stage(server, proxy, history, watch, rng)
            finally:
                watching.cancel()
    finally:
        await server.kill()


async def _ended(stage: Stage, load: Load) -> float:
    """No more faults: submitters and pages finish. Returns how long it took; the checker says what has not ended."""
    began = time.monotonic()
    turning = asyncio.create_task(stage.watch.turned_over())
    await load.end_submissions(DRAIN_S)
    while time.monotonic() - began < DRAIN_S:
        counts = (await stage.server.get("/api/v1/stats"))["jobs"]
        if not counts["scheduled"] + counts["queued"] + counts["running"]:
            break
        await asyncio.sleep(0.05)
    took_s = time.monotonic() - began
    await turning
    stage.carriers = await _carriers(stage)
    if (status := await stage.server.stop()) != 0:
        stage.history.note("wrong", words=f"ended: after SIGTERM with {status}")
    return took_s


def _result(stage: Stage, load: Load, proxy: ToxicProxy, drain_s: float) -> Result:
    text = stage.server.log.read_text(encoding="utf-8", errors="replace")
    story = Story.read(stage.history.path)
    findings = check(stage.server.store, story)
    result = Result(story, findings, load.stats, proxy.counters, stage.server.starts, stage.watch.longest_s, drain_s)
    result.by_socket = sum(recorded_by_socket(farm) for farm in load.farms.values())
    result.log = [part[:2000] for part in text.split("\n") if "Traceback" in part or " ERROR " in part]
    return result


async def _storm(directory: Path, seed: int, form: str) -> Result:
    """The campaign proper."""
    rng = random.Random(seed)
    lasts_s, each_s, share = SIZES[form]
    async with _staged(directory, rng, ()) as stage:
        load = Load(stage.proxy.port, stage.history, rng, share=share)
        async with load.running():
            await load.registered()
            before = await _carriers(stage)
            await storm(stage, lasts_s, each_s, partial(check_alive, load.tasks))
            drain_s = await _ended(stage, load)
        result = _result(stage, load, stage.proxy, drain_s)
        result.carriers = before + stage.carriers
        return result


async def _carriers(stage: Stage) -> Counter[str]:
    return carriers.carriers(json.dumps(await stage.server.get(carriers.WORKERS)))


async def _lie(directory: Path, seed: int) -> Result:
    """A server acknowledges a turn, and dies before it commits; the next one knows nothing of it."""
    rng = random.Random(seed)
    async with _staged(directory, rng, ("acknowledge-before-commit", "20")) as stage:
        load = Load(stage.proxy.port, stage.history, rng, share=0.2, kinds={"good": KINDS["good"]})
        async with load.running():
            for _ in range(LIES - 1):
                await stage.server.ended()
                await stage.server.start("acknowledge-before-commit", "20")
            await stage.server.ended()
            await stage.server.start()
            drain_s = await _ended(stage, load)
        return _result(stage, load, stage.proxy, drain_s)


async def _unfenced(directory: Path, seed: int) -> Result:
    """Pages are cut off for longer than their grace, and their results come while other pages have their jobs."""
    rng = random.Random(seed)
    kinds = {"slow": (40, Faults(slow_s=(0.5, 2.5)))}
    async with _staged(directory, rng, ("no-fence", "0")) as stage:
        load = Load(stage.proxy.port, stage.history, rng, share=0.5, kinds=kinds)
        async with load.running():
            await asyncio.sleep(0.5)
            await storm(stage, 0.0, (1.2, 1.3), partial(check_alive, load.tasks), ("a partition that refuses",) * 2)
            drain_s = await _ended(stage, load)
        return _result(stage, load, stage.proxy, drain_s)


def _played(scene: Callable[..., Coroutine[Any, Any, Result]], seed: int, *arguments: Any) -> Result:
    """Plays a scene; of a storm that broke something, the store, the log and the history are kept."""
    with tempfile.TemporaryDirectory(prefix="pagehand-nemesis-") as name:
        broken = scene is _storm
        try:
            result = asyncio.run(scene(Path(name), seed, *arguments))
            broken = broken and bool(result.findings.violations or result.log)
        finally:
            if broken:
                kept = Path(tempfile.gettempdir()) / f"pagehand-nemesis-{seed}-broken"
                shutil.copytree(name, kept, dirs_exist_ok=True)
                print(f"nemesis: the store, the log and the history are in {kept}", flush=True)
        return result


def _figures(result: Result) -> list[Figure]:
    found, notes = result.findings, result.story.notes
    accepted, done = len(notes.accepted), found.states["succeeded"]

    def figure(what: str, *kinds: str, of: int, unit: str, promise: str) -> Figure:
        return Figure(what, result.seen(*kinds), of, unit, promise)

    return [
        figure("acknowledged jobs lost, or not ended after the drain", *LOST, of=accepted,
               unit="acknowledged jobs", promise="S1, S4, I1, I2"),
        figure("jobs that nobody submitted, or a key with two jobs", *UNEXPECTED, of=len(notes.sent),
               unit="jobs submitted", promise="S2, I2, I3"),
        figure("results recorded twice, or by an attempt that was not the newest", *TWICE, of=done,
               unit="jobs that succeeded", promise="S5, I4, I5"),
        figure("payloads changed, or results that no execution made", "changed", of=accepted,
               unit="acknowledged jobs", promise="I1, I5"),
        figure("executions beyond a job's first without an attempt that ended so", "unexplained", of=found.executed,
               unit="executions", promise="S4, S5, I6"),
        figure("second executions of a job with effects once", "again", of=found.once,
               unit="executions of such jobs", promise="S15b"),
        figure("requests that the server left without an answer", "wrong: hung", of=result.counters["exchanges"],
               unit="requests", promise="I27"),
        figure("torn or miscounted rows", *TORN, of=sum(found.states.values()),
               unit="jobs in the store", promise="I17, I18, I29"),
        Figure("servers that ended by themselves, tracebacks and errors logged, other answers",
               len(result.log) + result.seen("wrong") - result.seen("wrong: hung"), result.starts,
               "servers started", "I28"),
    ]  # fmt: skip


def play(form: str, seed: int) -> Record:
    """The campaign and its controls."""
    result = _played(_storm, seed, form)
    lie, unfenced = _played(_lie, seed), _played(_unfenced, seed)
    found, story = result.findings, result.story
    repeated = sum(found.repeated.values())
    toxics = {name: count for name, count in result.counters.items() if name not in ("connections", "exchanges")}
    return Record(
        campaign="nemesis",
        figures=_figures(result),
        measures=[
            Measure("faults", sum(story.faults.values()), f"of {len(FAULTS)} kinds"),
            Measure("requests through the proxy", result.counters["exchanges"], "requests"),
            Measure("the longest that the server had a request", round(result.longest_s, 1), "s", HANGS_S),
            Measure("results told as recorded by WebSocket", result.by_socket, "results"),
            *carriers.measures(result.carriers),
            Measure("sockets through the proxy", result.counters["sockets"], "sockets"),
            Measure("of them cut for their age", result.counters["cut_sockets"], "sockets"),
            Measure("submissions without an answer", story.notes.unanswered, "sent again with the same key"),
            Measure("of them found to be accepted before, or asked again", story.notes.replayed, "replays"),
            Measure("executions beyond a job's first (allowed: at least once)", repeated, "executions"),
            Measure("results that came too late and were fenced off", result.stats.get("stale", 0), "verdicts"),
            Measure("until every job had ended after the last fault", round(result.drain_s, 1), "s", DRAIN_S),
        ],
        controls=[
            # Who asked for the lost job again with its key has another one now: that is seen, too.
            Control("a server that acknowledges before it commits, and dies", lie.seen(*LOST, *UNEXPECTED),
                    len(lie.story.notes.accepted), "acknowledged jobs"),
            Control("a server without the fence", unfenced.seen(*TWICE),
                    unfenced.findings.states["succeeded"], "jobs that succeeded"),
        ],
        notes=[
            f"How often each fault was played: {_counts(story.faults)}.",
            f"What the proxy did: {_counts(toxics)}.",
            f"Why a job ran once more: {_counts(found.repeated)}. How the jobs ended: {_counts(found.states)}.",
        ],
        violations=[*carriers.lopsided(result.carriers), *found.violations, *result.log][:20],
    )  # fmt: skip


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(counts.items())) or "none"


def main() -> int:
    """The command line."""
    return run("nemesis", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
