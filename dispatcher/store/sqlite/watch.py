"""Checks that the files of a store are still those that were opened (promise S23).

A file that is deleted or replaced lives on for the process that has it open: the server would go on acknowledging jobs
that are gone once it ends. It asks with ``os.stat`` alone: to open and close the file would drop its locks. That is two
calls and some microseconds, so every turn does it.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from dispatcher.errors import StorageTrouble
from dispatcher.store.sqlite.file import WAL_KEPT_BYTES

__all__ = ["WAL_ALARM_BYTES", "Watch"]

log = logging.getLogger("pagehand.store")

#: A log of this size is logged as a warning: the moves into the store do not get through.
WAL_ALARM_BYTES = 256 << 20


class _File:
    """One file as it was last seen."""

    def __init__(self, path: Path, kept_bytes: int | None = None) -> None:
        self._path = str(path)  # a look is made at every turn, and a Path costs as much as the call itself
        self._kept_bytes = kept_bytes
        state = os.stat(path)
        self._identity = (state.st_dev, state.st_ino)
        self.size = state.st_size

    def trouble(self) -> str | None:
        """What has happened to it, in one word that follows "was"; None: nothing."""
        try:
            state = os.stat(self._path)
        except FileNotFoundError:
            return "deleted"
        if (state.st_dev, state.st_ino) != self._identity:
            return "replaced"
        least = self.size if self._kept_bytes is None else min(self.size, self._kept_bytes)
        if state.st_size < least:
            return "cut off"
        self.size = state.st_size
        return None


class Watch:
    """Made once the store is open, when both its files exist."""

    def __init__(self, store: Path) -> None:
        path = store.resolve()  # as SQLite does
        self._path = path
        self._wal_path = path.with_name(f"{path.name}-wal")
        self._store = _File(path)
        # SQLite itself cuts its log down to this, and no further.
        self._wal = _File(self._wal_path, WAL_KEPT_BYTES)
        self._alarmed = False

    def look(self) -> None:
        """Raises StorageTrouble if a file is not what it was: nothing more may be acknowledged."""
        try:
            trouble = self._store.trouble()
            if trouble is not None:
                self._part(trouble)
                raise StorageTrouble(f"{self._path} was {trouble} while the server used it: put it back, or a backup")
            if (trouble := self._wal.trouble()) is not None:
                raise StorageTrouble(
                    f"{self._wal_path} was {trouble} while the server used it: its newest jobs are lost"
                )
        except OSError as error:
            raise StorageTrouble(f"{self._path} cannot be looked at: {error}") from error
        self._alarm()

    def _part(self, trouble: str) -> None:
        """Another file stands in the store's place: the log is not that one's, and must not be played into it."""
        if trouble == "replaced":
            with contextlib.suppress(OSError):
                self._wal_path.rename(self._wal_path.with_name(f"{self._wal_path.name}.of-the-replaced"))

    def _alarm(self) -> None:
        large = self._wal.size > WAL_ALARM_BYTES
        if large and not self._alarmed:
            log.warning("%s has grown to %d MiB", self._wal_path, self._wal.size >> 20, extra={"action": "wal_large"})
        self._alarmed = large
