"""A store that was in use and has lost its log says so; one whose log another program has moved in opens (S23)."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dispatcher.errors import StoreRefused
from dispatcher.store.sqlite import log_mark
from dispatcher.store.sqlite.file import connect, migrations
from dispatcher.store.sqlite.log_mark import LogMark, Mark, mark_alone, mark_of
from tests.store.contract import Desk
from tests.store.sqlite.test_file import SQLITE, made, more_migrations
from tests.support.jobs import spec

__all__ = ["made", "more_migrations"]

#: A log of so many frames is long, in these tests: each of a few turns moves it.
FEW = 12
LOST = r"was in use when its server ended, and .*/{0}-wal with its newest changes is {1}: put the -wal back"


@pytest.fixture(params=[0, 1, 7, 40], ids=lambda turns: f"{turns} turns")
def killed(request: pytest.FixtureRequest, quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, int]:
    """File and log as a kill -9 leaves them after some turns, and how many jobs they hold."""
    monkeypatch.setattr(log_mark, "LONG_FRAMES", FEW)
    return _killed(quick_path, request.param), request.param


def _killed(directory: Path, turns: int) -> Path:
    """The server was started twice, so that its file was closed once in good order."""
    desk = Desk(SQLITE, directory)
    desk.reopen()
    for _ in range(turns):
        desk.submit(spec(data='"' + "x" * 3000 + '"'))
    killed = _copied(directory / "jobs.db", directory / "killed")
    desk.end()
    return killed


def _copied(path: Path, directory: Path) -> Path:
    """File and log, as a kill -9 would leave them now."""
    directory.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copyfile(path.with_name(name), directory / name)
    return directory / path.name


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _opened(path: Path) -> Desk:
    """By a server whose ids are its own."""
    desk = Desk(SQLITE, path.parent)
    desk._job_ids = (f"later-{number}" for number in itertools.count(1))
    return desk


def _jobs(path: Path) -> int:
    desk = _opened(path)
    jobs = sum(desk.run(desk.store.counts()).values())
    desk.end()
    return jobs


def _refused(path: Path, fate: str = "gone") -> None:
    before = {file.name: file.read_bytes() for file in path.parent.glob("*.db*")}
    with pytest.raises(StoreRefused, match=LOST.format(path.name, fate)):
        connect(path)
    assert {file.name: file.read_bytes() for file in path.parent.glob("*.db*")} == before


def test_with_its_log_a_killed_store_is_whole(killed: tuple[Path, int]) -> None:
    path, jobs = killed
    assert _jobs(path) == jobs
    assert not _wal(path).exists()
    assert _jobs(path) == jobs


def test_without_its_log_a_killed_store_is_refused_each_time(killed: tuple[Path, int]) -> None:
    path, _ = killed
    _wal(path).unlink()
    _refused(path)
    _refused(path)


@pytest.mark.parametrize("left_bytes", [0, 31, 32, 32 + 24 + 4095])
def test_with_a_log_that_has_not_one_frame_it_is_refused_too(killed: tuple[Path, int], left_bytes: int) -> None:
    path, _ = killed
    os.truncate(_wal(path), left_bytes)
    _refused(path, "cut off")


def test_a_log_that_is_cut_off_in_its_last_transaction_is_what_a_crash_leaves(quick_path: Path) -> None:
    path = _killed(quick_path, 3)
    os.truncate(_wal(path), _wal(path).stat().st_size - 1)
    assert _jobs(path) == 2


def test_one_that_another_program_has_opened_after_the_kill_is_whole_without_a_log(killed: tuple[Path, int]) -> None:
    """The sqlite3 shell, say: it moves the log into the file and removes it."""
    path, jobs = killed
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (jobs,)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert not _wal(path).exists()
    assert _jobs(path) == jobs


def test_who_accepts_the_loss_gets_the_store_as_it_was_and_must_say_so_each_time(killed: tuple[Path, int]) -> None:
    path, jobs = killed
    _wal(path).unlink()
    path.with_name("jobs.db.go-on").touch()
    desk = _opened(path)
    assert sum(desk.run(desk.store.counts()).values()) <= jobs
    assert not path.with_name("jobs.db.go-on").exists()
    desk.submit()
    shutil.copyfile(path, path.with_name("again.db"))
    desk.end()
    _refused(path.with_name("again.db"))
    assert _jobs(path) > 0


def test_a_store_that_was_never_acknowledged_anything_but_its_making_is_marked_too(quick_path: Path) -> None:
    desk = Desk(SQLITE, quick_path)
    desk.submit()
    shutil.copyfile(quick_path / "jobs.db", quick_path / "copy.db")
    desk.end()
    _refused(quick_path / "copy.db")


def test_a_long_log_is_moved_into_the_file_and_begun_anew(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_mark, "LONG_FRAMES", FEW)
    desk = Desk(SQLITE, quick_path)
    for _ in range(100):
        desk.submit(spec(data='"' + "x" * 3000 + '"'))
    assert (quick_path / "jobs.db-wal").stat().st_size < 3 * FEW * 4120
    assert (quick_path / "jobs.db").stat().st_size > 80 * 3000
    desk.end()


def test_the_copy_that_a_migration_makes_of_a_marked_store_opens_by_itself(
    quick_path: Path, more_migrations: Path
) -> None:
    path = _killed(quick_path, 3)
    version = len(migrations())
    _wal(path).unlink()
    path.with_name("jobs.db.go-on").touch()
    (more_migrations / f"{version + 1:04d}_more.sql").write_text("ALTER TABLE jobs ADD COLUMN more TEXT;")
    connect(path)[0].close()
    (more_migrations / f"{version + 1:04d}_more.sql").unlink()
    connect(path.with_name(f"jobs.db.schema-{version}.backup"))[0].close()


@pytest.fixture
def at_work(quick_path: Path) -> Iterator[sqlite3.Connection]:
    """The connection of a store that a kill left and that was opened again."""
    with closing(connect(_killed(quick_path, 1))[0]) as database:
        yield database


def _says(mark: Mark | None) -> str:
    assert mark is not None
    return mark.says


def test_a_move_that_finds_a_read_open_is_made_after_a_later_turn(quick_path: Path) -> None:
    path = _killed(quick_path, 1)
    with closing(connect(path)[0]) as database:
        mark, before = LogMark(database, path, FEW), path.read_bytes()
        database.executescript("CREATE TABLE long AS SELECT zeroblob(100000) AS content")
        reader = database.execute("SELECT name FROM meta")
        reader.fetchone()
        for _ in range(2):
            mark.move_if_long()
        assert path.read_bytes() == before
        assert _says(mark_of(database)) == log_mark.MOVED
        killed = _copied(path, quick_path / "owing")
        reader.close()
        mark.move_if_long()
        assert path.read_bytes() != before
        assert not mark._is_long()
    assert _jobs(killed) == 1


def test_no_start_goes_on_without_the_mark_in_its_file(at_work: sqlite3.Connection, quick_path: Path) -> None:
    """A store that a crash has left has it; there the move may wait (on a full disk, say)."""
    reader = at_work.execute("SELECT name FROM meta")
    reader.fetchone()
    for alone in (None, Mark(log_mark.MOVED, "some", "some")):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            LogMark(at_work, quick_path / "killed" / "jobs.db").begin(alone)
    mark = LogMark(at_work, quick_path / "killed" / "jobs.db")
    mark.begin(mark_alone(_copied(quick_path / "killed" / "jobs.db", quick_path / "before")))
    reader.close()
    before = (quick_path / "killed" / "jobs.db").read_bytes()
    mark.move_if_long()
    assert (quick_path / "killed" / "jobs.db").read_bytes() != before, "it is made up for at once"


def test_a_disk_that_fails_while_the_log_is_moved_is_the_end(at_work: sqlite3.Connection, quick_path: Path) -> None:
    """What a later sync says is worth nothing after one that has failed."""
    mark = LogMark(at_work, quick_path / "killed" / "jobs.db")
    at_work.execute("PRAGMA query_only = ON")  # each write fails
    with pytest.raises(sqlite3.OperationalError):
        mark.begin(Mark(log_mark.FOLLOWS, "some", "other"))
    assert at_work.execute("PRAGMA synchronous").fetchone() == (2,)


def _foreign(path: Path, log: Path) -> None:
    """The store is refused beside this log, which is taken away again."""
    own = _wal(path).read_bytes() if _wal(path).exists() else None
    shutil.copyfile(log, _wal(path))
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match=r"-wal is not the log of .*, or not its newest: put back the one that"):
        connect(path)
    assert (path.read_bytes(), _wal(path).read_bytes()) == (before, log.read_bytes())
    _wal(path).unlink() if own is None else _wal(path).write_bytes(own)


def test_the_log_of_another_store_is_refused(quick_path: Path) -> None:
    """SQLite would play it in: its checksums are right."""
    for name in "ab":
        (quick_path / name).mkdir()
    path, other = _killed(quick_path / "a", 3), _killed(quick_path / "b", 5)
    _foreign(path, _wal(other))
    _foreign(other, _wal(path))
    assert (_jobs(path), _jobs(other)) == (3, 5)


def test_a_log_of_an_earlier_life_is_refused(quick_path: Path) -> None:
    """One that was lost and accepted, or one that a backup was put beside."""
    path = _killed(quick_path, 3)
    earlier = _wal(path).rename(quick_path / "earlier")
    path.with_name("jobs.db.go-on").touch()
    desk = _opened(path)
    desk.submit()
    later = _copied(path, quick_path / "later")
    desk.end()
    _foreign(later, earlier)
    assert _jobs(later) == 1


def test_the_log_of_a_later_life_is_refused_beside_a_backup_of_before_it(quick_path: Path) -> None:
    Desk(SQLITE, quick_path).end()
    backup = quick_path / "backup.db"
    shutil.copyfile(quick_path / "jobs.db", backup)
    desk = _opened(quick_path / "jobs.db")
    desk.submit()
    later = _copied(quick_path / "jobs.db", quick_path / "later")
    desk.end()
    _foreign(backup, _wal(later))
    connect(backup)[0].close()


def test_where_the_second_mark_fails_the_store_opens_yet(at_work: sqlite3.Connection, quick_path: Path) -> None:
    """SQLite has removed the log when it closed the file: all of it was moved."""
    path = quick_path / "killed" / "jobs.db"
    mark = LogMark(at_work, path)
    at_work.execute(
        "CREATE TEMP TRIGGER no BEFORE INSERT ON meta WHEN NEW.value LIKE 'moved%' BEGIN SELECT RAISE(ABORT, 'no'); END"
    )
    with pytest.raises(sqlite3.IntegrityError):
        mark.begin(None)
    at_work.close()
    assert not _wal(path).exists()
    assert _says(mark_alone(path)) == log_mark.FOLLOWS
    assert _jobs(path) == 1
    assert not path.with_name("jobs.db.go-on").exists()


def test_a_store_of_before_there_were_marks_opens_and_gets_one(quick_path: Path) -> None:
    path = _killed(quick_path, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("DELETE FROM meta WHERE name = 'log'")
    assert not _wal(path).exists()
    with closing(connect(path)[0]) as database:
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (3,)
        assert _says(mark_of(database)) == log_mark.MOVED
        shutil.copyfile(path, quick_path / "copy.db")
    assert _says(mark_alone(quick_path / "copy.db")) == log_mark.FOLLOWS
    _refused(quick_path / "copy.db")


def test_sqlite_itself_moves_no_log_however_long(made: Path) -> None:
    """At whatever commit it did, the file would not tell that its log is missing."""
    with closing(connect(made)[0]) as database:
        before = made.read_bytes()
        database.execute("CREATE TABLE long AS SELECT zeroblob(8000000) AS content")
        database.execute("UPDATE meta SET value = 1.0 WHERE name = 'queue_clock'")
        assert _wal(made).stat().st_size > log_mark.LONG_FRAMES * 4096
        assert made.read_bytes() == before


def test_a_kill_in_the_middle_of_a_move_leaves_a_store_that_opens(quick_path: Path) -> None:
    path = _killed(quick_path, 3)
    with closing(connect(path)[0]) as database:
        now = mark_of(database)
        assert now is not None
        database.execute("UPDATE meta SET value = ? WHERE name = 'log'", (" ".join(now.next()),))
        marked = _copied(path, quick_path / "marked")
        database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        moved = _copied(path, quick_path / "moved")
    assert (_jobs(marked), _jobs(moved)) == (3, 3)


def test_to_look_into_a_killed_store_read_only_changes_nothing(killed: tuple[Path, int]) -> None:
    """As ``sqlite3 -readonly`` does. It may leave a -shm, which nobody heeds."""
    path, jobs = killed
    before = path.read_bytes(), _wal(path).read_bytes()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (jobs,)
    assert (path.read_bytes(), _wal(path).read_bytes()) == before
    assert _jobs(path) == jobs


def test_the_log_is_opened_for_the_first_look_alone_and_closed_with_the_store(quick_path: Path) -> None:
    desk = Desk(SQLITE, quick_path)
    store: Any = desk.store
    looks = []
    for _ in range(2):
        desk.submit(spec())
        looks.append(store._mark._open)
    assert looks[0] == looks[1] is not None
    mark = store._mark
    desk.end()
    assert mark._open is None
    assert not _wal(quick_path / "jobs.db").exists(), "SQLite could not remove the log"
