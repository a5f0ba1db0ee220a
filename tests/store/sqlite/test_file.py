"""The file of a SQLite store: what is refused at start, how it is made, migrated and kept to oneself."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dispatcher.errors import StoreRefused
from dispatcher.store.sqlite import file as sqlite_file
from dispatcher.store.sqlite.file import APPLICATION_ID, connect, migrations
from tests.store.conftest import OpenDesk
from tests.store.contract import DURABLE, Desk
from tests.support.jobs import spec

ROOT = Path(__file__).resolve().parents[3]
SQLITE = next(kind for kind in DURABLE if kind.name == "sqlite")


@pytest.fixture
def made(quick_path: Path) -> Path:
    """The file of a store that holds some jobs and is not open."""
    desk = Desk(SQLITE, quick_path)
    desk.submit(*[spec(data='"' + "x" * 3000 + '"') for _ in range(40)])
    desk.end()
    return quick_path / "jobs.db"


def _refused(path: Path) -> str:
    """Why it is not opened; names the file, and is one line."""
    with pytest.raises(StoreRefused) as refused:
        connect(path)
    detail = refused.value.detail
    assert str(path) in detail
    assert "\n" not in detail
    return detail


def _edit(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


def _jobs(path: Path) -> int:
    with closing(connect(path)[0]) as database:
        count: int = database.execute("SELECT count(*) FROM jobs").fetchone()[0]
        return count


# what is refused


def test_a_file_of_a_newer_pagehand_is_refused_and_not_touched(made: Path) -> None:
    _edit(made, "PRAGMA user_version = 9999")
    before = made.read_bytes()
    detail = _refused(made)
    assert "newer" in detail
    assert "9999" in detail
    assert made.read_bytes() == before


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_database_of_another_program_is_refused_and_not_touched(quick_path: Path, journal: str) -> None:
    path = quick_path / "other.db"
    _edit(path, f"PRAGMA journal_mode = {journal}", "CREATE TABLE theirs (x)", "INSERT INTO theirs VALUES (1)")
    before = path.read_bytes()
    assert "another program" in _refused(path)
    assert path.read_bytes() == before
    assert [item.name for item in quick_path.iterdir()] == ["other.db"]


@pytest.mark.parametrize("start", [0, 10])
def test_a_damaged_header_is_refused(made: Path, start: int) -> None:
    content = bytearray(made.read_bytes())
    content[start : start + 8] = b"\xff" * 8
    made.write_bytes(content)
    assert "restore a backup" in _refused(made)
    assert made.read_bytes() == content


def test_any_damaged_page_is_refused_and_nothing_is_changed(made: Path) -> None:
    sound = made.read_bytes()
    pages = len(sound) // 4096
    assert pages > 30
    details = []
    for page in range(1, pages):
        content = bytearray(sound)
        content[page * 4096 : page * 4096 + 100] = os.urandom(100)
        made.write_bytes(content)
        try:
            connection = connect(made).connection
        except StoreRefused as refused:
            details.append(refused.detail)
        else:
            # Random bytes in the middle of a long text damage no structure.
            assert _is_overflow(connection, page + 1)
            connection.close()
        assert made.read_bytes() == content
    assert all("restore a backup" in detail for detail in details)
    assert len(details) > 20
    made.write_bytes(sound)
    assert _jobs(made) == 40


def _is_overflow(connection: sqlite3.Connection, page: int) -> bool:
    try:
        kind = connection.execute("SELECT pagetype FROM dbstat WHERE pageno = ?", (page,)).fetchone()
    except sqlite3.OperationalError:
        return True  # this SQLite cannot say
    return kind is None or kind[0] == "overflow"


@pytest.mark.parametrize("length", [1, 50, 100, 4096, 5000, 12_288])
def test_a_file_that_was_cut_off_is_refused(made: Path, length: int) -> None:
    with made.open("r+b") as file:
        file.truncate(length)
    before = made.read_bytes()
    assert "restore a backup" in _refused(made)
    assert made.read_bytes() == before


def test_an_empty_file_is_refused_and_not_filled(made: Path) -> None:
    with made.open("r+b") as file:
        file.truncate(0)
    assert "empty" in _refused(made)
    assert made.stat().st_size == 0


def test_a_missing_file_beside_its_log_is_refused(made: Path) -> None:
    made.with_name("jobs.db-wal").write_bytes(b"what was not written back")
    made.unlink()
    detail = _refused(made)
    assert "missing" in detail
    assert "jobs.db-wal" in detail
    assert not made.exists()
    # Also where the store is reached by a link.
    link = made.with_name("link.db")
    link.symlink_to(made)
    with pytest.raises(StoreRefused, match="missing"):
        connect(link)


def test_a_text_and_a_directory_are_refused(quick_path: Path) -> None:
    text = quick_path / "text"
    text.write_text("not a database\n" * 100)
    assert "not a SQLite file" in _refused(text)
    assert "directory" in _refused(quick_path)


def test_a_place_where_nothing_can_be_made_is_refused(quick_path: Path) -> None:
    (quick_path / "file").write_text("x")
    for path in (quick_path / "file" / "jobs.db", quick_path / "file" / "deeper" / "jobs.db"):
        assert "cannot be used" in _refused(path)
    assert "cannot be used" in _refused(quick_path / ("n" * 300))


def _as_nobody(path: Path) -> str:
    """What ``connect`` says to a process without rights: its imports done, it puts them down, if it has any."""
    program = (
        "import os, sys; from pathlib import Path; from dispatcher.store.sqlite.file import connect\n"
        "from dispatcher.errors import StoreRefused\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: connect(Path(sys.argv[1])); print('opened')\n"
        "except StoreRefused as refused: print(refused.detail)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


def test_a_store_without_the_rights_to_write_it_is_refused(made: Path) -> None:
    made.parent.chmod(0o555)
    made.chmod(0o444)
    try:
        said = _as_nobody(made)
        assert re.search("cannot be (used|written)", said), said
        assert "rights" in said
        assert "cannot be used" in _as_nobody(made.with_name("new.db"))
        made.chmod(0o000)
        assert "cannot be written" in _as_nobody(made)
    finally:
        made.parent.chmod(0o755)
        made.chmod(0o600)
    assert _jobs(made) == 40


# making it


def test_a_new_store_is_for_its_owner_alone(quick_path: Path) -> None:
    path = quick_path / "new" / "deeper" / "jobs.db"
    old = os.umask(0)
    try:
        connection, created, _ = connect(path)
        connection.execute("INSERT INTO lanes (name, type) VALUES ('x', 'x')")
        modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()}
        connection.close()
    finally:
        os.umask(old)
    assert created
    assert modes == {"jobs.db": 0o600, "jobs.db-wal": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_new_store_is_ours_and_up_to_date(quick_path: Path) -> None:
    connection, created, _ = connect(quick_path / "jobs.db")
    with closing(connection):
        assert created
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(migrations()),)
        assert len(connection.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()[0]) == 32
    again, created, _ = connect(quick_path / "jobs.db")
    with closing(again):
        assert not created


#: Kills the process at the N-th of the events that make a store, as Python and SQLite report them.
_KILL_AT = """
import os, signal, sys
from pathlib import Path
from dispatcher.store.sqlite import file as sqlite_file
left = int(sys.argv[2])
def step(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return 0
sys.addaudithook(lambda event, arguments: step() if event in (
    "open", "os.link", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect") else None)
sound = sqlite_file.sqlite3.connect
def watched(*arguments, **fields):
    connection = sound(*arguments, **fields)
    connection.set_progress_handler(step, 40)
    connection.set_trace_callback(step)
    return connection
sqlite_file.sqlite3.connect = watched
sqlite_file.connect(Path(sys.argv[1]))
print(left)
"""


def _make_and_die(path: Path, at: int) -> int | None:
    """Makes a store and dies at an event; returns how many were left, or None where it died."""
    done = subprocess.run(
        [sys.executable, "-c", _KILL_AT, str(path), str(at)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_crash_while_a_store_is_made_leaves_nothing_or_a_whole_one(quick_path: Path) -> None:
    # How many events there are.
    far = 1_000_000
    left = _make_and_die(quick_path / "whole" / "jobs.db", far)
    assert left is not None
    events = far - left
    assert events > 30
    whole = 0
    for at in sorted({1 + events * n // 24 for n in range(24)} | set(range(events - 8, events))):
        path = quick_path / str(at) / "jobs.db"
        assert _make_and_die(path, at) is None
        survived = path.exists()
        whole += survived
        connection, created, _ = connect(path)
        with closing(connection):
            assert created is not survived
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("SELECT count(*) FROM meta").fetchone() == (5,)
        # What the crash left is gone with the next good start.
        assert [item.name for item in path.parent.iterdir()] == ["jobs.db"]
    assert whole > 0


@pytest.mark.parametrize("links", [True, False])
def test_a_store_that_another_server_has_just_made_is_never_replaced(made: Path, monkeypatch, links: bool) -> None:
    path, fill = made.with_name("new.db"), sqlite_file._fill

    def slow_fill(draft: Path) -> None:
        fill(draft)
        made.rename(path)  # the other one was faster

    def link(source: Path, target: Path) -> None:
        raise PermissionError(1, "this file system has no links")

    monkeypatch.setattr(sqlite_file, "_fill", slow_fill)
    if not links:
        monkeypatch.setattr(os, "link", link)
    assert _jobs(path) == 40
    names = [item.name for item in path.parent.iterdir() if not item.name.endswith(".ballast")]
    assert names == ["new.db"]


def test_a_store_can_be_made_where_there_are_no_links(quick_path: Path, monkeypatch) -> None:
    def link(source: Path, target: Path) -> None:
        raise PermissionError(1, "this file system has no links")

    monkeypatch.setattr(os, "link", link)
    assert _jobs(quick_path / "jobs.db") == 0
    assert [item.name for item in quick_path.iterdir()] == ["jobs.db"]


# migrations


def test_migrations_are_numbered_from_one_without_gaps() -> None:
    assert [version for version, _ in migrations()] == list(range(1, len(migrations()) + 1))
    for _, text in migrations():
        assert text.startswith("-- "), "a migration says what it does and what old code makes of it"
        assert not re.search(r"\b(BEGIN|COMMIT|PRAGMA)\b", re.sub("--.*", "", text))


@pytest.fixture
def more_migrations(quick_path: Path, monkeypatch) -> Path:
    """The directory of migrations, as a copy that a test may add to."""
    copy = quick_path / "sql"
    shutil.copytree(sqlite_file._SQL, copy)
    monkeypatch.setattr(sqlite_file, "_SQL", copy)
    return copy


def test_a_gap_between_migrations_is_found(more_migrations: Path) -> None:
    number = len(migrations()) + 2
    (more_migrations / f"{number:04d}_late.sql").write_text("SELECT 1;")
    with pytest.raises(AssertionError, match="gaps"):
        migrations()


def test_an_older_store_is_migrated_and_keeps_its_jobs(made: Path, more_migrations: Path) -> None:
    number = len(migrations()) + 1
    (more_migrations / f"{number:04d}_more.sql").write_text("ALTER TABLE jobs ADD COLUMN more TEXT;")
    with closing(connect(made)[0]) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (number,)
        assert database.execute("SELECT count(*), max(more) FROM jobs").fetchone() == (40, None)


def test_a_migration_that_fails_leaves_the_old_schema_and_the_jobs(made: Path, more_migrations: Path) -> None:
    number = len(migrations()) + 1
    broken = more_migrations / f"{number:04d}_broken.sql"
    broken.write_text("ALTER TABLE jobs ADD COLUMN more TEXT; DELETE FROM jobs; INSERT INTO nowhere VALUES (1);")
    assert "nowhere" in _refused(made)
    broken.unlink()
    with closing(connect(made)[0]) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (number - 1,)
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (40,)
        assert "more" not in [row[1] for row in database.execute("PRAGMA table_info(jobs)")]


# the rest


def test_a_store_that_was_not_closed_is_recovered_whole(open_desk: OpenDesk, quick_path: Path) -> None:
    desk = open_desk(SQLITE)
    desk.submit(*[spec() for _ in range(30)])
    source = Path(desk.store.location)
    copy = quick_path / "copy.db"
    # As a crash leaves them: nothing was written back to the file yet.
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{source}{suffix}", f"{copy}{suffix}")
    assert Path(f"{copy}-wal").stat().st_size > 0
    assert _jobs(copy) == 30


def test_a_torn_end_of_the_log_loses_only_what_was_not_whole(open_desk: OpenDesk, quick_path: Path) -> None:
    desk = open_desk(SQLITE)
    for _ in range(10):
        desk.submit()
    source = Path(desk.store.location)
    log = Path(f"{source}-wal").read_bytes()
    for cut in (1, 1000, 4096, 5000):
        copy = quick_path / f"torn-{cut}.db"
        shutil.copyfile(source, copy)
        Path(f"{copy}-wal").write_bytes(log[:-cut])
        assert 0 <= _jobs(copy) <= 10
        with closing(connect(copy)[0]) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
