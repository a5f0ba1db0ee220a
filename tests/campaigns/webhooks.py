"""kill -9 while webhooks are sent to a receiver with moods: each change in the store's rows is told at least once.

Submitters and pages work, and two webhooks are told of all changes: one receiver always answers well; the other one is
slow, down, answers 500, redirects, cuts the connection, answers half, or not at all, for a life of the server each.
The server is killed at random instants, one in five times while it starts. Between two lives the store's queue clock
is often turned on by up to a day, so that the waits of days pass. In the end the receiver is well, the clock is turned
on until nothing waits, and what the receivers have kept is compared with the rows.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.campaigns.webhooks_receiver import MOODS, Receiver, Told
from tests.campaigns.zygote import die_with_parent
from tests.support.places import ROOT
from tests.support.process import Refused, ServerProcess, farm_for, quick
from tests.support.waiting import PATIENCE_S, eventually

FORMS = {"short": "8 kills", "default": "50 kills", "long": "200 kills"}
KILLS = {"short": 8, "default": 50, "long": 200}
CONTROL_KILLS = 4
#: Share of kills that meet a server that is starting.
EARLY = 0.2
WORKERS, SUBMITTERS = 3, 4
#: Share of jobs that are cancelled as soon as they are taken.
CANCELLED = 0.2
#: How far the queue clock is turned on between two lives, in seconds.
JUMPS = (0.0, 10.0, 600.0, 8_000.0, 90_000.0)
A_DAY_S = 90_000.0
#: A message is tried ten times before it is dead, and then once more.
MOST_HEALING = 12
#: Lives until the secrets are new and what is dead is sent again.
CARE = 10
_EVENTS = [f"job.{state}" for state in (
    "queued", "running", "scheduled", "succeeded", "failed", "cancelled", "expired", "in_doubt")]  # fmt: skip
FAULTY = ROOT / "tests" / "crash" / "faulty_hooks.py"


@dataclass
class Sums:
    """What happened, and what was found at the end."""

    kills: int = 0
    start_s: list[float] = field(default_factory=list)
    changes: int = 0
    dead: int = 0
    healing: int = 0
    missing: list[str] = field(default_factory=list)
    phantoms: list[str] = field(default_factory=list)
    receivers: dict[str, Receiver] = field(default_factory=dict)

    def total(self, name: str) -> int:
        """A figure of both receivers."""
        return sum(getattr(receiver, name) for receiver in self.receivers.values())

    @property
    def messages(self) -> int:
        """Different ones that were taken."""
        return sum(len(receiver.bodies) for receiver in self.receivers.values())

    @property
    def altered(self) -> int:
        """Ids with which two bodies came."""
        return sum(len(bodies) > 1 for receiver in self.receivers.values() for bodies in receiver.bodies.values())


class Scene:
    """A server, its load and its receivers."""

    def __init__(self, directory: Path, rng: random.Random, fault: str | None) -> None:
        self.rng, self.fault, self.sums = rng, fault, Sums()
        self.receivers = self.sums.receivers = {"good": Receiver(rng), "moody": Receiver(rng)}
        self.faults = [fault, "1"] if fault else []
        self.hooks: dict[str, str] = {}
        self.directory = directory
        self.server: ServerProcess
        self._submitting = asyncio.Event()

    # -- the server's lives

    async def begin(self) -> None:
        """The server is up, and both webhooks are made."""
        for receiver in self.receivers.values():
            await receiver.turn("good")
        allowed = [part for each in self.receivers.values()
                   for part in ("--webhook-allow", f"127.0.0.1:{each.port}")]  # fmt: skip
        flags = (*quick(), "--retention-s", "315360000", *allowed)
        self.server = ServerProcess(self.directory, *flags, faulty=FAULTY)
        self.server.preexec = die_with_parent
        await self.start()
        for name, receiver in self.receivers.items():
            asked = {"url": receiver.url, "events": _EVENTS, "name": name}
            made = await self.server.request("POST", "/api/v1/webhooks", asked)
            assert made.status == 201, made
            self.hooks[name] = made.json()["links"]["self"]
            receiver.secrets.append(made.json()["secret"])

    async def start(self) -> None:
        """Starts it, and notes how long that took."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.server.start(*self.faults)
        self.sums.start_s.append(loop.time() - began)

    async def kill(self) -> None:
        """Ends a life at any instant; one in five ends while it starts."""
        await self.server.kill()
        self.sums.kills += 1
        if self.rng.random() < EARLY:
            starts, born = self.server.starts, asyncio.ensure_future(self.server.start(*self.faults))
            await eventually(lambda: self.server.starts > starts, what="a new process")
            await asyncio.sleep(self.rng.uniform(0, 0.8))
            await self.server.kill()
            self.sums.kills += 1
            with suppress(Refused):  # it died before its banner was out
                await born

    async def care(self) -> None:
        """New secrets; the old ones sign, too. What is dead is sent again."""
        for name, hook in self.hooks.items():
            rotated = await self.server.request("POST", f"{hook}/rotate", {})
            assert rotated.status == 200, rotated
            self.receivers[name].secrets.append(rotated.json()["secret"])
            await self.revive(hook)

    async def revive(self, hook: str) -> None:
        """What is dead is sent again."""
        dead = (await self.server.get(hook))["dead"]
        self.sums.dead += dead
        if dead:
            again = await self.server.request("POST", f"{hook}/redeliver", {"dead": True})
            assert again.status == 202, again

    async def pending(self) -> int:
        """Messages that wait for anybody."""
        shown = [await self.server.get(hook) for hook in self.hooks.values()]
        return sum(one["pending"] for one in shown)

    # -- load

    async def submit(self) -> None:
        """Submits jobs one after the other, and cancels some, while it may."""
        while True:
            await self._submitting.wait()
            with suppress(OSError, EOFError, TimeoutError):
                job = await self.server.submit()
                if self.rng.random() < CANCELLED:
                    await self.server.request("POST", f"/api/v1/jobs/{job['id']}/cancel", {})
            await asyncio.sleep(self.rng.uniform(0, 0.03))

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Submitters and pages, as long as it lasts."""
        farm = farm_for(self.server, workers=WORKERS, transport="both")
        await farm.start()
        submitters = [asyncio.ensure_future(self.submit()) for _ in range(SUBMITTERS)]
        try:
            yield
        finally:
            for each in submitters:
                each.cancel()
            await asyncio.gather(*submitters, return_exceptions=True)
            await farm.stop()

    async def live(self) -> None:
        """Jobs run for a moment."""
        self._submitting.set()
        await asyncio.sleep(self.rng.uniform(0.05, 0.5))  # the instant of the kill is what is tried

    def rest(self) -> None:
        """No more jobs come."""
        self._submitting.clear()


async def all_ended(scene: Scene) -> None:
    """Returns when no job is open."""

    async def none_open() -> bool:
        jobs = (await scene.server.get("/api/v1/stats"))["jobs"]
        return not any(jobs.get(state) for state in ("queued", "running", "scheduled"))

    await eventually(none_open, what="the end of all jobs", timeout_s=3 * PATIENCE_S)


async def heal(scene: Scene) -> None:
    """The receivers are well; days pass until nothing waits and nothing is dead."""
    for receiver in scene.receivers.values():
        await receiver.turn("good")
    while await scene.pending() or any([(await scene.server.get(hook))["dead"] for hook in scene.hooks.values()]):
        scene.sums.healing += 1
        assert scene.sums.healing <= MOST_HEALING, "messages wait although the receivers are well and days pass"
        await scene.server.kill()
        pass_time(scene.server, A_DAY_S)
        await scene.start()
        for hook in scene.hooks.values():
            await scene.revive(hook)
        with suppress(TimeoutError):
            await eventually(lambda: _nothing_waits(scene), what="all sent", timeout_s=3 * PATIENCE_S)


async def _nothing_waits(scene: Scene) -> bool:
    return await scene.pending() == 0


#: It ends without closing the store: else it would move the log, and the server would refuse that.
_PASS = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE meta SET value = value + ? WHERE name = 'queue_clock'", (float(sys.argv[2]),))
database.commit()
os._exit(0)
"""


def pass_time(server: ServerProcess, seconds: float) -> None:
    """As if a server had run for so long; none does now."""
    asked = [sys.executable, "-c", _PASS, str(server.store), str(seconds)]
    subprocess.run(asked, check=True, timeout=PATIENCE_S)


def changes(store: Path, directory: Path) -> dict[Told, int]:
    """What the rows of a killed server's store say that has happened, and how often at least."""
    directory.mkdir()
    for path in store.parent.glob(f"{store.name}*"):
        shutil.copyfile(path, directory / path.name)
    found: dict[Told, int] = {}
    with closing(sqlite3.connect(directory / store.name)) as database:
        for job, state, claims in database.execute("SELECT id, state, claims FROM jobs"):
            found |= {(job, "job.queued"): 1, (job, "job.running"): claims, (job, f"job.{state}"): 1}
    return {told: least for told, least in found.items() if least}


def compare(wanted: Mapping[Told, int], heard: Mapping[Told, set[str]], name: str) -> tuple[list[str], list[str]]:
    """(changes that were not told, what was told and has not happened)."""
    missing = [f"{name} was not told of {event} of {job}: {len(heard.get((job, event), ()))} of {least}"
               for (job, event), least in wanted.items() if len(heard.get((job, event), ())) < least]  # fmt: skip
    often = ("job.queued", "job.scheduled", "job.in_doubt")  # how often, the rows do not say
    jobs = {job for job, _ in wanted}
    phantoms = [f"{name} was told of {event} of {job}, {len(ids)} times of {wanted.get((job, event), 0)}"
                for (job, event), ids in heard.items()
                if job not in jobs or (event not in often and len(ids) > wanted.get((job, event), 0))]  # fmt: skip
    return missing, phantoms


async def _lives(scene: Scene, kills: int) -> None:
    moody, number = scene.receivers["moody"], 0
    while scene.sums.kills < kills:
        await moody.turn("down" if scene.fault else MOODS[number % len(MOODS)])
        await scene.live()
        scene.rest()
        await scene.kill()
        pass_time(scene.server, 0.0 if scene.fault else scene.rng.choice(JUMPS))
        await scene.start()
        number += 1
        if number % CARE == 0:
            await scene.care()


async def _play(kills: int, seed: int, directory: Path, fault: str | None = None) -> Sums:
    scene = Scene(directory, random.Random(seed), fault)
    sums = scene.sums
    try:
        await scene.begin()
        async with scene.load():
            await _lives(scene, kills)
            await all_ended(scene)
        await heal(scene)
        await scene.server.kill()
        wanted = changes(scene.server.store, directory / "copy")
        for name, receiver in scene.receivers.items():
            missing, phantoms = compare(wanted, receiver.heard, name)
            sums.missing, sums.phantoms = sums.missing + missing, sums.phantoms + phantoms
            sums.changes += sum(wanted.values())
        if fault is None:
            scene.server.assert_clean_log()
    finally:
        if scene.server._process is not None:
            await scene.server.kill()
        for receiver in scene.receivers.values():
            await receiver.end()
    return sums


def _played(kills: int, seed: int, fault: str | None = None) -> Sums:
    with tempfile.TemporaryDirectory(prefix="pagehand-webhooks-") as name:
        return asyncio.run(_play(kills, seed, Path(name), fault))


#: What is planted, and in which words.
_PLANTED = {
    "outbox-after-commit": "a server that writes a turn's messages after the turn",
    "struck-before-answered": "a server that strikes a message before it is answered",
}


def _controls(seed: int, sums: Sums) -> list[Control]:
    found = [Control(words, len(bad.missing), bad.changes, "changes")
             for fault, words in _PLANTED.items() for bad in [_played(CONTROL_KILLS, seed, fault)]]  # fmt: skip
    forged = Control(
        "signatures beside a body with one byte more", sums.total("forged"), sums.total("came"), "requests"
    )
    return [*found, forged]


def play(form: str, seed: int) -> Record:
    """The campaign and its controls."""
    sums = _played(KILLS[form], seed)
    taken, came = sums.total("taken"), sums.total("came")
    return Record(
        campaign="webhooks",
        figures=[
            Figure("changes in the store's rows that a receiver was not told", len(sums.missing), sums.changes,
                   "changes", "S36"),
            Figure("messages about changes that have not happened", len(sums.phantoms), sums.messages, "messages",
                   "S36"),
            Figure("requests without a valid signature", sums.total("unsigned"), came, "requests", "S37"),
            Figure("messages with two bodies", sums.altered, sums.messages, "messages", "S37"),
        ],
        measures=[Measure("the longest start, of those that were not killed", round(max(sums.start_s), 2), "s")],
        controls=_controls(seed, sums),
        notes=[
            f"{sums.kills} kills. {came:,} requests came to two receivers, which took {taken:,} of them: "
            f"{taken - sums.messages:,} were repetitions of messages that they had. {sums.dead:,} messages were dead "
            f"in between and were sent again. {sums.healing} days passed in the end until nothing waited.",
        ],
        violations=(sums.missing + sums.phantoms)[:10],
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run("webhooks", FORMS, play, None))
