"""Backups of a real server under load: each opens, is whole, and holds every job that was acknowledged before it.

Clients submit without a pause and pages work, while one backup after the other is made. A backup is then read as a
store that nobody has open. The control takes a copy of the store's file instead, as people do: it lacks what stands in
the log, or is torn.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from dispatcher.store.sqlite.file import connect
from tests.campaigns.record import Control, Figure, Measure, Record, run
from tests.support.process import ServerProcess, farm_for, serving
from tests.support.waiting import eventually

FORMS = {"short": "3 backups", "default": "20 backups", "long": "50 backups"}
TIMES = {"short": 3, "default": 20, "long": 50}
#: Jobs that stand in the store before the first backup: its file is some megabytes.
STANDING = 2_000
CLIENTS, PAGES = 4, 4
_DATA = "x" * 2_000


class Load:
    """Clients that submit one job after the other, and know which were acknowledged."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.acknowledged: list[str] = []
        #: How long each acknowledgement took, by whether a backup was being made.
        self.took_s: dict[bool, list[float]] = {False: [], True: []}
        self.is_backed_up = False
        self._numbers = count()

    async def submit(self) -> None:
        """Until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began, busy = loop.time(), self.is_backed_up
            job = await self._server.submit([next(self._numbers), _DATA])
            self.acknowledged.append(job["id"])
            self.took_s[busy].append(loop.time() - began)

    async def until(self, least: int) -> None:
        """Returns when so many are acknowledged."""
        await eventually(lambda: len(self.acknowledged) >= least, what="acknowledged jobs")

    async def fill(self) -> None:
        """Jobs that stand there before."""
        for _ in range(STANDING // 500):
            lines = [{"type": "stays", "data": [next(self._numbers), _DATA]} for _ in range(500)]
            answer = await self._server.request("POST", "/api/v1/jobs/batch", lines)
            assert answer.status == 201, answer
            self.acknowledged += [job["id"] for job in answer.json()["items"]]


async def back_up(server: ServerProcess) -> str:
    """Makes a backup; returns its name."""
    begun = await server.request("POST", "/api/v1/backups", {})
    assert begun.status == 202, begun
    address = begun.headers["location"]

    async def is_over() -> bool:
        return bool((await server.get(address))["state"] != "running")

    await eventually(is_over, what="the end of the backup")
    made = await server.get(address)
    assert made["state"] == "done", made
    name: str = made["name"]
    return name


def faults(copy: Path, acknowledged: list[str]) -> Iterator[str]:
    """What is wrong with a copy that should hold these jobs."""
    try:
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as alone:
            (sound,) = alone.execute("PRAGMA integrity_check(1)").fetchone()
            if sound != "ok":
                yield f"{copy.name} is damaged: {sound}"
            held = {row[0] for row in alone.execute("SELECT id FROM jobs JOIN job_data USING (seq)")}
    except sqlite3.Error as error:
        yield f"{copy.name} cannot be read: {error}"
        return
    missing = [job for job in acknowledged if job not in held]
    if missing:
        yield f"{copy.name} lacks {len(missing)} of {len(acknowledged)} jobs"


def opens(copy: Path, directory: Path) -> str | None:
    """What hinders the copy from being a store; None: nothing."""
    directory.mkdir()
    placed = directory / "jobs.db"
    shutil.copyfile(copy, placed)
    try:
        connection, created, _ = connect(placed)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return f"{copy.name} does not open: {error}"
    connection.close()
    return "it was made anew" if created else None


async def _play(times: int, directory: Path) -> tuple[list[str], list[str], int, Load]:
    violations: list[str] = []
    torn: list[str] = []
    checked = 0
    async with serving(directory, "--backups-kept", "100") as server:
        load, farm = Load(server), farm_for(server, workers=PAGES, transport="both")
        await load.fill()
        await farm.start()
        clients = [asyncio.create_task(load.submit()) for _ in range(CLIENTS)]
        try:
            for number in range(times):
                await load.until(STANDING + 40 * (number + 1))
                before, load.is_backed_up = list(load.acknowledged), True
                name = await back_up(server)
                load.is_backed_up = False
                copy = directory / "backups" / name
                violations += faults(copy, before)
                if (refused := opens(copy, directory / f"opened-{number}")) is not None:
                    violations.append(refused)
                shutil.rmtree(directory / f"opened-{number}")
                checked += len(before)
                before = list(load.acknowledged)
                shutil.copyfile(server.store, directory / "copied.db")
                torn += faults(directory / "copied.db", before)
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)
            await farm.stop()
    return violations, torn, checked, load


def _p99_ms(took_s: list[float]) -> float:
    return round(1000 * sorted(took_s)[int(0.99 * len(took_s))], 1) if took_s else 0.0


def play(form: str, seed: int) -> Record:
    """The campaign and its control."""
    times = TIMES[form]
    with tempfile.TemporaryDirectory(prefix="pagehand-backup-") as name:
        violations, torn, checked, load = asyncio.run(_play(times, Path(name)))
    return Record(
        campaign="backup",
        figures=[
            Figure("backups that do not open, are damaged, or lack a job acknowledged before", len(violations), times,
                   "backups", "I1"),
            Figure("acknowledged jobs looked for in them and not found", sum("lacks" in each for each in violations),
                   checked, "jobs", "I1"),
        ],
        measures=[
            Measure("99 of 100 submissions while none is made", _p99_ms(load.took_s[False]), "ms"),
            Measure("99 of 100 submissions while a backup is made", _p99_ms(load.took_s[True]), "ms"),
        ],
        controls=[Control("a copy of the file while the server runs, as cp makes it", len(torn), times, "copies")],
        notes=[f"{FORMS[form]}, with {CLIENTS} clients that submit without a pause and {PAGES} pages."],
        violations=violations,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(run("backup", FORMS, play, None))
