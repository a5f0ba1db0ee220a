"""Opens the file of a SQLite store: checks before, lock, migrations, checks after.

Whatever is wrong raises StoreRefused, which says what to do. SQLite alone opens the file itself: to close any other
handle on it would drop this process's POSIX locks, and a second server could then write (measured).
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import sqlite3
from pathlib import Path
from typing import NamedTuple

from dispatcher.errors import StoreRefused
from dispatcher.store.numbered import numbered
from dispatcher.store.sqlite.backup import DRAFT, back_up, sync_directory
from dispatcher.store.sqlite.log_mark import (
    LogMark,
    accept_name,
    lost_log,
    mark_alone,
    refuse_foreign_log,
    take_lock,
)
from dispatcher.store.sqlite.wal import damaged_frame, first_page

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["APPLICATION_ID", "PRAGMAS", "WAL_KEPT_BYTES", "OpenedFile", "connect", "migrations"]

#: "PGHD", in the file's header: this file is ours.
APPLICATION_ID = 0x50474844
#: A file up to this size is checked whole at every start; a larger one would hold the start up.
CHECKED_BYTES = 512 << 20

#: A large turn makes a large log; once it has been moved into the store, the log's file is cut down to this.
WAL_KEPT_BYTES = 64 << 20
#: The settings of a store's connection, in this order.
PRAGMAS = (
    "locking_mode = EXCLUSIVE",
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 0",  # see log_mark
    f"journal_size_limit = {WAL_KEPT_BYTES}",
    "cache_size = -65536",
    "temp_store = MEMORY",
)

#: How long to wait for another server to let go.
_BUSY_S = 1.0
#: Where SQLite locks a file (its documentation, "the lock-byte page").
_FIRST_LOCK_BYTE, _LOCK_BYTES = 1 << 30, 512
_MAGIC = b"SQLite format 3\0"
_LEAST_SQLITE = (3, 38, 0)
_SQL = Path(__file__).resolve().parent / "sql"


def migrations() -> list[tuple[int, str]]:
    """(version, SQL) of every migration, in order."""
    return numbered(_SQL)


class OpenedFile(NamedTuple):
    """The store's file, locked, checked and migrated."""

    connection: sqlite3.Connection
    #: It was made just now.
    is_new: bool
    #: The number of the schema that it had before.
    schema_was: int


def connect(path: Path) -> OpenedFile:
    """Opens the store's file, locked, checked and migrated.

    Raises StoreRefused. Must be called in the thread that will use the connection.
    """
    if sqlite3.sqlite_version_info < _LEAST_SQLITE:
        raise StoreRefused(f"SQLite {sqlite3.sqlite_version} is too old: Pagehand needs 3.38 or newer")
    try:
        path = path.resolve()  # as SQLite does, so that the -wal is looked for where it is
        created = _look(path)
        if created:
            _create(path)
        connection, schema_was = _open(path)
        return OpenedFile(connection, created, schema_was)
    except sqlite3.Error as error:
        raise _refusal(path, error) from error
    except UnicodeDecodeError as error:  # SQLite names what it cannot read, and Python cannot read the name
        raise StoreRefused(
            f"{path} is damaged (its schema is no text): restore a backup; nothing was changed"
        ) from error
    except OSError as error:
        raise StoreRefused(f"{path} cannot be used ({error}): check its directory, owner and rights") from error


def _look(path: Path) -> bool:
    """Whether the file must be made. Refuses files that look like the remains of a store."""
    if path.is_dir():
        raise StoreRefused(f"{path} is a directory: name a file")
    if not path.exists():
        if os.path.exists(f"{path}-wal"):
            raise StoreRefused(
                f"{path} is missing, but {path}-wal beside it holds jobs: put the file back, or move the -wal away"
            )
        return True
    if path.stat().st_size == 0:
        raise StoreRefused(
            f"{path} is empty, so it was cut off: restore a backup, or move it away to begin a new store"
        )
    if not os.access(path, os.W_OK):
        raise StoreRefused(f"{path} cannot be written: check its owner, its rights and the disk")
    with path.open("rb") as file:  # before SQLite locks it, and before it changes what may not be ours
        header = file.read(100)
    if not header.startswith(_MAGIC):
        # A power cut may have torn it while the log was being moved in; then the log has it whole.
        header = first_page(path.with_name(f"{path.name}-wal"))[:100]
    if len(header) < 100 or not header.startswith(_MAGIC):
        raise StoreRefused(f"{path} is not a SQLite file, or its beginning is damaged: restore a backup")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreRefused(f"{path} is a database of another program: name another file")
    _look_at_log(path, int.from_bytes(header[16:18], "big"))
    return False


def _look_at_log(path: Path, page_bytes: int) -> None:
    """Call it before SQLite opens the store: SQLite takes a log with a damaged beginning for empty, and removes it."""
    if (fate := lost_log(path, page_bytes)) is not None and not _in_use(path):
        raise StoreRefused(
            f"{path} was in use when its server ended, and {path}-wal {fate}: "
            "put the -wal back, or restore a backup; to go on without these changes, make an empty file "
            f"{accept_name(path)}; nothing was changed"
        )
    frame = damaged_frame(path.with_name(f"{path.name}-wal"), page_bytes)
    if frame is not None and not _in_use(path):  # a log that is being written may look like anything
        raise StoreRefused(
            f"{path}-wal is damaged (frame {frame}), with acknowledged jobs behind the damage: "
            "restore a backup; nothing was changed"
        )


def _in_use(path: Path) -> bool:
    """Whether another process has SQLite's lock on the file."""
    if fcntl is None:
        return False
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCK_BYTES, _FIRST_LOCK_BYTE)
        except OSError:
            return True
    return False


def _create(path: Path) -> None:
    """Makes a new store beside its place and moves it there whole, so that a crash leaves no half of one.

    Another server may be making the same store: the first to move its own there wins, none is ever replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}{DRAFT}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _fill(draft)
        with contextlib.suppress(FileExistsError):
            _move(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)


def _fill(draft: Path) -> None:
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _run_migrations(connection, 0)
        connection.execute("INSERT INTO meta VALUES ('key', ?), ('queue_clock', 0.0)", (secrets.token_bytes(32),))
    finally:
        connection.close()


def _move(draft: Path, path: Path) -> None:
    """Gives the draft its place. Raises FileExistsError if the place is taken."""
    if os.name != "posix":
        draft.rename(path)  # there, it never replaces a file
        return
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if path.exists():
            raise FileExistsError(path) from None
        draft.rename(path)


def _remove_drafts(path: Path) -> None:
    """Removes what crashes left of stores that were being made. The lock is ours, so nobody can want them any more."""
    for draft in path.parent.glob(f"{glob.escape(path.name)}.*{DRAFT}*"):
        draft.unlink(missing_ok=True)


def _open(path: Path) -> tuple[sqlite3.Connection, int]:
    alone = mark_alone(path)
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=512, timeout=_BUSY_S)
    try:
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        refuse_foreign_log(connection, path, alone)
        _check(connection, path)
        take_lock(connection)
        _check_log(path)
        _remove_drafts(path)
        schema_was = _upgrade(connection, path)
        LogMark(connection, path).begin(alone)
    except BaseException:
        # To close is to move the log into the file and to remove it; interrupted, SQLite leaves both as they are.
        connection.interrupt()
        connection.close()
        raise
    return connection, schema_was


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _check_log(path: Path) -> None:
    """After a write the log must be there. If SQLite could not begin one (a sync failed, or the file system cannot hold
    one), it goes on without, and its ``PRAGMA journal_mode`` may say ``wal`` all the same (measured, 3.40)."""
    if not path.with_name(f"{path.name}-wal").exists():
        raise StoreRefused(
            f"{path} cannot be kept with a log beside it: its disk has failed, or its file system will not do; "
            "look at the disk, or name a file elsewhere"
        )


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if path.stat().st_size <= CHECKED_BYTES:
        fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if fault != "ok":
            fault = fault.splitlines()[-1]
            raise StoreRefused(f"{path} is damaged ({fault}): restore a backup; nothing was changed")
    version, newest = _version(connection), len(migrations())
    if version > newest:
        raise StoreRefused(
            f"{path} was written by a newer Pagehand (schema {version}, this one knows {newest}): update this server"
        )
    missing = sorted(_columns_of_schema(version) - _columns(connection))
    if missing:
        raise StoreRefused(
            f"{path} was not made by a released Pagehand (schema {version} without {missing[0]}): "
            "start the version that made it, or name another file; nothing was changed"
        )


def _columns(connection: sqlite3.Connection) -> set[str]:
    """Every column of every table, as ``table.column``."""
    found = connection.execute(
        "SELECT tables.name || '.' || columns.name"
        " FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'"
    )
    return {row[0] for row in found}


def _columns_of_schema(version: int) -> set[str]:
    """The columns that a store of this version has: before the first release its schema was edited in place."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        for _, text in migrations()[:version]:
            model.executescript(text)
        return _columns(model)


def _upgrade(connection: sqlite3.Connection, path: Path) -> int:
    """Returns the number of the schema that it had."""
    version = _version(connection)
    if version < len(migrations()):
        back_up(connection, path, version)
        _run_migrations(connection, version)
    return version


def _run_migrations(connection: sqlite3.Connection, version: int) -> None:
    for number, text in migrations()[version:]:
        # One transaction with its version: a crash leaves the old schema or the new one.
        connection.executescript(f"BEGIN IMMEDIATE;\n{text}\nPRAGMA user_version = {number};\nCOMMIT;")


def _held(path: Path) -> bool:
    try:
        return _in_use(path)
    except OSError:
        return False


def _refusal(path: Path, error: sqlite3.Error) -> StoreRefused:
    name = getattr(error, "sqlite_errorname", "")
    # If two servers begin on one file, SQLite may call the other's work an I/O error, or worse.
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")) or _held(path):
        return StoreRefused(f"{path} is in use by another server: stop that one, or name another file")
    if name == "SQLITE_FULL":
        return StoreRefused(f"{path} cannot be opened: its disk is full: make room; nothing was changed")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreRefused(f"{path} is damaged ({error}): restore a backup; nothing was changed")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return StoreRefused(f"{path} cannot be written ({error}): check owner, rights and the disk")
    return StoreRefused(f"{path} cannot be opened: {error}")
