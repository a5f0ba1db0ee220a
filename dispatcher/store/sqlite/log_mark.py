"""Moves the log into the store's file, and leaves a mark there by which a file tells which log it needs (S23).

If a store's ``-wal`` was removed while no server ran, SQLite opens the store as if the log had been empty; a log of
another store it plays into the file. So the changes that are moved into the file end with a mark that says FOLLOWS:
newer changes stand in the log. A mark that says MOVED is written right behind it. That one stands in the log alone
until the whole log is moved in: by a stop in good order, or by another program that opens the store after a crash. Each
move draws one token for both marks. A file that says FOLLOWS and has no log beside it has lost its log; a log with
another token does not belong to the file.

A start writes both marks before anything is acknowledged; after that each move does, once in some 1,000 frames. So
SQLite's own moves of the log, which may come at any commit, are switched off (``file.PRAGMAS``). A store without a mark
(an older Pagehand made it) gets its first at the next start.

One window makes us refuse a store that has lost nothing: its server ended between the two marks (it was killed there,
or its power was cut before the first turn behind them, which makes MOVED durable), and then another program moved the
log in. One loss is not seen: that of a log which was cut off behind its first frame.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dispatcher.errors import StorageFull, StoreRefused

__all__ = [
    "LONG_FRAMES",
    "LogMark",
    "Mark",
    "accept_name",
    "lost_log",
    "mark_alone",
    "mark_of",
    "refuse_foreign_log",
    "take_lock",
]

FOLLOWS, MOVED = "follows", "moved"
#: A log of this many frames is moved into the file (SQLite's own default).
LONG_FRAMES = 1_000

_WRITE = "INSERT OR REPLACE INTO meta (name, value) VALUES ('log', ?)"
_TAKEN = "UPDATE meta SET value = replace(value, ?, ?) WHERE name = 'log'"
_BEGIN_LIFE = """
    INSERT INTO meta (name, value) VALUES ('epoch', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1
"""
_READ = "SELECT value FROM meta WHERE name = 'log'"
_NORMAL = 1
#: There is no room, or a read is open: the move is tried again after the next turn.
_LATER = ("SQLITE_FULL", "SQLITE_LOCKED", "SQLITE_BUSY")
#: Sizes of the log's header and of each frame's, and where their salts stand: these tell this round of the log from
#: earlier ones.
_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_HEADER_SALTS, _FRAME_SALTS, _SALT_BYTES = 16, 8, 8
#: On Windows a file is read as text unless it is told.
_AS_BYTES = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class Mark(NamedTuple):
    """What the file, or the log behind it, says of the log."""

    says: str
    #: The token of the move that wrote it.
    token: str
    #: The token of the move before, if this one may not have come to its end: either may stand in the file.
    before: str

    def settled(self) -> Mark:
        """The mark after its move, if that is known to have come to its end."""
        return Mark(MOVED, self.token, self.token)

    def is_half_done(self) -> bool:
        """Whether its move may have stopped half-way, or the mark behind it is missing."""
        return self.says == FOLLOWS or self.before != self.token

    def next(self) -> Mark:
        """The mark for the next move; the same token again if the last move may have stopped half-way."""
        if self.before != self.token:
            return self._replace(says=FOLLOWS)
        return Mark(FOLLOWS, secrets.token_hex(8), self.token)


def mark_of(connection: sqlite3.Connection) -> Mark | None:
    """The mark as it is read through the log. None: there is no mark yet."""
    row = connection.execute(_READ).fetchone()
    words = row[0].split() if row is not None and isinstance(row[0], str) else []
    return Mark(*words) if len(words) == len(Mark._fields) else None


def mark_alone(path: Path) -> Mark | None:
    """The mark as it stands in the file. None: there is none, or a crash has left a file that only its log makes whole.

    Call it before the store is opened: to close the file later would drop the store's locks.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as alone:
            return mark_of(alone)
    except (sqlite3.Error, UnicodeDecodeError):  # damage; what opens the store says which
        return None


def accept_name(path: Path) -> Path:
    """The file by which a person says that the store may open without its log."""
    return path.with_name(f"{path.name}.go-on")


def lost_log(path: Path, page_bytes: int) -> str | None:
    """What has happened to the log that should be beside a store that is not open; None: nothing."""
    try:
        size = path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        size = None
    if size is not None and size >= _HEADER_BYTES + _FRAME_HEADER_BYTES + page_bytes:
        return None
    mark = mark_alone(path)
    if mark is None or mark.says != FOLLOWS or accept_name(path).exists():
        return None
    return "with its newest changes is gone" if size is None else "with its newest changes is cut off"


def refuse_foreign_log(connection: sqlite3.Connection, path: Path, alone: Mark | None) -> None:
    """Raises StoreRefused if the mark read through the log does not follow the mark in the file."""
    if alone is None or ((mark := mark_of(connection)) is not None and alone.token in (mark.token, mark.before)):
        return
    raise StoreRefused(
        f"{path}-wal is not the log of {path}, or not its newest: put back the one that belongs to it, or restore a "
        "backup; or move this one away, to go on without it; nothing was changed"
    )


def take_lock(connection: sqlite3.Connection) -> None:
    """Takes the exclusive lock by a write, for good. The mark then reads MOVED, in a copy as well.

    The holder of the lock is the life that runs, so the same write counts the life.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    with _not_synced(connection):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute(_TAKEN, (FOLLOWS, MOVED))
        connection.execute(_BEGIN_LIFE)
        connection.execute("COMMIT")


class LogMark:
    """Moves the log of a store that is open: once as it begins, then whenever it is long."""

    def __init__(self, connection: sqlite3.Connection, path: Path, long_frames: int | None = None) -> None:
        self._db = connection
        self._log = f"{path}-wal"
        #: The log, to read it; None: it was not read yet. SQLite has no locks on it, which closing it would drop.
        self._open: int | None = None
        self._accept = accept_name(path)
        frame_bytes = _FRAME_HEADER_BYTES + connection.execute("PRAGMA page_size").fetchone()[0]
        self._last_salts = _HEADER_BYTES + frame_bytes * ((long_frames or LONG_FRAMES) - 1) + _FRAME_SALTS
        #: The mark that the log has.
        self._mark = mark_of(connection) or Mark(MOVED, "none", "none")
        #: Why the last move has not come to its end; None: it has.
        self._hindered: sqlite3.Error | None = None
        self._held = False

    def begin(self, alone: Mark | None) -> None:
        """Call it before anything is acknowledged. If the file's own mark already says FOLLOWS, a move may wait."""
        if alone is not None:
            self._mark = alone.settled()
        self._move()
        if self._hindered is not None and (alone is None or alone.says != FOLLOWS):
            raise self._hindered

    def move_if_long(self) -> None:
        """Call it after each turn."""
        if not self._held and (self._mark.is_half_done() or self._is_long()):
            self._move()

    def hold(self) -> None:
        """Moves the log, and then leaves the file as it is until ``release``: it holds all that was acknowledged.

        Turns go on, and the log grows meanwhile. Raises StorageFull if the log cannot be moved now.
        """
        self._move()
        if self._mark.is_half_done():
            raise StorageFull("the log cannot be moved into the store: make room on its disk", retry_after_s=60)
        self._held = True

    def release(self) -> None:
        """The log may be moved again."""
        self._held = False

    def _move(self) -> None:
        """Moves the log into the file. If there is no room, everything stays in the log, as it is.

        If MOVED cannot be written, SQLite may remove the log when the file is closed, with all of it in the file. The
        next start would take that for a loss, so it is accepted beforehand.
        """
        self._hindered = None
        try:
            self._write_and_move()
        finally:
            with contextlib.suppress(OSError):
                if self._mark.says == FOLLOWS:
                    self._accept.touch()
                else:
                    self._accept.unlink(missing_ok=True)

    def _write_and_move(self) -> None:
        """The marks need no sync of their own: the move syncs the log before it, and the file after it."""
        with _not_synced(self._db):
            mark = self._mark.next()
            if self._done(_WRITE, " ".join(mark)):
                self._mark = mark
                if self._done("PRAGMA wal_checkpoint(PASSIVE)"):
                    self._mark = mark._replace(before=mark.token)
            mark = self._mark._replace(says=MOVED)
            if self._mark.says == FOLLOWS and self._done(_WRITE, " ".join(mark)):
                self._mark = mark

    def _done(self, statement: str, *values: str) -> bool:
        """Whether the statement was done. Raises sqlite3.Error if a later try cannot help, as after a failed sync."""
        try:
            self._db.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            if not error.sqlite_errorname.startswith(_LATER):
                raise
            self._hindered = error
            return False
        return True

    def _is_long(self) -> bool:
        """Whether the frame that makes the log long is of this round; SQLite writes over frames of earlier rounds."""
        try:
            if self._open is None:
                self._open = os.open(self._log, _AS_BYTES)  # it stays open: every turn asks, and this costs most of it
            os.lseek(self._open, _HEADER_SALTS, os.SEEK_SET)
            salts = os.read(self._open, _SALT_BYTES)
            os.lseek(self._open, self._last_salts, os.SEEK_SET)
            return len(salts) == _SALT_BYTES and os.read(self._open, _SALT_BYTES) == salts
        except OSError:  # the next look at the files says what has become of it
            return False

    def close(self) -> None:
        """Call it before the store's file is closed: SQLite then removes the log."""
        if self._open is not None:
            os.close(self._open)
            self._open = None


@contextlib.contextmanager
def _not_synced(connection: sqlite3.Connection) -> Iterator[None]:
    """No commit in here is durable by itself; a move of the log syncs what it must, and the next commit the rest."""
    (before,) = connection.execute("PRAGMA synchronous").fetchone()
    connection.execute(f"PRAGMA synchronous = {min(before, _NORMAL)}")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA synchronous = {before}")
