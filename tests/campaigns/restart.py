"""A start with a hundred thousand queued and five thousand running jobs, after a crash: how long, and how much memory.

The store is made by turns and left as a kill leaves it, with its WAL full; then the real server starts on it, and a
page comes as soon as it is ready.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from dispatcher import ids
from dispatcher.clock import SystemClock
from dispatcher.core.jobs.turn import Demand, Started
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.store.contract import DURABLE, HOLDER, Desk
from tests.support.jobs import spec
from tests.support.places import ROOT
from tests.support.process import ServerProcess, farm_for

FORMS = {
    "short": "10,000 queued and 500 running",
    "default": "100,000 queued and 5,000 running",
    "long": "100,000 queued and 5,000 running, three times",
}
QUEUED = {"short": 10_000, "default": 100_000, "long": 100_000}
RUNNING = {"short": 500, "default": 5_000, "long": 5_000}
TIMES = {"short": 1, "default": 1, "long": 3}
TURN = 500
READY_S, OFFER_S, RSS_MIB = 5.0, 1.0, 200.0


def build(directory: Path, queued: int, running: int) -> None:
    """Makes the store. Its process must end without closing it."""
    clock = SystemClock()
    desk = Desk(DURABLE[0], directory)
    desk.now_at = clock.utc()
    desk._job_ids = (ids.new_job_id(clock) for _ in range(1 << 40))
    desk._attempt_ids = (ids.new_attempt_id() for _ in range(1 << 40))
    for first in range(0, queued + running, TURN):
        jobs = [spec(data=f'"job {first + n} {"x" * 100}"', key=f"key-{first + n}") for n in range(TURN)]
        claims = desk.turn(submissions=jobs, demand=[Demand(1, ("echo",), TURN)] if first < running else []).claims
        if claims:
            desk.turn(reports=[Started(claim.attempt, HOLDER) for claim in claims])


def _rss_mib(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise KeyError(name)


async def _start(directory: Path) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    server = ServerProcess(directory)
    began = loop.time()
    await server.start()
    ready = loop.time()
    farm = farm_for(server)
    try:
        await farm.start()
        await farm.until(lambda: bool(farm.executed), timeout_s=20)
        offered = loop.time()
        counts = (await server.get("/api/v1/stats"))["jobs"]
        rss = [_rss_mib(server.process.pid, name) for name in ("VmRSS", "VmHWM")]
    finally:
        await farm.stop()
        await server.kill()
    server.assert_clean_log()
    return {"ready_s": ready - began, "offer_s": offered - ready, "counts": counts, "rss": max(rss)}


def _missing(directory: Path, jobs: int, *, unplug: bool = False) -> int:
    """How many of the jobs are not there, or have no data."""
    database = sqlite3.connect(directory / "jobs.db")
    if unplug:
        database.execute("DELETE FROM job_data WHERE seq IN (SELECT seq FROM job_data LIMIT 3)")
    (found,) = database.execute("SELECT count(*) FROM jobs JOIN job_data USING (seq) WHERE key IS NOT NULL").fetchone()
    database.close()
    return jobs - int(found)


def play(form: str, seed: int) -> Record:
    """The campaign and its control."""
    jobs, found = QUEUED[form] + RUNNING[form], []
    missing = unplugged = 0
    with tempfile.TemporaryDirectory(prefix="pagehand-restart-") as name:
        for number in range(TIMES[form]):
            directory = Path(name) / str(number)
            directory.mkdir()
            subprocess.run(
                [sys.executable, "-m", "tests.campaigns.restart", "--build", str(directory), form],
                cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, timeout=300,
            )  # fmt: skip
            found.append(asyncio.run(_start(directory)))
            missing += _missing(directory, jobs)
            unplugged = _missing(directory, jobs, unplug=True)
    running = [each["counts"]["running"] for each in found]
    return Record(
        campaign="restart",
        figures=[
            Figure("jobs missing after the start", missing, jobs * TIMES[form], "jobs", "I1, S18"),
            Figure("running attempts given up instead of kept for the grace",
                   sum(max(0, RUNNING[form] - number) for number in running), RUNNING[form] * TIMES[form],
                   "running attempts", "S18"),
        ],
        measures=[
            Measure("start of the process to ready", round(max(each["ready_s"] for each in found), 2), "s", READY_S),
            Measure("ready to the first job in a page", round(max(each["offer_s"] for each in found), 2), "s", OFFER_S),
            Measure("most resident memory", round(max(each["rss"] for each in found), 1), "MiB", RSS_MIB),
        ],
        controls=[Control("a store without the data of three jobs", unplugged, jobs, "jobs")],
        notes=[f"{FORMS[form]}; the store is left as a kill leaves it. Of several starts, the worst."],
    )  # fmt: skip


def main() -> int:
    """The command line."""
    if sys.argv[1:2] == ["--build"]:
        build(Path(sys.argv[2]), QUEUED[sys.argv[3]], RUNNING[sys.argv[3]])
        os._exit(0)
    return run("restart", FORMS, play, None)


if __name__ == "__main__":
    sys.exit(main())
