"""What the store's own Python costs: ``python -m bench.turn``.

A turn records N results and hands out the next N jobs, which is the whole life of N jobs. The statements of one run are
noted with their parameters. Then runs take turns: the store on a copy of the file, and the bare statements on another.
Both times are CPU of the thread that runs SQL, so waiting for the disk is not in them.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dispatcher.core.jobs.model import JobSpec
from dispatcher.core.jobs.states import Event
from dispatcher.core.jobs.terms import Terms
from dispatcher.core.jobs.turn import Cause, Claim, Demand, Ended, Holder, Turn
from dispatcher.store.applier.hand import Ids
from dispatcher.store.sqlite.store import SqliteStore

#: Turns that are run before the clock starts: statements are prepared, caches are filled.
WARM = 4
_HOLDER = Holder("w-0123456789", "worker-1", "boot-0123456789")
_connect = sqlite3.connect

#: (statement, its parameters, whether there are many)
Noted = tuple[str, Any, bool]


class Noting(sqlite3.Connection):
    """Notes what is executed."""

    noted: list[Noted]

    def execute(self, statement: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Notes a statement and runs it."""
        self.noted.append((statement, parameters, False))
        return super().execute(statement, parameters)

    def executemany(self, statement: str, rows: Any, /) -> sqlite3.Cursor:
        """Notes a statement with many parameters and runs it."""
        rows = list(rows)
        self.noted.append((statement, rows, True))
        return super().executemany(statement, rows)


async def _open(path: Path) -> SqliteStore:
    numbers = itertools.count()
    return await SqliteStore.open(path, Ids(lambda: f"j-{next(numbers):026d}", lambda: f"{next(numbers):026d}"))


async def _fill(path: Path, jobs: int) -> None:
    spec = JobSpec(type="t", data='{"n":1,"text":"some words"}', terms=Terms(), fingerprint="f" * 64)
    store = await _open(path)
    for number in range(0, jobs, 1_000):
        some = [spec] * min(1_000, jobs - number)
        await store.apply(Turn(epoch=store.epoch, now_at=1e9, elapsed_s=0.0, submissions=some))
    await store.close()


def _turn(store: SqliteStore, number: int, claims: list[Claim], size: int) -> Turn:
    ends = [
        Ended(claim.attempt, Cause.SUCCEEDED, Event.SUCCEED, _HOLDER, value='{"ok":true}', implies_accept=True)
        for claim in claims
    ]
    return Turn(
        epoch=store.epoch,
        now_at=1e9 + number,
        elapsed_s=0.01 * number,
        reports=list(ends),
        demand=[Demand(0, ("t",), size)],
    )


def _store_cpu_s() -> float:
    [thread] = [one for one in threading.enumerate() if one.name == "store"]
    assert thread.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident))


async def _run(path: Path, turns: int, size: int) -> float:
    """CPU seconds of the store's thread in the turns after the warm ones."""
    store = await _open(path)
    claims: list[Claim] = []
    began = 0.0
    for number in range(WARM + turns):
        if number == WARM:
            began = _store_cpu_s()
        claims = (await store.apply(_turn(store, number, claims, size))).claims
        assert len(claims) == size
    took = _store_cpu_s() - began
    await store.close()
    return took


def _note(path: Path, turns: int, size: int) -> list[Noted]:
    """The statements of one run, from the opening of the file on."""
    opened: list[Noting] = []

    def connect(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = _connect(*args, factory=Noting, **options)
        connection.noted = []
        opened.append(connection)
        return connection

    sqlite3.connect = connect
    try:
        asyncio.run(_run(path, turns, size))
    finally:
        sqlite3.connect = _connect
    return max((one.noted for one in opened), key=len)


def _bare(path: Path, noted: list[Noted]) -> float:
    """CPU seconds of the same statements, as bare as the library runs them."""
    connection = _connect(path, isolation_level=None, cached_statements=512)
    left = WARM + 1
    began = 0.0
    for statement, parameters, many in noted:
        if statement == "BEGIN IMMEDIATE" and left:
            left -= 1
            began = time.thread_time()
        (connection.executemany if many else connection.execute)(statement, parameters).fetchall()
    took = time.thread_time() - began
    connection.close()
    return took


def _copied(directory: Path, measure: Callable[[Path], float]) -> float:
    path = directory / "copy.db"
    shutil.copy(directory / "store.db", path)
    try:
        return measure(path)
    finally:
        for file in directory.glob("copy.db*"):
            file.unlink()


def _measure(size: int, jobs: int, rounds: int, directory: Path) -> str:
    turns = max(8, jobs // size)
    asyncio.run(_fill(directory / "store.db", (turns + WARM) * size))
    noted: list[Noted] = []
    _copied(directory, lambda path: noted.extend(_note(path, turns, size)) or 0.0)
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(_copied(directory, lambda path: asyncio.run(_run(path, turns, size))))
        bare.append(_copied(directory, lambda path: _bare(path, noted)))
    us = 1e6 / (turns * size)
    whole, floor = statistics.median(ours) * us, statistics.median(bare) * us
    return f"{size:9} {whole:12.1f} {floor:10.1f} {whole - floor:12.1f} {whole / floor:7.2f}"


def main() -> None:
    """Prints a line for each number of jobs in a turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 16, 256], help="jobs in a turn")
    parser.add_argument("--jobs", type=int, default=4_096, help="jobs in a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--dir", help="where the files are made")
    options = parser.parse_args()
    print("jobs/turn   store us/job   bare SQL   our code us   ratio")
    for size in options.sizes:
        with tempfile.TemporaryDirectory(dir=options.dir) as directory:
            jobs = options.jobs if size > 1 else options.jobs // 4
            print(_measure(size, jobs, options.rounds, Path(directory)), flush=True)


if __name__ == "__main__":
    main()
