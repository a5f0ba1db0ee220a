"""One server on one file: the lock, what would drop it, and that nothing in the server does."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.errors import StoreRefused
from dispatcher.store.sqlite.file import connect
from tests.store.conftest import OpenDesk
from tests.store.contract import DURABLE

ROOT = Path(__file__).resolve().parents[3]
SQLITE = next(kind for kind in DURABLE if kind.name == "sqlite")


class Holder:
    """A process of ``holder.py``."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.sqlite.holder", str(directory)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "open"

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, word: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    held = Holder(tmp_path)
    yield held
    held.end()


def _write(path: Path) -> None:
    """Another process writes to the database."""
    database = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE meta SET value = 5.0 WHERE name = 'queue_clock'")
        database.execute("COMMIT")
    finally:
        database.close()


def test_nobody_else_can_read_or_write_while_a_server_holds_the_store(holder: Holder, tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            _write(path)
        reader = sqlite3.connect(path, timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            reader.execute("SELECT count(*) FROM jobs").fetchone()
        reader.close()
        assert holder.say("apply") == "done"


def test_opening_and_closing_the_file_in_the_server_would_let_others_write(holder: Holder, tmp_path: Path) -> None:
    """The negative control: this trap is why nothing in the server may open the file."""
    holder.say("apply")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _write(tmp_path / "jobs.db")
    assert holder.say("plant") == "done"
    _write(tmp_path / "jobs.db")


def test_fault_B14_a_busy_server_opens_its_file_once_through_sqlite_and_never_by_itself(
    holder: Holder, tmp_path: Path
) -> None:
    assert holder.say("busy") == "done"
    assert holder.say("opened") == "sqlite3.connect"
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _write(tmp_path / "jobs.db")
    # The watch would have seen it.
    holder.say("plant")
    assert holder.say("opened") == "sqlite3.connect open"


def test_a_store_that_exists_is_looked_at_before_sqlite_opens_it_and_not_after(tmp_path: Path) -> None:
    Holder(tmp_path).end()
    again = Holder(tmp_path)
    again.say("busy")
    assert again.say("opened") == "open sqlite3.connect"
    again.end()


def test_the_lock_goes_with_the_process_however_it_ends(holder: Holder, tmp_path: Path, open_desk: OpenDesk) -> None:
    holder.say("apply")
    holder.say("kill")
    assert holder.process.wait(10) == -9
    second = Holder(tmp_path)
    assert second.say("apply") == "done"
    second.end()
    database = sqlite3.connect(tmp_path / "jobs.db")
    assert database.execute("SELECT count(*) FROM jobs").fetchone() == (2,)
    database.close()


@pytest.mark.parametrize("name", ["SQLITE_IOERR_DELETE_NOENT", "SQLITE_READONLY_DBMOVED", "SQLITE_BUSY_RECOVERY"])
def test_whatever_sqlite_calls_it_a_store_that_another_server_holds_is_in_use(
    holder: Holder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of servers that begin at once on a new file, some meet the other's journal as it goes (measured)."""
    holder.say("apply")

    def failing(*_: object, **__: object) -> sqlite3.Connection:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorname = name
        raise error

    monkeypatch.setattr(sqlite3, "connect", failing)
    with pytest.raises(StoreRefused, match="is in use by another server"):
        connect(tmp_path / "jobs.db")


def test_settings_of_the_connection_are_those_that_lose_nothing(open_desk: OpenDesk) -> None:
    store = open_desk(SQLITE)
    pragmas = {"synchronous": 2, "journal_mode": "wal", "locking_mode": "exclusive"}

    def read() -> dict[str, object]:
        return {name: store.store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas}  # type: ignore[attr-defined]

    assert store.run(store.store._thread.run(read)) == pragmas  # type: ignore[attr-defined]
