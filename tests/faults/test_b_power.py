"""Power cuts that tear, lose and reorder what was not synced, at any write of the store's work (fault B2; S1, I1, I29).

The production store's turns, statements and settings run on SQLite over a disk in memory (``torn_disk``); what a cut
leaves is put into a directory and opened by the store as it is, with Python's own SQLite. Controls with less than
``synchronous=FULL`` must lose what was acknowledged. ``PAGEHAND_FAULTS=long`` makes some thousand cuts.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from dispatcher.errors import StoreRefused
from dispatcher.store.applier.hand import Ids
from dispatcher.store.sqlite import file as sqlite_file
from dispatcher.store.sqlite import log_mark
from dispatcher.store.sqlite.store import SqliteStore
from dispatcher.store.thread import StoreThread
from tests.campaigns.writer import state_is_wrong, turns
from tests.faults.long_form import LONG
from tests.faults.torn_disk import TornDisk
from tests.store.contract import DURABLE, Desk

CUTS, CONTROL_CUTS = (4_000, 400) if LONG else (150, 40)
#: How many cuts one disk has; then comes a new disk.
CUTS_EACH = 50
#: Turns after which the store moves the log into the database; few, so that many cuts meet it.
MOVE_EVERY = 6
_numbers = itertools.count(1)


class _Reserve:
    """A disk in memory is never full."""

    def low(self) -> bool:
        return False


class _Watch:
    """Its files never change from outside."""

    def look(self) -> None:
        pass


class _Mark(log_mark.LogMark):
    """The log is on no real disk: so many turns stand for so many frames."""

    _turns = 0

    def _is_long(self) -> bool:
        self._turns += 1
        return self._turns % MOVE_EVERY == 0


class TornStore(SqliteStore):
    """The production store over another connection."""

    disk: TornDisk
    #: The settings that differ from production.
    synchronous: str

    def _start(self) -> None:
        database: Any = apsw.Connection(str(self._path), vfs=self.disk.name)
        pragmas = [*sqlite_file.PRAGMAS, *([f"synchronous = {self.synchronous}"] if self.synchronous else [])]
        for pragma in pragmas:
            database.execute(f"PRAGMA {pragma}")
        log_mark.take_lock(database)
        self._db, self._reserve, self._watch = database, _Reserve(), _Watch()  # type: ignore[assignment]
        self._read()
        self._mark = _Mark(database, self._path)
        self._mark.begin(None)


class TornDesk(Desk):
    """A desk on such a store."""

    def __init__(self, disk: TornDisk, synchronous: str) -> None:
        self._disk, self._synchronous = disk, synchronous
        super().__init__(DURABLE[0], Path("/"))

    def open(self, **limits: int) -> None:
        self.store = self.run(self._opened())
        self._is_open = True

    async def _opened(self) -> TornStore:
        ids = Ids(lambda: next(self._job_ids), lambda: next(self._attempt_ids))
        store = TornStore(Path("jobs.db"), StoreThread(self._runner.get_loop()), ids, self._limits)
        store.disk, store.synchronous = self._disk, self._synchronous
        await store._thread.run(store._start)
        return store


class Cutter:
    """Keeps what a power cut would leave, at moments drawn beforehand, while the store works."""

    def __init__(self, rng: random.Random, cuts: int) -> None:
        self.rng = rng
        self.acknowledged = 0
        #: (turns acknowledged, the files that are left)
        self.left: list[tuple[int, dict[str, bytes]]] = []
        self._cuts = cuts
        self._wait = rng.randrange(100)
        self.disk: TornDisk | None = None

    def moment(self) -> None:
        """Something is about to happen to the disk."""
        self._wait -= 1
        if self._wait > 0 or self.done() or self.disk is None:
            return
        self._wait = self.rng.randrange(1, 40)
        self.left.append((self.acknowledged, self.disk.after_cut(self.rng)))

    def done(self) -> bool:
        return len(self.left) >= self._cuts


def _cuts(made: dict[str, bytes], count: int, synchronous: str, seed: int) -> Iterator[tuple[int, dict[str, bytes]]]:
    rng = random.Random(seed)
    for _ in range(0, count, CUTS_EACH):
        cutter = Cutter(rng, min(CUTS_EACH, count))
        disk = TornDisk(f"torn-{next(_numbers)}", made, cutter.moment)
        desk = TornDesk(disk, synchronous)
        cutter.disk = disk
        for cutter.acknowledged in turns(desk):
            if cutter.done():
                break
        assert synchronous or disk.syncs > cutter.acknowledged
        desk.end()
        yield from cutter.left


def _wrong(place: Path, acknowledged: int, files: dict[str, bytes]) -> list[str]:
    """What is wrong when the store is opened on what a cut has left."""
    for old in place.iterdir():
        old.unlink()
    for name, content in files.items():
        (place / name).write_bytes(content)
    if "jobs.db" not in files:
        return ["lost: there is no file"]
    try:
        sqlite_file.connect(place / "jobs.db")[0].close()
    except StoreRefused as error:
        return [f"refused: {error}"]
    return state_is_wrong(place / "jobs.db", acknowledged)


@pytest.fixture
def made(quick_path: Path) -> dict[str, bytes]:
    """A new store, made and closed in production's way."""
    Desk(DURABLE[0], quick_path).end()
    content = (quick_path / "jobs.db").read_bytes()
    for path in quick_path.iterdir():
        path.unlink()
    return {"jobs.db": content}


def test_fault_B02_a_power_cut_that_tears_and_loses_what_was_not_synced_loses_nothing_acknowledged(
    made: dict[str, bytes], quick_path: Path
) -> None:
    acknowledged, cuts = 0, 0
    for number, files in _cuts(made, CUTS, "", 1):
        assert _wrong(quick_path, number, files) == [], f"cut {cuts}, after {number} turns"
        acknowledged, cuts = acknowledged + number, cuts + 1
    assert cuts == CUTS
    assert acknowledged > CUTS
    print(f"{cuts} cuts, {acknowledged} turns acknowledged before them, none lost")


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_store_that_syncs_less_loses_what_it_acknowledged(
    made: dict[str, bytes], quick_path: Path, synchronous: str
) -> None:
    """The negative control of B2."""
    wrong = [_wrong(quick_path, number, files) for number, files in _cuts(made, CONTROL_CUTS, synchronous, 2)]
    bad = sum(bool(found) for found in wrong)
    print(f"{synchronous}: {bad} of {len(wrong)} cuts")
    assert bad > len(wrong) // 4
