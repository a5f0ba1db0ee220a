"""Damage that SQLite passes over in silence, or cannot name, is seen; and nothing is refused that a crash leaves."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from dispatcher.errors import StoreRefused
from dispatcher.store.sqlite.file import connect, migrations
from dispatcher.store.sqlite.wal import damaged_frame

TRANSACTIONS = 6
PAGE = 1024
FRAME = 24 + PAGE


@pytest.fixture
def store(quick_path: Path) -> Path:
    """A database whose log holds some transactions, the first of them of many frames; and behind them older frames."""
    path = quick_path / "some.db"
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in (f"page_size = {PAGE}", "journal_mode = WAL", "wal_autocheckpoint = 0", "secure_delete = OFF"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE t (x)")
    database.execute("INSERT INTO t VALUES (zeroblob(60000))")
    database.execute("PRAGMA wal_checkpoint(RESTART)")
    database.execute("DELETE FROM t")
    for number in range(1, TRANSACTIONS):
        database.execute("INSERT INTO t VALUES (zeroblob(?))", (3000 * (number == 1),))
    files = {name: Path(f"{path}{name}").read_bytes() for name in ("", "-wal")}
    database.close()
    for name, content in files.items():
        Path(f"{path}{name}").write_bytes(content)
    return path


def _recovered(store: Path, log: bytes) -> int:
    """Of the log's transactions, how many SQLite has after a crash that left this log."""
    copy = store.with_name("copy.db")
    copy.write_bytes(store.read_bytes())
    copy.with_name("copy.db-wal").write_bytes(log)
    database = sqlite3.connect(copy)
    rows, largest = database.execute("SELECT count(*), max(length(x)) FROM t").fetchone()
    database.close()
    return 0 if largest == 60_000 else 1 + int(rows)


def _frames(log: bytes) -> list[tuple[int, bool]]:
    """(where, whether it ends a transaction) of each frame of the newest round."""
    starts = range(32, len(log) - FRAME + 1, FRAME)
    return [(at, log[at + 4 : at + 8] != bytes(4)) for at in starts if log[at + 8 : at + 16] == log[16:24]]


def test_the_log_as_a_crash_leaves_it_is_sound_wherever_it_ends(store: Path) -> None:
    wal = store.with_name("some.db-wal")
    log = wal.read_bytes()
    assert _recovered(store, log) == TRANSACTIONS
    assert len(log) > 32 + FRAME * len(_frames(log)), "there are older frames behind the new ones"
    for end in [0, 10, 31, 32, *range(33, len(log), 499), len(log)]:
        wal.write_bytes(log[:end])
        assert damaged_frame(wal, PAGE) is None, end
    wal.unlink()
    assert damaged_frame(wal, PAGE) is None


def test_a_torn_last_transaction_is_sound_and_one_before_it_is_not(store: Path) -> None:
    wal = store.with_name("some.db-wal")
    log = wal.read_bytes()
    ends = [number for number, (_, end) in enumerate(_frames(log)) if end]
    assert len(ends) == TRANSACTIONS
    for number, (at, _) in enumerate(_frames(log)):
        for junk in (bytes(512), b"\xff" * 512):
            wal.write_bytes(log[: at + 24] + junk + log[at + 24 + 512 :])
            if wal.read_bytes() == log:
                continue
            lost = TRANSACTIONS - _recovered(store, wal.read_bytes())
            assert (damaged_frame(wal, PAGE) is not None) is (lost > 1), number
            assert (lost > 1) is (number <= ends[-2])


def test_any_flipped_bit_that_loses_more_than_the_last_transaction_is_seen(store: Path) -> None:
    wal, rng = store.with_name("some.db-wal"), random.Random(7)
    log = wal.read_bytes()
    frames = _frames(log)
    # What proves that the last transaction but one was acknowledged: its end is marked, and its checksum goes on.
    last = next(at for at, end in reversed(frames[:-1]) if end)
    proof = {*range(last + 4, last + 8), *range(last + 16, last + 24)}
    seen = 0
    places = [*range(4, 32), *(rng.randrange(32, frames[-1][0] + FRAME) for _ in range(150))]
    places += [at + offset for at, _ in frames for offset in (0, 5, 9, 13, 17, 21)]
    for place in places:
        content = bytearray(log)
        content[place] ^= 1 << rng.randrange(8)
        wal.write_bytes(content)
        lost = TRANSACTIONS - _recovered(store, bytes(content))
        found = damaged_frame(wal, PAGE)
        seen += found is not None
        if place not in proof:
            assert (found is not None) is (lost > 1), (place, lost, found)
    assert seen > 100


@pytest.mark.parametrize("junk", [b"\xff" * 8, b"x" * 8, bytes(8)])
def test_a_damaged_schema_is_refused_and_not_touched(quick_path: Path, junk: bytes) -> None:
    path = quick_path / "jobs.db"
    connect(path)[0].close()
    sound = path.read_bytes()
    # The name too: SQLite's message quotes it, text or not.
    content = sound.replace(b"CREATE TABLE jobs", junk + b"ABLE jobs").replace(b"tablejobsjobs", b"table" + junk)
    assert len(content) == len(sound)
    assert content.count(b"tablejobsjobs") < sound.count(b"tablejobsjobs")
    path.write_bytes(content)
    with pytest.raises(StoreRefused, match=r"is damaged .*restore a backup; nothing was changed"):
        connect(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("junk", [b"\xff" * 512, bytes(512), b"\x00" * 16 + b"\xff" * 4080])
def test_a_beginning_that_a_power_cut_has_torn_is_mended_from_the_log_and_not_without_it(
    quick_path: Path, junk: bytes
) -> None:
    path, copy = quick_path / "jobs.db", quick_path / "copy.db"
    connection = connect(path).connection
    connection.execute("INSERT INTO lanes (name, type) VALUES ('kept', 'kept')")
    connection.execute(f"PRAGMA user_version = {len(migrations())}")  # the first page goes into the log
    copy.write_bytes(junk + path.read_bytes()[len(junk) :])
    log = path.with_name("jobs.db-wal").read_bytes()
    connection.close()
    with pytest.raises(StoreRefused, match="its beginning is damaged: restore a backup"):
        connect(copy)
    copy.with_name("copy.db-wal").write_bytes(log)
    mended, created, _ = connect(copy)
    assert mended.execute("SELECT type FROM lanes").fetchall() == [("kept",)]
    mended.close()
    assert not created
    assert copy.read_bytes().startswith(b"SQLite format 3\0")
