"""A crash at every single system call with which the store changes its files; and an error at every one.

strace kills the process at its N-th ``pwrite64`` (``fdatasync``, ``unlink``, ...), for every N until the part is
played to its end; the parts are in ``steps``, and ``steps_process`` plays them. After each kill the database must be
exactly in the state before the turn that was under way or in the one after it, never between, with every acknowledged
turn in it; and the store must open, take a job and close to one file. The same where a sync answers EIO or every write
from the N-th on ENOSPC.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dispatcher.errors import StorageFull, StorageTrouble, StoreRefused
from dispatcher.store.sqlite.file import migrations
from tests.campaigns.record import Control, Figure, Measure, Record, Skipped, run
from tests.campaigns.steps import BEGINNINGS, PLAYS, NoRoom, desk_on, state, tomorrow
from tests.campaigns.steps_process import Player, surroundings
from tests.support.jobs import spec
from tests.support.places import ROOT

FORMS = {"short": "every 14th point", "default": "all points", "long": "all points, under each fault"}
#: Every so manieth point.
STRIDES = {"short": 14, "default": 1, "long": 1}
#: Errors are rarer than kills in the same places: every so manieth.
ERROR_STRIDES = {"short": 28, "default": 4, "long": 1}
#: Calls that change a file or make a change durable.
CALLS = (
    "pwrite64", "pwritev", "fdatasync", "fsync", "ftruncate", "fallocate", "unlink", "unlinkat", "link", "linkat",
    "rename", "renameat2", "mkdir", "fchmod",
)  # fmt: skip
PATIENCE_S = 60
#: What is made before a migration.
BACKUP = f"jobs.db.schema-{len(migrations())}.backup"


@dataclass(frozen=True, slots=True)
class Point:
    """The N-th call of a kind in a part, and what becomes of it."""

    part: str
    call: str
    number: int
    #: What strace does there: ``signal=KILL``, ``error=EIO`` or ``error=ENOSPC``.
    fault: str
    #: A planted fault of the program (controls).
    planted: str = "none"

    @property
    def injection(self) -> str:
        """For strace."""
        onwards = "+" if self.fault == "error=ENOSPC" else ""
        return f"inject={self.call}:{self.fault}:when={self.number}{onwards}"

    def __str__(self) -> str:
        return f"{self.part}, {self.call} {self.number}, {self.fault}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one point did."""

    point: Point
    status: int
    acknowledged: int
    wrong: list[str]


class Stage:
    """Where each part begins, and the states that it goes through."""

    def __init__(self, directory: Path, player: Player) -> None:
        self._directory, self._player = directory, player
        self.states: dict[str, list[str | None]] = {}
        for part, beginning in BEGINNINGS.items():
            fixture = directory / part
            fixture.mkdir()
            if beginning is not None:
                shutil.copytree(directory / beginning[0], fixture, dirs_exist_ok=True)
                _python(fixture, beginning[0], "expect", str(beginning[1]))
            scratch = self.copy(part)
            self.states[part] = json.loads(_python(scratch, part, "expect", "1000"))
            shutil.rmtree(scratch)

    def copy(self, part: str) -> Path:
        """A new directory in which the part can be played."""
        scratch = Path(tempfile.mkdtemp(dir=self._directory))
        shutil.copytree(self._directory / part, scratch, dirs_exist_ok=True)
        return scratch

    def count(self, part: str) -> Counter[str]:
        """How often each call is made in the part, in the store's thread."""
        scratch = self.copy(part)
        log = scratch.with_suffix(".strace")
        self._player.play([str(scratch), part, "none"], log, [f"trace={','.join(CALLS)}"])
        made: list[tuple[str, str]] = re.findall(r"^(\d+) +(\w+)\(", log.read_text(), re.MULTILINE)
        shutil.rmtree(scratch)
        (store,) = {thread for thread, call in made if call == "pwrite64"}
        return Counter(call for thread, call in made if thread == store)

    def play(self, point: Point) -> Outcome:
        """One run with its fault, and a look at what it left."""
        scratch = self.copy(point.part)
        log = scratch.with_suffix(".strace")
        try:
            traced = "pwrite64,fdatasync" if point.call == "fdatasync" else point.call
            words = [str(scratch), point.part, point.planted]
            status, said = self._player.play(words, log, [f"trace={traced}", point.injection])
            wrong = [*self._status(point, status, log), *self._look(scratch, point.part, said.count("."))]
            return Outcome(point, status, said.count("."), [f"{point}: {text}" for text in wrong])
        finally:
            shutil.rmtree(scratch)
            log.unlink(missing_ok=True)

    def _status(self, point: Point, status: int, log: Path) -> Iterable[str]:
        allowed = {"signal=KILL": {-9}, "error=EIO": {0, 3, 4}, "error=ENOSPC": {0, 3, 4, 5}}[point.fault]
        if status not in allowed:
            yield f"exit status {status}"
        if point.fault == "error=EIO" and status == 0 and _failed_in_commit(log.read_text()):
            yield "a commit's sync failed, and the store went on"

    def _look(self, directory: Path, part: str, acknowledged: int) -> Iterable[str]:
        states = self.states[part]
        allowed = states[acknowledged : acknowledged + 2]
        now = state(directory)
        if not allowed:
            yield f"{acknowledged} steps are acknowledged, of {len(states) - 1}"
        elif now not in allowed:
            yield f"after {acknowledged} acknowledged steps, it is in {_where(now, states)}"
        if now is None and (directory / "jobs.db-wal").exists():
            yield "a WAL without its database"
        yield from self._use(directory, part, [*states[max(acknowledged, 1) :][:2], *states[acknowledged + 1 :][:1]])

    def _use(self, directory: Path, part: str, allowed: list[str | None]) -> Iterable[str]:
        """The store opens, is as it was, works, and closes to one file."""
        try:
            desk = desk_on(directory, part)
        except StoreRefused as error:
            yield f"it does not open: {error}"
            return
        try:
            if state(directory) not in allowed:
                yield "opening it has changed its state"
            desk._job_ids = (name for name in ["job-after"])
            (job,) = desk.submit(spec(key="after"))
            if str(desk.job(job.id).state) != "queued":
                yield "it does not work after the crash"
        except (StorageTrouble, StorageFull, NoRoom) as error:
            yield f"it does not work after the crash: {error}"
        finally:
            desk.end()
        if left := sorted({path.name for path in directory.iterdir()} - {"jobs.db", "jobs.db.ballast", BACKUP}):
            yield f"left behind: {left}"
        if (directory / BACKUP).exists() and _versions(directory) != (len(migrations()) - 1, len(migrations())):
            yield f"schemas of backup and store: {_versions(directory)}"


def _versions(directory: Path) -> tuple[int, ...]:
    """The schemas of the backup and of the store."""
    found = []
    for name in (BACKUP, "jobs.db"):
        database = sqlite3.connect(directory / name)
        found.append(int(database.execute("PRAGMA user_version").fetchone()[0]))
        database.close()
    return tuple(found)


def _where(now: str | None, states: list[str | None]) -> str:
    if now in states:
        return f"the state after step {states.index(now)}"
    return "no file" if now is None else f"a state between: {_difference(now, states)}"


def _difference(now: str, states: list[str | None]) -> str:
    found = json.loads(now)
    nearest: list[str] = min(
        ([name for name in found if found[name] != json.loads(known).get(name)] for known in states if known), key=len
    )
    return f"other than the nearest in {nearest}, integrity {found['integrity']}"


def _failed_in_commit(log: str) -> bool:
    """Whether the sync that failed came right after a write to the WAL: then it was a commit's."""
    lines = log.splitlines()
    at = next((number for number, line in enumerate(lines) if "(INJECTED)" in line), 0)
    return at > 0 and "-wal>" in lines[at] and "pwrite64" in lines[at - 1] and "-wal>" in lines[at - 1]


def _python(directory: Path, *words: str) -> bytes:
    program = [sys.executable, "-m", "tests.campaigns.steps", str(directory), *words]
    done = subprocess.run(
        program, cwd=ROOT, env=surroundings(directory.parent), stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S
    )
    return done.stdout


def _need_strace() -> None:
    if shutil.which("strace") is None:
        raise Skipped("needs strace (Debian: apt-get install strace)")
    tried = subprocess.run(["strace", "-qq", "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise Skipped(f"strace may not trace here: {tried.stderr.strip()}")


def _points(counts: dict[str, Counter[str]], form: str, offset: int) -> list[Point]:
    """The points of each kind of fault, every so manieth."""
    kills = [
        Point(part, call, number, "signal=KILL")
        for part, calls in counts.items()
        for call, most in sorted(calls.items())
        for number in range(1, most + 1)
    ]
    syncs = [Point(p.part, p.call, p.number, "error=EIO") for p in kills if p.call == "fdatasync"]
    writes = [Point(p.part, p.call, p.number, "error=ENOSPC") for p in kills if p.call == "pwrite64"]
    stride, errors = STRIDES[form], ERROR_STRIDES[form]
    some = max(1, errors // 4)  # syncs are few
    return kills[offset % stride :: stride] + syncs[offset % some :: some] + writes[offset % errors :: errors]


def _play_all(stage: Stage, points: list[Point]) -> list[Outcome]:
    """One is played while another is looked at; part by part, for the program is another one while it migrates."""
    outcomes: list[Outcome] = []
    for part in PLAYS:
        with tomorrow(part), ThreadPoolExecutor(max_workers=2) as pool:
            outcomes += pool.map(stage.play, [point for point in points if point.part == part])
    return outcomes


def _controls(stage: Stage, counts: dict[str, Counter[str]], rng: random.Random, each: int) -> list[Control]:
    most = counts["work"]["pwrite64"]
    numbers = range(rng.randrange(1, most // each), most, most // each)
    controls = []
    for planted, words in (
        ("no-transactions", "a store without transactions, killed at a write"),
        ("acknowledge-first", "a store that acknowledges before it commits, killed at a write"),
    ):
        points = [Point("work", "pwrite64", number, "signal=KILL", planted) for number in numbers]
        outcomes = _play_all(stage, points)
        controls.append(Control(words, sum(bool(o.wrong) for o in outcomes), len(outcomes), "points"))
    return controls


def play(form: str, seed: int) -> Record:
    """The campaign and its controls."""
    _need_strace()
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="pagehand-syscalls-") as name, Player(Path(name)) as player:
        stage = Stage(Path(name), player)
        counts = {part: stage.count(part) for part in PLAYS}
        beyond = [Point(part, "pwrite64", calls["pwrite64"] + 1, "signal=KILL") for part, calls in counts.items()]
        survived = [outcome.status == 0 for outcome in _play_all(stage, beyond)]
        outcomes = _play_all(stage, _points(counts, form, rng.randrange(1 << 16)))
        controls = _controls(stage, counts, rng, 8 if form == "short" else 40)
    if not all(survived):
        raise AssertionError("calls are not the same in each run: the points do not cover a part")
    return _record(counts, outcomes, controls)


def _record(counts: dict[str, Counter[str]], outcomes: list[Outcome], controls: list[Control]) -> Record:
    by_fault: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_fault.setdefault(outcome.point.fault, []).append(outcome)

    total = sum(sum(calls.values()) for calls in counts.values())
    calls: Counter[str] = sum(counts.values(), Counter())

    def figure(fault: str, what: str, promise: str) -> Figure:
        found = by_fault.get(fault, [])
        there_are = {"signal=KILL": total, "error=EIO": calls["fdatasync"], "error=ENOSPC": calls["pwrite64"]}
        wrong = sum(bool(outcome.wrong) for outcome in found)
        return Figure(what, wrong, len(found), "points", promise, exhaustive=len(found) == there_are[fault])

    kinds = ", ".join(f"{number} {call}" for call, number in calls.most_common())
    stopped = sum(outcome.status in (3, 4) for outcome in by_fault.get("error=EIO", []))
    return Record(
        campaign="syscalls",
        figures=[
            figure("signal=KILL", "killed at a system call: a state between, an acknowledgement lost, unusable",
                   "I1, I17, I29"),
            figure("error=EIO", "a sync answers EIO: acknowledged all the same, gone on with, unusable",
                   "S23"),
            figure("error=ENOSPC", "the disk is full from this write on: acknowledged all the same, unusable",
                   "S23"),
        ],
        measures=[
            Measure("system calls that change the store's files, in all parts", total, f"calls ({kinds})"),
            Measure("syncs that failed at which the store stopped", stopped, "(the others were a checkpoint's)"),
        ],
        controls=controls,
        notes=[f"Parts: {', '.join(PLAYS)}; a checkpoint is met every 48 frames instead of every 1,000."],
        violations=[text for outcome in outcomes for text in outcome.wrong][:20],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    return run("syscalls", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
