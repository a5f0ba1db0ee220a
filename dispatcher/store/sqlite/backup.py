"""A copy of a store beside it, made before its schema changes: the way back to an older version.

It is made through the store's own connection, which holds the lock: nothing else may open the store's file.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
from pathlib import Path

from dispatcher.errors import StoreRefused

__all__ = ["DRAFT", "back_up", "sync_directory"]

log = logging.getLogger("pagehand.store")

#: The ending of a file's name while the file is being made.
DRAFT = ".new"
#: The migration itself needs room, too.
_SPARE_BYTES = 16 << 20


def back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    """Copies the store, durably, to ``PATH.schema-VERSION.backup``; a file there is an older copy of the same schema.

    Raises StoreRefused if there is no room for it.
    """
    backup = path.with_name(f"{path.name}.schema-{version}.backup")
    _need_room(connection, path, version)
    log.info("%s is of the older schema %d: before it is upgraded, a backup is made: %s", path, version, backup)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}{DRAFT}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        connection.execute("VACUUM INTO ?", (str(draft),))
        _sync(draft)
        os.replace(draft, backup)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)
    return backup


def _need_room(connection: sqlite3.Connection, path: Path, version: int) -> None:
    if not hasattr(os, "statvfs"):
        return  # Windows: SQLite itself says when the disk is full
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    state = os.statvfs(path.parent)
    free, needed = state.f_bavail * state.f_frsize, pages * size + _SPARE_BYTES
    if free < needed:
        raise StoreRefused(
            f"{path} is of the older schema {version}, and there is no room for a backup of it before it is upgraded "
            f"({free >> 20} MiB free, {needed >> 20} MiB needed): make room; nothing was changed"
        )


def _sync(path: Path) -> None:
    """SQLite does not always sync what VACUUM INTO has written."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_directory(directory: Path) -> None:
    """Makes the names in the directory durable."""
    if os.name != "posix":
        return  # no such thing there; the rename itself is atomic
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
